import { APIConnectionError, APIError } from "./errors.js";
import type { Route } from "./routes.js";

/** The calls that send, and take an `Idempotency-Key`: with one, each is carried out once however often it is made. */
export const SENDING: ReadonlySet<Route> = new Set<Route>([
  "POST /inboxes/{inbox_id}/messages",
  "POST /inboxes/{inbox_id}/messages/batch",
  "POST /messages/{id}/reply",
  "POST /messages/{id}/reply-all",
  "POST /messages/{id}/forward",
  "POST /drafts/{id}/send",
]);

/** The POSTs that may be made twice without doing anything twice. */
const HARMLESS: ReadonlySet<Route> = new Set<Route>([
  "POST /search",
  "POST /messages/batch-get",
  "POST /messages/batch-update",
  "POST /messages/{id}/labels",
  "POST /threads/{id}/labels",
  "POST /attachments/upload-url",
  "POST /domains/{id}/verify",
  "POST /webhook-endpoints/{id}/enable",
  "POST /events/tickets",
]);

const NEVER_SENT = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);
/** A call of the server's MCP endpoint, which stands beside the API. */
export const MCP = "POST /mcp";

const TOO_MANY = 429;
const PASSING = new Set([TOO_MANY, 502, 503, 504]);
const FIRST_PAUSE = 500; // milliseconds, as is the next
const LONGEST_PAUSE = 8000;
const LONGEST_RETRY_AFTER = 60; // seconds; a server that asks for more is told of, not waited for

/** Tell whether doing this twice comes to the same as doing it once. */
export function isRepeatable(route: string, body: unknown, idempotencyKey: string | undefined): boolean {
  const { client_id, version, method } = (body ?? {}) as { client_id?: string; version?: number; method?: string };
  if (route === MCP) return method === "tools/list";
  if (!route.startsWith("POST ")) return version === undefined;
  const isKeyed = idempotencyKey !== undefined && SENDING.has(route as Route); // elsewhere the server reads no such key
  return isKeyed || HARMLESS.has(route as Route) || Boolean(client_id);
}

/** Tell whether to try again: after a 429, never after a 409, else only what was not done or may be done twice. */
export function isWorthRetrying(error: unknown, repeatable: boolean): boolean {
  const isPassing =
    error instanceof APIError
      ? PASSING.has(error.status) && (error.retry_after ?? 0) <= LONGEST_RETRY_AFTER
      : error instanceof APIConnectionError;
  return isPassing && (repeatable || !mayBeDone(error));
}

/** Tell whether the server may have carried out a call that came to this. */
export function mayBeDone(error: unknown): boolean {
  if (error instanceof APIConnectionError) return error.may_have_arrived;
  return !(error instanceof APIError && error.status === TOO_MANY);
}

/** Return how many milliseconds to wait before the next attempt: ever more, and what the server asks for at least. */
export function pauseBefore(retry: number, error: unknown): number {
  const asked = error instanceof APIError ? (error.retry_after ?? 0) * 1000 : 0;
  return Math.max(asked, Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** retry) * (0.5 + Math.random() / 2));
}

/** Tell whether a failed fetch got as far as the server. */
export function mayHaveArrived(failure: unknown): boolean {
  const code = (failure as { cause?: { code?: string } }).cause?.code;
  return code === undefined || !NEVER_SENT.has(code);
}
