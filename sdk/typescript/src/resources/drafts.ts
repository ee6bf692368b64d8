import { mailed, type Writing } from "../mails.js";
import type { Draft, DraftVersion } from "../models.js";
import type { List } from "../pages.js";
import type { Body, Query } from "../routes.js";
import type { CallOptions } from "../settings.js";
import { ofInbox, Resource, type MaybeOfInbox } from "./resource.js";

export type DraftBody = Writing<Body<"POST /inboxes/{inbox_id}/drafts">>;
export type DraftChanges = Writing<Body<"PATCH /drafts/{id}">>;

export class Drafts extends Resource {
  /** Write a draft in an inbox. With a `client_id`, once. */
  async create(inboxId: string, draft: DraftBody = {}, options?: CallOptions): Promise<Draft> {
    return this.api.call("POST /inboxes/{inbox_id}/drafts", [inboxId], { body: await mailed(draft) }, options);
  }

  /** List drafts, newest first: of an inbox whose id comes first, or of the environment. */
  list(...given: MaybeOfInbox<Query<"GET /drafts">>): List<Draft> {
    const [inboxId, query, options] = ofInbox(given);
    if (inboxId === undefined) return this.api.list("GET /drafts", [], { query }, options);
    return this.api.list("GET /inboxes/{inbox_id}/drafts", [inboxId], { query }, options);
  }

  get(draftId: string, options?: CallOptions): Promise<Draft> {
    return this.api.call("GET /drafts/{id}", [draftId], {}, options);
  }

  /** Change a draft, which takes an approval back. With the `version` that was read, only if it still has that one. */
  async update(draftId: string, changes: DraftChanges, options?: CallOptions): Promise<Draft> {
    return this.api.call("PATCH /drafts/{id}", [draftId], { body: await mailed(changes) }, options);
  }

  async delete(draftId: string, options?: CallOptions): Promise<void> {
    await this.api.call("DELETE /drafts/{id}", [draftId], {}, options);
  }

  /** List what a draft was like before, newest first, and what changed. */
  versions(draftId: string, query?: Query<"GET /drafts/{id}/versions">, options?: CallOptions): List<DraftVersion> {
    return this.api.list("GET /drafts/{id}/versions", [draftId], { query }, options);
  }

  /** Ask a person for a yes. */
  submit(draftId: string, terms: Body<"POST /drafts/{id}/submit"> = {}, options?: CallOptions): Promise<Draft> {
    return this.api.call("POST /drafts/{id}/submit", [draftId], { body: terms }, options);
  }

  approve(draftId: string, seen: Body<"POST /drafts/{id}/approve"> = {}, options?: CallOptions): Promise<Draft> {
    return this.api.call("POST /drafts/{id}/approve", [draftId], { body: seen }, options);
  }

  reject(draftId: string, why: Body<"POST /drafts/{id}/reject">, options?: CallOptions): Promise<Draft> {
    return this.api.call("POST /drafts/{id}/reject", [draftId], { body: why }, options);
  }

  /** Send a draft; its `message_id` names the message. */
  send(draftId: string, seen: Body<"POST /drafts/{id}/send"> = {}, options?: CallOptions): Promise<Draft> {
    return this.api.call("POST /drafts/{id}/send", [draftId], { body: seen }, options);
  }
}
