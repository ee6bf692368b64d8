// POSTs that the server really made, verified; and such as nobody signed.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";

import { ConfigurationError, verifyWebhook, WebhookVerificationError, type HeadersLike } from "@agentpost/sdk";

import { client } from "./place.js";

interface Post {
  headers: IncomingHttpHeaders;
  body: Buffer;
}

let came: (post: Post) => void = () => undefined;
const server = createServer(async (incoming, answer) => {
  const body = Buffer.concat(await incoming.toArray());
  answer.writeHead(204).end();
  came({ headers: incoming.headers, body });
});

const OTHER = `whsec_${Buffer.from("the key of another, 24 b").toString("base64")}`;

let post: Post;
let secret: string;
let endpointId: string;

before(async () => {
  await new Promise<void>((started) => server.listen(0, "127.0.0.1", started));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  const endpoint = await client.webhookEndpoints.create({ url, events: ["message.*"] });
  endpointId = endpoint.id;
  secret = endpoint.secret ?? "";
  post = await posted();
});
after(() => server.close());

async function posted(): Promise<Post> {
  const next = new Promise<Post>((resolve) => (came = resolve));
  await client.webhookEndpoints.test(endpointId, { event_type: "message.received" });
  return next;
}

const only = (pattern: RegExp): HeadersLike =>
  Object.fromEntries(Object.entries(post.headers).filter(([name]) => pattern.test(name)));

test("a POST of the server's is verified, and its event returned", () => {
  const event = client.webhooks.verify(post.body, post.headers, secret);
  assert.equal(event.type, "message.received");
  assert.equal(typeof event.data.subject, "string");
});

test("each of the two signatures is enough, in whatever the headers and the body come", () => {
  const shouted = Object.fromEntries(Object.entries(post.headers).map(([name, value]) => [name.toUpperCase(), value]));
  for (const headers of [
    only(/^webhook-/),
    only(/^x-agentpost-/),
    new Headers(post.headers as Record<string, string>),
    shouted,
  ]) {
    assert.equal(verifyWebhook(post.body.toString(), headers, secret).type, "message.received");
  }
});

test("while a secret is rotated, the old one and several verify", async () => {
  const rotated = (await client.webhookEndpoints.rotateSecret(endpointId)).secret ?? "";
  post = await posted();
  for (const known of [secret, rotated, [secret, OTHER], [OTHER, rotated]]) {
    assert.equal(verifyWebhook(post.body, post.headers, known).type, "message.received");
  }
  secret = rotated;
});

const FORGED: [string, () => unknown][] = [
  ["another secret", () => verifyWebhook(post.body, post.headers, OTHER)],
  ["a body that was changed", () => verifyWebhook(`${post.body} `, post.headers, secret)],
  ["no signature", () => verifyWebhook(post.body, {}, secret)],
  [
    "another timestamp",
    () => verifyWebhook(post.body, { ...only(/^x-agentpost-/), "x-agentpost-timestamp": "1" }, secret),
  ],
  ["a signature of long ago", () => verifyWebhook(post.body, post.headers, secret, { tolerance: -1 })],
  ["what is signed and no event", () => verifyWebhook("<html>", signed("<html>", OTHER), OTHER)],
  ["a timestamp that is signed and no number of seconds", () => verifyWebhook("{}", signed("{}", OTHER, hex), OTHER)],
  ["a timestamp of 400 digits", () => verifyWebhook("{}", signed("{}", OTHER, () => "9".repeat(400)), OTHER)],
  ["a body that was parsed", () => verifyWebhook(JSON.parse(post.body.toString()) as string, post.headers, secret)],
];

for (const [what, verify] of FORGED) {
  test(`${what} is refused`, () => void assert.throws(verify, WebhookVerificationError));
}

const hex = (seconds: number) => `0x${seconds.toString(16)}`;

/** Return headers with which somebody signs a body now by this secret, in both ways. */
function signed(
  body: string,
  withSecret: string,
  written: (seconds: number) => string = String,
): Record<string, string> {
  const now = written(Math.floor(Date.now() / 1000));
  const key = Buffer.from(withSecret.replace("whsec_", ""), "base64");
  const standard = createHmac("sha256", key).update(`msg_1.${now}.${body}`).digest("base64");
  return {
    "webhook-id": "msg_1",
    "webhook-timestamp": now,
    "webhook-signature": `v1,${standard}`,
    "x-agentpost-timestamp": now,
    "x-agentpost-signature": createHmac("sha256", withSecret).update(`${now}.${body}`).digest("hex"),
  };
}

test("what is signed by hand with a secret is verified by it, beside others that are blank", () => {
  const body = '{"type": "message.received"}';
  const headers = signed(body, OTHER);
  assert.equal(verifyWebhook(body, headers, ["", OTHER]).type, "message.received");
});

const NO_SECRETS: (string | string[])[] = [
  "",
  "whsec_",
  "whsec_ ",
  "  ",
  "!!!",
  "whsec_…",
  "whsec_b3RoZXI=",
  OTHER.replace("whsec_", ""),
  `${OTHER}\n`,
  [],
  ["", "whsec_"],
  undefined as unknown as string,
];

for (const none of NO_SECRETS) {
  test(`${JSON.stringify(none)} is no secret, whoever signed with it`, () => {
    for (const key of ["", "whsec_", ...[none ?? ""].flat()])
      assert.throws(() => verifyWebhook("{}", signed("{}", key), none), ConfigurationError);
  });
}

test("what was posted is listed, made again and replayed", async () => {
  const [delivery] = (await client.webhookEndpoints.deliveries(endpointId)).data;
  assert.equal((await client.webhookDeliveries.get(delivery?.id ?? "")).endpoint_id, endpointId);
  assert.ok((await client.webhookDeliveries.list()).data.length);
  assert.equal((await client.webhookDeliveries.retry(delivery?.id ?? "")).id, delivery?.id);
  const stretch = { since: new Date(Date.now() - 60_000).toISOString() };
  assert.equal((await client.webhookEndpoints.replay(endpointId, stretch)).has_more, false);
});

test("an endpoint is changed, enabled, found and deleted", async () => {
  assert.equal((await client.webhookEndpoints.update(endpointId, { description: "Hook" })).description, "Hook");
  assert.equal((await client.webhookEndpoints.enable(endpointId)).is_enabled, true);
  assert.ok((await client.webhookEndpoints.list()).data.some(({ id }) => id === endpointId));
  assert.equal((await client.webhookEndpoints.get(endpointId)).secret, undefined);
  await client.webhookEndpoints.delete(endpointId);
});
