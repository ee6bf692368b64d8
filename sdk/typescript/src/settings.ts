import { ConfigurationError } from "./errors.js";

export interface ClientOptions {
  /** A key, `ap_sk_…`. Without it, that of the variable AGENTPOST_API_KEY. */
  apiKey?: string;
  /**
   * The environment to act in, by id or slug. Without it AGENTPOST_ENVIRONMENT, unless `apiKey` is given: the variable
   * is for the variables' key. Else the server chooses as it says.
   */
  environment?: string;
  /** Where the server is, as in `https://mail.example.com`. Without it AGENTPOST_BASE_URL, else port 8000 here. */
  baseUrl?: string;
  /** Milliseconds that a call may take with all of its tries: 60,000 unless you say otherwise. */
  timeout?: number;
  /** How often a call is tried again, at most: three times unless you say otherwise. */
  maxRetries?: number;
  /** The slug or id of the environment that this program is meant for; one that is live, or another, is refused. */
  expectEnvironment?: string;
  /** What stands in for the global `fetch`. */
  fetch?: typeof fetch;
}

/** What a single call may be told beside its arguments. */
export interface CallOptions {
  /** Milliseconds that this call may take with all of its tries. */
  timeout?: number;
  /** How often this call is tried again, at most. */
  maxRetries?: number;
  /** Ends the call, which then throws the signal's reason. */
  signal?: AbortSignal;
  /** Carried out once, however often the call is made with this key. Calls that send get one of their own. */
  idempotencyKey?: string;
  /** The environment of this call, in place of the client's. */
  environment?: string;
  /** More headers. */
  headers?: Record<string, string>;
}

export type Settings = Required<Pick<ClientOptions, "apiKey" | "baseUrl" | "timeout" | "maxRetries" | "fetch">> &
  Pick<ClientOptions, "environment" | "expectEnvironment">;

const HERE = "http://127.0.0.1:8000";
const KNOWN: Record<keyof ClientOptions, true> = {
  apiKey: true,
  environment: true,
  baseUrl: true,
  timeout: true,
  maxRetries: true,
  expectEnvironment: true,
  fetch: true,
};

/**
 * Return the options with what the variables and we add. Throws ConfigurationError without a key, with a bad URL, with
 * an `expectEnvironment` that is empty, and for an option that there is not.
 */
export function settle(options: ClientOptions): Settings {
  insistOnKnown(options);
  const apiKey = (options.apiKey ?? variable("AGENTPOST_API_KEY") ?? "").trim();
  if (!/^[!-~]+$/.test(apiKey)) throw new ConfigurationError("There is no key: pass apiKey, or set AGENTPOST_API_KEY.");
  return {
    apiKey,
    environment: options.environment ?? options.expectEnvironment ?? environmentBeside(options.apiKey),
    baseUrl: origin(options.baseUrl ?? variable("AGENTPOST_BASE_URL") ?? HERE),
    timeout: options.timeout ?? 60_000,
    maxRetries: options.maxRetries ?? 3,
    expectEnvironment: expected(options),
    fetch: options.fetch ?? ((...request) => fetch(...request)),
  };
}

function insistOnKnown(options: object): void {
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(KNOWN, name));
  if (unknown === undefined) return;
  throw new ConfigurationError(`There is no option ${unknown}; there are ${Object.keys(KNOWN).join(", ")}.`);
}

function environmentBeside(givenKey: string | undefined): string | undefined {
  return givenKey === undefined ? variable("AGENTPOST_ENVIRONMENT") : undefined;
}

/** Return the expected environment. Throws for one that is empty, as of a variable that is: it would expect nothing. */
function expected({ expectEnvironment }: ClientOptions): string | undefined {
  if (expectEnvironment === undefined || expectEnvironment?.trim()) return expectEnvironment;
  throw new ConfigurationError("expectEnvironment is empty: name the environment, or leave it out.");
}

function variable(name: string): string | undefined {
  return (typeof process === "undefined" ? undefined : process.env[name]) || undefined;
}

function origin(baseUrl: string): string {
  if (/^https?:\/\/[^/]/.test(baseUrl)) return baseUrl.replace(/\/+$/, "").replace(/\/api\/v1$/, "");
  throw new ConfigurationError(`baseUrl begins with https:// or http://, unlike ${baseUrl}.`);
}
