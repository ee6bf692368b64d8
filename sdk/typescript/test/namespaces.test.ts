// Every namespace, as it is written in the documentation, against the real server.
import assert from "node:assert/strict";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, test } from "node:test";

import { APIError, NotFoundError, type Inbox, type Message } from "@agentpost/sdk";

import { client, HERE, nextDoor, owner } from "./place.js";

let inbox: Inbox;
let mail: Message;

before(async () => {
  inbox = await client.inboxes.create({ username: "support", display_name: "Support" });
  mail = await client.inboxes.simulate(inbox.id, {
    from: { email: "ann@customer.example", name: "Ann" },
    subject: "My order",
    text_body: "Where is order 4711?",
    attachments: [{ filename: "order.txt", content: new TextEncoder().encode("4711") }],
  });
});

test("an inbox with a client_id is created once", async () => {
  const wanted = { username: "sales", client_id: "sales-1" };
  assert.equal((await client.inboxes.create(wanted)).id, (await client.inboxes.create(wanted)).id);
});

test("an inbox can be read, renamed and deleted", async () => {
  const { id } = await client.inboxes.create();
  assert.equal((await client.inboxes.update(id, { display_name: "Billing" })).display_name, "Billing");
  assert.equal((await client.inboxes.get(id)).display_name, "Billing");
  assert.equal(await client.inboxes.delete(id), undefined);
  await assert.rejects(client.inboxes.get(id), NotFoundError);
});

test("a mail is sent, and its story told", async () => {
  const sent = await client.messages.send(inbox.id, {
    to: [{ email: "you@example.com", name: "You" }],
    subject: "Welcome",
    text_body: "Hello.",
    html_body: "<p>Hello.</p>",
  });
  assert.equal(sent.to_addresses[0]?.email, "you@example.com");
  assert.equal((await client.messages.timeline(sent.id)).message_id, sent.id);
});

test("a dry run tells what would become of a mail, and sends nothing", async () => {
  const plan = await client.messages.send(inbox.id, {
    to: ["you@example.com"],
    subject: "Never sent",
    text_body: "x",
    dry_run: true,
  });
  assert.equal(plan.recipients[0]?.email, "you@example.com");
  const found = await client.messages.list(inbox.id, { subject: "Never sent" });
  assert.deepEqual(found.data, []);
});

test("a batch has a result for each mail", async () => {
  const to = ["you@example.com"];
  const { data } = await client.messages.sendBatch(inbox.id, {
    messages: [
      { to, subject: "One", text_body: "1" },
      { to, subject: "", text_body: "" },
    ],
  });
  assert.equal(data[0]?.message?.subject, "One");
  assert.equal(data.length, 2);
});

test("a mail is answered, answered to all, and sent on", async () => {
  const reply = await client.messages.reply(mail.id, { text_body: "On its way." });
  assert.equal(reply.subject, "Re: My order");
  assert.equal(reply.thread_id, mail.thread_id);
  const toAll = await client.messages.replyAll(mail.id, { text_body: "All of you.", if_not_replied: false });
  assert.equal(toAll.to_addresses[0]?.email, "ann@customer.example");
  const forwarded = await client.messages.forward(mail.id, { to: "boss@example.com", text_body: "See below." });
  assert.equal(forwarded.to_addresses[0]?.email, "boss@example.com");
});

test("messages are listed of an inbox and of the environment", async () => {
  const here = await client.messages.list(inbox.id, { direction: "inbound", from: "ann@customer.example" });
  assert.deepEqual(
    here.data.map(({ id }) => id),
    [mail.id],
  );
  const everywhere = await client.messages.list({ direction: "inbound" });
  assert.ok(everywhere.data.some(({ id }) => id === mail.id));
});

test("a message is read whole, and as the bytes that came", async () => {
  assert.match((await client.messages.get(mail.id)).text_body ?? "", /4711/);
  assert.deepEqual((await client.messages.get(mail.id, { include: "codes" })).one_time_codes, []);
  assert.match(new TextDecoder().decode(await client.messages.raw(mail.id)), /^Subject: My order/m);
});

