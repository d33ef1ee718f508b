// The loop: leases due rows, runs their kind's steps, saves the outcome. Level-triggered; a nudge only saves waiting.
import {
  clearLeases,
  deleteLeased,
  dueResources,
  nextWakeAt,
  renewLease,
  saveOutcome,
  takeLease,
} from "../database/leases.ts";
import type { ResourceRow } from "../database/resources.ts";
import type { Store } from "../database/store.ts";
import { minutes, seconds, type Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import type { Random } from "../lib/random.ts";
import { pack } from "../lib/stored-json.ts";
import type { Membership } from "./membership.ts";
import { reconcileOnce, type Pass } from "./reconcile-once.ts";
import type { AnyReconciler } from "./reconciler.ts";

const leaseMs = seconds(30);
const renewEveryMs = seconds(10);
const longestSleepMs = seconds(1);
const maxPassesAtOnce = 16;

export interface EngineOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly reconcilers: readonly AnyReconciler[];
  /** Where servers share the database; without it this one owns it alone. */
  readonly membership?: Membership | undefined;
  /** Runs beside the passes, each at its own interval (sweepers, collectors). */
  readonly chores?: readonly Chore[];
}

export interface Chore {
  readonly name: string;
  readonly everyMs: number;
  run(signal: AbortSignal): Promise<void>;
}

export interface Engine {
  start(): Promise<void>;
  /** Some row has become due: look now. */
  nudge(): void;
  /** Runs every due pass, once; for tests. Returns how many ran. */
  runDue(): Promise<number>;
  /** Waits for the passes under way; starts no more. */
  stop(): Promise<void>;
}

const backOffMs = (failures: number): number => Math.min(100 * 2 ** failures, minutes(1));

