import { createHash } from "node:crypto";
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import * as fc from "fast-check";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../lib/clock.ts";
import { StageError } from "../planned-path.ts";
import type { EpochPart, FilePart } from "./epoch-parts.ts";
import { openPipeFolder } from "./pipe-folder.ts";
import { pipeWriterFor, type PipeWriter } from "./pipe-writer.ts";
import { socketWriter } from "./socket-writer.ts";
import { canUseThreads, createThreadWriter } from "./thread-writer.ts";

const never = new AbortController().signal;
const content = Buffer.alloc(300_001, "0123456789abcdefg");
let root: string;
let large: FilePart;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "salvia-pipe-writer-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  mkdirSync(join(root, "input", "data"), { recursive: true });
  large = fileOf("large", content);
});

function fileOf(path: string, bytes: Uint8Array): FilePart {
  const file = join(root, path);
  writeFileSync(file, bytes);
  return { path, file, sizeBytes: bytes.length };
}

async function* from(parts: readonly EpochPart[]): AsyncGenerator<EpochPart> {
  yield* parts;
}

interface Piped {
  /** What the shell's command, which has the FIFO as its stdin, printed. */
  readonly printed: string;
  readonly isWhole: boolean;
}

/** Writes the parts into a FIFO that a shell's command reads to its end. */
async function piped(writer: PipeWriter, command: string, parts: readonly EpochPart[], signal = never): Promise<Piped> {
  const folder = openPipeFolder(root, "input/data");
  await folder.make("train_0");
  const path = join(root, "input", "data", "train_0");
  const child = spawn("/bin/sh", ["-c", `exec < "$0"; ${command}`, path], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const printed = text(child.stdout);
    const opened = await folder.openForWriting("train_0", systemClock, never);
    const isWhole = await writer.write(opened, from(parts), signal);
    return { isWhole, printed: await printed };
  } finally {
    child.kill("SIGKILL");
    folder.close();
  }
}

const sumOf = (contents: readonly Uint8Array[]): string => {
  const hash = createHash("sha256");
  for (const bytes of contents) hash.update(bytes);
  return hash.digest("hex");
};

const writers: readonly (readonly [string, () => PipeWriter])[] = [
  ["on a thread", createThreadWriter],
  ["through a socket", () => socketWriter],
];

for (const [how, create] of writers) {
  let writer: PipeWriter;
  beforeEach(() => {
    writer = create();
    onTestFinished(() => writer.close());
  });

  test(`bytes and files come in their order, whatever the reader's pace, ${how}`, async () => {
    const [head, filling] = [Buffer.from("head"), Buffer.alloc(200_000, "x")];
    const parts = [head, large, head, large, filling, large];
    // Slow at first, so that the FIFO is full between the parts.
    const { isWhole, printed } = await piped(writer, "sleep 0.3; sha256sum", parts);
    expect(isWhole).toBe(true);
    expect(printed).toContain(sumOf([head, content, head, content, filling, content]));
  });

  test(`parts of any size and number come whole, epoch after epoch, ${how}`, async () => {
    const size = fc.oneof(fc.nat(20), fc.constantFrom(65_536, 131_072, 131_073));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(size, fc.boolean()), { maxLength: 600 }), async (sizes) => {
        const contents = sizes.map(([bytes], at) => Buffer.alloc(bytes, String(at)));
        const parts = sizes.map(([, isFile], at) => (isFile ? fileOf(`part-${at}`, contents[at]!) : contents[at]!));
        const { isWhole, printed } = await piped(writer, "sha256sum", parts);
        expect({ isWhole, printed }).toEqual({ isWhole: true, printed: `${sumOf(contents)}  -\n` });
      }),
      { numRuns: 15 },
    );
  });

  test(`a reader that leaves in the middle of a file ends its epoch alone, ${how}`, async () => {
    const { isWhole, printed } = await piped(writer, "head -c 10", [Buffer.from("ab"), large, large]);
    expect({ isWhole, printed }).toEqual({ isWhole: false, printed: "ab01234567" });
    expect(await piped(writer, "wc -c", [large])).toEqual({ isWhole: true, printed: `${content.length}\n` });
  });

  test(`a reader that never reads holds nothing up when it is aborted, ${how}`, async () => {
    const abort = new AbortController();
    const late = setTimeout(() => abort.abort(), 300);
    onTestFinished(() => clearTimeout(late));
    const startedAt = performance.now();
    await expect(piped(writer, "exec sleep 60", [large, large], abort.signal)).rejects.toThrow("aborted");
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });

  test(`of a file that has grown its planned bytes are taken; one that is shorter fails the task, ${how}`, async () => {
    const grown = { ...large, sizeBytes: 1_000 };
    expect(await piped(writer, "wc -c", [grown])).toEqual({ isWhole: true, printed: "1000\n" });
    const shorter = { ...large, sizeBytes: content.length + 1 };
    const failing = piped(writer, "cat > /dev/null", [shorter]);
    await expect(failing).rejects.toThrow(new StageError("large has changed: it had 300002 bytes"));
  });

  test(`a file that cannot be read says so, ${how}`, async () => {
    const missing = { ...large, file: join(root, "missing") };
    await expect(piped(writer, "cat > /dev/null", [missing])).rejects.toThrow("ENOENT");
  });
}

test("a process whose thread waits for a reader that never reads can exit", async () => {
  const program = `
    import { openPipeFolder } from "${import.meta.dirname}/pipe-folder.ts";
    import { createThreadWriter } from "${import.meta.dirname}/thread-writer.ts";
    import { systemClock } from "${import.meta.dirname}/../../lib/clock.ts";
    import { openSync, constants } from "node:fs";
    const root = process.argv[1];
    const folder = openPipeFolder(root, "input/data");
    await folder.make("train_0");
    openSync(root + "/input/data/train_0", constants.O_RDONLY | constants.O_NONBLOCK);
    const pipe = await folder.openForWriting("train_0", systemClock, new AbortController().signal);
    async function* parts() { yield ${JSON.stringify(large)}; }
    void createThreadWriter().write(pipe, parts(), new AbortController().signal);
    setTimeout(() => process.exit(7), 500);
  `;
  const { status, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", program, root], {
    timeout: 20_000,
    encoding: "utf8",
  });
  expect({ status, stderr }).toEqual({ status: 7, stderr: "" });
});

test("files of this machine are written on a thread; what is unpacked or comes from the server is not", () => {
  const onDisk = { path: "a", sizeBytes: 1, source: { file: "/a" }, isGzip: false };
  const value = { path: "b", sizeBytes: 1, source: { text: "b" }, isGzip: false };
  const remote = { ...onDisk, source: { url: "c" } };
  const writerOf = (...objects: (typeof onDisk | typeof value | typeof remote)[]): PipeWriter => {
    const writer = pipeWriterFor({ name: "train", mode: "Pipe", objects });
    onTestFinished(() => writer.close());
    return writer;
  };
  expect(writerOf(onDisk, value) !== socketWriter).toBe(canUseThreads());
  expect(writerOf(onDisk, remote)).toBe(socketWriter);
  expect(writerOf({ ...onDisk, isGzip: true })).toBe(socketWriter);
});
