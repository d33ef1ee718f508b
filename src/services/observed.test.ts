import { globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { observed } from "./observed.ts";

const snake = (name: string): string => name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, "_").toLowerCase();

/** Operations that a client's helper makes, and the call that makes them. */
const made: Readonly<Record<string, string>> = {
  UploadPart: "upload_fileobj",
  CreateMultipartUpload: "upload_fileobj",
  CompleteMultipartUpload: "upload_fileobj",
};

test("every operation that is called full is called by an acceptance test", () => {
  const sources = globSync(["acceptance/**/*.{py,ts}", "examples/quickstart/*.ts"])
    .map((file) => readFileSync(file, "utf8"))
    .join("\n");
  const missing = Object.values(observed)
    .flat()
    .filter(
      (name) =>
        ![`${name}Command(`, `.${snake(name)}(`, `.${snake(name)},`, made[name] ?? "\0"].some((call) =>
          sources.includes(call),
        ),
    );
  expect(missing).toEqual([]);
});
