// `npm run bench` (all) or `npm run bench -- NAME…`: each bench prints a table with the peer's figure and the ratio.
import { printTable, type BenchRow } from "./table.ts";

interface Bench {
  readonly name: string;
  readonly title: string;
  run(): Promise<readonly BenchRow[]>;
}

const benches: readonly Bench[] = [
  {
    name: "api",
    title: "API: requests per second beside moto_server, keep-alive clients, signatures verified, rows durable",
    run: async () => (await import("./api/api.ts")).run(),
  },
  {
    name: "s3",
    title: "S3: objects and listings beside moto_server, streams beside a bare Node stream to disk with fsync",
    run: async () => (await import("./s3/s3.ts")).run(),
  },
  {
    name: "registry",
    title: "Registry: a layer beside a bare Node stream to disk with fsync, whole images beside the reference registry",
    run: async () => (await import("./registry/registry.ts")).run(),
  },
  {
    name: "docker",
    title: "Docker: what Salvia adds to the start of a container, beside a bare `docker run` and SDK 2's local mode",
    run: async () => (await import("./docker/docker.ts")).run(),
  },
  {
    name: "inputs",
    title: "Inputs: Pipe mode beside `cat`",
    run: async () => (await import("./inputs/inputs.ts")).run(),
  },
  {
    name: "file-mode",
    title: "File mode: 2 GB into a job's folder beside `cp -r`",
    run: async () => (await import("./inputs/file-mode.ts")).run(),
  },
  {
    name: "archive",
    title: "Archive: a model's archive beside `tar | pigz`",
    run: async () => (await import("./inputs/archive.ts")).run(),
  },
  {
    name: "start",
    title: "Start: cold start of the server, and from CreateTrainingJob to the algorithm's first line",
    run: async () => (await import("./start/start.ts")).run(),
  },
  {
    name: "listing",
    title: "Lists: the first page of 100,000 training jobs, filtered and sorted",
    run: async () => (await import("./listing/listing.ts")).run(),
  },
  {
    name: "identity",
    title: "Identity: what a request pays for its signature and for the decision by policies",
    run: async () => (await import("./identity/identity.ts")).run(),
  },
  {
    name: "cloudwatch",
    title: "CloudWatch: 100,000 points in, and statistics, data and math over them, beside moto_server",
    run: async () => (await import("./cloudwatch/cloudwatch.ts")).run(),
  },
  {
    name: "logs",
    title: "Logs: a million lines come in, are read, filtered and queried; beside moto_server with 10,000",
    run: async () => (await import("./logs/logs.ts")).run(),
  },
  {
    name: "kmeans",
    title: "k-means: 60,000 × 784 generated digit-like rows, k = 10, beside scikit-learn",
    run: async () => (await import("./kmeans/kmeans.ts")).run(),
  },
];

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !benches.some((bench) => bench.name === name));
if (unknown.length > 0) {
  process.stderr.write(
    `There is no bench ${unknown.join(", ")}. There are: ${benches.map((bench) => bench.name).join(", ")}.\n`,
  );
  process.exit(2);
}
for (const bench of benches) {
  if (asked.length > 0 && !asked.includes(bench.name)) continue;
  process.stdout.write(`\nRunning ${bench.name} …\n`);
  printTable(bench.title, await bench.run());
}
