// What goes wrong on the way: retries that never send twice, time-outs, errors, and the wrong environment.
import assert from "node:assert/strict";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { inspect } from "node:util";

import AgentPost, {
  APIConnectionError,
  APIError,
  APITimeoutError,
  AuthenticationError,
  ConfigurationError,
  ConflictError,
  EnvironmentMismatchError,
  NotFoundError,
  RateLimitError,
  ServerError,
  UnexpectedAnswerError,
  UnprocessableError,
} from "@agentpost/sdk";

import { API_KEY, BASE_URL, client, HERE, NEXT_DOOR, OWNER_KEY, SLUG } from "./place.js";
import { Proxy, type Fate } from "./proxy.js";

const ATTACHED = join(mkdtempSync(join(tmpdir(), "agentpost-")), "attached.csv");
writeFileSync(ATTACHED, "a,b");

const { pauseBefore } = (await import(new URL("../esm/retries.js", import.meta.url).href)) as {
  pauseBefore(retry: number, error: unknown): number;
};
const proxy = new Proxy(BASE_URL);
let baseUrl: string;
let inboxId: string;
let through: AgentPost;

before(async () => {
  baseUrl = await proxy.start();
  through = new AgentPost({ apiKey: API_KEY, baseUrl });
  inboxId = (await client.inboxes.create()).id;
});
beforeEach(() => {
  proxy.asked.length = 0;
  proxy.fates = [];
});
after(() => proxy.stop());

const mail = (subject: string) => ({ to: ["you@example.com"], subject, text_body: "Hello." });
const sentWith = async (subject: string) => (await client.messages.list(inboxId, { subject })).data.length;
const soon = { "retry-after": "0" };

const TRIED_AGAIN: [string, Fate][] = [
  ["too many calls", { status: 429, headers: soon }],
  ["a proxy without a server", { status: 502, headers: soon }],
  ["a server that starts", { status: 503, headers: soon }],
  ["a server that hangs", { status: 504, headers: soon }],
  ["a lost answer", "lose the answer"],
];

for (const [trouble, fate] of TRIED_AGAIN) {
  test(`after ${trouble} a mail is sent again, and goes out once`, async () => {
    proxy.fates = [fate];
    await through.messages.send(inboxId, mail(`Once, for ${trouble}`));
    const keys = new Set(proxy.asked.map(({ headers }) => headers["idempotency-key"]));
    assert.deepEqual([proxy.asked.length, keys.size, keys.has(undefined)], [2, 1, false]);
    assert.equal(await sentWith(`Once, for ${trouble}`), 1);
  });
}

const ASKED_ONCE: [
  string,
  (api: AgentPost) => PromiseLike<unknown>,
  Fate,
  typeof APIError | typeof APIConnectionError,
][] = [
  ["a creation whose answer was lost", (api) => api.inboxes.create(), "lose the answer", APIConnectionError],
  [
    "a creation with a key that creations do not take",
    (api) => api.inboxes.create({}, { idempotencyKey: "x" }),
    "lose the answer",
    APIConnectionError,
  ],
  ["a creation that met a 503", (api) => api.inboxes.create(), { status: 503, headers: soon }, ServerError],
  [
    "a change of a draft's version",
    (api) => api.drafts.update("drf_1", { subject: "x", version: 1 }),
    { status: 502 },
    ServerError,
  ],
  ["a conflict", (api) => api.messages.send(inboxId, mail("x")), { status: 409 }, ConflictError],
  ["a refusal", (api) => api.messages.list(), { status: 404 }, NotFoundError],
  ["a fault of the server's", (api) => api.messages.list(), { status: 500 }, ServerError],
  [
    "what may be asked for again after a minute and more",
    (api) => api.me({ timeout: 3_600_000 }),
    { status: 429, headers: { "retry-after": "61" } },
    RateLimitError,
  ],
  [
    "what may be asked for again after the time-out",
    (api) => api.me({ timeout: 30_000 }),
    { status: 429, headers: { "retry-after": "60" } },
    RateLimitError,
  ],
  [
    "a call of a tool whose answer was lost",
    (api) => api.tools.call("list_inboxes"),
    "lose the answer",
    APIConnectionError,
  ],
];

for (const [what, call, fate, thrown] of ASKED_ONCE) {
  test(`${what} is not asked for again`, async () => {
    proxy.fates = [fate];
    await assert.rejects(async () => call(through), thrown);
    assert.equal(proxy.asked.length, 1);
  });
}