class ReconcileEngine implements Engine {
  readonly #options: EngineOptions;
  readonly #reconcilers: ReadonlyMap<string, AnyReconciler>;
  readonly #underway = new Map<string, Promise<void>>();
  readonly #ending = new AbortController();
  #wake: (() => void) | undefined;
  #isNudged = false;
  #loops: Promise<unknown> = Promise.resolve();

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#reconcilers = new Map(options.reconcilers.map((reconciler) => [reconciler.kind, reconciler]));
  }

  async start(): Promise<void> {
    const { membership, store } = this.#options;
    if (membership) await membership.start(() => this.nudge());
    else await clearLeases(store);
    const chores = (this.#options.chores ?? []).map((chore) => this.#repeat(chore));
    this.#loops = Promise.all([this.#loop(), ...chores]);
  }

  nudge(): void {
    this.#isNudged = true;
    this.#wake?.();
  }

  async stop(): Promise<void> {
    this.#ending.abort(new Error("the engine is stopping"));
    this.#wake?.();
    await this.#loops;
    await Promise.all(this.#underway.values());
    await this.#options.membership?.stop();
  }

  async runDue(): Promise<number> {
    const uids = await this.#startDue();
    await Promise.all(uids.map(async (uid) => this.#underway.get(uid)));
    return uids.length;
  }

  async #loop(): Promise<void> {
    const { log, clock } = this.#options;
    while (!this.#ending.signal.aborted) {
      this.#isNudged = false;
      try {
        await this.#startDue();
        await this.#sleep();
      } catch (error) {
        log.error("the engine could not read what is due", { error });
        await clock.sleep(seconds(1), this.#ending.signal).catch(() => undefined);
      }
    }
  }

  async #sleep(): Promise<void> {
    const { clock, store } = this.#options;
    const now = clock.now().getTime();
    const wakeAt = (await nextWakeAt(store.read)) ?? now + longestSleepMs;
    const ms = Math.min(Math.max(wakeAt - now, 1), longestSleepMs);
    if (this.#isNudged || this.#ending.signal.aborted) return;
    const waiting = new AbortController();
    this.#wake = () => waiting.abort();
    await clock.sleep(ms, waiting.signal).catch(() => undefined);
    this.#wake = undefined;
  }

  async #startDue(): Promise<string[]> {
    const { store, clock } = this.#options;
    const room = maxPassesAtOnce - this.#underway.size;
    if (room <= 0) return [];
    const due = await dueResources(store.read, clock.now().getTime(), room + this.#underway.size);
    const fresh = due.filter((uid) => !this.#underway.has(uid)).slice(0, room);
    for (const uid of fresh) {
      const pass = this.#pass(uid).finally(() => {
        this.#underway.delete(uid);
        this.nudge();
      });
      this.#underway.set(uid, pass);
    }
    return fresh;
  }

  async #pass(uid: string): Promise<void> {
    const { store, clock, random, log, membership } = this.#options;
    const token = membership ? `${membership.id}/${random.uuid()}` : random.uuid();
    try {
      const now = clock.now().getTime();
      const row = await store.write((tx) => takeLease(tx, uid, token, now, now + leaseMs));
      if (!row) return;
      await this.#reconcile(row, token);
    } catch (error) {
      log.error("a pass could not be saved", { uid, error });
    }
  }

  async #reconcile(row: ResourceRow, token: string): Promise<void> {
    const { clock, log, store } = this.#options;
    const reconciler = this.#reconcilers.get(row.kind);
    if (!reconciler) throw new Error(`no reconciler for ${row.kind}`);
    const lost = new AbortController();
    const stopRenewing = clock.every(renewEveryMs, () => {
      store
        .write((tx) => renewLease(tx, row.uid, token, clock.now().getTime() + leaseMs))
        .then((isOurs) => isOurs || lost.abort(new Error("the lease was lost")))
        .catch((error: unknown) => lost.abort(error));
    });
    try {
      const pass = await reconcileOnce(reconciler, row, AbortSignal.any([lost.signal, this.#ending.signal]));
      await this.#save(reconciler, row, token, pass);
    } catch (error) {
      log.error("a reconciler failed; it will be tried again", {
        kind: row.kind,
        name: row.name,
        failures: row.failures + 1,
        error,
      });
      await this.#saveFailure(row, token);
    } finally {
      stopRenewing();
    }
  }

  async #save(reconciler: AnyReconciler, row: ResourceRow, token: string, pass: Pass): Promise<void> {
    const { clock, log, store } = this.#options;
    const lease = { uid: row.uid, token, generation: row.generation };
    const now = clock.now().getTime();
    const status = pack(pass.status);
    const state = reconciler.stateOf(pass.status);
    const isOurs = await store.write(async (tx) => {
      const saved = pass.isRemoved
        ? await deleteLeased(tx, lease)
        : await saveOutcome(tx, lease, {
            status,
            state,
            wakeAt: pass.afterMs === null ? null : now + pass.afterMs,
            now,
            failures: 0,
            isChanged: status !== row.status,
          });
      if (saved) await reconciler.alsoSave?.(tx, pass.observed);
      return saved;
    });
    if (!isOurs) log.warn("a lease was lost; the outcome of the pass was dropped", { kind: row.kind, name: row.name });
    else if (state !== row.state)
      log.info("status changed", { kind: row.kind, name: row.name, from: row.state, to: state });
  }

  async #saveFailure(row: ResourceRow, token: string): Promise<void> {
    const { clock, store } = this.#options;
    const now = clock.now().getTime();
    const failures = row.failures + 1;
    await store.write((tx) =>
      saveOutcome(
        tx,
        // No generation matches, so the row wakes at `now`, which is after the back-off.
        { uid: row.uid, token, generation: -1 },
        {
          status: row.status,
          state: row.state,
          wakeAt: null,
          now: now + backOffMs(failures),
          failures,
          isChanged: false,
        },
      ),
    );
  }

  async #repeat(chore: Chore): Promise<void> {
    const { clock, log } = this.#options;
    const { signal } = this.#ending;
    while (!signal.aborted) {
      try {
        await chore.run(signal);
      } catch (error) {
        if (!signal.aborted) log.error("a chore failed; it will be tried again", { chore: chore.name, error });
      }
      await clock.sleep(chore.everyMs, signal).catch(() => undefined);
    }
  }
}

export const createEngine = (options: EngineOptions): Engine => new ReconcileEngine(options);
