// What every blob storage promises. Each one's own test file calls this once.
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { BlobMissingError, type BlobStorage } from "./storage.ts";

const bytesOf = (text: string): AsyncIterable<Uint8Array> => Readable.from([Buffer.from(text)]);

async function* failingAfter(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
  throw new Error("the client went away");
}

export function describeBlobStorage(name: string, create: () => Promise<BlobStorage>): void {
  const textOf = async (storage: BlobStorage, id: string): Promise<string> =>
    (await buffer(await storage.read(id))).toString();

  describe(`${name} keeps the blob storage contract`, () => {
    test("what is written is read back, whole and by inclusive range", async () => {
      const storage = await create();
      const { id, sizeBytes } = await storage.write(bytesOf("0123456789"));
      expect(sizeBytes).toBe(10);
      expect(await textOf(storage, id)).toBe("0123456789");
      expect((await buffer(await storage.read(id, { start: 2, end: 4 }))).toString()).toBe("234");
      expect((await buffer(await storage.read(id, { start: 9, end: 9 }))).toString()).toBe("9");
    });

    test("a blob of several megabytes in chunks of odd sizes comes back byte for byte", async () => {
      const storage = await create();
      const chunks = Array.from({ length: 50 }, (_, at) => Buffer.alloc(60_000 + at * 977, at));
      const { id, sizeBytes } = await storage.write(Readable.from(chunks));
      const whole = Buffer.concat(chunks);
      expect(sizeBytes).toBe(whole.length);
      expect((await buffer(await storage.read(id))).equals(whole)).toBe(true);
    });

    test("an empty blob is a blob", async () => {
      const storage = await create();
      const { id, sizeBytes } = await storage.write(Readable.from([]));
      expect(sizeBytes).toBe(0);
      expect(await textOf(storage, id)).toBe("");
    });

    test("a source that fails leaves nothing behind", async () => {
      const storage = await create();
      await expect(storage.write(failingAfter("half"))).rejects.toThrow("the client went away");
      expect(await Array.fromAsync(storage.list())).toEqual([]);
    });

    test("joined blobs are one blob in their order, and the parts stay", async () => {
      const storage = await create();
      const parts = [];
      for (const text of ["one ", "two ", "three"]) parts.push((await storage.write(bytesOf(text))).id);
      const joined = await storage.join(parts);
      expect(joined.sizeBytes).toBe(13);
      expect(await textOf(storage, joined.id)).toBe("one two three");
      expect(await textOf(storage, parts[1]!)).toBe("two ");
    });

    test("joining with a missing blob fails and leaves nothing behind", async () => {
      const storage = await create();
      const { id } = await storage.write(bytesOf("one"));
      const gone = await storage.write(bytesOf("two"));
      await storage.remove(gone.id);
      await expect(storage.join([id, gone.id])).rejects.toThrow(BlobMissingError);
      expect((await Array.fromAsync(storage.list())).map((blob) => blob.id)).toEqual([id]);
    });

    test("a removed blob is missing, and removing it again is fine", async () => {
      const storage = await create();
      const { id } = await storage.write(bytesOf("short life"));
      await storage.remove(id);
      await storage.remove(id);
      await expect(storage.read(id)).rejects.toThrow(BlobMissingError);
    });

    test("a reader that has begun finishes although the blob is removed", async () => {
      const storage = await create();
      const { id } = await storage.write(bytesOf("still here"));
      const reading = await storage.read(id);
      await storage.remove(id);
      expect((await buffer(reading)).toString()).toBe("still here");
    });

    test("an id that no blob can have is a missing blob", async () => {
      const storage = await create();
      await expect(storage.read("../../etc/passwd")).rejects.toThrow(BlobMissingError);
    });

    test("every blob is listed with the time of its last change", async () => {
      const storage = await create();
      const ids = [(await storage.write(bytesOf("a"))).id, (await storage.write(bytesOf("b"))).id];
      const listed = await Array.fromAsync(storage.list());
      expect(listed.map((blob) => blob.id).sort()).toEqual(ids.sort());
      for (const blob of listed) expect(blob.modifiedAt.getTime()).toBeGreaterThan(0);
    });
  });
}
