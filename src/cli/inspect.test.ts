import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { expect, onTestFinished, test } from "vitest";
import { processKey, runSalvia, serveOn } from "../server-process.fake.ts";

function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "salvia-inspect-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const animals = "kind,weight\ncat,4\ncat,5\ndog,20\ndog,\n";

test("a file is shown with its facts, a table of its columns and its first records", async () => {
  const file = join(emptyFolder(), "animals.csv");
  writeFileSync(file, animals);
  const { code, stdout } = await runSalvia(["inspect", file, "--records", "1"]).ended;
  expect(code).toBe(0);
  expect(stdout).toBe(
    [
      file,
      "CSV, 36 B",
      "4 records, 2 columns",
      "",
      "column  type     count  missing  min   mean  max    std  distribution",
      "kind    text         4        0                          2 distinct: cat (2), dog (2)",
      "weight  integer      3        1    4  9.667   20  7.318  █          ▅",
      "",
      "record 1",
      '  kind: "cat"',
      "  weight: 4",
      "",
    ].join("\n"),
  );
});

test("names cannot play with the terminal", async () => {
  const file = join(emptyFolder(), "a.jsonl");
  writeFileSync(file, `${JSON.stringify({ "\u001b[31mred\u202e": "\u0007" })}\n`);
  const { stdout } = await runSalvia(["inspect", file]).ended;
  expect(stdout).toContain('  ·[31mred·: "·"\n');
});

test("a wrong file, flag or name is explained in one line", async () => {
  const folder = emptyFolder();
  const image = join(folder, "cat.png");
  writeFileSync(image, Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 1, 2));
  const say = async (...args: string[]) => {
    const { code, stderr } = await runSalvia(["inspect", ...args]).ended;
    return { code, stderr };
  };
  expect(await say(image)).toEqual({
    code: 1,
    stderr: `salvia inspect: ${image}: this is a PNG image, not a data file of records\n`,
  });
  expect(await say()).toMatchObject({ code: 2, stderr: expect.stringContaining("needs a file") });
  expect(await say(folder)).toMatchObject({ code: 2, stderr: `${folder} is a folder; name one of its files\n` });
  expect(await say(join(folder, "none"))).toMatchObject({ code: 1, stderr: expect.stringContaining("ENOENT") });
  expect(await say(image, "--limit", "many")).toMatchObject({ code: 2 });
});

test("an object of the running server is read by its S3 address, Parquet by ranges", async () => {
  const data = join(emptyFolder(), "data");
  const endpoint = await serveOn(data).ready();
  const s3 = new S3Client({ endpoint, region: "us-west-2", forcePathStyle: true, credentials: processKey });
  onTestFinished(() => s3.destroy());
  await s3.send(new CreateBucketCommand({ Bucket: "zoo" }));
  await s3.send(new PutObjectCommand({ Bucket: "zoo", Key: "a b/ä+.csv", Body: animals }));
  const people = readFileSync(new URL("../formats/fixtures/people-gzip.parquet", import.meta.url));
  await s3.send(new PutObjectCommand({ Bucket: "zoo", Key: "people.parquet", Body: people }));
  const say = (name: string) => runSalvia(["inspect", name, "--data", data]).ended;
  expect((await say("s3://zoo/a b/ä+.csv")).stdout).toContain("s3://zoo/a b/ä+.csv\nCSV, 36 B\n4 records, 2 columns\n");
  expect((await say("s3://zoo/people.parquet")).stdout).toContain("Parquet, 1.4 kB\n4 records, 4 columns\n");
  expect(await say("s3://zoo/none")).toMatchObject({
    code: 1,
    stderr: "salvia inspect: s3://zoo/none: there is no such object\n",
  });
});
