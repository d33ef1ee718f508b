import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createFakeS3, type FakeS3 } from "../s3.fake.ts";
import { saveObject } from "../object/objects.ts";
import { compareKeys, prefixEnd } from "./key-order.ts";

const Bucket = "keys";

async function withKeys(keys: readonly string[]): Promise<FakeS3> {
  const fake = await createFakeS3();
  await fake.call("CreateBucket", { Bucket }, { region: "us-east-1" });
  await addKeys(fake, keys);
  return fake;
}

/** The same bucket with other keys: cheaper than a new one for each run of a property. */
async function refill(fake: FakeS3, keys: readonly string[]): Promise<void> {
  await fake.store.write((tx) => tx.deleteFrom("objects").execute());
  await addKeys(fake, keys);
}

/** Rows only: listing looks at no blob. */
async function addKeys({ store, clock }: FakeS3, keys: readonly string[]): Promise<void> {
  await store.write(async (tx) => {
    for (const key of keys) {
      const object = { bucket: Bucket, key, blobId: "none", sizeBytes: 1, eTag: "e", attributes: {}, tags: [] };
      await saveObject(tx, { ...object, modifiedAt: clock.now(), versionId: "null", sequence: 0 });
    }
  });
}

interface Listing {
  readonly keys: readonly string[];
  readonly prefixes: readonly string[];
}

/** The specification: fold all keys, in their order, then leave out what is not above `after`. */
function modelOf(keys: readonly string[], prefix: string, delimiter: string, after = ""): Listing {
  const found: Listing = { keys: [], prefixes: [] };
  const keysFound = new Set<string>();
  const prefixesFound = new Set<string>();
  for (const key of [...new Set(keys)].sort(compareKeys)) {
    if (!key.startsWith(prefix)) continue;
    const at = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
    if (at === -1) keysFound.add(key);
    else prefixesFound.add(key.slice(0, at + delimiter.length));
  }
  const isAbove = (item: string): boolean => after === "" || compareKeys(item, after) > 0;
  return { ...found, keys: [...keysFound].filter(isAbove), prefixes: [...prefixesFound].filter(isAbove) };
}

async function listAll(
  { call }: FakeS3,
  request: { readonly Prefix: string; readonly Delimiter: string; readonly MaxKeys: number },
  betweenPages: () => Promise<void> = async () => {},
): Promise<Listing & { readonly pageSizes: readonly number[] }> {
  const keys: string[] = [];
  const prefixes: string[] = [];
  const pageSizes: number[] = [];
  let ContinuationToken: string | undefined;
  do {
    const page = await call("ListObjectsV2", { Bucket, ...request, ContinuationToken });
    keys.push(...(page.Contents ?? []).map((object) => object.Key ?? ""));
    prefixes.push(...(page.CommonPrefixes ?? []).map((folded) => folded.Prefix ?? ""));
    pageSizes.push(page.KeyCount ?? 0);
    expect(page.IsTruncated).toBe(page.NextContinuationToken !== undefined);
    ContinuationToken = page.NextContinuationToken;
    await betweenPages();
  } while (ContinuationToken !== undefined);
  return { keys, prefixes, pageSizes };
}

// Few characters, so that prefixes and delimiters meet often; U+FFFF sorts after U+1F600 in UTF-16 and before it in UTF-8.
const character = fc.constantFrom(
  "a",
  "b",
  "/",
  "-",
  "é",
  "\uffee",
  "\u{1f600}",
  "\u{10ffff}",
  "\ud7ff",
  "%",
  "+",
  " ",
);
const key = fc.array(character, { minLength: 1, maxLength: 7 }).map((characters) => characters.join(""));
const shortText = fc.array(character, { maxLength: 2 }).map((characters) => characters.join(""));

test("pages of any size, of any keys, make the listing of the model", async () => {
  const fake = await withKeys([]);
  await fc.assert(
    fc.asyncProperty(
      fc.array(key, { maxLength: 60 }),
      shortText,
      fc.constantFrom("", "/", "-", "a/"),
      fc.integer({ min: 1, max: 20 }),
      async (keys, Prefix, Delimiter, MaxKeys) => {
        await refill(fake, keys);
        const listing = await listAll(fake, { Prefix, Delimiter, MaxKeys });
        const { keys: expectedKeys, prefixes } = modelOf(keys, Prefix, Delimiter);
        expect(listing.keys).toEqual(expectedKeys);
        expect(listing.prefixes).toEqual(prefixes);
        for (const size of listing.pageSizes.slice(0, -1)) expect(size).toBe(MaxKeys);
      },
    ),
    { numRuns: 60 },
  );
});

test("StartAfter and Marker leave out everything up to them", async () => {
  const fake = await withKeys([]);
  await fc.assert(
    fc.asyncProperty(
      fc.array(key, { maxLength: 40 }),
      key,
      fc.constantFrom("", "/"),
      async (keys, after, Delimiter) => {
        await refill(fake, keys);
        const expected = modelOf(keys, "", Delimiter, after);
        const v2 = await fake.call("ListObjectsV2", { Bucket, Delimiter, StartAfter: after });
        expect(v2.Contents?.map((object) => object.Key)).toEqual(expected.keys);
        expect(v2.CommonPrefixes?.map((folded) => folded.Prefix)).toEqual(expected.prefixes);
        const v1 = await fake.call("ListObjects", { Bucket, Delimiter, Marker: after });
        expect(v1.Contents?.map((object) => object.Key)).toEqual(expected.keys);
        expect(v1.CommonPrefixes?.map((folded) => folded.Prefix)).toEqual(expected.prefixes);
      },
    ),
    { numRuns: 30 },
  );
});

