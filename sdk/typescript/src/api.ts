import { randomUUID } from "node:crypto";
import { Deadline, pause } from "./deadline.js";
import { AgentPostError, APIConnectionError, NotFoundError, refusal, UnexpectedAnswerError } from "./errors.js";
import { Expectation } from "./expectation.js";
import { List, Page } from "./pages.js";
import { isRepeatable, isWorthRetrying, mayBeDone, mayHaveArrived, pauseBefore, SENDING } from "./retries.js";
import type { Answer, Item, Route } from "./routes.js";
import type { CallOptions, Settings } from "./settings.js";
import { request, type Outgoing, type Parts } from "./requests.js";

const NOTHING = new Uint8Array();

/** The server's calls: each named by its route, tried again where that does no harm, and refused by an error. */
export class Api {
  private readonly expectation?: Expectation;

  constructor(readonly settings: Settings) {
    const { expectEnvironment, ...others } = settings;
    const anywhere = () => new Api({ ...others, environment: undefined });
    if (expectEnvironment === undefined) return;
    this.expectation = new Expectation(expectEnvironment, settings.apiKey, anywhere());
  }

  /** Make a call and return its JSON; undefined where there is none. */
  async call<R extends Route>(
    route: R,
    ids: string[],
    parts: Parts = {},
    options: CallOptions = {},
  ): Promise<Answer<R>> {
    return (await this.json(route, ids, parts, options)) as Answer<R>;
  }

  /** Make a call and return its answer's bytes as they come. */
  bytes(route: Route, ids: string[], options: CallOptions = {}): Promise<Uint8Array> {
    return this.answered(route, ids, {}, options);
  }

  /** Return a list, which is fetched when it is looked at. */
  list<R extends Route>(route: R, ids: string[], parts: Parts = {}, options: CallOptions = {}): List<Item<R>> {
    const fetchPage = async (cursor?: string): Promise<Page<Item<R>>> => {
      const query = cursor ? { ...parts.query, cursor } : parts.query;
      const answer = await this.json(route, ids, { ...parts, query }, options);
      return new Page(answer as Page<Item<R>>, fetchPage);
    };
    return new List(fetchPage);
  }

  /** Make a call by its path, as it stands outside the API's description, and return its JSON. */
  async json(route: string, ids: string[], parts: Parts, options: CallOptions): Promise<unknown> {
    const bytes = await this.answered(route, ids, parts, options);
    return bytes.length ? parsed(new TextDecoder().decode(bytes)) : undefined;
  }

  /** Put bytes to a signed URL, or get what is there; neither needs the key. */
  async transferred(
    outgoing: Pick<Outgoing, "method" | "url"> & Partial<Outgoing>,
    options: CallOptions,
  ): Promise<Uint8Array> {
    const within = new Deadline(options.timeout ?? this.settings.timeout, options.signal);
    try {
      const retries = options.maxRetries ?? this.settings.maxRetries;
      return await this.carried({ headers: {}, ...outgoing }, true, retries, within);
    } finally {
      within.clear();
    }
  }

  /** Open a stream: the answer's headers have come, its body has not. Throws what a call throws, and tries once. */
  async opened(route: Route, parts: Parts, options: CallOptions, signal: AbortSignal): Promise<Response> {
    const settings = await this.confirmed(options);
    const outgoing = request(settings, route, [], parts, options);
    const answer = await this.fetched(outgoing, signal);
    if (!answer.ok) throw refusal(answer.status, answer.headers, await answer.text(), outgoing);
    return answer;
  }

  private async answered(route: string, ids: string[], parts: Parts, options: CallOptions): Promise<Uint8Array> {
    const isDry = (parts.query as { dry_run?: boolean } | undefined)?.dry_run === true;
    const key = options.idempotencyKey ?? (SENDING.has(route as Route) && !isDry ? randomUUID() : undefined);
    const deadline = new Deadline(options.timeout ?? this.settings.timeout, options.signal);
    try {
      const settings = await this.confirmed(options);
      const outgoing = request(settings, route, ids, parts, { ...options, idempotencyKey: key });
      const isHarmless = isDry || isRepeatable(route, parts.body, key);
      return await this.carried(outgoing, isHarmless, options.maxRetries ?? settings.maxRetries, deadline);
    } catch (error) {
      if (key && error instanceof AgentPostError) error.idempotency_key = key;
      throw error;
    } finally {
      deadline.clear();
    }
  }

  private confirmed(options: CallOptions): Promise<Settings> | Settings {
    return this.expectation?.confirmed(this.settings, options) ?? this.settings;
  }

  private async carried(
    outgoing: Outgoing,
    isHarmless: boolean,
    retries: number,
    deadline: Deadline,
  ): Promise<Uint8Array> {
    let isPerhapsDone = false;
    for (let retry = 0; ; retry++) {
      try {
        return await this.attempt(outgoing, deadline.signal);
      } catch (error) {
        if (isPerhapsDone && isDeletion(outgoing) && error instanceof NotFoundError) return NOTHING;
        isPerhapsDone ||= mayBeDone(error);
        const wait = pauseBefore(retry, error);
        if (retry >= retries || !isWorthRetrying(error, isHarmless) || !deadline.allows(wait)) throw error;
        await pause(wait, deadline.signal);
      }
    }
  }

  private async attempt(outgoing: Outgoing, signal: AbortSignal): Promise<Uint8Array> {
    const answer = await this.fetched(outgoing, signal);
    const bytes = await unlessLost(outgoing.url, signal, async () => new Uint8Array(await answer.arrayBuffer()));
    if (!answer.ok) throw refusal(answer.status, answer.headers, new TextDecoder().decode(bytes), outgoing);
    return bytes;
  }

  private fetched(outgoing: Outgoing, signal: AbortSignal): Promise<Response> {
    const { url, ...init } = outgoing;
    return unlessLost(url, signal, () => this.settings.fetch(url, { ...init, signal, redirect: "manual" }));
  }
}

/** Tell whether a call deletes what it names; one with a body takes away a part of it. */
function isDeletion({ method, body }: Outgoing): boolean {
  return method === "DELETE" && body === undefined;
}

/** Do something over the network. Throws APIConnectionError, or the signal's reason if that came first. */
async function unlessLost<T>(url: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (failure) {
    if (signal.aborted) throw signal.reason;
    throw lost(new URL(url).origin, failure);
  }
}

function lost(server: string, failure: unknown): APIConnectionError {
  const isHalfWay = mayHaveArrived(failure);
  const what = isHalfWay
    ? `The connection to ${server} was lost`
    : `${server} does not answer; is it running (make run), is baseUrl (AGENTPOST_BASE_URL) right?`;
  const why = (failure as { cause?: { message?: string } }).cause?.message || String(failure);
  return new APIConnectionError(`${what} (${why})`, isHalfWay, { cause: failure });
}

/** Return an answer's JSON. What looks like JSON and is cut off is not quoted: a key may be in it. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const quoted = /^\s*[[{]/.test(text) ? "JSON that is cut off" : text.slice(0, 200);
    throw new UnexpectedAnswerError(`This is not AgentPost's answer; is baseUrl right? It is ${quoted}`);
  }
}
