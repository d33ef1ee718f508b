import * as fc from "fast-check";
import { expect, test } from "vitest";
import { inChunks, textChunks } from "./chunks.fake.ts";
import { CsvParser, formatCsvRow, readCsv } from "./csv.ts";
import { FormatError } from "./format-error.ts";

const fieldsOf = async (text: string, delimiter = ","): Promise<(readonly string[])[]> =>
  (await Array.fromAsync(readCsv("a.csv", textChunks(text, 3), { delimiter }))).map(({ fields }) => fields);

const field = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc
    .array(fc.constantFrom('"', ",", "\n", "\r\n", ";", "a", " ", "\uFEFF", "é"), { maxLength: 6 })
    .map((parts) => parts.join("")),
);
const rows = fc.array(fc.array(field, { minLength: 1, maxLength: 4 }), { maxLength: 4 });

test("rows survive a round trip with every delimiter, however the stream is cut", async () => {
  await fc.assert(
    fc.asyncProperty(
      rows,
      fc.constantFrom(",", ";", "\t", "|"),
      fc.constantFrom("\n", "\r\n"),
      fc.integer({ min: 1, max: 9 }),
      async (rows, delimiter, lineEnd, size) => {
        const text = rows.map((row) => formatCsvRow(row, delimiter) + lineEnd).join("");
        const chunks = inChunks(new TextEncoder().encode(text), size);
        const read = await Array.fromAsync(readCsv("a.csv", chunks, { delimiter }));
        expect(read.map(({ fields }) => fields)).toEqual(rows);
      },
    ),
  );
});

test("quotes, line ends within quotes, marks and empty lines are read as RFC 4180 and its writers mean them", async () => {
  expect(await fieldsOf('\uFEFF"a,1",b\r\n"say ""hi""",\n\n"two\nlines",5" pipe\nlast,row')).toEqual([
    ["a,1", "b"],
    ['say "hi"', ""],
    ["two\nlines", '5" pipe'],
    ["last", "row"],
  ]);
});

test("rows know the line on which they begin", async () => {
  const read = await Array.fromAsync(readCsv("a.csv", textChunks('a\n"b\nc"\n\nd\n')));
  expect(read.map(({ lineNumber }) => lineNumber)).toEqual([1, 2, 5]);
});

test("a quote that is never closed, and text behind a closing quote, are told with line and byte", async () => {
  await expect(fieldsOf('a,b\nc,"d\ne')).rejects.toThrow(
    "a.csv: line 2: the file ends inside a quoted field of the row that begins here (at byte 4)",
  );
  await expect(fieldsOf('a,b\nc,"d"e\nf\n')).rejects.toThrow(
    "a.csv: line 2: column 2 has text behind its closing quote (at byte 4)",
  );
});

test("a row over the limit is refused while it comes", () => {
  const parser = new CsvParser("a.csv", { maxRowBytes: 8 });
  parser.push(new TextEncoder().encode('"1234'));
  expect(() => parser.push(new TextEncoder().encode("\n56789"))).toThrow("is a quote never closed?");
});

test("arbitrary bytes end in rows or a FormatError", async () => {
  const bytes = fc.array(fc.constantFrom(0x22, 0x2c, 0x0a, 0x0d, 0x61, 0xef, 0xbb, 0xbf, 0xff), { maxLength: 24 });
  await fc.assert(
    fc.asyncProperty(bytes, fc.integer({ min: 1, max: 5 }), async (bytes, size) => {
      const chunks = inChunks(Uint8Array.from(bytes), size);
      const outcome = await Array.fromAsync(readCsv("a.csv", chunks)).catch((error: unknown) => error);
      expect(Array.isArray(outcome) || outcome instanceof FormatError).toBe(true);
    }),
  );
});