test("keys that are there from the first page to the last are listed once, whatever is added meanwhile", async () => {
  const fake = await withKeys([]);
  await fc.assert(
    fc.asyncProperty(
      fc.array(key, { maxLength: 30 }),
      fc.array(key, { minLength: 1, maxLength: 30 }),
      fc.constantFrom("", "/"),
      async (keys, added, Delimiter) => {
        await refill(fake, keys);
        const waiting = [...added];
        const listing = await listAll(fake, { Prefix: "", Delimiter, MaxKeys: 3 }, () =>
          addKeys(fake, waiting.splice(0, 3)),
        );
        const before = modelOf(keys, "", Delimiter);
        for (const listed of [listing.keys, listing.prefixes]) expect(new Set(listed).size).toBe(listed.length);
        expect(listing.keys).toEqual(expect.arrayContaining([...before.keys]));
        expect(listing.prefixes).toEqual(expect.arrayContaining([...before.prefixes]));
      },
    ),
    { numRuns: 30 },
  );
});

test("version 1 pages on from NextMarker", async () => {
  const fake = await withKeys(["a/1", "a/2", "b", "c/1", "d"]);
  const first = await fake.call("ListObjects", { Bucket, Delimiter: "/", MaxKeys: 2 });
  expect(first).toMatchObject({ IsTruncated: true, NextMarker: "b", CommonPrefixes: [{ Prefix: "a/" }] });
  const second = await fake.call("ListObjects", { Bucket, Delimiter: "/", Marker: first.NextMarker });
  expect(second).toMatchObject({ IsTruncated: false, CommonPrefixes: [{ Prefix: "c/" }], Contents: [{ Key: "d" }] });
});

test("encoding-type=url encodes keys, prefixes and delimiters, and leaves slashes", async () => {
  const fake = await withKeys(["foo+1/bar", "foo/bar/xyzzy", "quux ab/thud", "asdf+b"]);
  const page = await fake.call("ListObjectsV2", { Bucket, Delimiter: "/", EncodingType: "url" });
  expect(page.Contents?.map((object) => object.Key)).toEqual(["asdf%2Bb"]);
  expect(page.CommonPrefixes?.map((folded) => folded.Prefix)).toEqual(["foo%2B1/", "foo/", "quux%20ab/"]);
});

test("a page of no keys is not truncated, a negative one is refused, a large one is cut", async () => {
  const fake = await withKeys(["a"]);
  expect(await fake.call("ListObjectsV2", { Bucket, MaxKeys: 0 })).toMatchObject({ IsTruncated: false, KeyCount: 0 });
  expect(await fake.call("ListObjectsV2", { Bucket, MaxKeys: 5000 })).toMatchObject({ MaxKeys: 1000 });
  await expect(fake.call("ListObjectsV2", { Bucket, MaxKeys: -1 })).rejects.toMatchObject({ code: "InvalidArgument" });
  await expect(fake.call("ListObjectsV2", { Bucket, ContinuationToken: "x" })).rejects.toMatchObject({
    code: "InvalidArgument",
  });
});

test("a delimiter jumps over what it folds: three pages of ten prefixes read hundreds of rows, not 30,000", async () => {
  const fake = await createFakeS3({
    wrapStore: (store) => ({
      ...store,
      read: counting(store.read),
      write: (work) => store.write(work),
      close: () => store.close(),
    }),
  });
  let rowsRead = 0;
  function counting<T extends { withPlugin(plugin: object): T }>(read: T): T {
    return read.withPlugin({
      transformQuery: ({ node }: { readonly node: object }) => node,
      transformResult: async ({ result }: { readonly result: { readonly rows: readonly unknown[] } }) => {
        rowsRead += result.rows.length;
        return result;
      },
    });
  }
  await fake.call("CreateBucket", { Bucket }, { region: "us-east-1" });
  const keys = Array.from({ length: 30 }, (_, folder) =>
    Array.from({ length: 1000 }, (_, at) => `folder-${folder}/${at}`),
  );
  await addKeys(fake, keys.flat());
  rowsRead = 0;
  const { prefixes } = await listAll(fake, { Prefix: "", Delimiter: "/", MaxKeys: 10 });
  expect(prefixes).toHaveLength(30);
  expect(rowsRead).toBeLessThan(1000);
});

test("the end of a prefix is above every key that starts with it and below all others above it", () => {
  fc.assert(
    fc.property(key, key, shortText, (prefix, other, tail) => {
      const end = prefixEnd(prefix);
      if (end === undefined) return;
      expect(compareKeys(prefix + tail, end)).toBeLessThan(0);
      if (compareKeys(other, prefix) > 0 && !other.startsWith(prefix)) {
        expect(compareKeys(other, end)).toBeGreaterThanOrEqual(0);
      }
    }),
  );
});
