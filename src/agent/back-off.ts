// Waiting longer after each failure: 0.1 s, doubled, at most 5 s.
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import { ServerRefusalError, TaskGoneError } from "./server-connection.ts";

const firstMs = 100;
const longestMs = 5_000;

export interface Patience {
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** Whether the server understood and said no, so that asking again would not help. */
export const isFinalRefusal = (error: unknown): boolean =>
  error instanceof TaskGoneError ||
  (error instanceof ServerRefusalError &&
    error.status >= 400 &&
    error.status < 500 &&
    ![401, 403, 408, 429].includes(error.status));

/** Repeats `attempt` until it succeeds, `isHopeless` says otherwise, or the signal aborts. */
export async function untilItWorks<T>(
  what: string,
  { clock, log, signal }: Patience,
  attempt: () => Promise<T>,
  isHopeless: (error: unknown) => boolean = isFinalRefusal,
): Promise<T> {
  for (let waitMs = firstMs; ; waitMs = Math.min(waitMs * 2, longestMs)) {
    try {
      return await attempt();
    } catch (error) {
      if (signal.aborted || isHopeless(error)) throw error;
      log.warn("will try again", { what, waitMs, error: error instanceof Error ? error.message : String(error) });
    }
    await clock.sleep(waitMs, signal);
  }
}
