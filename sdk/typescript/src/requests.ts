import { ConfigurationError } from "./errors.js";
import type { CallOptions, Settings } from "./settings.js";
import { VERSION } from "./version.js";

const BESIDE_THE_API = "/mcp";

/** What a call says beside its path. */
export interface Parts {
  query?: object;
  body?: unknown;
}

/** What `fetch` is given. */
export interface Outgoing {
  url: string;
  method: string;
  headers: Record<string, string>;
  body?: string | Uint8Array;
}

/** Return the request of a call. Throws ConfigurationError for an id that is none. */
export function request(
  settings: Settings,
  route: string,
  ids: string[],
  parts: Parts,
  options: CallOptions,
): Outgoing {
  const [method = "GET", template = ""] = route.split(" ");
  const query = search(parts.query ?? {});
  return {
    url: `${settings.baseUrl}${pathOf(template, [...ids])}${query && `?${query}`}`,
    method,
    headers: headersOf(settings, parts.body !== undefined, options),
    ...(parts.body !== undefined && { body: JSON.stringify(parts.body) }),
  };
}

function pathOf(template: string, ids: string[]): string {
  const path = template.replace(/\{(\w+)\}/g, (_, name: string) => segment(template, name, ids.shift()));
  return path === BESIDE_THE_API ? path : `/api/v1${path}`;
}

function segment(template: string, name: string, id: unknown): string {
  if (typeof id === "string" && /^[\w-]+$/.test(id)) return id;
  const said = id === "" || id == null ? "is missing" : `cannot be ${JSON.stringify(id)}`;
  throw new ConfigurationError(`The {${name}} of ${template} ${said}.`);
}

function search(query: object): string {
  const found = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const each of [value ?? []].flat()) found.append(name, String(each));
  }
  return found.toString();
}

function headersOf(settings: Settings, hasBody: boolean, options: CallOptions): Record<string, string> {
  const environment = options.environment ?? settings.environment;
  return {
    Authorization: `Bearer ${settings.apiKey}`,
    "User-Agent": `agentpost-typescript/${VERSION}`,
    ...(hasBody && { "Content-Type": "application/json" }),
    ...(environment && { "AgentPost-Environment": environment }),
    ...(options.idempotencyKey && { "Idempotency-Key": options.idempotencyKey }),
    ...options.headers,
  };
}
