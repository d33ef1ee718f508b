import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import * as fc from "fast-check";
import { afterEach, expect, test } from "vitest";
import { openTestStore } from "../../../database/store.fake.ts";
import type { Store } from "../../../database/store.ts";
import { FakeClock } from "../../../lib/clock.fake.ts";
import { seededRandom } from "../../../lib/random.ts";
import { createFilesystemStorage } from "../../../storage/filesystem/filesystem-storage.ts";
import type { BlobStorage } from "../../../storage/storage.ts";
import { collectGarbage as removeBlobs, sweepOrphans } from "../../s3/garbage.ts";
import { collectLayers } from "./garbage.ts";
import { Layers } from "./layers.ts";

interface Ground {
  readonly store: Store;
  readonly storage: BlobStorage;
  readonly clock: FakeClock;
  readonly folder: string;
  /** A server of its own on what is there: knows nothing that is not on disk. */
  readonly server: () => Layers;
}

const grounds: Ground[] = [];

async function layGround(): Promise<Ground> {
  const clock = new FakeClock();
  const folder = await mkdtemp(join(tmpdir(), "salvia-layers-"));
  const store = await openTestStore({ clock });
  const random = seededRandom(3);
  const storage = await createFilesystemStorage({ folder, random });
  const ground = { store, storage, clock, folder, server: () => new Layers({ store, storage, clock, random }) };
  grounds.push(ground);
  return ground;
}

afterEach(async () => {
  for (const { store, folder } of grounds.splice(0)) {
    await store.close();
    await rm(folder, { recursive: true });
  }
});

const digestOf = (bytes: Uint8Array | string, algorithm = "sha256"): string =>
  `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`;

async function* streamOf(...chunks: readonly (Uint8Array | string)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield Buffer.from(chunk);
}

async function* broken(): AsyncGenerator<Uint8Array> {
  yield Buffer.from("half of a");
  throw new Error("the client went away");
}

async function push(layers: Layers, repository: string, text: string): Promise<string> {
  const { id } = await layers.begin(repository);
  await layers.append(repository, id, streamOf(text));
  return (await layers.complete(repository, id, [digestOf(text)], true)).digest;
}

const textOf = async ({ storage, server }: Ground, repository: string, digest: string): Promise<string | undefined> => {
  const layer = await server().find(repository, digest);
  return layer && (await buffer(await storage.read(layer.blobId))).toString();
};

const blobCount = async ({ storage }: Ground): Promise<number> => (await Array.fromAsync(storage.list())).length;

/** As the chores do it, late enough that grace is over. */
async function collectAll({ store, storage, clock }: Ground, afterMs: number): Promise<void> {
  await clock.advance(afterMs);
  await collectLayers(store, clock.now());
  await clock.advance(120_000);
  await removeBlobs(store, storage, clock.now());
}

const hour = 3_600_000;

