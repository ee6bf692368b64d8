// Events as they happen, to listeners and by iteration, over connections that are lost.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, beforeEach, test } from "node:test";

import AgentPost, {
  AuthenticationError,
  BadRequestError,
  NotFoundError,
  UnexpectedAnswerError,
  UnprocessableError,
  type Connection,
  type Event,
} from "@agentpost/sdk";

import { API_KEY, BASE_URL, client, NEXT_DOOR, nextDoor, owner, OWNER_KEY } from "./place.js";
import { Proxy } from "./proxy.js";

const { serverSent } = (await import(new URL("../esm/sse.js", import.meta.url).href)) as {
  serverSent(chunks: AsyncIterable<Uint8Array>): AsyncIterable<{ id: string | null; data: string | null }>;
};
const proxy = new Proxy(BASE_URL);
let proxied: string;
let through: AgentPost;
let inboxId: string;

before(async () => {
  proxied = await proxy.start();
  through = new AgentPost({ apiKey: API_KEY, baseUrl: proxied });
  inboxId = (await client.inboxes.create()).id;
});
beforeEach(() => void (proxy.fates = []));
after(() => proxy.stop());

const arrives = (subject: string, inbox = inboxId) =>
  client.inboxes.simulate(inbox, { from: "ann@customer.example", subject });

/** Resolves once the connection has told so many events. */
function told(ws: Connection, count: number): Promise<Event[]> {
  const events: Event[] = [];
  return new Promise((resolve, reject) => {
    ws.on("error", reject);
    ws.on("event", (event) => {
      if (events.push(event) === count) resolve(events);
    });
  });
}

const opened = (ws: Connection) => new Promise<void>((resolve) => ws.on("open", () => resolve()));
const subjects = (events: Event[]) => events.map(({ data }) => data.subject as string);

test("listeners hear of what they subscribed to, once open", async () => {
  const other = await client.inboxes.create();
  const ws = client.realtime.connect();
  ws.on("open", () => ws.subscribe({ events: ["message.received"], inbox_id: inboxId }));
  const hearing = told(ws, 1);
  await opened(ws);
  await arrives("Elsewhere", other.id);
  await arrives("Here");
  const [event] = await hearing;
  assert.equal(event?.type, "message.received");
  assert.deepEqual([event?.data.subject, event?.data.from_address], ["Here", "ann@customer.example"]);
  assert.ok(Array.isArray(event?.data.to_addresses));
  ws.close();
});

test("nobody hears of anything before subscribing, and nothing since opening is missed for it", async () => {
  const ws = client.realtime.connect();
  const hearing = told(ws, 1);
  await opened(ws);
  await arrives("Before subscribing");
  ws.subscribe({ events: ["message.received"] });
  assert.deepEqual(subjects(await hearing), ["Before subscribing"]);
  ws.close();
});

test("close is told of with its code, and ends the stream", async () => {
  const ws = client.realtime.connect({});
  const closed = new Promise<[number, string]>((resolve) => ws.on("close", (...why) => resolve(why)));
  await opened(ws);
  ws.close();
  assert.deepEqual(await closed, [1000, ""]);
});

test("iterating hears of every event, each once, though the connection is lost again and again", async () => {
  const wanted = Array.from({ length: 6 }, (_, number) => `Number ${number}`);
  const { next_cursor } = await client.events.list({ limit: 1 });
  const heard: string[] = [];
  const stream = through.realtime.stream({ events: ["message.received"], inbox_id: inboxId, after: next_cursor ?? "" });
  const start = await arrives("Start");
  for await (const { data } of stream) {
    if (data.message_id === start.id) void arrives(wanted[0] ?? "");
    if (!wanted.includes(data.subject)) continue;
    heard.push(data.subject);
    proxy.cut();
    const next = wanted[heard.length];
    if (!next) break;
    await arrives(next);
  }
  assert.deepEqual(heard, wanted);
  assert.ok(proxy.asked.length >= wanted.length);
});

test("a listener goes on behind the last event over a lost connection", async () => {
  const ws = through.realtime.connect({ events: ["message.received"], inbox_id: inboxId });
  const hearing = told(ws, 2);
  await opened(ws);
  await arrives("Before the loss");
  await new Promise<void>((resolve) => ws.on("event", () => resolve()));
  proxy.cut();
  await arrives("During the loss");
  assert.deepEqual(subjects(await hearing), ["Before the loss", "During the loss"]);
  ws.close();
});

test("a subscription that is changed while an event is told neither repeats nor skips one", async () => {
  const ws = client.realtime.connect({ events: ["message.received"], inbox_id: inboxId });
  ws.on("event", () => ws.subscribe({ events: ["message.*"], inbox_id: inboxId }));
  const hearing = told(ws, 3);
  await opened(ws);
  for (const subject of ["One", "Two", "Three"]) await arrives(subject);
  assert.deepEqual(subjects(await hearing), ["One", "Two", "Three"]);
  ws.close();
});

