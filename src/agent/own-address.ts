// Where an instance without a network of its own listens.
import type { TaskSpec } from "../task/task.ts";

/** This instance's own loopback address. Only Linux answers on all of 127.0.0.0/8 without set-up. */
export const ownAddress = ({ network }: TaskSpec): string =>
  process.platform === "linux" ? (network.addresses[network.host] ?? "127.0.0.1") : "127.0.0.1";
