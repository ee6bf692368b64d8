import type { Api } from "./api.js";
import type { Arrival } from "./models.js";
import type { Query } from "./routes.js";
import type { CallOptions } from "./settings.js";

const ROUTE = "GET /inboxes/{inbox_id}/messages/wait";
const LONGEST_POLL = 120; // seconds, as is the next
const USUAL_WAIT = 60;

/** Which mail is waited for, and for how many seconds. */
export type ArrivalQuery = Query<typeof ROUTE>;

/** Wait for mail for `timeout` seconds, in as many calls as it takes; none is missed between two of them. */
export async function waitForMail(
  api: Api,
  inboxId: string,
  wanted: ArrivalQuery = {},
  options: CallOptions = {},
): Promise<Arrival> {
  const { timeout = USUAL_WAIT, ...which } = wanted;
  const ends = Date.now() + timeout * 1000;
  const look = (seconds: number) => {
    const limit = options.timeout ?? seconds * 1000 + api.settings.timeout;
    return api.call(ROUTE, [inboxId], { query: { ...which, timeout: seconds } }, { ...options, timeout: limit });
  };
  if (!which.since && !which.after) which.since = (await look(0)).now;
  for (;;) {
    const left = Math.max(0, Math.ceil((ends - Date.now()) / 1000));
    const found = await look(Math.min(left, LONGEST_POLL));
    if (!found.timed_out || Date.now() >= ends) return found;
  }
}
