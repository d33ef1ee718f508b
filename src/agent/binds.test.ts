import { expect, test } from "vitest";
import type { PlannedObject } from "../task/channel-plan.ts";
import { splitForBinds } from "./binds.ts";

const megabyte = 1_048_576;
/** Any file that every user may read. */
const source = { file: import.meta.filename };
const stored = (path: string, sizeBytes: number): PlannedObject => ({ path, sizeBytes, source, isGzip: false });

test("of many large objects the largest are bound, so many that a task still starts fast", () => {
  const objects = Array.from({ length: 1_000 }, (_, at) => stored(`o${at}`, megabyte * (at + 1)));
  const { bound, copied } = splitForBinds(objects);
  expect(bound).toHaveLength(256);
  expect(bound.every(({ sizeBytes }) => sizeBytes > 744 * megabyte)).toBe(true);
  expect(copied).toHaveLength(744);
});

test("what is small, must be unpacked, or lies at the server is copied", () => {
  const zipped = { ...stored("zipped", megabyte), isGzip: true };
  const remote: PlannedObject = { ...stored("remote", megabyte), source: { url: "objects/1" } };
  const objects = [stored("small", megabyte - 1), stored("large", megabyte), zipped, remote];
  const { bound, copied } = splitForBinds(objects);
  expect(bound.map(({ path }) => path)).toEqual(["large"]);
  expect(copied.map(({ path }) => path)).toEqual(["small", "zipped", "remote"]);
});