test("labels are put on messages and threads, and taken away", async () => {
  assert.deepEqual((await client.messages.addLabels(mail.id, { labels: ["urgent", "vip"] })).labels, ["urgent", "vip"]);
  assert.deepEqual((await client.messages.removeLabels(mail.id, { labels: ["vip"] })).labels, ["urgent"]);
  assert.deepEqual((await client.messages.update(mail.id, { labels: ["seen"] })).labels, ["seen"]);
  assert.deepEqual((await client.threads.addLabels(mail.thread_id, { labels: ["open"] })).labels, ["open"]);
  assert.deepEqual((await client.threads.removeLabels(mail.thread_id, { labels: ["open"] })).labels, []);
  assert.ok((await client.labels.list()).data.some(({ name }) => name === "seen"));
});

test("several messages are read and labelled at once", async () => {
  const updated = await client.messages.batchUpdate({ ids: [mail.id], add_labels: ["batch"] });
  assert.ok(updated.data[0]?.labels.includes("batch"));
  assert.equal((await client.messages.batchGet({ ids: [mail.id] })).data[0]?.id, mail.id);
});

test("a message that waits for its time is cancelled, and deleted", async () => {
  const send_at = new Date(Date.now() + 3_600_000).toISOString();
  const { id } = await client.messages.send(inbox.id, {
    to: ["you@example.com"],
    subject: "Later",
    text_body: "x",
    send_at,
  });
  await client.messages.cancel(id);
  await client.messages.delete(id);
  await assert.rejects(client.messages.get(id), NotFoundError);
});

test("a message in quarantine is let out", async () => {
  const spoofed = { from: "boss@northwind.example", subject: "Urgent", authentication: { dmarc: "fail" } } as const;
  const { id } = await client.inboxes.simulate(inbox.id, spoofed);
  assert.equal((await client.messages.release(id)).id, id);
});

test("threads are listed, with messages", async () => {
  const threads = await client.threads.list(inbox.id, { limit: 10 });
  const thread = threads.data.find(({ id }) => id === mail.thread_id);
  assert.equal(thread?.subject, "My order");
  assert.ok((await client.threads.get(mail.thread_id)).messages.data.some(({ id }) => id === mail.id));
});

test("waiting for mail finds its code and link", async () => {
  const { now: since } = await client.messages.wait(inbox.id, { timeout: 0 });
  const text_body = "Your code is 482913. https://service.example/verify?token=9a8b";
  await client.inboxes.simulate(inbox.id, {
    from: "no-reply@service.example",
    subject: "Verify your e-mail",
    text_body,
  });
  const found = await client.messages.wait(inbox.id, { since, timeout: 20, from: "no-reply@service.example" });
  assert.equal(found.message?.subject, "Verify your e-mail");
  assert.deepEqual(found.one_time_codes, ["482913"]);
  assert.equal(found.links[0]?.kind, "verification");
});

test("mail that comes while it is waited for is found, and none is told when there is none", async () => {
  const waiting = client.messages.wait(inbox.id, { timeout: 20, subject: "Just now" });
  const looked = await client.messages.wait(inbox.id, { timeout: 0, subject: "Just now" });
  assert.deepEqual([looked.timed_out, looked.message], [true, null]);
  await client.inboxes.simulate(inbox.id, { from: "ann@customer.example", subject: "Just now" });
  assert.equal((await waiting).message?.subject, "Just now");
});

test("a draft is written, changed and sent", async () => {
  const draft = await client.drafts.create(inbox.id, {
    to: [{ email: "you@example.com" }],
    subject: "Offer",
    text_body: "1,000",
  });
  const changed = await client.drafts.update(draft.id, { text_body: "900", version: draft.version });
  assert.equal(changed.version, draft.version + 1);
  assert.equal((await client.drafts.versions(draft.id)).data.length, 2);
  const sent = await client.drafts.send(draft.id, { version: changed.version });
  assert.equal((await client.drafts.get(draft.id)).message_id, sent.message_id);
});

test("a draft waits for a person's yes or no, and is deleted", async () => {
  const { id } = await client.drafts.create(inbox.id, { to: ["you@example.com"], subject: "No", text_body: "x" });
  assert.equal((await client.drafts.submit(id)).state, "pending_approval");
  await assert.rejects(client.drafts.approve(id), { status: 403, code: "missing_scope" });
  await assert.rejects(client.drafts.reject(id, { reason: "Too dear." }), { status: 403, code: "missing_scope" });
  assert.ok((await client.drafts.list({ state: "pending_approval" })).data.some((draft) => draft.id === id));
  assert.ok((await client.drafts.list(inbox.id)).data.some((draft) => draft.id === id));
  await client.drafts.delete(id);
  await assert.rejects(client.drafts.get(id), NotFoundError);
});

