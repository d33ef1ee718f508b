// What `salvia inspect` prints: the facts, a table of the columns, and the first records.
import { type Cell, type ColumnSummary, type NumberSummary, timeText } from "../formats/column-summary.ts";
import type { DetectedFormat } from "../formats/detect-format.ts";
import type { DataSummary } from "../formats/inspect-data.ts";
import { readableBytes } from "./progress-line.ts";
import { textTable } from "./text-table.ts";

const bars = "▁▂▃▄▅▆▇█";
const bins = 12;

const formatNames: Readonly<Record<DetectedFormat["name"], string>> = {
  parquet: "Parquet",
  recordio: "RecordIO",
  tfrecord: "TFRecord",
  "json-lines": "JSON lines",
  libsvm: "libsvm",
  csv: "CSV",
};

function formatText(format: DetectedFormat): string {
  const name = formatNames[format.name];
  if (format.name === "recordio")
    return `${name} of ${format.isRecordProtobuf ? "SageMaker's record protobuf" : "bare records"}`;
  if (format.name === "tfrecord") return `${name} of ${format.isExample ? "tf.train.Example" : "bare records"}`;
  if (format.name === "csv" && format.delimiter !== ",")
    return `${name} delimited by ${JSON.stringify(format.delimiter)}`;
  return name;
}

/** Four significant digits, and no digits that say nothing. */
function shortNumber(value: number): string {
  if (!Number.isFinite(value)) return "";
  if (Number.isInteger(value) && Math.abs(value) < 1e7) return String(value);
  const size = Math.abs(value);
  return size >= 1e7 || size < 1e-4 ? value.toExponential(2) : String(Number(value.toPrecision(4)));
}

/** Any number above zero shows at least the lowest bar. */
function histogramText(numbers: NumberSummary): string {
  const counts = numbers.histogram(bins);
  const most = Math.max(...counts);
  if (most === 0) return "";
  return counts
    .map((count) => (count === 0 ? " " : bars[Math.min(bars.length - 1, Math.floor((count / most) * bars.length))]))
    .join("");
}

/** Control characters, and those that turn the writing's direction, would play with the terminal. */
const visible = (text: string): string => text.replace(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, "·");

const cut = (text: string, width: number): string => (text.length > width ? `${text.slice(0, width - 1)}…` : text);

function textNotes({ texts }: ColumnSummary): string {
  if (!texts) return "";
  const frequent = texts.frequent(4).map(([text, times]) => `${cut(visible(text), 24)} (${times})`);
  const distinct = texts.distinct === undefined ? "over 1000 distinct" : `${texts.distinct} distinct`;
  const areAllOnce = texts.distinct !== 1 && texts.frequent(1)[0]?.[1] === 1;
  return `${distinct}: ${areAllOnce ? `${frequent[0]?.replace(" (1)", "") ?? ""}, …` : frequent.join(", ")}`;
}

function columnRow(column: ColumnSummary, recordCount: number): string[] {
  const numbers = column.numbers ?? column.byteLengths;
  const stats = numbers && [numbers.min, numbers.mean, numbers.max, numbers.deviation].map(shortNumber);
  const notFinite = numbers?.notFinite ? ` ${numbers.notFinite} NaN or infinite` : "";
  const notes = [numbers ? `${histogramText(numbers)}${notFinite}` : "", textNotes(column)].filter(Boolean).join("  ");
  const type = column.byteLengths ? `${column.type} (lengths)` : column.type;
  return [
    cut(visible(column.name), 32),
    cut(type, 36),
    String(column.present),
    String(recordCount - column.present),
    ...(stats ?? ["", "", "", ""]),
    notes,
  ];
}

const heads = ["column", "type", "count", "missing", "min", "mean", "max", "std", "distribution"];
const isLeft = (column: number): boolean => column < 2 || column === heads.length - 1;

function bytesText(bytes: Uint8Array): string {
  const start = Buffer.from(bytes.subarray(0, 8))
    .toString("hex")
    .replace(/..(?=.)/g, "$& ");
  return `${bytes.length} bytes: ${start}${bytes.length > 8 ? " …" : ""}`;
}

function tensorText({ numbers, shape, isSparse }: Extract<Cell, { readonly numbers: unknown }>): string {
  const shown = Array.from({ length: Math.min(numbers.length, 6) }, (_, at) => shortNumber(Number(numbers[at])));
  const kept = isSparse ? `${numbers.length} values of ` : "";
  return `${kept}[${shape.join(" × ")}]: ${shown.join(" ")}${numbers.length > 6 ? " …" : ""}`;
}

function jsonText(value: unknown): string {
  const text = JSON.stringify(value, (_, each: unknown) => (typeof each === "bigint" ? Number(each) : each));
  return cut(visible(text ?? String(value)), 60);
}

function cellText(cell: Exclude<Cell, undefined | null>): string {
  if (typeof cell === "string") return JSON.stringify(cut(visible(cell), 60));
  if (typeof cell === "number") return shortNumber(cell) || String(cell);
  if (typeof cell !== "object") return String(cell);
  if (cell instanceof Uint8Array) return bytesText(cell);
  if (cell instanceof Date) return timeText(cell);
  return "numbers" in cell ? tensorText(cell) : jsonText(cell.other);
}

function recordLines(summary: DataSummary, shownColumns: number): string[] {
  return summary.firstRecords.flatMap((record, at) => {
    const present = [...record].flatMap(([name, cell]) =>
      cell === undefined || cell === null ? [] : [{ name, cell }],
    );
    const cells = present.slice(0, shownColumns);
    const more = present.length > shownColumns ? ["  …"] : [];
    return [
      `record ${at + 1}`,
      ...cells.map(({ name, cell }) => `  ${cut(visible(name), 32)}: ${cellText(cell)}`),
      ...more,
    ];
  });
}

export interface ShownSummary {
  readonly source: string;
  readonly byteLength: number;
  readonly summary: DataSummary;
  /** Columns beyond these are counted, not shown. */
  readonly shownColumns: number;
}

/** Ends with a line feed. */
export function inspectText({ source, byteLength, summary, shownColumns }: ShownSummary): string {
  const { columns, recordCount, isWhole, isGzip, format, notes } = summary;
  const lines = [
    visible(source),
    `${formatText(format)}${isGzip ? ", packed by gzip" : ""}, ${readableBytes(byteLength)}`,
    `${isWhole ? "" : "the first "}${recordCount} record${recordCount === 1 ? "" : "s"}, ${columns.length + summary.uncountedColumns} column${columns.length === 1 ? "" : "s"}`,
    ...(notes.length > 0 ? [`the file says: ${cut(visible(notes.join("; ")), 400)}`] : []),
  ];
  if (columns.length > 0) {
    const rows = columns.slice(0, shownColumns).map((column) => columnRow(column, recordCount));
    lines.push("", ...textTable([heads, ...rows], isLeft));
    const hidden = columns.length + summary.uncountedColumns - rows.length;
    if (hidden > 0) lines.push(`… and ${hidden} more columns (--columns N shows more)`);
  }
  if (summary.firstRecords.length > 0) lines.push("", ...recordLines(summary, shownColumns));
  return `${lines.join("\n")}\n`;
}
