import type { Api } from "./api.js";
import { APIError, EnvironmentMismatchError } from "./errors.js";
import type { Me } from "./models.js";
import type { CallOptions, Settings } from "./settings.js";

const NAMED = 5; // environments that a refusal names

type Found = Pick<Me["environments"][number], "id" | "slug" | "delivery_mode">;

/** What `expectEnvironment` asks for: nothing is called before the key is known to be of that place, and harmless. */
export class Expectation {
  private found?: Promise<Found>;

  /** Throws EnvironmentMismatchError for a live key, which needs no server to be known. */
  constructor(
    private readonly expected: string,
    apiKey: string,
    private readonly api: Api,
  ) {
    if (apiKey.startsWith("ap_sk_live_")) this.refuse("this is a live key");
  }

  /** Return the settings, kept to the expected environment. Throws EnvironmentMismatchError for another's key. */
  async confirmed(settings: Settings, options: CallOptions): Promise<Settings> {
    this.found ??= this.look().catch((error) => {
      this.found = undefined;
      throw error;
    });
    const { id, slug } = await this.found;
    for (const named of [settings.environment, options.environment]) {
      if (named && named !== id && named !== slug) this.refuse(`the call is to act in ${named}`);
    }
    return { ...settings, environment: id };
  }

  private async look(): Promise<Found> {
    const me = await this.api.call("GET /me", []);
    const shown = me.environments.find(({ id, slug }) => this.expected === id || this.expected === slug);
    const found = shown ?? (me.has_more_environments ? await this.asked() : undefined);
    if (me.kind === "live") this.refuse("this is a live key");
    if (!found) this.refuse(`the key does not reach it; it reaches ${reached(me)}`);
    if (found.delivery_mode === "live") this.refuse("it is live: its mail reaches people");
    return found;
  }

  /** Return the environment of a key that reaches more than it is shown at once; undefined if it cannot see it. */
  private asked(): Promise<Found | undefined> {
    return this.api.call("GET /environments/{id}", [this.expected]).catch((error) => {
      if (error instanceof APIError && [403, 404].includes(error.status)) return undefined;
      throw error;
    });
  }

  private refuse(why: string): never {
    throw new EnvironmentMismatchError(`Environment ${this.expected} was expected, but ${why}.`);
  }
}

function reached({ environments, has_more_environments }: Me): string {
  const slugs = environments.slice(0, NAMED).map(({ slug }) => slug);
  const isCut = has_more_environments || environments.length > NAMED;
  return [...slugs, ...(isCut ? ["more"] : [])].join(", ") || "none";
}
