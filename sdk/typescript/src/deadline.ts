import { APITimeoutError } from "./errors.js";

/** A time that is over after so many milliseconds, or when the caller says so. */
export class Deadline {
  private readonly controller = new AbortController();
  private readonly timer: ReturnType<typeof setTimeout>;
  private readonly ends: number;
  private readonly abort = () => this.controller.abort(this.caller?.reason);

  constructor(
    milliseconds: number,
    private readonly caller?: AbortSignal,
  ) {
    this.ends = Date.now() + milliseconds;
    this.timer = setTimeout(() => this.controller.abort(new APITimeoutError(milliseconds)), milliseconds);
    if (caller?.aborted) this.abort();
    caller?.addEventListener("abort", this.abort, { once: true });
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Tell whether this many milliseconds are left. */
  allows(milliseconds: number): boolean {
    return Date.now() + milliseconds < this.ends;
  }

  clear(): void {
    clearTimeout(this.timer);
    this.caller?.removeEventListener("abort", this.abort);
  }
}

/** Wait for so many milliseconds. Rejects with the signal's reason if that comes first. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, milliseconds);
    signal.addEventListener("abort", stop, { once: true });
  });
}
