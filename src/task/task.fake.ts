// A task for tests that ask only for some of its members.
import type { TaskSpec } from "./task.ts";

export const taskSpecFake: TaskSpec = {
  key: "k",
  ownerUid: "o",
  account: "000000000000",
  region: "us-west-2",
  purpose: "training",
  server: { url: "http://127.0.0.1:1", token: "t" },
  program: { kind: "algorithm", name: "kmeans", command: "train" },
  network: { host: "algo-1", addresses: {}, isAlone: true },
  environment: {},
  configFiles: {},
  graceSeconds: 1,
};
