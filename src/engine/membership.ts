// Servers that share a database: each counts its heartbeats in a row of its own, and who stops counting loses its leases.
// Others are judged by this server's own steady clock, so that the servers' clocks may differ.
import { clearLeasesOf } from "../database/leases.ts";
import type { Store } from "../database/store.ts";
import { seconds, type Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import type { Random } from "../lib/random.ts";

const beatEveryMs = seconds(1);
/** A server that has not beaten for so long is gone. */
const goneAfterMs = seconds(5);

export interface MembershipOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Where this server answers; known once it listens. */
  url(): string;
  /** After every heartbeat: the addresses of the servers that are alive, this one among them. */
  onBeat?(urls: readonly string[]): void;
}

export interface Membership {
  /** Begins the tokens of this server's leases. */
  readonly id: string;
  /** Resolves after the first heartbeat; `onFreed` is told when another server's leases were freed. */
  start(onFreed: () => void): Promise<void>;
  /** Leaves: to be called when no pass is under way any more. */
  stop(): Promise<void>;
}

interface Seen {
  readonly beats: number;
  readonly atMs: number;
}

class ServerMembership implements Membership {
  readonly id: string;
  readonly #options: MembershipOptions;
  #seen = new Map<string, Seen>();
  #beatenAtMs: number | undefined;
  #beating: Promise<void> | undefined;
  #stopBeating = (): void => {};

  constructor(options: MembershipOptions) {
    this.#options = options;
    this.id = options.random.uuid();
  }

  async start(onFreed: () => void): Promise<void> {
    const { clock, log } = this.#options;
    await this.#beat(onFreed);
    this.#stopBeating = clock.every(beatEveryMs, () => {
      this.#beating ??= this.#beat(onFreed)
        .catch((error: unknown) => log.error("a heartbeat failed", { error }))
        .finally(() => (this.#beating = undefined));
    });
  }

  async stop(): Promise<void> {
    this.#stopBeating();
    await this.#beating;
    await this.#options.store.write((tx) => tx.deleteFrom("servers").where("id", "=", this.id).execute());
  }

  async #beat(onFreed: () => void): Promise<void> {
    const { store, clock } = this.#options;
    const { id } = this;
    const values = { id, url: this.#options.url(), beats: 1, started_at: clock.now().getTime() };
    // Beside the line of writes, in which it could wait for too long; it needs no order with them.
    await store.read
      .insertInto("servers")
      .values(values)
      .onConflict((conflict) =>
        conflict.column("id").doUpdateSet((eb) => ({ beats: eb("servers.beats", "+", 1), url: values.url })),
      )
      .execute();
    const servers = await store.read.selectFrom("servers").selectAll().execute();
    const nowMs = clock.monotonicMs();
    // While this server slept, or the database was away, nobody could be watched.
    const hasWatched = this.#beatenAtMs !== undefined && nowMs - this.#beatenAtMs < 2 * beatEveryMs + seconds(1);
    this.#beatenAtMs = nowMs;
    const before = this.#seen;
    this.#seen = new Map();
    const alive: string[] = [];
    for (const server of servers) {
      const seen = before.get(server.id);
      const isStill = hasWatched && seen?.beats === server.beats;
      const atMs = isStill ? seen.atMs : nowMs;
      if (server.id === id || nowMs - atMs < goneAfterMs) {
        this.#seen.set(server.id, { beats: server.beats, atMs });
        alive.push(server.url);
      } else if (await this.#bury(server)) onFreed();
    }
    this.#options.onBeat?.(alive);
  }

  /** False when another server was faster, or the dead one lives. */
  async #bury({
    id,
    url,
    beats,
  }: {
    readonly id: string;
    readonly url: string;
    readonly beats: number;
  }): Promise<boolean> {
    const { store, log } = this.#options;
    const isBuried = await store.write(async (tx) => {
      const { numDeletedRows } = await tx
        .deleteFrom("servers")
        .where("id", "=", id)
        .where("beats", "=", beats)
        .executeTakeFirst();
      if (numDeletedRows === 0n) return false;
      await clearLeasesOf(tx, id);
      return true;
    });
    if (isBuried) log.warn("a server is gone; its work goes on here", { server: id, url });
    return isBuried;
  }
}

export const createMembership = (options: MembershipOptions): Membership => new ServerMembership(options);
