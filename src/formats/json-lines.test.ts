import * as fc from "fast-check";
import { expect, test } from "vitest";
import { FormatError } from "./format-error.ts";
import { readJsonLines } from "./json-lines.ts";

const read = async (text: string, size = 7): Promise<unknown[]> => {
  const file = new TextEncoder().encode(text);
  const chunks = async function* (): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < file.length; at += size) yield file.subarray(at, at + size);
  };
  return (await Array.fromAsync(readJsonLines("a.jsonl", chunks()))).map((line) => line.value);
};

test("values survive a round trip, however the stream is cut", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.jsonValue()), fc.integer({ min: 1, max: 20 }), async (values, size) => {
      const text = values.map((value) => `${JSON.stringify(value)}\n`).join("");
      expect(await read(text, size)).toEqual(JSON.parse(JSON.stringify(values)));
    }),
  );
});

test("a line that is not JSON is named by file and line", async () => {
  await expect(read('{"a":1}\n\n{"a":\n')).rejects.toThrow(/^a\.jsonl: line 3: not JSON: /);
});

test("cut and damaged lines end in values or a FormatError", async () => {
  const damaged = fc.tuple(fc.array(fc.jsonValue()), fc.nat(), fc.constantFrom("", "\n", "}", "\u0000", '"'));
  await fc.assert(
    fc.asyncProperty(damaged, async ([values, at, instead]) => {
      const text = values.map((value) => `${JSON.stringify(value)}\n`).join("");
      const place = at % (text.length + 1);
      for (const broken of [text.slice(0, place), text.slice(0, place) + instead + text.slice(place + 1)]) {
        const outcome = await read(broken).catch((error: unknown) => error);
        expect(Array.isArray(outcome) || outcome instanceof FormatError).toBe(true);
      }
    }),
  );
});
