import * as fc from "fast-check";
import { expect, test } from "vitest";
import { textChunks } from "./chunks.fake.ts";
import { readAugmentedManifest } from "./augmented-manifest.ts";
import { FormatError } from "./format-error.ts";

const read = (text: string, names: readonly string[]) =>
  Array.fromAsync(readAugmentedManifest("m.manifest", textChunks(text), names));

test("attributes come in the order in which they were asked for", async () => {
  const lines =
    '{"class":1,"source-ref":"s3://b/a/1.jpg","meta":{"x":[1]}}\n\n{"source-ref":"s3://b/2","class":"cat","meta":null}\n';
  expect(await read(lines, ["source-ref", "class", "meta"])).toEqual([
    {
      lineNumber: 1,
      values: [
        { attribute: "source-ref", type: "object", bucket: "b", key: "a/1.jpg" },
        { attribute: "class", type: "text", text: "1" },
        { attribute: "meta", type: "text", text: '{"x":[1]}' },
      ],
    },
    {
      lineNumber: 3,
      values: [
        { attribute: "source-ref", type: "object", bucket: "b", key: "2" },
        { attribute: "class", type: "text", text: "cat" },
        { attribute: "meta", type: "text", text: "null" },
      ],
    },
  ]);
});

test("a line without the attribute, with another kind of address, or that is no object is named", async () => {
  await expect(read('{"a":1}\n{"b":1}\n', ["a"])).rejects.toThrow('m.manifest: line 2: it has no attribute "a"');
  await expect(read('{"toString":1}', ["constructor"])).rejects.toThrow('it has no attribute "constructor"');
  await expect(read('{"a-ref":"http://b/k"}', ["a-ref"])).rejects.toThrow("s3://BUCKET/KEY");
  await expect(read("[1]\n", ["a"])).rejects.toThrow("line 1: not a JSON object");
  await expect(read("{\n", ["a"])).rejects.toThrow("line 1: not JSON");
});

test("arbitrary JSON ends in values or a FormatError", async () => {
  await fc.assert(
    fc.asyncProperty(fc.json(), fc.array(fc.string()), async (json, names) => {
      const outcome = await read(`${json}\n`, names).catch((error: unknown) => error);
      expect(Array.isArray(outcome) || outcome instanceof FormatError).toBe(true);
    }),
  );
});
