// Which models of a multi-model container are loaded, and which goes when there is no room: the least recently used. What the platform
// does around a container, https://docs.aws.amazon.com/sagemaker/latest/dg/multi-model-endpoints.html
import { createHash } from "node:crypto";
import type { Clock } from "../../lib/clock.ts";
import type { ModelMetric } from "../../task/report.ts";

/** The container's own answer to loading: told to the caller as the model's error. */
export class ModelLoadError extends Error {
  readonly status: number;
  constructor(status: number, text: string) {
    super(text);
    this.status = status;
  }
}

/** A model's files do not fit into what is left of the volume. */
export class NoRoomError extends Error {}

export interface LoadAnswer {
  readonly status: number;
  readonly text: string;
}

/** The container's side: https://docs.aws.amazon.com/sagemaker/latest/dg/mms-container-apis.html */
export interface ModelContainer {
  load(name: string): Promise<LoadAnswer>;
  /** A model that it does not have is no error. */
  unload(name: string): Promise<void>;
  /** Names of the loaded models. */
  loaded(): Promise<readonly string[]>;
}

/** Unpacked models on the task's disk, each under its name. */
export interface ModelStore {
  /** Those that are whole, and their bytes. */
  present(): Promise<ReadonlyMap<string, number>>;
  /** Fetches and unpacks; gives the bytes. Throws NoRoomError beyond `mostBytes`, else what the caller should hear. */
  bring(name: string, target: string, mostBytes: number): Promise<number>;
  remove(name: string): Promise<void>;
}

export interface ModelCacheOptions {
  readonly container: ModelContainer;
  readonly store: ModelStore;
  readonly clock: Pick<Clock, "monotonicMs">;
  /** What all models together may take of the disk. */
  readonly mostBytes: number;
  /** False: a model leaves the memory when nobody uses it. */
  readonly keepsLoaded: boolean;
  readonly onMetric: (name: ModelMetric["name"], value: number) => void;
}

interface Entry {
  readonly name: string;
  bytes: number | undefined;
  isLoaded: boolean;
  users: number;
  usedAt: number;
  loading: Promise<void> | undefined;
}

export interface HeldModel {
  readonly name: string;
  /** Once, when the invocation is over. */
  release(): void;
}

/** Opaque to the container, safe as a file name. */
export const modelName = (target: string): string => createHash("sha256").update(target).digest("hex").slice(0, 32);

const statusNoMemory = 507;
const statusAlreadyLoaded = 409;

export class ModelCache {
  readonly #options: ModelCacheOptions;
  readonly #entries = new Map<string, Entry>();
  #uses = 0;
  /** Loading, unloading and removing happen one after the other: what is decided about room stays true. */
  #turn: Promise<unknown> = Promise.resolve();
  #hasLearned = false;

  constructor(options: ModelCacheOptions) {
    this.#options = options;
  }

  get loadedCount(): number {
    return [...this.#entries.values()].filter((entry) => entry.isLoaded).length;
  }

  /** Loads the model if it is not; it stays until `release`. Loading goes on when the caller has gone. */
  async hold(target: string): Promise<HeldModel> {
    const { clock, onMetric } = this.#options;
    const entry = this.#entryOf(modelName(target));
    entry.users++;
    entry.usedAt = ++this.#uses;
    onMetric("ModelCacheHit", entry.isLoaded ? 1 : 0);
    try {
      if (!entry.isLoaded) {
        const askedAt = clock.monotonicMs();
        entry.loading ??= this.#inTurn(() => this.#load(entry, target)).finally(() => (entry.loading = undefined));
        await entry.loading;
        onMetric("ModelLoadingWaitTime", microseconds(clock.monotonicMs() - askedAt));
      }
    } catch (error) {
      this.#leave(entry);
      throw error;
    }
    return { name: entry.name, release: () => this.#leave(entry) };
  }

  /** The container turned out not to have it (it started anew): the next `hold` loads it again. */
  forget(name: string): void {
    const entry = this.#entries.get(name);
    if (entry) entry.isLoaded = false;
  }

  #entryOf(name: string): Entry {
    const known = this.#entries.get(name);
    if (known) return known;
    const made = { name, bytes: undefined, isLoaded: false, users: 0, usedAt: 0, loading: undefined };
    this.#entries.set(name, made);
    return made;
  }

  #leave(entry: Entry): void {
    entry.users--;
    if (entry.users > 0) return;
    if (entry.bytes === undefined && !entry.isLoaded) this.#entries.delete(entry.name);
    if (!this.#options.keepsLoaded)
      // What cannot be unloaded now is the least recently used later.
      this.#inTurn(async () => (entry.users === 0 ? this.#unload(entry) : undefined)).catch(() => undefined);
  }

  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const acted = this.#turn.then(action, action);
    this.#turn = acted.catch(() => undefined);
    return acted;
  }

