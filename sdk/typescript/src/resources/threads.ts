import type { Thread, ThreadWithMessages } from "../models.js";
import type { List } from "../pages.js";
import type { Body, Query } from "../routes.js";
import type { CallOptions } from "../settings.js";
import { ofInbox, Resource, type MaybeOfInbox } from "./resource.js";

export class Threads extends Resource {
  /** List threads, the latest first: of an inbox whose id comes first, or of the environment. */
  list(...given: MaybeOfInbox<Query<"GET /threads">>): List<Thread> {
    const [inboxId, query, options] = ofInbox(given);
    if (inboxId === undefined) return this.api.list("GET /threads", [], { query }, options);
    return this.api.list("GET /inboxes/{inbox_id}/threads", [inboxId], { query }, options);
  }

  /** Return a thread with the first page of its messages. */
  get(threadId: string, query?: Query<"GET /threads/{id}">, options?: CallOptions): Promise<ThreadWithMessages> {
    return this.api.call("GET /threads/{id}", [threadId], { query }, options);
  }

  /** Put these labels in place of those that a thread has. */
  update(threadId: string, changes: Body<"PATCH /threads/{id}">, options?: CallOptions): Promise<Thread> {
    return this.api.call("PATCH /threads/{id}", [threadId], { body: changes }, options);
  }

  addLabels(threadId: string, labels: Body<"POST /threads/{id}/labels">, options?: CallOptions): Promise<Thread> {
    return this.api.call("POST /threads/{id}/labels", [threadId], { body: labels }, options);
  }

  removeLabels(threadId: string, labels: Body<"DELETE /threads/{id}/labels">, options?: CallOptions): Promise<Thread> {
    return this.api.call("DELETE /threads/{id}/labels", [threadId], { body: labels }, options);
  }

  /** Delete a thread and its messages. */
  async delete(threadId: string, options?: CallOptions): Promise<void> {
    await this.api.call("DELETE /threads/{id}", [threadId], {}, options);
  }
}
