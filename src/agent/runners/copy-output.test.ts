import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { array, assert, asyncProperty, nat, uint8Array } from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../lib/clock.ts";
import { connectToEngine } from "../../lib/docker-engine.ts";
import { silentLog } from "../../lib/log.ts";
import { payloads, startOutputCopy } from "./copy-output.ts";

/** As the engine frames what a program writes. */
const frame = (text: Uint8Array, stream = 1): Buffer => {
  const head = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0]);
  head.writeUInt32BE(text.length, 4);
  return Buffer.concat([head, text]);
};

async function* inPieces(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  let at = 0;
  for (const size of sizes) {
    yield bytes.subarray(at, at + size);
    at += size;
  }
  yield bytes.subarray(at);
}

test("frames give back what was written, however the stream is cut into pieces", async () => {
  const piece = uint8Array({ maxLength: 40 });
  await assert(
    asyncProperty(array(piece), array(nat(30)), async (written, sizes) => {
      const framed = Buffer.concat(written.map((text, at) => frame(text, 1 + (at % 2))));
      const got = await Array.fromAsync(payloads(inPieces(framed, sizes)));
      expect(Buffer.concat(got)).toEqual(Buffer.concat(written));
    }),
  );
});

test("a frame that is cut off at the end is not passed on: it comes whole with the next reading", async () => {
  const framed = Buffer.concat([frame(Buffer.from("whole\n")), frame(Buffer.from("cut\n")).subarray(0, 10)]);
  expect(Buffer.concat(await Array.fromAsync(payloads(inPieces(framed, []))))).toEqual(Buffer.from("whole\n"));
});

test("what the file has already is not written again", async () => {
  const folder = mkdtempSync(join(tmpdir(), "salvia-copy-"));
  const engine = createServer((_, answer) =>
    answer.end(Buffer.concat(["one\n", "two\n"].map((x) => frame(Buffer.from(x))))),
  );
  const port = await new Promise<number>((resolve) => {
    engine.listen(0, "127.0.0.1", () => {
      const address = engine.address();
      resolve(typeof address === "object" && address ? address.port : 0);
    });
  });
  onTestFinished(() => {
    engine.close();
    rmSync(folder, { recursive: true });
  });
  const file = join(folder, "output.log");
  writeFileSync(file, "one\ntw");
  const copy = startOutputCopy({
    engine: connectToEngine(`tcp://127.0.0.1:${port}`),
    container: "/containers/any",
    file,
    log: silentLog,
    clock: systemClock,
  });
  await copy.finish();
  await copy.finish();
  expect(readFileSync(file, "utf8")).toBe("one\ntwo\n");
});