test("files are uploaded, sent by each of their names, and downloaded", async () => {
  const path = join(mkdtempSync(join(tmpdir(), "agentpost-")), "report.txt");
  writeFileSync(path, "from a path");
  const attachments = [
    await client.attachments.upload({ path }),
    await client.attachments.upload(new TextEncoder().encode("from bytes"), {
      filename: "bytes.txt",
      mime_type: "text/plain",
    }),
    { path },
    { filename: "blob.txt", content: new Blob(["from a blob"]) },
    mail.attachments[0]?.id ?? "",
  ];
  const sent = await client.messages.send(inbox.id, {
    to: ["you@example.com"],
    subject: "Files",
    text_body: "x",
    attachments,
  });
  const contents = await Promise.all(sent.attachments.map(({ id }) => client.attachments.download(id)));
  assert.deepEqual(
    contents.map((bytes) => new TextDecoder().decode(bytes)),
    ["from a path", "from bytes", "from a path", "from a blob", "4711"],
  );
});

test("an upload by hand is sent by its key", async () => {
  const bytes = new TextEncoder().encode("by hand");
  const upload = await client.attachments.getUploadUrl({
    filename: "hand.txt",
    mime_type: "text/plain",
    size: bytes.length,
  });
  await fetch(upload.upload_url, { method: "PUT", body: bytes, headers: { "Content-Type": "text/plain" } });
  const attachments = [{ key: upload.key, filename: "hand.txt", mime_type: "text/plain" }];
  const sent = await client.messages.send(inbox.id, {
    to: ["you@example.com"],
    subject: "By hand",
    text_body: "x",
    attachments,
  });
  assert.equal(sent.attachments[0]?.filename, "hand.txt");
});

test("mail is found by its words", async () => {
  const [match] = (
    await client.search({ query: "4711", inbox_id: inbox.id, filters: { direction: "inbound" }, limit: 5 })
  ).data;
  assert.equal(match?.message.id, mail.id);
});

test("domains, filter rules and suppressions come and go", async () => {
  const domain = await client.domains.create({ domain: `${HERE.slice(-12).toLowerCase()}.example` });
  assert.ok((await client.domains.list()).data.some(({ id }) => id === domain.id));
  assert.equal((await client.domains.verify(domain.id)).status, "pending");
  assert.match(await client.domains.zoneFile(domain.id), /TXT/);
  assert.ok((await client.domains.get(domain.id)).records.length);
  assert.equal((await client.domains.rotateKeys(domain.id)).id, domain.id);
  await client.domains.delete(domain.id);

  const rule = await client.filterRules.create({
    direction: "receive",
    action: "block",
    match_type: "domain",
    value: "spam.example",
  });
  assert.equal((await client.filterRules.update(rule.id, { value: "junk.example" })).value, "junk.example");
  assert.deepEqual(
    (await client.filterRules.list({ direction: "receive" })).data.map(({ id }) => id),
    [rule.id],
  );
  assert.equal((await client.filterRules.get(rule.id)).action, "block");
  await client.filterRules.delete(rule.id);

  const suppression = await client.suppressions.create({ email: "gone@example.com" });
  assert.equal((await client.suppressions.get(suppression.id)).email, "gone@example.com");
  assert.deepEqual(
    (await client.suppressions.list({ email: "gone@example.com" })).data.map(({ id }) => id),
    [suppression.id],
  );
});

test("the environment tells its usage, deliverability, transport and intake", async () => {
  assert.equal((await client.environments.usage(HERE, { interval: "day" })).environment_id, HERE);
  assert.equal((await client.environments.deliverability(HERE)).environment_id, HERE);
  assert.equal((await client.transport.get()).environment_id, HERE);
  assert.ok(Array.isArray((await client.intake.list()).data));
});

test("environments are created, changed and deleted, and have members", async () => {
  const slug = `stage-${HERE.slice(-8).toLowerCase()}`;
  const environment = await owner.environments.create({ name: "Stage", slug });
  assert.equal((await owner.environments.update(environment.id, { description: "A stage" })).description, "A stage");
  assert.equal((await owner.environments.get(slug)).id, environment.id);
  const [{ id: member_id } = { id: "" }] = (await owner.org.listMembers()).data;
  assert.equal((await owner.environments.addMember(slug, { member_id, role: "member" })).member_id, member_id);
  assert.equal((await owner.environments.updateMember(slug, member_id, { role: "admin" })).role, "admin");
  const members = await owner.environments.listMembers(slug);
  assert.deepEqual(
    members.data.map((member) => member.member_id),
    [member_id],
  );
  await owner.environments.removeMember(slug, member_id);
  assert.deepEqual((await owner.environments.listMembers(slug)).data, []);
  await owner.environments.delete(environment.id, { force: true });
  await assert.rejects(owner.environments.get(environment.id), NotFoundError);
});

