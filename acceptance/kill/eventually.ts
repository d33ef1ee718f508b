// Waiting on conditions, not on times: how long something takes depends on the machine.
export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The first answer that is not undefined. What throws is asked again; the last error is the cause of the failure. */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined> | T | undefined,
  withinMs = 120_000,
  everyMs = 100,
): Promise<T> {
  const until = performance.now() + withinMs;
  for (let last: unknown; ;) {
    try {
      const found = await look();
      if (found !== undefined) return found;
    } catch (error) {
      last = error;
    }
    if (performance.now() > until) throw new Error(`waited ${withinMs / 1_000} s in vain: ${what}`, { cause: last });
    await pause(everyMs);
  }
}
