import { mailed, type Writing } from "../mails.js";
import type { Arrival, Batch, BatchSend, Message, Plan, Timeline } from "../models.js";
import type { List } from "../pages.js";
import type { Body, Query, Route } from "../routes.js";
import type { CallOptions } from "../settings.js";
import { waitForMail, type ArrivalQuery } from "../waiting.js";
import { ofInbox, Resource, type MaybeOfInbox } from "./resource.js";

/** A mail to send. */
export type SendBody = Writing<Body<"POST /inboxes/{inbox_id}/messages">>;
/** An answer to a mail: its subject and recipients follow from that, unless given. */
export type ReplyBody = Writing<Body<"POST /messages/{id}/reply">>;
export type ForwardBody = Writing<Body<"POST /messages/{id}/forward">>;
export type MessageQuery = Query<"GET /messages">;

type Dry = { dry_run: true };
type Wet = { dry_run?: false };

export class Messages extends Resource {
  /** Send a mail from an inbox. With `dry_run`, return what would become of it, and send nothing. */
  send(inboxId: string, mail: SendBody & Wet, options?: CallOptions): Promise<Message>;
  send(inboxId: string, mail: SendBody & Dry, options?: CallOptions): Promise<Plan>;
  send(inboxId: string, mail: SendBody & { dry_run?: boolean }, options?: CallOptions): Promise<Message | Plan> {
    return this.sent("POST /inboxes/{inbox_id}/messages", inboxId, mail, options);
  }

  /** Send up to 100 mails from an inbox; each has a message or an error in the answer, in their order. */
  async sendBatch(
    inboxId: string,
    batch: { messages: SendBody[]; dry_run?: boolean },
    options?: CallOptions,
  ): Promise<BatchSend> {
    const { dry_run, messages } = batch;
    const body = { messages: await Promise.all(messages.map(mailed)) };
    return this.api.call("POST /inboxes/{inbox_id}/messages/batch", [inboxId], { query: { dry_run }, body }, options);
  }

  /** Answer a message to its sender. */
  reply(messageId: string, reply: ReplyBody & Wet, options?: CallOptions): Promise<Message>;
  reply(messageId: string, reply: ReplyBody & Dry, options?: CallOptions): Promise<Plan>;
  reply(messageId: string, reply: ReplyBody & { dry_run?: boolean }, options?: CallOptions): Promise<Message | Plan> {
    return this.sent("POST /messages/{id}/reply", messageId, reply, options);
  }

  /** Answer a message to its sender and to everybody else who got it. */
  replyAll(messageId: string, reply: ReplyBody & Wet, options?: CallOptions): Promise<Message>;
  replyAll(messageId: string, reply: ReplyBody & Dry, options?: CallOptions): Promise<Plan>;
  replyAll(
    messageId: string,
    reply: ReplyBody & { dry_run?: boolean },
    options?: CallOptions,
  ): Promise<Message | Plan> {
    return this.sent("POST /messages/{id}/reply-all", messageId, reply, options);
  }

  /** Send a message on to others. */
  forward(messageId: string, forward: ForwardBody & Wet, options?: CallOptions): Promise<Message>;
  forward(messageId: string, forward: ForwardBody & Dry, options?: CallOptions): Promise<Plan>;
  forward(
    messageId: string,
    forward: ForwardBody & { dry_run?: boolean },
    options?: CallOptions,
  ): Promise<Message | Plan> {
    return this.sent("POST /messages/{id}/forward", messageId, forward, options);
  }

  /** List messages, newest first: of an inbox whose id comes first, or of the environment. */
  list(...given: MaybeOfInbox<MessageQuery>): List<Message> {
    const [inboxId, query, options] = ofInbox(given);
    if (inboxId === undefined) return this.api.list("GET /messages", [], { query }, options);
    return this.api.list("GET /inboxes/{inbox_id}/messages", [inboxId], { query }, options);
  }

  get(messageId: string, query?: Query<"GET /messages/{id}">, options?: CallOptions): Promise<Message> {
    return this.api.call("GET /messages/{id}", [messageId], { query }, options);
  }

  /** Return a message's exact bytes. */
  raw(messageId: string, options?: CallOptions): Promise<Uint8Array> {
    return this.api.bytes("GET /messages/{id}/raw", [messageId], options);
  }

  /** Return what happened to a message, step by step, and why. */
  timeline(messageId: string, options?: CallOptions): Promise<Timeline> {
    return this.api.call("GET /messages/{id}/timeline", [messageId], {}, options);
  }

  /** Wait until mail that matches comes to an inbox; with `timed_out`, none did. `timeout` is any number of seconds. */
  wait(inboxId: string, wanted?: ArrivalQuery, options?: CallOptions): Promise<Arrival> {
    return waitForMail(this.api, inboxId, wanted, options);
  }

  /** Put these labels in place of those that a message has. */
  update(messageId: string, changes: Body<"PATCH /messages/{id}">, options?: CallOptions): Promise<Message> {
    return this.api.call("PATCH /messages/{id}", [messageId], { body: changes }, options);
  }

  addLabels(messageId: string, labels: Body<"POST /messages/{id}/labels">, options?: CallOptions): Promise<Message> {
    return this.api.call("POST /messages/{id}/labels", [messageId], { body: labels }, options);
  }

  removeLabels(
    messageId: string,
    labels: Body<"DELETE /messages/{id}/labels">,
    options?: CallOptions,
  ): Promise<Message> {
    return this.api.call("DELETE /messages/{id}/labels", [messageId], { body: labels }, options);
  }

  /** Take back a message that waits for its time. */
  cancel(messageId: string, options?: CallOptions): Promise<Message> {
    return this.api.call("POST /messages/{id}/cancel", [messageId], {}, options);
  }

  /** Let a message out of quarantine. */
  release(messageId: string, options?: CallOptions): Promise<Message> {
    return this.api.call("POST /messages/{id}/release", [messageId], {}, options);
  }

  async delete(messageId: string, options?: CallOptions): Promise<void> {
    await this.api.call("DELETE /messages/{id}", [messageId], {}, options);
  }

  batchGet(batch: Body<"POST /messages/batch-get">, options?: CallOptions): Promise<Batch> {
    return this.api.call("POST /messages/batch-get", [], { body: batch }, options);
  }

  batchUpdate(batch: Body<"POST /messages/batch-update">, options?: CallOptions): Promise<Batch> {
    return this.api.call("POST /messages/batch-update", [], { body: batch }, options);
  }

  private async sent(
    route: Route & `POST ${string}`,
    id: string,
    mail: SendBody & { dry_run?: boolean },
    options?: CallOptions,
  ): Promise<Message | Plan> {
    const { dry_run, ...body } = await mailed(mail);
    return (await this.api.call(route, [id], { query: { dry_run }, body }, options)) as Message | Plan;
  }
}
