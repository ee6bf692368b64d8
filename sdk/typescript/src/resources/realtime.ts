import { Connection } from "../connection.js";
import type { Subscription } from "../following.js";
import type { Event } from "../models.js";
import { Resource } from "./resource.js";

/** Events to iterate over; leaving the loop ends the stream. */
export interface EventStream extends AsyncIterable<Event> {
  /** The id behind which another stream would go on, as `after`: past the last event that was told. */
  readonly cursor?: string;
}

/** The event log as it grows. */
export class Realtime extends Resource {
  /** Return a connection, which opens once somebody listens. What it is to tell may be said here or by `subscribe`. */
  connect(subscription?: Subscription): Connection {
    return new Connection(this.api, subscription);
  }

  /** Return the events to iterate over; all of the environment's, unless the subscription says less. */
  stream(subscription: Subscription = {}): EventStream {
    return this.connect(subscription);
  }
}
