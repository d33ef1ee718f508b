// Makes a checkout ready to run: installs packages when they are missing or older than the lock file, then builds dist/
// when a source is newer. Plain JavaScript, since it runs before there is a Node new enough for TypeScript.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modifiedAt = (file) => (existsSync(file) ? statSync(file).mtimeMs : 0);

const run = (command, args) => {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
};

const installedAt = modifiedAt(join(root, "node_modules", ".package-lock.json"));
if (installedAt === 0 || installedAt < modifiedAt(join(root, "package-lock.json"))) {
  process.stdout.write("Installing packages (once, about 20 s; they stay in node_modules) …\n");
  run("npm", ["install", "--no-audit", "--no-fund", "--loglevel=error"]);
}

const newestIn = (folder) => {
  let newest = 0;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) newest = Math.max(newest, statSync(join(entry.parentPath ?? entry.path, entry.name)).mtimeMs);
  }
  return newest;
};

const builtAt = modifiedAt(join(root, "dist", "salvia.js"));
if (builtAt < newestIn(join(root, "src")) || builtAt < modifiedAt(join(root, "tools", "bundle.js"))) {
  run(join(root, "node_modules", "node", "bin", "node"), [join(root, "tools", "bundle.js")]);
}
