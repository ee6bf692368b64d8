import type { Api } from "../api.js";
import type { CallOptions } from "../settings.js";

/** A namespace of the client. */
export abstract class Resource {
  constructor(protected readonly api: Api) {}
}

/** The arguments of a list of the whole environment, or of one inbox whose id comes first. */
export type MaybeOfInbox<Q> = [query?: Q, options?: CallOptions] | [inboxId: string, query?: Q, options?: CallOptions];

/** Return these arguments as three; without an inbox the first is undefined. */
export function ofInbox<Q>(given: MaybeOfInbox<Q>): [string | undefined, Q | undefined, CallOptions | undefined] {
  if (typeof given[0] === "string") return given as [string, Q | undefined, CallOptions | undefined];
  return [undefined, ...(given as [Q | undefined, CallOptions | undefined])];
}
