import type { Outgoing } from "./requests.js";

/** What went wrong with one field of what was sent. */
export interface FieldProblem {
  field: string;
  message: string;
}

/** What this package throws of its own accord. */
export class AgentPostError extends Error {
  /** The key of a call that was to send: with it as `idempotencyKey`, making the call again sends once. */
  declare idempotency_key?: string;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** What the caller gave cannot be right: no key, no URL, an empty id, a file that cannot be read, an empty secret. */
export class ConfigurationError extends AgentPostError {}

/** The answer is none of AgentPost's: perhaps `baseUrl` is another server's. */
export class UnexpectedAnswerError extends AgentPostError {}

/** The server could not be reached, or the connection was lost before its answer had come. */
export class APIConnectionError extends AgentPostError {
  /** Whether the server may have received the request: then it may have carried it out. */
  readonly may_have_arrived: boolean;

  constructor(message: string, mayHaveArrived: boolean, options?: ErrorOptions) {
    super(message, options);
    this.may_have_arrived = mayHaveArrived;
  }
}

/** The time-out was over before the answer had come; the server may have carried the request out. */
export class APITimeoutError extends APIConnectionError {
  constructor(milliseconds: number) {
    super(`AgentPost did not answer within ${milliseconds} ms.`, true);
  }
}

/** `expectEnvironment` named another environment than the key's, or mail of the key's can reach people. */
export class EnvironmentMismatchError extends AgentPostError {}

/** A POST that AgentPost did not sign, or not lately. */
export class WebhookVerificationError extends AgentPostError {}

/** A call of a tool that the server could not make sense of: mostly, there is none of that name. */
export class ToolError extends AgentPostError {
  constructor(
    message: string,
    /** JSON-RPC's number. */
    readonly code: number,
  ) {
    super(message);
  }
}

/** The server's refusal, in its own words; `message` has its status, code, fix and request, too. */
export class APIError extends AgentPostError {
  /** HTTP's number. */
  readonly status: number;
  /** The refusal's name, as in `not_found`; `unknown` if the answer is none of AgentPost's. */
  readonly code: string;
  /** What to do about it. */
  readonly fix: string;
  readonly details: FieldProblem[];
  /** What finds the request in the server's log. */
  readonly request_id: string | null;
  /** Seconds that the server asks to wait for, if it does. */
  readonly retry_after: number | null;

  constructor(status: number, told: Told, headers: Headers) {
    const { code = UNKNOWN, fix = "", details = [], request_id = headers.get("request-id") } = told;
    super(sentence(status, { ...told, code, request_id }));
    this.status = status;
    this.code = code;
    this.fix = fix;
    this.details = details;
    this.request_id = request_id;
    this.retry_after = secondsOf(headers.get("retry-after"));
  }
}

/** 400: the request could not be read, or names no environment, or two. */
export class BadRequestError extends APIError {}
/** 401: no valid key. */
export class AuthenticationError extends APIError {}
/** 403: the key lacks a scope, or may not do this. */
export class PermissionDeniedError extends APIError {}
/** 404: there is no such thing, or the key cannot reach it. */
export class NotFoundError extends APIError {}
/** 409: it stands in the way of something, or the same idempotency key was used for something else. */
export class ConflictError extends APIError {}
/** 413: too large. */
export class TooLargeError extends APIError {}
/** 422: some field is not valid; `details` says which. */
export class UnprocessableError extends APIError {}
/** 429: too many calls; `retry_after` says for how long. */
export class RateLimitError extends APIError {}
/** 500 and above: not now, or a fault of the server's. */
export class ServerError extends APIError {}

interface Told {
  code?: string;
  message?: string;
  fix?: string;
  details?: FieldProblem[];
  request_id?: string | null;
}

/** What a refusal may quote of the request. */
type Asked = Pick<Outgoing, "url" | "headers">;

const UNKNOWN = "unknown";
const NOT_FOUND = 404;

const CLASSES: Record<number, typeof APIError> = {
  400: BadRequestError,
  401: AuthenticationError,
  403: PermissionDeniedError,
  404: NotFoundError,
  409: ConflictError,
  413: TooLargeError,
  422: UnprocessableError,
  429: RateLimitError,
};

/** Return the error for an answer; a body that is none of AgentPost's, of a proxy in front, is quoted. */
export function refusal(status: number, headers: Headers, body: string, asked: Asked): APIError {
  const Refusal = CLASSES[status] ?? (status >= 500 ? ServerError : APIError);
  const told = toldIn(body) ?? { message: quoted(status, headers, body, asked) };
  return new Refusal(status, status === NOT_FOUND ? placed(told, asked) : told, headers);
}

/** Return what was told with the environment in which the call looked, if it named one. */
function placed(told: Told, { headers }: Asked): Told {
  const environment = headers["AgentPost-Environment"];
  return environment ? { ...told, message: `${told.message ?? ""} This call named environment ${environment}.` } : told;
}

function toldIn(body: string): Told | null {
  try {
    const told = (JSON.parse(body) as { error?: Told } | null)?.error;
    return typeof told?.code === "string" ? told : null;
  } catch {
    return null;
  }
}

function quoted(status: number, headers: Headers, body: string, { url }: Asked): string {
  const location = headers.get("location");
  if (location && status >= 300 && status < 400) return `The server leads on to ${location}: is baseUrl right?`;
  const answers = `${new URL(url).origin} answers with ${status}, but not as AgentPost`;
  const doubt = status === NOT_FOUND ? "; is baseUrl (AGENTPOST_BASE_URL) right?" : ":";
  return `${answers}${doubt} ${body.slice(0, 200) || "(empty)"}`;
}

function sentence(status: number, { message, code, details = [], fix, request_id }: Told): string {
  const fields = details.map((problem) => `${problem.field}: ${problem.message}`).join("; ");
  const request = request_id && `Request ${request_id}`;
  return [message ?? "The server refused.", `(${status} ${code})`, fields, fix, request].filter(Boolean).join(" ");
}

function secondsOf(retryAfter: string | null): number | null {
  if (!retryAfter) return null;
  const seconds = /^\d+$/.test(retryAfter) ? Number(retryAfter) : (Date.parse(retryAfter) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : null;
}
