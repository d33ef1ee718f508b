// `salvia pack FOLDER`: a folder of files as RecordIO or TFRecord shards. docs/formats.md is the guide.
import { statSync } from "node:fs";
import { ConfigError } from "../config.ts";
import { systemClock } from "../lib/clock.ts";
import { errorCode } from "../lib/error-code.ts";
import { type Packed, type PackFormat, packFolder, type PackPlan, PackProblem } from "./pack-folder.ts";
import { progressLine, readableBytes } from "./progress-line.ts";
import { takeSwitch, takeValue } from "./take-flags.ts";

const usage = `salvia pack FOLDER --format recordio|tfrecord --out DIR [--shards N] [--labels] [--quiet]

Packs every file of FOLDER and its sub-folders (hidden files and links are passed over) into one record, in the order of their names.

  --format recordio|tfrecord   how records are framed: for SageMaker's algorithms and MXNet, or for TensorFlow
  --out DIR                    where the shards go: a new or empty folder
  --shards N                   how many files to write (default 1); file k goes into shard k modulo N
  --labels                     the first sub-folder's name is a file's label: records are then record protobuf or tf.train.Example with
                               data, label and path, and DIR/labels.json gives the labels' numbers. Without it a record is the file's bytes
  --quiet                      no progress bar

salvia inspect shows what is in a shard.
`;

interface Asked {
  readonly plan: PackPlan;
  readonly isQuiet: boolean;
}

const mostShards = 99_999;

/** Throws ConfigError. */
function readArguments(args: readonly string[]): Asked {
  const rest = [...args];
  const format = takeValue(rest, "--format");
  const shards = takeValue(rest, "--shards") ?? "1";
  const outFolder = takeValue(rest, "--out");
  const hasLabels = takeSwitch(rest, "--labels");
  const isQuiet = takeSwitch(rest, "--quiet");
  const [folder, ...others] = rest;
  const strange = rest.find((arg) => arg.startsWith("--")) ?? others[0];
  if (strange !== undefined) throw new ConfigError(`salvia pack does not know "${strange}"; --help lists its flags`);
  if (folder === undefined)
    throw new ConfigError("salvia pack needs the folder of files: salvia pack FOLDER --out DIR");
  if (!isFolder(folder)) throw new ConfigError(`${folder} is not a folder`);
  if (!isFormat(format)) throw new ConfigError("--format must be recordio or tfrecord");
  if (outFolder === undefined) throw new ConfigError("--out must name the folder for the shards");
  if (!/^[1-9]\d{0,4}$/.test(shards)) throw new ConfigError(`--shards must be a whole number from 1 to ${mostShards}`);
  return { plan: { folder, format, shardCount: Number(shards), outFolder, hasLabels }, isQuiet };
}

const isFormat = (text: string | undefined): text is PackFormat => text === "recordio" || text === "tfrecord";

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

function report({ shards, fileCount, totalBytes, passedOver, labels }: Packed): string {
  const lines = [
    `${fileCount} files (${readableBytes(totalBytes)}) in ${shards.length} shard${shards.length > 1 ? "s" : ""}:`,
  ];
  const shown = shards.length > 6 ? [...shards.slice(0, 3), "…", ...shards.slice(-2)] : shards;
  lines.push(...shown.map((path) => `  ${path}`));
  if (labels.length > 0)
    lines.push(`${labels.length} labels: ${labels.slice(0, 10).join(", ")}${labels.length > 10 ? ", …" : ""}`);
  if (passedOver > 0) lines.push(`${passedOver} hidden files or links passed over`);
  return `${lines.join("\n")}\n`;
}

async function run({ plan, isQuiet }: Asked): Promise<number> {
  const abort = new AbortController();
  const onInterrupt = (): void => abort.abort();
  process.once("SIGINT", onInterrupt);
  const line = progressLine(systemClock, process.stderr.isTTY, (text) => void process.stderr.write(text));
  try {
    const packed = await packFolder(plan, (progress) => void (isQuiet || line.show(progress)), abort.signal);
    line.close();
    process.stdout.write(report(packed));
    return 0;
  } catch (error) {
    line.close();
    if (abort.signal.aborted) return 130;
    if (!(error instanceof PackProblem) && errorCode(error) === undefined) throw error;
    process.stderr.write(`salvia pack: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  } finally {
    process.off("SIGINT", onInterrupt);
  }
}

export async function pack(args: readonly string[]): Promise<number> {
  if (args.includes("--help")) {
    process.stdout.write(usage);
    return 0;
  }
  try {
    return await run(readArguments(args));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 2;
  }
}