  /** An agent that was started again finds the models that the one before brought and loaded. */
  async #learn(): Promise<void> {
    if (this.#hasLearned) return;
    const { container, store } = this.#options;
    const present = await store.present();
    const loaded = new Set(await container.loaded());
    for (const [name, bytes] of present) {
      const entry = this.#entryOf(name);
      entry.bytes = bytes;
      entry.isLoaded = loaded.has(name);
    }
    this.#hasLearned = true;
  }

  async #load(entry: Entry, target: string): Promise<void> {
    await this.#learn();
    if (entry.isLoaded) return;
    const { container, clock, onMetric } = this.#options;
    if (entry.bytes === undefined) await this.#bring(entry, target);
    for (;;) {
      const beganAt = clock.monotonicMs();
      const { status, text } = await container.load(entry.name);
      if (status < 300 || status === statusAlreadyLoaded) {
        entry.isLoaded = true;
        onMetric("ModelLoadingTime", microseconds(clock.monotonicMs() - beganAt));
        return;
      }
      const victim = status === statusNoMemory ? this.#oldest((other) => other.isLoaded) : undefined;
      if (!victim) throw new ModelLoadError(status, text);
      await this.#unload(victim);
    }
  }

  async #bring(entry: Entry, target: string): Promise<void> {
    const { store, clock, onMetric, mostBytes } = this.#options;
    for (;;) {
      const taken = [...this.#entries.values()].reduce((sum, { bytes }) => sum + (bytes ?? 0), 0);
      try {
        const beganAt = clock.monotonicMs();
        entry.bytes = await store.bring(entry.name, target, Math.max(0, mostBytes - taken));
        onMetric("ModelDownloadingTime", microseconds(clock.monotonicMs() - beganAt));
        return;
      } catch (error) {
        const victim = error instanceof NoRoomError ? this.#oldest(({ bytes }) => bytes !== undefined) : undefined;
        if (!victim) throw error;
        await this.#unload(victim);
        await store.remove(victim.name);
        victim.bytes = undefined;
        if (victim.users === 0) this.#entries.delete(victim.name);
      }
    }
  }

  /** Of those that nobody uses. */
  #oldest(isMeant: (entry: Entry) => boolean): Entry | undefined {
    const idle = [...this.#entries.values()].filter((entry) => entry.users === 0 && isMeant(entry));
    return idle.sort((a, b) => a.usedAt - b.usedAt)[0];
  }

  async #unload(entry: Entry): Promise<void> {
    if (!entry.isLoaded) return;
    const { container, clock, onMetric } = this.#options;
    const beganAt = clock.monotonicMs();
    // From here on an invocation waits for its turn, and loads it again.
    entry.isLoaded = false;
    try {
      await container.unload(entry.name);
    } catch (error) {
      entry.isLoaded = true;
      throw error;
    }
    onMetric("ModelUnloadingTime", microseconds(clock.monotonicMs() - beganAt));
  }
}

const microseconds = (ms: number): number => Math.round(ms * 1_000);
