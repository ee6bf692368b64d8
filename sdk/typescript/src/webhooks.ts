import { createHmac, timingSafeEqual } from "node:crypto";

import { ConfigurationError, WebhookVerificationError } from "./errors.js";
import type { Event } from "./models.js";

/** Headers as `fetch`, Node or a framework has them. */
export type HeadersLike = { get(name: string): string | null } | Record<string, string | string[] | undefined>;

export interface VerifyOptions {
  /** How many seconds the timestamp may be off: 300 unless you say otherwise. */
  tolerance?: number;
}

const TOLERANCE = 300; // seconds, to either side
const SECRET = /^whsec_([A-Za-z0-9+/]+={0,2})$/;
const SHORTEST_KEY = 16; // bytes; the server makes 24
const SECONDS = /^\d{1,12}$/;

/**
 * Return the event of a POST that AgentPost signed, by either of its signatures: see docs/webhooks.md.
 *
 * `payload` is the raw body; `secret` the endpoint's `whsec_…`, or several while one is rotated.
 * Throws WebhookVerificationError for what was not signed with it, or not lately, and ConfigurationError without any
 * secret: one that is empty, cut off or no `whsec_…` is none, for anybody could sign with it.
 */
export function verifyWebhook(
  payload: string | Uint8Array,
  headers: HeadersLike,
  secret: string | readonly string[],
  options: VerifyOptions = {},
): Event {
  const body = bytesOf(payload);
  const header = reader(headers);
  const timestamps = usable(secret).map((each) => standard(body, header, each) ?? plain(body, header, each));
  const timestamp = timestamps.find((each) => each !== null) ?? refuse("AgentPost did not sign this with that secret.");
  const age = Math.abs(Date.now() / 1000 - Number(timestamp));
  const isTimely = SECONDS.test(timestamp) && age <= (options.tolerance ?? TOLERANCE);
  return isTimely ? eventIn(body) : refuse("This was signed long ago, or this machine's clock is wrong.");
}

/** Return the secrets that are the server's in form. Throws ConfigurationError if none is. */
function usable(secret: string | readonly string[]): string[] {
  const found = [secret].flat().filter((each) => keyOf(each ?? "").length >= SHORTEST_KEY);
  if (found.length) return found;
  throw new ConfigurationError("There is no secret: pass the endpoint's, whsec_ and 32 characters of base64.");
}

function keyOf(secret: string): Buffer {
  return Buffer.from(SECRET.exec(secret)?.[1] ?? "", "base64");
}

function eventIn(body: Buffer): Event {
  try {
    return JSON.parse(body.toString()) as Event;
  } catch {
    return refuse("This is signed, and no event.");
  }
}

function refuse(why: string): never {
  throw new WebhookVerificationError(why);
}

function bytesOf(payload: unknown): Buffer {
  if (typeof payload === "string") return Buffer.from(payload);
  if (payload instanceof Uint8Array) return Buffer.from(payload);
  return refuse("Pass the raw body, as text or bytes, before anything has parsed it.");
}

function reader(headers: HeadersLike): (name: string) => string {
  if (typeof headers.get === "function") return (name) => (headers.get as (name: string) => string | null)(name) ?? "";
  const lower = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value ?? "")]);
  const found = Object.fromEntries(lower) as Record<string, string>;
  return (name) => found[name] ?? "";
}

/** Return the timestamp if the signature of Standard Webhooks is right, else null. */
function standard(body: Buffer, header: (name: string) => string, secret: string): string | null {
  const [id, timestamp] = [header("webhook-id"), header("webhook-timestamp")];
  const expected = createHmac("sha256", keyOf(secret)).update(`${id}.${timestamp}.`).update(body).digest("base64");
  const given = header("webhook-signature").split(" ");
  return given.some((signature) => isSame(signature, `v1,${expected}`)) ? timestamp : null;
}

/** Return the timestamp if AgentPost's own signature is right, else null. */
function plain(body: Buffer, header: (name: string) => string, secret: string): string | null {
  const timestamp = header("x-agentpost-timestamp");
  const expected = createHmac("sha256", secret).update(`${timestamp}.`).update(body).digest("hex");
  return isSame(header("x-agentpost-signature"), expected) ? timestamp : null;
}

function isSame(given: string, expected: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(expected)];
  return one.length === other.length && timingSafeEqual(one, other);
}
