import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { FakeClock } from "../lib/clock.fake.ts";
import { followOutput, longestLineBytes, splitLines } from "./output-follower.ts";

function setUp() {
  const folder = mkdtempSync(join(tmpdir(), "salvia-output-"));
  const path = join(folder, "output.log");
  writeFileSync(path, "");
  const clock = new FakeClock();
  const follower = followOutput(path, clock);
  onTestFinished(() => {
    follower.close();
    rmSync(folder, { recursive: true });
  });
  return {
    clock,
    follower,
    write: (text: string | Buffer) => appendFileSync(path, text),
    truncate: () => writeFileSync(path, ""),
  };
}

test("lines are given when they are complete, and again until they are taken", () => {
  const { follower, write } = setUp();
  write("one\ntw");
  expect(follower.next(0, false)).toEqual({ lines: ["one"], offset: 4 });
  expect(follower.next(0, false)).toEqual({ lines: ["one"], offset: 4 });
  expect(follower.next(4, false)).toBeUndefined();
  write("o\n\n");
  expect(follower.next(4, false)).toEqual({ lines: ["two", ""], offset: 9 });
});

test("a line without its end is passed on after a second of silence, or at the end", async () => {
  const { clock, follower, write } = setUp();
  write("Continue? ");
  expect(follower.next(0, false)).toBeUndefined();
  await clock.advance(900);
  write("[y] ");
  expect(follower.next(0, false)).toBeUndefined();
  await clock.advance(1_000);
  expect(follower.next(0, false)).toEqual({ lines: ["Continue? [y] "], offset: 14 });
  write("bye");
  expect(follower.next(14, true)).toEqual({ lines: ["bye"], offset: 17 });
});

test("a progress bar is what a terminal would show", () => {
  const { follower, write } = setUp();
  write("10%\r50%\r100%\r\nnext\r\n");
  expect(follower.next(0, false)?.lines).toEqual(["100%", "next"]);
});

test("a line that never ends is cut at 256 KB, between characters", () => {
  const { follower, write } = setUp();
  write("é".repeat(200_000));
  const { lines, offset } = follower.next(0, false)!;
  expect(lines).toHaveLength(1);
  expect(offset).toBeLessThanOrEqual(longestLineBytes);
  expect(offset).toBeGreaterThan(longestLineBytes - 4);
  expect(lines[0]).toBe("é".repeat(offset / 2));
});

test("a program that empties its own output by opening /dev/stdout is followed from its new start", () => {
  const { follower, write, truncate } = setUp();
  write("a long first line\n");
  const { offset } = follower.next(0, false)!;
  truncate();
  expect(follower.next(offset, false)).toBeUndefined();
  write("new\n");
  expect(follower.next(offset, false)).toEqual({ lines: ["new"], offset: 4 });
});

test("however the bytes arrive, the lines are the same", () => {
  const text = fc.array(
    fc.string({ unit: "grapheme" }).map((line) => line.replaceAll(/[\r\n]/g, "")),
    { maxLength: 20 },
  );
  fc.assert(
    fc.property(text, fc.array(fc.nat({ max: 30 }), { minLength: 1, maxLength: 40 }), (lines, cuts) => {
      const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""));
      const seen: string[] = [];
      let end = 0;
      let offset = 0;
      for (let at = 0; end < bytes.length; at++) {
        end = Math.min(bytes.length, end + (cuts[at % cuts.length]! || 1));
        const batch = splitLines(bytes.subarray(offset, end), offset);
        seen.push(...batch.lines);
        offset = batch.offset;
      }
      expect(seen).toEqual(lines);
      expect(offset).toBe(bytes.length);
    }),
  );
});
