// CSV as S3 Select reads it, record by record; memory holds one record and one chunk.
import type { CSVInput } from "../../../models/generated/s3.ts";
import type { AwsError } from "../../../lib/aws-error.ts";
import { csvHeader, csvRecord, type CsvHeader, type SelectRecord } from "./record.ts";
import { overMaxRecord, selectError } from "./select-errors.ts";

const maxRecordLength = 1_048_576;

interface Dialect {
  readonly record: string;
  readonly field: string;
  readonly quote: string;
  readonly escape: string;
  readonly comment: string;
}

const dialectOf = (csv: CSVInput): Dialect => ({
  record: csv.RecordDelimiter || "\n",
  field: csv.FieldDelimiter || ",",
  quote: csv.QuoteCharacter ?? '"',
  escape: csv.QuoteEscapeCharacter || '"',
  comment: csv.Comments ?? "",
});

interface Parsed {
  readonly fields: readonly string[];
  readonly end: number;
}

/** A quoted field from behind its opening quote; undefined where the text ends first. */
function quotedField(
  text: string,
  start: number,
  { quote, escape }: Dialect,
): { field: string; end: number } | undefined {
  let field = "";
  for (let at = start; at < text.length; at++) {
    const character = text[at] ?? "";
    const following = text[at + 1];
    if (character === escape && following === quote) {
      field += quote;
      at++;
    } else if (character === quote) {
      return { field, end: at + 1 };
    } else {
      field += character;
    }
  }
  return undefined;
}

/** One record; undefined where more text is needed. */
function recordAt(text: string, start: number, dialect: Dialect, isLast: boolean): Parsed | undefined {
  const { quote, field: delimiter, record } = dialect;
  const endBehind = (at: number): number => {
    const found = text.indexOf(record, at);
    return found < 0 && isLast ? text.length : found;
  };
  const fields: string[] = [];
  let at = start;
  let end = endBehind(at);
  for (;;) {
    const isQuoted = quote !== "" && text.startsWith(quote, at);
    const quoted = isQuoted ? quotedField(text, at + quote.length, dialect) : { field: "", end: at };
    if (!quoted && isLast) throw unescapedQuote();
    if (!quoted) return undefined;
    // Record delimiters inside of quotes do not count.
    if (quoted.end > end) end = endBehind(quoted.end);
    if (end < 0) return undefined;
    const rest = text.slice(quoted.end, end);
    const length = rest.indexOf(delimiter);
    fields.push(quoted.field + (length < 0 ? withoutReturn(rest, record) : rest.slice(0, length)));
    if (length < 0) return { fields, end: Math.min(end + record.length, text.length) };
    at = quoted.end + length + delimiter.length;
  }
}

/** Lines may end as on Windows, unless the request says how they end. */
const withoutReturn = (text: string, delimiter: string): string =>
  delimiter === "\n" && text.endsWith("\r") ? text.slice(0, -1) : text;

const unescapedQuote = (): AwsError =>
  selectError("CSVUnescapedQuote", "Encountered an unescaped quote in the CSV file. Check the file and try again.");

async function* rows(chunks: AsyncIterable<string>, dialect: Dialect): AsyncGenerator<readonly string[]> {
  let held = "";
  const drain = function* (isLast: boolean): Generator<readonly string[]> {
    let at = 0;
    while (at < held.length) {
      // Where one record needs more text than is here, the rest waits for it.
      const found = recordAt(held, at, dialect, isLast);
      if (!found) break;
      const isComment = dialect.comment !== "" && held.startsWith(dialect.comment, at);
      const isBlank = found.fields.length === 1 && found.fields[0] === "";
      at = found.end;
      if (!isComment && !isBlank) yield found.fields;
    }
    held = held.slice(at);
    if (held.length > maxRecordLength) throw overMaxRecord();
  };
  for await (const chunk of chunks) {
    held += chunk;
    yield* drain(false);
  }
  yield* drain(true);
}

export async function* csvRecords(chunks: AsyncIterable<string>, csv: CSVInput): AsyncGenerator<SelectRecord> {
  const info = csv.FileHeaderInfo ?? "NONE";
  let header: CsvHeader | undefined;
  let isFirst = true;
  for await (const fields of rows(chunks, dialectOf(csv))) {
    const isHeader = isFirst && info !== "NONE";
    isFirst = false;
    if (!isHeader) yield csvRecord(fields, header);
    else if (info === "USE") header = csvHeader(fields.map((name) => name.replace(/^\ufeff/, "").trim()));
  }
}
