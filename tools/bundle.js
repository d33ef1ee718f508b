// Builds dist/: one bundle with split chunks (each command loads only its own), with the model tables beside it.
import { cpSync, existsSync, globSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const building = join(root, `dist.${process.pid}`);
await build({
  absWorkingDir: root,
  entryPoints: { salvia: "src/main.ts" },
  outdir: building,
  bundle: true,
  splitting: true,
  platform: "node",
  format: "esm",
  target: "node22",
  sourcemap: "linked",
  logLevel: "warning",
  banner: {
    js: "import { createRequire as salviaRequire } from 'node:module'; const require = salviaRequire(import.meta.url);",
  },
});
mkdirSync(join(building, "models"), { recursive: true });
for (const file of globSync("src/models/generated/*.json", { cwd: root }))
  cpSync(join(root, file), join(building, "models", basename(file)));
for (const file of globSync("src/kernels/**/*.wasm", { cwd: root }))
  cpSync(join(root, file), join(building, basename(file)));
// Running servers keep the old files open; the swap is two renames.
const dist = join(root, "dist");
const old = join(root, `dist.old.${process.pid}`);
if (existsSync(dist)) renameSync(dist, old);
renameSync(building, dist);
rmSync(old, { recursive: true, force: true });
