import type { Event, Ticket } from "../models.js";
import type { List } from "../pages.js";
import type { Query } from "../routes.js";
import type { CallOptions } from "../settings.js";
import { Resource } from "./resource.js";

/** Which events: `types` may be several, and families such as `message.*`. */
export type EventQuery = Omit<Query<"GET /events">, "types"> & { types?: string | string[] };

export class Events extends Resource {
  /** List events, the oldest first; `next_cursor` is where to go on later, as `after`. */
  list({ types, ...query }: EventQuery = {}, options?: CallOptions): List<Event> {
    const joined = Array.isArray(types) ? types.join(",") : types;
    return this.api.list("GET /events", [], { query: { ...query, types: joined } }, options) as List<Event>;
  }

  async get(eventId: string, options?: CallOptions): Promise<Event> {
    return (await this.api.call("GET /events/{id}", [eventId], {}, options)) as Event;
  }

  /** Return a ticket with which a browser opens one stream, once, within a minute. */
  createTicket(options?: CallOptions): Promise<Ticket> {
    return this.api.call("POST /events/tickets", [], {}, options);
  }
}
