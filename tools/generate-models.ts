// Writes src/models/generated/ from the service models inside one pinned botocore wheel (Apache-2.0; see NOTICE).
// `node tools/generate-models.ts` writes; with --check it compares, names what differs and exits 1; without a wheel it exits 2.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { compactModel, type BotocoreModel } from "./compact-model.ts";
import { typesOf, servicesModule, type NamedModel } from "./model-types.ts";
import { readWheel } from "./wheel.ts";

const version = "1.44.5";
const sha256 = "8f16a56d1dff125dd65322ae021efa7ba5195a6db5102b96862566055b748921";
const cache = new URL("../.cache/botocore/", import.meta.url);
const wheel = new URL(`botocore-${version}-py3-none-any.whl`, cache);
const target = new URL("../src/models/generated/", import.meta.url);
const wanted =
  /^botocore\/data\/(sagemaker[^/]*|s3|sts|iam|logs|cloudwatch|ecr|application-autoscaling)\/[^/]+\/service-2\.json\.gz$/;

/** The pinned wheel's bytes, downloaded through pip when they are not in the cache yet. */
function wheelBytes(): Buffer {
  if (!existsSync(wheel)) {
    mkdirSync(cache, { recursive: true });
    const pip = ["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest", cache.pathname];
    try {
      execFileSync("python3", [...pip, `botocore==${version}`], { stdio: ["ignore", "inherit", "inherit"] });
    } catch (error) {
      process.stderr.write(
        `botocore ${version} is neither cached in ${cache.pathname} nor to be had through pip: ${String(error)}\n`,
      );
      process.exit(2);
    }
  }
  const bytes = readFileSync(wheel);
  const found = createHash("sha256").update(bytes).digest("hex");
  if (found !== sha256) throw new Error(`${wheel.pathname} has sha256 ${found}, but ${sha256} is pinned`);
  return bytes;
}

/** Every generated file by name. */
function generate(): Map<string, string> {
  const models: NamedModel[] = [];
  for (const [path, read] of readWheel(wheelBytes())) {
    const name = wanted.exec(path)?.[1];
    if (name === undefined) continue;
    // The wheel's bytes are pinned by their hash, so their shape is known.
    const source = JSON.parse(gunzipSync(read()).toString("utf8")) as BotocoreModel;
    models.push({ name, model: compactModel(source) });
  }
  models.sort((a, b) => (a.name < b.name ? -1 : 1));
  const files = new Map<string, string>();
  for (const { name, model } of models) {
    files.set(`${name}.json`, `${jsonLines(model)}\n`);
    files.set(`${name}.ts`, typesOf(name, model));
  }
  files.set("services.ts", servicesModule(models, version));
  return files;
}

/** One operation and one shape per line: small, and a model update is a readable diff. */
function jsonLines(model: BotocoreModel): string {
  const table = (entries: Readonly<Record<string, unknown>>) =>
    Object.entries(entries)
      .map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`)
      .join(",\n");
  return `{"metadata":${JSON.stringify(model.metadata)},\n"operations":{\n${table(model.operations)}\n},\n"shapes":{\n${table(model.shapes)}\n}}`;
}

const files = generate();
mkdirSync(target, { recursive: true });
const present = readdirSync(target);
const stale = present.filter((name) => !files.has(name));
if (process.argv.includes("--check")) {
  const differs = [...files].filter(
    ([name, text]) => !present.includes(name) || readFileSync(new URL(name, target), "utf8") !== text,
  );
  const names = [...differs.map(([name]) => name), ...stale];
  if (names.length > 0) {
    process.stderr.write(`src/models/generated differs from botocore ${version}: ${names.join(", ")}\n`);
    process.exit(1);
  }
  process.stdout.write(`src/models/generated matches botocore ${version} (${files.size} files)\n`);
} else {
  for (const name of stale) rmSync(new URL(name, target));
  for (const [name, text] of files) writeFileSync(new URL(name, target), text);
  process.stdout.write(`wrote ${files.size} files from botocore ${version}\n`);
}
