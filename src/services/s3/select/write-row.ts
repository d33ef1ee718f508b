import type { CSVOutput, OutputSerialization } from "../../../models/generated/s3.ts";
import { textOf } from "./evaluate.ts";
import type { Value } from "./record.ts";

export type Row = readonly (readonly [string, Value])[];

function csvField(value: Value, csv: CSVOutput): string {
  const quote = csv.QuoteCharacter || '"';
  const escape = csv.QuoteEscapeCharacter || '"';
  const text = textOf(value);
  const special = [quote, csv.FieldDelimiter || ",", csv.RecordDelimiter || "\n"];
  const needsQuotes = csv.QuoteFields === "ALWAYS" || special.some((part) => text.includes(part));
  return needsQuotes ? `${quote}${text.replaceAll(quote, escape + quote)}${quote}` : text;
}

/** How a row of the result is written, with its delimiter. */
export function rowWriter({ JSON: json, CSV: csv }: OutputSerialization): (row: Row) => string {
  if (json) {
    const delimiter = json.RecordDelimiter || "\n";
    return (row) => JSON.stringify(Object.fromEntries(row.filter(([, value]) => value !== undefined))) + delimiter;
  }
  const given = csv ?? {};
  const [field, record] = [given.FieldDelimiter || ",", given.RecordDelimiter || "\n"];
  return (row) => row.map(([, value]) => csvField(value, given)).join(field) + record;
}