test("an upload in any chunks, by any server, becomes the layer with the digest of the whole", async () => {
  const ground = await layGround();
  const chunked = fc.array(fc.uint8Array({ minLength: 1, maxLength: 200 }), { maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(chunked, fc.constantFrom("sha256", "sha512"), async (chunks, algorithm) => {
      const whole = Buffer.concat(chunks);
      const { id } = await ground.server().begin("r");
      for (const chunk of chunks) await ground.server().append("r", id, streamOf(chunk));
      const { digest } = await ground.server().complete("r", id, [digestOf(whole, algorithm)], true);
      expect(await textOf(ground, "r", digest)).toBe(whole.toString());
    }),
    { numRuns: 30 },
  );
});

test("a chunk that breaks off leaves the upload where it was", async () => {
  const ground = await layGround();
  const { id } = await ground.server().begin("r");
  await ground.server().append("r", id, streamOf("whole "));
  await expect(ground.server().append("r", id, broken())).rejects.toThrow("went away");
  expect(await ground.server().findUpload("r", id)).toEqual({ id, sizeBytes: 6 });
  await ground.server().append("r", id, streamOf("again"), 6);
  expect((await ground.server().complete("r", id, [digestOf("whole again")])).sizeBytes).toBe(11);
});

test("of two chunks at once for the same place one is taken, and the other leaves nothing", async () => {
  const ground = await layGround();
  const layers = ground.server();
  const { id } = await layers.begin("r");
  const ends = await Promise.allSettled([
    layers.append("r", id, streamOf("one"), 0),
    layers.append("r", id, streamOf("two"), 0),
  ]);
  expect(ends.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  expect(await blobCount(ground)).toBe(1);
});

test("the same bytes from two repositories are kept once, and neither sees the other's before it has sent them", async () => {
  const ground = await layGround();
  const digest = await push(ground.server(), "one", "the same");
  expect(await ground.server().find("two", digest)).toBeUndefined();
  await push(ground.server(), "two", "the same");
  await collectAll(ground, 1_000);
  expect(await blobCount(ground)).toBe(1);
  expect(await textOf(ground, "two", digest)).toBe("the same");
});

test("bytes go after the last repository has let go of them", async () => {
  const ground = await layGround();
  const digest = await push(ground.server(), "one", "shared");
  expect(await ground.server().mount("one", "two", digest)).toBe(true);
  await ground.server().unlink("one", digest);
  await collectAll(ground, 1_000);
  expect(await textOf(ground, "two", digest)).toBe("shared");
  await ground.server().unlink("two", digest);
  await collectAll(ground, 1_000);
  expect(await blobCount(ground)).toBe(0);
  expect(await ground.server().mount("two", "one", digest)).toBe(false);
});

test("a layer that no image names goes after an hour without a question, one that an image names stays", async () => {
  const ground = await layGround();
  const [named, unnamed] = [await push(ground.server(), "r", "named"), await push(ground.server(), "r", "unnamed")];
  const row = { repository_uid: "r", digest: "sha256:image", kind: "layer", needed: named };
  await ground.store.write((tx) => tx.insertInto("ecr_references").values(row).execute());
  await collectAll(ground, hour / 2);
  expect(await textOf(ground, "r", unnamed)).toBe("unnamed");
  await collectAll(ground, hour / 2);
  expect(await textOf(ground, "r", unnamed)).toBe("unnamed");
  await collectAll(ground, hour);
  expect(await textOf(ground, "r", unnamed)).toBeUndefined();
  expect(await textOf(ground, "r", named)).toBe("named");
  expect(await blobCount(ground)).toBe(1);
});

test("an upload that stopped goes after a day, with its bytes", async () => {
  const ground = await layGround();
  const { id } = await ground.server().begin("r");
  await ground.server().append("r", id, streamOf("never ended"));
  await collectAll(ground, 23 * hour);
  expect(await blobCount(ground)).toBe(1);
  await collectAll(ground, hour);
  expect(await ground.server().findUpload("r", id)).toBeUndefined();
  expect(await blobCount(ground)).toBe(0);
});

test("the sweep of blobs without an object leaves layers and parts alone", async () => {
  const ground = await layGround();
  const digest = await push(ground.server(), "r", "kept");
  const { id } = await ground.server().begin("r");
  await ground.server().append("r", id, streamOf("on its way"));
  await ground.storage.write(streamOf("left by a crash"));
  // By the file system's clock, which is the real one.
  await sweepOrphans(ground.store, ground.storage, new Date(8_640_000_000_000_000));
  expect(await blobCount(ground)).toBe(2);
  expect(await textOf(ground, "r", digest)).toBe("kept");
});

test("a server that dies at any step of an upload leaves it to be tried again, and in the end one copy", async () => {
  for (let dieAt = 0; ; dieAt += 1) {
    const ground = await layGround();
    let steps = 0;
    const fated = async <T>(work: () => Promise<T>): Promise<T> => {
      if (steps++ === dieAt) throw new Error("dead before");
      const result = await work();
      if (steps++ === dieAt) throw new Error("dead after");
      return result;
    };
    const store: Store = {
      ...ground.store,
      read: ground.store.read,
      write: (work) => fated(() => ground.store.write(work)),
      close: () => ground.store.close(),
    };
    const storage: BlobStorage = {
      ...ground.storage,
      write: (source) => fated(() => ground.storage.write(source)),
      join: (ids) => fated(() => ground.storage.join(ids)),
      // A dead server removes nothing.
      remove: async () => {},
      read: (blobId, range) => ground.storage.read(blobId, range),
    };
    const dying = new Layers({ store, storage, clock: ground.clock, random: seededRandom(dieAt + 10) });
    const inTwo = async (layers: Layers): Promise<string> => {
      const { id } = await layers.begin("r");
      await layers.append("r", id, streamOf("first "));
      await layers.append("r", id, streamOf("second"));
      return (await layers.complete("r", id, [digestOf("first second")])).digest;
    };
    const isThrough = await inTwo(dying).then(
      () => true,
      () => false,
    );
    const digest = await inTwo(ground.server());
    await collectAll(ground, 25 * hour);
    const again = await inTwo(ground.server());
    await sweepOrphans(ground.store, ground.storage, new Date(8_640_000_000_000_000));
    await removeBlobs(ground.store, ground.storage, new Date(ground.clock.now().getTime() + 120_000));
    expect([again, await textOf(ground, "r", digest)]).toEqual([digest, "first second"]);
    expect(await blobCount(ground)).toBe(1);
    if (isThrough) break;
  }
});