test("the organization is read and named, and keeps its owner", async () => {
  const { name } = await owner.org.get();
  assert.equal((await owner.org.update({ name })).name, name);
  const [{ id } = { id: "" }] = (await owner.org.listMembers()).data;
  assert.equal((await owner.org.getMember(id)).role, "owner");
  await assert.rejects(owner.org.updateMember(id, { role: "member" }), APIError);
  await assert.rejects(owner.org.removeMember(id), APIError);
});

test("people are invited to the organization, and uninvited", async () => {
  const email = `new-${HERE.slice(-8).toLowerCase()}@example.com`;
  const invitation = await owner.org.invite({ email, role: "member" });
  assert.equal(invitation.status, "pending");
  assert.ok((await owner.org.listInvitations()).data.some(({ id }) => id === invitation.id));
  await owner.org.revokeInvitation(invitation.id);
  assert.equal((await owner.org.getInvitation(invitation.id)).status, "revoked");
});

test("keys are made, rotated and revoked, and leave a trace", async () => {
  const made = await owner.apiKeys.create({ name: "Reader", scopes: ["messages:read"], environment_ids: [HERE] });
  assert.match(made.key ?? "", /^ap_sk_dev_/);
  assert.notEqual((await owner.apiKeys.rotate(made.id, { overlap_seconds: 0 })).key, made.key);
  await owner.apiKeys.delete(made.id);
  assert.notEqual((await owner.apiKeys.get(made.id)).revoked_at, null);
  const [entry] = (await owner.audit.list({ limit: 1 })).data;
  assert.equal((await owner.audit.get(entry?.id ?? "")).id, entry?.id);
});

test("me tells what the key is", async () => {
  const me = await client.me();
  assert.deepEqual([me.kind, me.environments.map(({ id }) => id)], ["dev", [HERE]]);
});

test("the log is read from the oldest event on, and goes on behind the last", async () => {
  const page = await client.events.list({ types: ["message.received", "inbox.created"], limit: 1 });
  assert.equal((await client.events.get(page.data[0]?.id ?? "")).id, page.data[0]?.id);
  const rest = await client.events.list({ after: page.next_cursor ?? "" });
  assert.ok(rest.data.every(({ id }) => id > (page.data[0]?.id ?? "")));
  assert.match((await client.events.createTicket()).ticket, /^ap_tkt_/);
});

test("a list is iterated over to its end, page by page", async () => {
  const room = await client.inboxes.create();
  for (const number of [1, 2, 3, 4, 5])
    await client.inboxes.simulate(room.id, { from: "ann@customer.example", subject: `Mail ${number}` });
  const subjects: string[] = [];
  for await (const { subject } of client.messages.list(room.id, { limit: 2 })) subjects.push(subject);
  assert.deepEqual(subjects, ["Mail 5", "Mail 4", "Mail 3", "Mail 2", "Mail 1"]);
  const page = await client.messages.list(room.id, { limit: 2 });
  assert.deepEqual([page.data.length, page.has_more, (await page.nextPage())?.data.length], [2, true, 2]);
});

test("the environment next door sees nothing of this one", async () => {
  const looks = [
    () => nextDoor.inboxes.get(inbox.id),
    () => nextDoor.messages.get(mail.id),
    () => nextDoor.messages.raw(mail.id),
    () => nextDoor.messages.list(inbox.id),
    () => nextDoor.messages.reply(mail.id, { text_body: "x" }),
    () => nextDoor.threads.get(mail.thread_id),
    () => nextDoor.attachments.download(mail.attachments[0]?.id ?? ""),
    () => nextDoor.messages.wait(inbox.id, { timeout: 0 }),
    () => nextDoor.inboxes.list({}, { environment: HERE }),
    () => nextDoor.environments.usage(HERE),
  ];
  for (const look of looks) await assert.rejects(async () => look(), NotFoundError, String(look));
});
