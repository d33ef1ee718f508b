// Results that cannot be read, or are very many: the job must end all the same.
import { mkdirSync, mkdtempSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import type { Readable } from "node:stream";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../lib/clock.ts";
import { silentLog } from "../lib/log.ts";
import { connectToServer, ServerRefusalError } from "./server-connection.ts";
import { uploadResults, type UploadOptions } from "./upload-results.ts";

function setUp(putPart: (body: Readable) => Promise<void>): UploadOptions & { readonly model: string } {
  const root = mkdtempSync(join(tmpdir(), "salvia-upload-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const model = join(root, "model");
  mkdirSync(model);
  const connection = {
    ...connectToServer({ url: "http://127.0.0.1:1", token: "t" }, "task"),
    putPart: (_part: string, body: Readable) => putPart(body),
  };
  const signal = new AbortController().signal;
  return { root, model, connection, clock: systemClock, log: silentLog, signal, tellUser: () => {} };
}

test("a file that cannot be read any more is told, and not tried for ever", async () => {
  let attempts = 0;
  const options = setUp(async (body) => {
    if (++attempts > 1) throw new ServerRefusalError(400, "asked again");
    unlinkSync(join(options.model, "weights"));
    await buffer(body);
  });
  writeFileSync(join(options.model, "weights"), "w");
  const { uploadProblem } = await uploadResults("always", options);
  expect(uploadProblem).toContain("weights cannot be read: ENOENT");
});

test("a folder that cannot be listed is told", async () => {
  const options = setUp(async (body) => void (await buffer(body)));
  // Root reads everything; but no path is longer than 4,096 bytes.
  const name = "d".repeat(250);
  const before = process.cwd();
  process.chdir(options.model);
  onTestFinished(() => process.chdir(before));
  for (let depth = 0; depth < 18; depth++) {
    mkdirSync(name);
    process.chdir(name);
  }
  const { uploadProblem } = await uploadResults("always", options);
  expect(uploadProblem).toContain("ENAMETOOLONG");
});

test("of very many files a report names the first hundred", async () => {
  const options = setUp(async (body) => void (await buffer(body)));
  for (let index = 0; index < 150; index++) writeFileSync(join(options.model, `${1_000 + index}`), "");
  const { modelFiles } = await uploadResults("always", options);
  expect(modelFiles).toHaveLength(100);
  expect(modelFiles?.[0]).toBe("1000");
});
