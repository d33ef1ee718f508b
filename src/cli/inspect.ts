// `salvia inspect FILE|s3://BUCKET/KEY`: what is in a data file. docs/formats.md is the guide.
import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { ConfigError, readConfig } from "../config.ts";
import { FormatError } from "../formats/format-error.ts";
import { type DataFile, inspectData, type InspectOptions } from "../formats/inspect-data.ts";
import { systemClock } from "../lib/clock.ts";
import { errorCode } from "../lib/error-code.ts";
import { inspectText } from "./inspect-text.ts";
import { isObjectUrl, ObjectProblem, openObject } from "./object-file.ts";
import { takeValue } from "./take-flags.ts";

const usage = `salvia inspect FILE|s3://BUCKET/KEY [--records N] [--columns N] [--limit N] [--header yes|no] [--data FOLDER]

Tells the format by the content (RecordIO, TFRecord, Parquet, CSV, JSON lines, libsvm; packed by gzip or not), reads the file to its
end and shows how many records it has, their shapes, a table of the columns, and the first records. Damage is told with its place.

  --records N       how many records to show (default 2)
  --columns N       how many columns to show (default 20)
  --limit N         read no more than so many records
  --header yes|no   whether the first row of a CSV names the columns (default: judged by the first two rows)
  --data FOLDER     for s3://…: the data folder of the running server
`;

interface Asked {
  readonly name: string;
  readonly options: InspectOptions;
  readonly shownColumns: number;
  readonly serverFlags: readonly string[];
}

function takeCount(args: string[], name: string, fallback: number): number {
  const text = takeValue(args, name);
  if (text === undefined) return fallback;
  if (!/^\d{1,15}$/.test(text)) throw new ConfigError(`${name} must be a whole number, not "${text}"`);
  return Number(text);
}

function takeHeader(args: string[]): boolean | undefined {
  const text = takeValue(args, "--header");
  if (text === undefined) return undefined;
  if (text !== "yes" && text !== "no") throw new ConfigError(`--header must be yes or no, not "${text}"`);
  return text === "yes";
}

/** Throws ConfigError. */
function readArguments(args: readonly string[]): Asked {
  const rest = [...args];
  const options = {
    firstRecords: takeCount(rest, "--records", 2),
    recordLimit: takeCount(rest, "--limit", Number.MAX_SAFE_INTEGER),
    hasHeader: takeHeader(rest),
  };
  const shownColumns = takeCount(rest, "--columns", 20);
  const at = rest.findIndex((arg, index) => !arg.startsWith("--") && rest[index - 1] !== "--data");
  const [name] = at < 0 ? [] : rest.splice(at, 1);
  if (name === undefined) throw new ConfigError("salvia inspect needs a file: salvia inspect FILE|s3://BUCKET/KEY");
  return { name, options, shownColumns, serverFlags: rest };
}

async function openFile(path: string): Promise<DataFile> {
  const facts = await stat(path);
  if (facts.isDirectory()) throw new ConfigError(`${path} is a folder; name one of its files`);
  return {
    source: path,
    byteLength: facts.size,
    stream: () => createReadStream(path, { highWaterMark: 1_048_576 }),
    read: async (from, to) => {
      const file = await open(path);
      try {
        const { bytesRead, buffer } = await file.read(Buffer.alloc(to - from), 0, to - from, from);
        return buffer.subarray(0, bytesRead);
      } finally {
        await file.close();
      }
    },
  };
}

async function show({ name, options, shownColumns, serverFlags }: Asked): Promise<void> {
  // Read even for a file: a flag that is no flag is told.
  const config = readConfig(serverFlags);
  const file = isObjectUrl(name) ? await openObject(name, config, systemClock) : await openFile(name);
  const summary = await inspectData(file, options);
  process.stdout.write(inspectText({ source: name, byteLength: file.byteLength, summary, shownColumns }));
}

/** True for what is the file's fault, or the system's. */
const isForTheUser = (error: unknown): error is Error =>
  error instanceof FormatError || error instanceof ObjectProblem || errorCode(error) !== undefined;

export async function inspect(args: readonly string[]): Promise<number> {
  if (args.includes("--help")) {
    process.stdout.write(usage);
    return 0;
  }
  try {
    await show(readArguments(args));
    return 0;
  } catch (error) {
    const isUsage = error instanceof ConfigError;
    if (!isUsage && !isForTheUser(error)) throw error;
    process.stderr.write(`${isUsage ? "" : "salvia inspect: "}${error.message}\n`);
    return isUsage ? 2 : 1;
  }
}