test("another connection goes on where one ended", async () => {
  const ws = client.realtime.connect({ inbox_id: inboxId, events: ["message.received"] });
  const hearing = told(ws, 1);
  await opened(ws);
  await arrives("For the first");
  await hearing;
  ws.close();
  await arrives("For the second");
  for await (const { data } of client.realtime.stream({
    inbox_id: inboxId,
    events: ["message.received"],
    after: ws.cursor,
  })) {
    assert.equal(data.subject, "For the second");
    break;
  }
});

/** Return clients of an environment in which nothing has ever happened: through the proxy, and past it. */
async function quietPlace(): Promise<{ listener: AgentPost; maker: AgentPost; id: string }> {
  const { id } = await owner.environments.create({ name: `Quiet ${randomUUID()}` });
  const [listener, maker] = [proxied, BASE_URL].map(
    (baseUrl) => new AgentPost({ apiKey: OWNER_KEY, baseUrl, environment: id }),
  ) as [AgentPost, AgentPost];
  return { listener, maker, id };
}

test("an empty log is open too, and its first events are told though the connection is lost before them", async () => {
  const { listener, maker } = await quietPlace();
  const ws = listener.realtime.connect({ events: ["inbox.created"] });
  const hearing = told(ws, 3);
  await opened(ws);
  assert.equal(ws.cursor, undefined);
  proxy.fates = [{ status: 503 }, { status: 503 }]; // until the inboxes are there
  proxy.cut();
  const made = [await maker.inboxes.create(), await maker.inboxes.create(), await maker.inboxes.create()];
  assert.deepEqual(
    (await hearing).map(({ data }) => data.inbox_id),
    made.map(({ id }) => id),
  );
  ws.close();
});

test("what happens in an empty log before subscribing is told", async () => {
  const { maker } = await quietPlace();
  const ws = maker.realtime.connect();
  await opened(ws);
  const made = [await maker.inboxes.create(), await maker.inboxes.create()];
  const hearing = told(ws, 2);
  ws.subscribe({ events: ["inbox.created"] });
  assert.deepEqual(
    (await hearing).map(({ data }) => data.inbox_id),
    made.map(({ id }) => id),
  );
  ws.close();
});

test("a subscription to another environment begins where that one stands", async () => {
  const { maker, id } = await quietPlace();
  const before = await maker.inboxes.create();
  const ws = owner.realtime.connect();
  const hearing = told(ws, 1);
  await opened(ws);
  ws.subscribe({ environment_id: id, events: ["inbox.created"] });
  let isHeard = false;
  void hearing.finally(() => (isHeard = true));
  while (!isHeard) await maker.inboxes.create();
  const [event] = await hearing;
  assert.equal(event?.env_id, id);
  assert.notEqual(event?.data.inbox_id, before.id);
  ws.close();
});

const REFUSED: [string, () => Connection, new (...given: never[]) => Error, number][] = [
  [
    "without a key",
    () => new AgentPost({ apiKey: "ap_sk_dev_none", baseUrl: BASE_URL }).realtime.connect({}),
    AuthenticationError,
    4401,
  ],
  ["for the environment next door", () => client.realtime.connect({ environment_id: NEXT_DOOR }), NotFoundError, 4403],
  ["for an inbox next door", () => nextDoor.realtime.connect({ inbox_id: inboxId }), UnprocessableError, 1011],
  ["behind an event that is none", () => client.realtime.connect({ after: "evt_none" }), BadRequestError, 1011],
];

for (const [what, connect, thrown, code] of REFUSED) {
  test(`${what} a connection is refused, by its listeners and by iteration`, async () => {
    const ws = connect();
    const failed = new Promise<Error>((resolve) => ws.on("error", resolve));
    const closed = new Promise<number>((resolve) => ws.on("close", resolve));
    assert.ok((await failed) instanceof thrown);
    assert.equal(await closed, code);
    await assert.rejects(async () => {
      for await (const event of connect()) assert.fail(event.id);
    }, thrown);
  });
}

async function* bytesOf(texts: Iterable<string>): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield new TextEncoder().encode(text);
}

test("events are found wherever the pieces of a stream are cut", async () => {
  const stream = "id: 1\r\ndata: a\r\n\r\nid: 2\ndata: b\n\nid: 3\ndata: cut";
  for (let size = 1; size <= stream.length; size++) {
    const found = [];
    for await (const { id, data } of serverSent(bytesOf(stream.match(new RegExp(`[^]{1,${size}}`, "g")) ?? [])))
      found.push([id, data]);
    assert.deepEqual(found, [
      ["1", "a"],
      ["2", "b"],
    ]);
  }
});

test("an event without an end is not held for ever", async () => {
  const endless = serverSent(bytesOf(Array.from({ length: 300 }, () => "x".repeat(65_536))));
  await assert.rejects(endless[Symbol.asyncIterator]().next(), UnexpectedAnswerError);
});
