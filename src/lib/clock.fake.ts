// A clock that only moves when a test says so.
import type { Clock } from "./clock.ts";

interface Sleeper {
  readonly dueAt: number;
  readonly wake: () => void;
}

export class FakeClock implements Clock {
  #now: number;
  #sleepers: Sleeper[] = [];

  constructor(start: Date = new Date("2026-01-01T00:00:00Z")) {
    this.#now = start.getTime();
  }

  now(): Date {
    return new Date(this.#now);
  }

  monotonicMs(): number {
    return this.#now;
  }

  threadCpuMs(): number {
    return this.monotonicMs();
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const sleeper = { dueAt: this.#now + ms, wake: resolve };
      this.#sleepers.push(sleeper);
      signal?.addEventListener("abort", () => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        reject(signal.reason);
      });
    });
  }

  every(ms: number, action: () => void): () => void {
    const stopping = new AbortController();
    const again = async (): Promise<void> => {
      while (!stopping.signal.aborted) {
        await this.sleep(ms);
        if (!stopping.signal.aborted) action();
      }
    };
    void again();
    return () => stopping.abort();
  }

  /** Moves time forward and wakes, in order, everything that is due. */
  async advance(ms: number): Promise<void> {
    const target = this.#now + ms;
    for (;;) {
      const due = this.#sleepers.filter((sleeper) => sleeper.dueAt <= target).sort((a, b) => a.dueAt - b.dueAt)[0];
      if (!due) break;
      this.#now = Math.max(this.#now, due.dueAt);
      this.#sleepers = this.#sleepers.filter((sleeper) => sleeper !== due);
      due.wake();
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    }
    this.#now = target;
  }
}
