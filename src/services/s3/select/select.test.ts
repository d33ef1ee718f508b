import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import type {
  InputSerialization,
  OutputSerialization,
  SelectObjectContentEventStream,
} from "../../../models/generated/s3.ts";
import { createFakeS3, type FakeS3 } from "../s3.fake.ts";

const people = 'name,age,city\nAnn,30,Rome\r\nBob,4,"New York, NY"\nCléo,,Oslo\n';
const withHeader: InputSerialization = { CSV: { FileHeaderInfo: "USE" } };
const asCsv: OutputSerialization = { CSV: {} };

async function start(body: string | Uint8Array): Promise<FakeS3> {
  const fake = await createFakeS3();
  await fake.call("CreateBucket", { Bucket: "digits" }, { region: "us-east-1" });
  await fake.call("PutObject", { Bucket: "digits", Key: "k", Body: body });
  return fake;
}

interface Selection {
  readonly input?: InputSerialization;
  readonly output?: OutputSerialization;
  readonly hasProgress?: boolean;
}

async function eventsOf({ call }: FakeS3, Expression: string, selection: Selection = {}) {
  const { input = withHeader, output = asCsv, hasProgress = false } = selection;
  const { Payload } = await call("SelectObjectContent", {
    Bucket: "digits",
    Key: "k",
    Expression,
    ExpressionType: "SQL",
    InputSerialization: input,
    OutputSerialization: output,
    RequestProgress: { Enabled: hasProgress },
  });
  const events: SelectObjectContentEventStream[] = [];
  for await (const event of Payload ?? []) events.push(event);
  return events;
}

async function selected(fake: FakeS3, expression: string, selection?: Selection): Promise<string> {
  const events = await eventsOf(fake, expression, selection);
  return Buffer.concat(events.flatMap(({ Records }) => (Records?.Payload ? [Records.Payload] : []))).toString();
}

test.each([
  ["SELECT * FROM S3Object", 'Ann,30,Rome\nBob,4,"New York, NY"\nCléo,,Oslo\n'],
  ["select s.name, s._2 AS years from s3object s where s.name <> 'Cléo' and cast(s.age as int) > 5", "Ann,30\n"],
  ["SELECT name FROM S3Object WHERE age = '' OR city LIKE 'New%'", "Bob\nCléo\n"],
  ["SELECT name FROM S3Object WHERE age BETWEEN 1 AND 10", "Bob\n"],
  ["SELECT name FROM S3Object WHERE age > 5 AND NOT city IN ('Oslo', 'Paris')", "Ann\n"],
  ["SELECT name FROM S3Object WHERE city NOT LIKE '%o%' ", ""],
  ["SELECT name FROM S3Object WHERE nothing IS NULL LIMIT 2", "Ann\nBob\n"],
  ["SELECT name FROM S3Object WHERE name IS NOT NULL AND \"name\" <> 'Ann' AND s3object.name != 'Bob'", "Cléo\n"],
  ["SELECT UPPER(name), LOWER(city), CHAR_LENGTH(name) FROM S3Object LIMIT 1", "ANN,rome,3\n"],
  [
    "SELECT SUBSTRING(name, 2), SUBSTRING(name FROM 1 FOR 2), TRIM(BOTH 'A' FROM name) FROM S3Object LIMIT 1",
    "nn,An,nn\n",
  ],
  ["SELECT name || '-' || city FROM S3Object WHERE name LIKE '_o_'", '"Bob-New York, NY"\n'],
  ["SELECT 1 + 2 * 3, -age, COALESCE(nothing, 'x'), NULLIF(name, 'Ann') FROM S3Object LIMIT 1", "7,-30,x,\n"],
  ["SELECT COUNT(*), COUNT(nothing), MIN(name), MAX(name) FROM S3Object", "3,0,Ann,Cléo\n"],
  ["SELECT SUM(age), AVG(CAST(age AS FLOAT)), MIN(age), MAX(age) FROM S3Object WHERE age <> ''", "34,17,4,30\n"],
  ["SELECT SUM(age) / COUNT(*) AS mean FROM S3Object WHERE age > 100", "\n"],
])("%s", async (expression, expected) => {
  const fake = await start(people);
  expect(await selected(fake, expression)).toBe(expected);
});

test("CSV is read and written with the delimiters, quotes and comments that a request names", async () => {
  const fake = await start("#c\na;'x''y';1|b;z;2");
  const input = { CSV: { RecordDelimiter: "|", FieldDelimiter: ";", QuoteCharacter: "'", QuoteEscapeCharacter: "'" } };
  const output = { CSV: { QuoteFields: "ALWAYS", FieldDelimiter: "\t", RecordDelimiter: "!" } } as const;
  expect(await selected(fake, "SELECT s._2, s._3 FROM S3Object s", { input, output })).toBe(`"x'y"\t"1"!"z"\t"2"!`);
  const commented = { CSV: { Comments: "#", FieldDelimiter: ";" } };
  expect(await selected(fake, "SELECT COUNT(*) FROM S3Object", { input: commented })).toBe("1\n");
});

