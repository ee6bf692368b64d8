import { mailed, type Writing } from "../mails.js";
import type { Inbox, Message } from "../models.js";
import type { List } from "../pages.js";
import type { Body, Query } from "../routes.js";
import type { CallOptions } from "../settings.js";
import { Resource } from "./resource.js";

/** A mail as if it had come from outside. */
export type SimulateBody = Writing<Body<"POST /inboxes/{inbox_id}/simulate">>;

export class Inboxes extends Resource {
  /** Create an inbox: of a `username` or an `email`, or of a random name. With a `client_id`, once. */
  create(inbox: Body<"POST /inboxes"> = {}, options?: CallOptions): Promise<Inbox> {
    return this.api.call("POST /inboxes", [], { body: inbox }, options);
  }

  list(query?: Query<"GET /inboxes">, options?: CallOptions): List<Inbox> {
    return this.api.list("GET /inboxes", [], { query }, options);
  }

  get(inboxId: string, options?: CallOptions): Promise<Inbox> {
    return this.api.call("GET /inboxes/{id}", [inboxId], {}, options);
  }

  update(inboxId: string, changes: Body<"PATCH /inboxes/{id}">, options?: CallOptions): Promise<Inbox> {
    return this.api.call("PATCH /inboxes/{id}", [inboxId], { body: changes }, options);
  }

  /** Delete an inbox and all of its mail. */
  async delete(inboxId: string, options?: CallOptions): Promise<void> {
    await this.api.call("DELETE /inboxes/{id}", [inboxId], {}, options);
  }

  /** Let a mail come to an inbox that nobody sent; not where mail is live. */
  async simulate(inboxId: string, mail: SimulateBody = {}, options?: CallOptions): Promise<Message> {
    return this.api.call("POST /inboxes/{inbox_id}/simulate", [inboxId], { body: await mailed(mail) }, options);
  }
}