test("a creation with a client_id is asked for again, and made once", async () => {
  proxy.fates = ["lose the answer"];
  const made = await through.inboxes.create({ client_id: "lost" });
  assert.equal((await client.inboxes.create({ client_id: "lost" })).id, made.id);
});

test("a mail whose every answer was lost is sent again later, by the key in the error, and goes out once", async () => {
  proxy.fates = ["lose the answer"];
  const lost = (await through.messages
    .send(inboxId, mail("Gone astray"), { maxRetries: 0 })
    .catch((error: unknown) => error)) as APIConnectionError;
  await through.messages.send(inboxId, mail("Gone astray"), { idempotencyKey: lost.idempotency_key });
  assert.equal(await sentWith("Gone astray"), 1);
});

test("a deletion whose answer was lost is done, although there is nothing any more to delete", async () => {
  const { id } = await client.inboxes.create();
  proxy.fates = ["lose the answer"];
  await through.inboxes.delete(id);
  assert.equal(proxy.asked.length, 2);
  await assert.rejects(through.inboxes.delete(id), NotFoundError);
});

test("what is deleted after a call that was not let in may not be there", async () => {
  proxy.fates = [{ status: 429, headers: soon }];
  await assert.rejects(through.inboxes.delete(`${inboxId.slice(0, -2)}00`), NotFoundError);
});

test("the list of tools is asked for again, and so is an upload", async () => {
  proxy.fates = ["lose the answer"];
  assert.ok((await through.tools.list()).length);
  proxy.fates = ["lose the answer"];
  const upload = await through.attachments.upload(new TextEncoder().encode("a,b"), { filename: "a.csv" });
  assert.equal(upload.mime_type, "text/csv");
});

test("no pause is shorter than the own one, whatever the server asks for", () => {
  const asks = (retry_after: string) => new RateLimitError(429, {}, new Headers({ "retry-after": retry_after }));
  assert.ok(pauseBefore(3, asks("0")) >= 2000);
  assert.equal(pauseBefore(0, asks("60")), 60_000);
});

test("retries end", async () => {
  proxy.fates = [1, 2, 3, 4].map(() => ({ status: 503, headers: soon }));
  await assert.rejects(through.me({ maxRetries: 1 }), ServerError);
  assert.equal(proxy.asked.length, 2);
});

test("a server that is not there is told of", async () => {
  const gone = new Proxy(BASE_URL);
  const nowhere = new AgentPost({ apiKey: API_KEY, baseUrl: await gone.start(), maxRetries: 0 });
  gone.stop();
  await assert.rejects(nowhere.inboxes.create(), (error: APIConnectionError) => {
    assert.match(error.message, /^http:\/\/127\.0\.0\.1:\d+ does not answer; .*AGENTPOST_BASE_URL/);
    return !error.may_have_arrived;
  });
});

test("a connection that is lost is told of by the server's name", async () => {
  proxy.fates = ["lose the answer"];
  await assert.rejects(through.me({ maxRetries: 0 }), { message: new RegExp(`to ${baseUrl} was lost`) });
});

test("a call that takes too long ends in a time-out", async () => {
  proxy.fates = ["hang"];
  await assert.rejects(through.me({ timeout: 100 }), APITimeoutError);
});

test("a call is given up by its signal, with the signal's reason", async () => {
  proxy.fates = ["hang"];
  const given = new AbortController();
  const call = through.me({ signal: given.signal });
  given.abort(new Error("never mind"));
  await assert.rejects(call, /never mind/);
});

test("the same idempotency key for another mail is a conflict", async () => {
  await client.messages.send(inboxId, mail("First"), { idempotencyKey: inboxId });
  const again = client.messages.send(inboxId, mail("Second"), { idempotencyKey: inboxId });
  await assert.rejects(again, (error) => error instanceof ConflictError && error.code === "idempotency_mismatch");
});

test("a refusal carries its code, fix, fields and request", async () => {
  const refused = client.messages.send(inboxId, { to: [{ email: "nobody" }], subject: "x", text_body: "x" });
  await assert.rejects(refused, (error) => {
    assert.ok(error instanceof UnprocessableError);
    assert.equal(error.code, "validation_error");
    assert.match(error.fix, /details/);
    assert.match(error.details[0]?.field ?? "", /^to/);
    assert.match(error.request_id ?? "", /^req_/);
    for (const part of ["(422 validation_error)", error.fix, error.request_id])
      assert.ok(error.message.includes(part ?? "?"));
    return true;
  });
});