test("JSON lines and documents are walked by path, and packed input is unpacked", async () => {
  const lines = '{"a":{"b":[1,2]},"n":"x"}\n\n{"a":{"b":[3]},"n":null}\n';
  const json = { JSON: {} };
  const packed = await start(gzipSync(lines));
  const input = { JSON: { Type: "LINES" }, CompressionType: "GZIP" } as const;
  const sql = "SELECT s.a.b[0] AS first, s.n FROM S3Object s WHERE s.a.b[0] >= 1";
  expect(await selected(packed, sql, { input, output: json })).toBe('{"first":1,"n":"x"}\n{"first":3,"n":null}\n');
  const document = await start('{"rules":[{"id":1},{"id":2,"on":true}]}');
  const whole = { JSON: { Type: "DOCUMENT" } } as const;
  const rules = "SELECT r.id FROM S3Object[*].rules[*] r WHERE r.on = true";
  expect(await selected(document, rules, { input: whole, output: json })).toBe('{"id":2}\n');
  expect(await selected(document, "SELECT * FROM S3Object", { input: whole })).toBe(
    '"[{""id"":1},{""id"":2,""on"":true}]"\n',
  );
});

test("the stream ends with figures, and shows progress where it is asked for", async () => {
  const fake = await start(people);
  const events = await eventsOf(fake, "SELECT name FROM S3Object", { hasProgress: true });
  const bytes = Buffer.byteLength(people);
  const Details = { BytesScanned: bytes, BytesProcessed: bytes, BytesReturned: Buffer.byteLength("Ann\nBob\nCléo\n") };
  expect(events.slice(1)).toEqual([{ Progress: { Details } }, { Stats: { Details } }, { End: {} }]);
});

test("many records come in many events, whole and in order, however the chunks fall", async () => {
  const rows = Array.from({ length: 30_000 }, (_, at) => `${at},"a ""quoted"" é\n${at}"`);
  const fake = await start(`${rows.join("\n")}\n`);
  const events = await eventsOf(fake, "SELECT * FROM S3Object", { input: { CSV: {} } });
  const payloads = events.flatMap(({ Records }) => (Records?.Payload ? [Records.Payload] : []));
  expect(payloads.length).toBeGreaterThan(5);
  expect(Buffer.concat(payloads).toString()).toBe(`${rows.join("\n")}\n`);
});

test.each([
  ["SELEC * FROM S3Object", "ParseExpectedKeyword"],
  ["SELECT name", "ParseSelectMissingFrom"],
  ["SELECT * FROM S3Object WHERE", "ParseUnexpectedToken"],
  ["SELECT *, name FROM S3Object", "ParseAsteriskIsNotAloneInSelectList"],
  ["SELECT name FROM people", "ParseUnsupportedSelect"],
  ["SELECT name FROM S3Object GROUP BY name", "ParseUnsupportedSyntax"],
  ["SELECT name, COUNT(*) FROM S3Object", "ParseUnsupportedSelect"],
  ["SELECT SLEEP(1) FROM S3Object", "UnsupportedFunction"],
  ["SELECT CAST(name AS THING) FROM S3Object", "ParseExpectedTypeName"],
  ["SELECT 'x FROM S3Object", "LexerInvalidLiteral"],
  ["SELECT ; FROM S3Object", "LexerInvalidChar"],
  ["SELECT * FROM S3Object LIMIT x", "ParseExpectedNumber"],
  [`SELECT ${"(".repeat(1_000)} FROM S3Object`, "ExpressionTooLong"],
])("a query that is none is refused before the stream: %s", async (expression, code) => {
  const fake = await start(people);
  await expect(eventsOf(fake, expression)).rejects.toMatchObject({ code });
});

test("what goes wrong in the middle ends the stream with its code", async () => {
  const fake = await start(people);
  await expect(selected(fake, "SELECT CAST(name AS INT) FROM S3Object")).rejects.toMatchObject({ code: "CastFailed" });
  const input = { CSV: {}, CompressionType: "GZIP" } as const;
  await expect(selected(fake, "SELECT * FROM S3Object", { input })).rejects.toMatchObject({
    code: "InvalidCompressionFormat",
  });
  const json = { JSON: { Type: "LINES" } } as const;
  await expect(selected(fake, "SELECT * FROM S3Object", { input: json })).rejects.toMatchObject({
    code: "JSONParsingError",
  });
});

test("a pattern of many percent signs takes no long time", async () => {
  const fake = await start(`${"a".repeat(5_000)}\n`);
  const sql = `SELECT COUNT(*) FROM S3Object WHERE _1 LIKE '${"%a".repeat(200)}%b'`;
  expect(await selected(fake, sql, { input: { CSV: {} } })).toBe("0\n");
});
