// The architecture in one table, enforced by `npm run check:rooms`: who may import whom.
export const rooms: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  models: ["lib"],
  kernels: ["lib"],
  database: ["lib"],
  storage: ["lib"],
  formats: ["lib"],
  task: ["lib"], // the contract between server and agent: task, channel plan, reports
  compute: ["task", "lib"],
  engine: ["database", "compute", "lib"],
  algorithms: ["kernels", "formats", "lib"], // runs inside the task: no server code, ever
  agent: ["task", "formats", "lib"], // runs beside the task: no server code, no storage: it asks for a plan
  protocols: ["models", "lib"],
  proxy: ["lib"], // of `salvia exec`: moves bytes, knows no API
  services: ["engine", "database", "storage", "compute", "task", "formats", "algorithms", "models", "lib"],
  http: ["services", "protocols", "models", "lib"],
  cli: ["*"],
};

/** Folders that only the composition root (src/main.ts, src/cli) and tests may reach into; others see the interface beside them. */
export const privateFolders: readonly string[] = [
  "compute/process",
  "compute/docker",
  "compute/fake",
  "database/sqlite",
  "database/postgres",
  "storage/filesystem",
];
