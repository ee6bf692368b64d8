import type { Api } from "./api.js";
import { APIError } from "./errors.js";
import { following, type Step, type Subscription } from "./following.js";
import type { Event } from "./models.js";

/** What a connection tells its listeners. */
export interface Listeners {
  /** The server is there and the key may listen: now `subscribe`. */
  open: () => unknown;
  event: (event: Event) => unknown;
  /** The connection ends, and `close` follows; what is lost on the way is connected anew without a word. */
  error: (error: Error) => unknown;
  close: (code: number, reason: string) => unknown;
}

const CLOSED = 1000;
const FAILED = 1011;
/** What the server's WebSocket closes with for the same reasons. */
const CODES: Record<number, number> = { 401: 4401, 403: 4403, 404: 4403 };

/** Events as they happen: to listeners, once subscribed, or by `for await`. */
export class Connection implements AsyncIterable<Event> {
  private readonly listeners: { [K in keyof Listeners]: Set<Listeners[K]> } = {
    open: new Set(),
    event: new Set(),
    error: new Set(),
    close: new Set(),
  };
  private readonly ended = new AbortController();
  private current?: AbortController;
  private isOpen = false;
  /** Whether the log that is followed has been followed before. */
  private wasFollowed = false;
  /** The id behind which another connection would go on: past the last event that was told. */
  cursor?: string;

  constructor(
    private readonly api: Api,
    private subscription?: Subscription,
  ) {
    this.cursor = subscription?.after;
  }

  /** Listen; the first listener opens the connection. */
  on<K extends keyof Listeners>(name: K, listener: Listeners[K]): this {
    this.listeners[name].add(listener);
    if (!this.current) this.begin();
    return this;
  }

  off<K extends keyof Listeners>(name: K, listener: Listeners[K]): this {
    this.listeners[name].delete(listener);
    return this;
  }

  /**
   * Say which events are wanted, in place of what was said before; all of the environment's without a word.
   * Nothing since `open` is left out by saying it later; of another environment, what happens from now on is told.
   */
  subscribe(wanted: Subscription = {}): void {
    const isSameLog = wanted.environment_id === this.subscription?.environment_id;
    this.cursor = wanted.after ?? (isSameLog ? this.cursor : undefined);
    this.wasFollowed &&= isSameLog;
    this.subscription = wanted;
    if (this.current) this.begin();
  }

  close(): void {
    this.end(CLOSED, "");
  }

  /** Iterate over the events; leaving the loop closes the connection. */
  async *[Symbol.asyncIterator](): AsyncIterator<Event> {
    this.current?.abort();
    try {
      for await (const { cursor, event } of this.steps(this.ended.signal)) {
        this.met(cursor);
        if (event) yield event;
      }
    } finally {
      this.close();
    }
  }

  private begin(): void {
    if (this.ended.signal.aborted) return;
    this.current?.abort();
    this.current = new AbortController();
    void this.run(this.current.signal);
  }

  private async run(signal: AbortSignal): Promise<void> {
    await null; // so that what is said in the same breath counts
    try {
      for await (const { cursor, event } of this.steps(signal)) {
        if (this.subscription || !this.wasFollowed) this.met(cursor); // else it is told once it is asked for
        if (event && this.subscription) this.tell("event", event);
        this.opened();
        if (signal.aborted) return;
      }
    } catch (error) {
      if (!signal.aborted) this.fail(error as Error);
    }
  }

  private steps(signal: AbortSignal): AsyncGenerator<Step, void> {
    return following(this.api, { ...this.subscription, after: this.cursor }, this.wasFollowed, signal);
  }

  private met(cursor?: string): void {
    this.cursor = cursor ?? this.cursor;
    this.wasFollowed = true;
  }

  private opened(): void {
    if (this.isOpen) return;
    this.isOpen = true;
    this.tell("open");
  }

  private fail(error: Error): void {
    if (!this.listeners.error.size) {
      queueMicrotask(() => {
        throw error; // nobody listens, and it must not go unheard
      });
    }
    this.tell("error", error);
    this.end(codeOf(error), error.message);
  }

  private end(code: number, reason: string): void {
    if (this.ended.signal.aborted) return;
    this.ended.abort();
    this.current?.abort();
    this.tell("close", code, reason);
  }

  private tell<K extends keyof Listeners>(name: K, ...told: Parameters<Listeners[K]>): void {
    for (const listener of [...this.listeners[name]]) (listener as (...told: unknown[]) => unknown)(...told);
  }
}

function codeOf(error: Error): number {
  const status = error instanceof APIError ? error.status : 0;
  return CODES[status] ?? FAILED;
}
