// Answers that are remembered for a few seconds, so that a decision reads no row. Whoever changes what they were made of calls
// `forget`, and is seen at once; changes of another replica are seen when the time is over.
import type { Clock } from "../../../lib/clock.ts";

const rememberedMs = 5_000;
const maxRemembered = 10_000;

export class Recent<T> {
  readonly #clock: Clock;
  readonly #known = new Map<string, { readonly value: T; readonly untilMs: number }>();
  #generation = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What is known, else what `find` answers. */
  async get(key: string, find: () => Promise<T>): Promise<T> {
    const nowMs = this.#clock.now().getTime();
    const known = this.#known.get(key);
    if (known && known.untilMs > nowMs) return known.value;
    const generation = this.#generation;
    const value = await find();
    // What was read before a change must not outlive it.
    if (generation === this.#generation) {
      if (this.#known.size >= maxRemembered) this.#known.clear();
      this.#known.set(key, { value, untilMs: nowMs + rememberedMs });
    }
    return value;
  }

  forget(): void {
    this.#generation += 1;
    this.#known.clear();
  }
}
