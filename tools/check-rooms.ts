// Enforces tools/rooms.ts: reads every import of src/ and says which one crosses a wall.
import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { parseSync } from "oxc-parser";
import { privateFolders, rooms } from "./rooms.ts";

const isTest = (file: string): boolean => /\.(test|contract|fake)\.ts$/.test(file);
const isComposition = (file: string): boolean => !file.includes("/") || file.startsWith("cli/");

export interface Import {
  /** Both relative to src/. */
  readonly from: string;
  readonly to: string;
}

/** What is wrong with an import, or undefined. */
export function problemOf({ from, to }: Import): string | undefined {
  if (isTest(from)) return undefined;
  return (isComposition(from) ? undefined : roomProblem(from, to)) ?? serviceProblem(from, to);
}

function roomProblem(from: string, to: string): string | undefined {
  const [fromRoom = ""] = from.split("/");
  const [toRoom = ""] = to.split("/");
  if (!to.includes("/")) return `only the composition root may import ${to}`;
  const allowed = rooms[fromRoom];
  if (!allowed) return `the room ${fromRoom} is not in tools/rooms.ts`;
  if (fromRoom !== toRoom && !allowed.includes(toRoom)) return `${fromRoom} may not import ${toRoom}`;
  const folder = privateFolders.find((candidate) => to.startsWith(`${candidate}/`));
  return folder && !from.startsWith(`${folder}/`) ? `${folder} is private: use the interface beside it` : undefined;
}

function serviceProblem(from: string, to: string): string | undefined {
  const [fromRoom, fromPart] = from.split("/");
  const [toRoom, toPart, ...rest] = to.split("/");
  if (fromRoom !== "services" || toRoom !== "services") return undefined;
  const isOther = rest.length > 0 && toPart !== fromPart && from.split("/").length > 2;
  return isOther && rest.join("/") !== "index.ts" ? `reach services/${toPart} through its index.ts` : undefined;
}

function importsOf(file: string): Import[] {
  const { module } = parseSync(file, readFileSync(join("src", file), "utf8"));
  const targets = [
    ...module.staticImports.map((found) => found.moduleRequest.value),
    ...module.staticExports.flatMap((found) => found.entries.flatMap((entry) => entry.moduleRequest?.value ?? [])),
    ...module.dynamicImports.map((found) =>
      readFileSync(join("src", file), "utf8").slice(found.moduleRequest.start + 1, found.moduleRequest.end - 1),
    ),
  ];
  return targets
    .filter((target) => target.startsWith("."))
    .map((target) => ({ from: file, to: relative("src", join("src", dirname(file), target)) }));
}

if (import.meta.main) {
  const files = globSync("**/*.ts", { cwd: "src" }).filter(
    (file) => !file.startsWith("kernels/assembly/") && !file.startsWith("models/generated/"),
  );
  const problems = files.flatMap((file) =>
    importsOf(file).flatMap((found) => {
      const problem = problemOf(found);
      return problem ? [`src/${found.from} → src/${found.to}: ${problem}`] : [];
    }),
  );
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  process.stdout.write(`rooms: ${files.length} files, ${problems.length} forbidden imports\n`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