test("a key that is none is refused", async () => {
  await assert.rejects(new AgentPost({ apiKey: "ap_sk_dev_none", baseUrl: BASE_URL }).me(), AuthenticationError);
});

test("another server's answer is not taken for one", async () => {
  proxy.fates = [{ status: 200, body: "<html>" }];
  await assert.rejects(through.me(), UnexpectedAnswerError);
  proxy.fates = [{ status: 404, body: "<html>" }];
  await assert.rejects(through.me(), { code: "unknown", message: /<html>.*\(404 unknown\)/ });
  proxy.fates = [{ status: 404, body: "<html>" }];
  await assert.rejects(through.me(), { message: new RegExp(`^${baseUrl} answers with 404, but not`) });
  proxy.fates = [{ status: 301, headers: { location: "https://mail.example.com/" } }];
  await assert.rejects(through.me(), /https:\/\/mail\.example\.com.*baseUrl/);
});

test("an answer that is cut off is not quoted, for a key may be in it", async () => {
  proxy.fates = [{ status: 201, body: '{"key": "ap_sk_dev_secret' }];
  const cut = (await through.apiKeys.create({ name: "x", scopes: [] }).catch((error: unknown) => error)) as Error;
  assert.ok(cut instanceof UnexpectedAnswerError);
  assert.doesNotMatch(inspect(cut), /secret/);
});

for (const answer of ["null", "[]", "5", "{}", '{"result": null}', '{"result": {}}', '{"error": "x"}']) {
  test(`${answer} is no answer about tools`, async () => {
    for (const ask of [() => through.tools.list(), () => through.tools.call("list_inboxes")]) {
      proxy.fates = [{ status: 200, body: answer }];
      await assert.rejects(ask(), UnexpectedAnswerError);
    }
  });
}

test("what is not found says in which environment it was looked for, if one was named", async () => {
  const missing = `${inboxId.slice(0, -2)}00`;
  const named = new AgentPost({ apiKey: API_KEY, baseUrl: BASE_URL, environment: SLUG });
  await assert.rejects(named.inboxes.get(missing), (error: Error) => error.message.includes(`environment ${SLUG}.`));
  await assert.rejects(client.inboxes.get(missing), (error: Error) => !error.message.includes("This call named"));
});

test("the API's path may stand in baseUrl", async () => {
  assert.equal((await new AgentPost({ apiKey: API_KEY, baseUrl: `${BASE_URL}/api/v1/` }).me()).kind, "dev");
});

test("an id that is none goes nowhere", async () => {
  for (const id of ["", "..", "a/b", undefined as unknown as string]) {
    await assert.rejects(through.inboxes.delete(id), ConfigurationError);
  }
  assert.equal(proxy.asked.length, 0);
});

const MISTAKES: [string, (api: AgentPost) => Promise<unknown>, RegExp][] = [
  [
    "an empty id",
    (api) => api.messages.reply("", { text_body: "x" }),
    /\{id\} of \/messages\/\{id\}\/reply is missing/,
  ],
  ["one empty id of two", (api) => api.environments.removeMember(HERE, ""), /\{member_id\} of .* is missing/],
  [
    "a file that is not there",
    (api) => api.attachments.upload({ path: "/no/such/file.txt" }),
    /\/no\/such\/file\.txt/,
  ],
  ["a string to upload", (api) => api.attachments.upload(ATTACHED as never), /A file is { path }, unlike/],
  [
    "a string to attach that is no att_ id, though there is a file",
    (api) => api.messages.send(inboxId, { ...mail("x"), attachments: [ATTACHED] }),
    /attached\.csv" in attachments is not an att_ id: a file is { path }/,
  ],
  [
    "a string to attach to a draft",
    (api) => api.drafts.create(inboxId, { attachments: ["att_1"] }),
    /"att_1" in attachments is not an att_ id/,
  ],
  [
    "a file to send that is not there",
    (api) => api.messages.send(inboxId, { ...mail("x"), attachments: [{ path: "/no/such/file.txt" }] }),
    /\/no\/such\/file\.txt/,
  ],
  ["bytes without a name", (api) => api.attachments.upload(new Uint8Array()), /filename/],
];

for (const [what, call, told] of MISTAKES) {
  test(`${what} is told of, and nothing is asked`, async () => {
    await assert.rejects(call(through), (error) => error instanceof ConfigurationError && told.test(error.message));
    assert.equal(proxy.asked.length, 0);
  });
}

