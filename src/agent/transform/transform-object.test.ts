import { Readable } from "node:stream";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createTurns, transformed, type ResolvedWork } from "./transform-object.ts";

const work: ResolvedWork = {
  splitType: "Line",
  assembleWith: "None",
  strategy: "MultiRecord",
  maxConcurrent: 3,
  maxPayloadBytes: 8,
  timeoutSeconds: 1,
  maxRetries: 0,
  inputFilter: "$",
  outputFilter: "$",
  join: "None",
};

async function output(
  text: string,
  changes: Partial<ResolvedWork>,
  model: (body: string) => Promise<string>,
): Promise<string> {
  const source = Readable.from([Buffer.from(text)]);
  const parts = transformed(source, { ...work, ...changes }, undefined, async (body) =>
    Buffer.from(await model(body.toString())),
  );
  return Buffer.concat(await Array.fromAsync(parts)).toString();
}

test("answers stand in the order of the records, whichever comes first", async () => {
  const lines = fc.array(fc.stringMatching(/^[a-z]{0,5}$/), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(lines, fc.integer({ min: 1, max: 5 }), async (each, maxConcurrent) => {
      const text = each.map((line) => `${line}\n`).join("");
      let count = 0;
      const late = async (body: string): Promise<string> => {
        for (let turns = (count++ * 7) % 5; turns > 0; turns--) await Promise.resolve();
        return body.toUpperCase();
      };
      expect(await output(text, { maxConcurrent }, late)).toBe(text.toUpperCase());
    }),
  );
});

test("a batch is as large as the payload allows, a single record never shares", async () => {
  const bodies: string[] = [];
  const keep = async (body: string): Promise<string> => {
    bodies.push(body);
    return "";
  };
  await output("aaa\nbb\nc\ndddd\n", {}, keep);
  await output("a\nb\n", { strategy: "SingleRecord" }, keep);
  await output("a\nb\n", { maxPayloadBytes: 0 }, keep);
  expect(bodies).toEqual(["aaa\nbb\n", "c\ndddd\n", "a\n", "b\n", "a\n", "b\n"]);
});

test("AssembleWith Line ends each answer with a line's end, None leaves it as it is", async () => {
  const short = async (body: string): Promise<string> => body.trim();
  expect(await output("a\nb\n", { strategy: "SingleRecord" }, short)).toBe("ab");
  expect(await output("a\nb\n", { strategy: "SingleRecord", assembleWith: "Line" }, short)).toBe("a\nb\n");
});

test("no more requests than allowed are in flight, and the first failure ends it", async () => {
  let flying = 0;
  let most = 0;
  const turns = createTurns(2);
  const model = (body: string): Promise<string> =>
    turns.take(async () => {
      most = Math.max(most, ++flying);
      await new Promise((resolve) => setImmediate(resolve));
      flying--;
      if (body.startsWith("x")) throw new Error("refused");
      return body;
    });
  await output("1\n2\n3\n4\n5\n", { strategy: "SingleRecord", maxConcurrent: 5 }, model);
  expect(most).toBe(2);
  await expect(output("1\nx\n3\n", { strategy: "SingleRecord" }, model)).rejects.toThrow("refused");
});
