import type { Api } from "./api.js";
import { pause } from "./deadline.js";
import { APIConnectionError } from "./errors.js";
import type { Event } from "./models.js";
import { isWorthRetrying, pauseBefore } from "./retries.js";
import { serverSent } from "./sse.js";

/** Which events are wanted: all of the environment unless it says less. */
export interface Subscription {
  /** Types, and families such as `message.*`. */
  events?: string[];
  inbox_id?: string;
  /** The environment, by id or slug, in place of the client's: a stream is of one. */
  environment_id?: string;
  /** The id of the event to go on behind. */
  after?: string;
}

/** A step of a stream: where to go on from there, unless the log is empty yet, and the event if there is one. */
export interface Step {
  cursor?: string;
  event?: Event;
}

const LONGEST_SILENCE = 45_000; // milliseconds; the server says something every 15 seconds

/**
 * Follow the event log until the signal, over as many connections as it takes: each event comes, and comes once.
 *
 * `wasOpen` says that the log was followed before: without `after` it was empty then, and all that is in it is new.
 */
export async function* following(
  api: Api,
  wanted: Subscription,
  wasOpen: boolean,
  signal: AbortSignal,
): AsyncGenerator<Step, void> {
  let after = wanted.after;
  for (let failures = 0; ; failures++) {
    try {
      for await (const step of connection(api, { ...wanted, after }, wasOpen && !after, signal)) {
        after = step.cursor ?? after;
        wasOpen = true;
        failures = 0;
        yield step;
      }
      await pause(pauseBefore(failures, null), signal);
    } catch (error) {
      if (signal.aborted) return;
      if (!isWorthRetrying(error, true) || (!wasOpen && failures >= api.settings.maxRetries)) throw error;
      await pause(pauseBefore(failures, error), signal).catch(() => undefined);
    }
  }
}

/** Read one connection to its end; one that comes too late for the first event ends with that. */
async function* connection(api: Api, wanted: Subscription, isLate: boolean, signal: AbortSignal): AsyncGenerator<Step> {
  const silence = new Silence(signal);
  try {
    const query = { event_types: wanted.events?.join(","), inbox_id: wanted.inbox_id, after: wanted.after };
    const answer = await api.opened(
      "GET /events/stream",
      { query },
      { environment: wanted.environment_id },
      silence.signal,
    );
    for await (const { id, event, data } of serverSent(silence.watched(answer.body))) {
      if (event === "end") return;
      const missed = isLate && id ? await earliest(api, wanted, silence.signal) : undefined;
      isLate = false;
      yield missed ?? { cursor: id ?? undefined, event: data === null ? undefined : (JSON.parse(data) as Event) };
      if (missed) return;
    }
  } finally {
    silence.over();
  }
}

/** Return the step to the first event of the log that is wanted, if there is one. */
async function earliest(api: Api, wanted: Subscription, signal: AbortSignal): Promise<Step | undefined> {
  const query = { types: wanted.events?.join(","), inbox_id: wanted.inbox_id, limit: 1 };
  const options = { environment: wanted.environment_id, signal };
  const [event] = (await api.list("GET /events", [], { query }, options)).data as Event[];
  return event && { cursor: event.id, event };
}

/** Ends a connection on which nothing has come for too long, and with the caller's signal. */
class Silence {
  private readonly controller = new AbortController();
  private readonly stop = () => this.controller.abort(this.caller.reason);
  private timer?: ReturnType<typeof setTimeout>;

  constructor(private readonly caller: AbortSignal) {
    if (caller.aborted) this.stop();
    caller.addEventListener("abort", this.stop, { once: true });
    this.begin();
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  async *watched(body: ReadableStream<Uint8Array> | null): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of body ?? []) {
        clearTimeout(this.timer);
        yield chunk;
        this.begin();
      }
    } catch (cause) {
      throw this.caller.aborted ? cause : new APIConnectionError("The stream was lost.", true, { cause });
    }
  }

  over(): void {
    clearTimeout(this.timer);
    this.caller.removeEventListener("abort", this.stop);
    this.controller.abort();
  }

  private begin(): void {
    clearTimeout(this.timer);
    const lost = new APIConnectionError("The stream fell silent.", true);
    this.timer = setTimeout(() => this.controller.abort(lost), LONGEST_SILENCE);
  }
}