test("a file is attached by its path, and its name speaks for its type unless that is given", async () => {
  const attachments = [{ path: ATTACHED }, { path: ATTACHED, filename: "b.txt", mime_type: "text/markdown" }];
  const sent = await client.messages.send(inboxId, { ...mail("Files"), attachments });
  assert.deepEqual(
    sent.attachments.map(({ filename, content_type }) => [filename, content_type]),
    [
      ["attached.csv", "text/csv"],
      ["b.txt", "text/markdown"],
    ],
  );
});

test("an attachment whose answer does not say where it is, is not there", async () => {
  proxy.fates = [{ status: 200, body: JSON.stringify({ id: "att_1", download_url: null }) }];
  await assert.rejects(through.attachments.download("att_1"), UnexpectedAnswerError);
});

for (const options of [
  { apiKey: "" },
  { apiKey: " " },
  { apiKey: "ключ" },
  { apiKey: API_KEY, baseUrl: "mail.example.com" },
  { apiKey: API_KEY, baseURL: BASE_URL },
  { apiKey: "ap_sk_live_x", expectEnvironment: "" },
  { apiKey: API_KEY, expectEnvironment: " " },
  { apiKey: API_KEY, expectEnvironment: null as never },
]) {
  test(`no client is made with ${JSON.stringify(Object.entries(options).at(-1))}`, () => {
    assert.throws(() => new AgentPost(options), ConfigurationError);
  });
}

test("the environment variable is for the variables' key, and no other", async () => {
  process.env.AGENTPOST_ENVIRONMENT = NEXT_DOOR;
  try {
    assert.equal((await new AgentPost({ apiKey: API_KEY }).inboxes.create()).environment_id, HERE);
    await assert.rejects(new AgentPost().inboxes.create(), NotFoundError);
  } finally {
    delete process.env.AGENTPOST_ENVIRONMENT;
  }
});

test("what is expected to be this environment acts in it", async () => {
  const here = new AgentPost({ apiKey: OWNER_KEY, baseUrl: BASE_URL, expectEnvironment: SLUG });
  assert.equal((await here.inboxes.create()).environment_id, HERE);
});

test("a key of more environments than it is shown at once is asked for the expected one", async () => {
  const cut = { ...(await client.me()), environments: [], has_more_environments: true };
  proxy.fates = [{ status: 200, body: JSON.stringify(cut) }];
  const here = new AgentPost({ apiKey: API_KEY, baseUrl, expectEnvironment: SLUG });
  assert.equal((await here.inboxes.create()).environment_id, HERE);
  proxy.fates = [{ status: 200, body: JSON.stringify(cut) }];
  const elsewhere = new AgentPost({ apiKey: API_KEY, baseUrl, expectEnvironment: NEXT_DOOR });
  await assert.rejects(elsewhere.inboxes.create(), EnvironmentMismatchError);
});

const MISMATCHES: [string, string, object][] = [
  ["a key of another environment", API_KEY, { expectEnvironment: NEXT_DOOR }],
  ["a client of another environment", OWNER_KEY, { expectEnvironment: SLUG, environment: NEXT_DOOR }],
];

for (const [what, apiKey, options] of MISMATCHES) {
  test(`${what} is refused before it does anything`, async () => {
    const wrong = new AgentPost({ apiKey, baseUrl, ...options });
    await assert.rejects(wrong.inboxes.create(), EnvironmentMismatchError);
    assert.deepEqual(
      proxy.asked.map(({ url }) => url),
      ["/api/v1/me"],
    );
  });
}

test("who expects an environment that the key does not reach is told which it reaches", async () => {
  const wrong = new AgentPost({ apiKey: API_KEY, baseUrl: BASE_URL, expectEnvironment: "staging" });
  await assert.rejects(wrong.me(), { message: new RegExp(`staging was expected, .*not reach it; it reaches ${SLUG}`) });
});

test("a call that leaves the expected environment is refused", async () => {
  const here = new AgentPost({ apiKey: OWNER_KEY, baseUrl: BASE_URL, expectEnvironment: SLUG });
  await assert.rejects(here.inboxes.create({}, { environment: NEXT_DOOR }), EnvironmentMismatchError);
  await assert.rejects(here.inboxes.create({ environment_id: NEXT_DOOR }), { code: "environment_conflict" });
});

test("a live key is refused where an environment is expected, without asking anybody", () => {
  assert.throws(
    () => new AgentPost({ apiKey: "ap_sk_live_x", baseUrl, expectEnvironment: "staging" }),
    EnvironmentMismatchError,
  );
});
