// An /opt/ml in a temporary folder, as the platform would lay it out for a job: for tests and benches.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { encodeRecord, type Tensor } from "../formats/record-protobuf.ts";
import { encodeRecordIo } from "../formats/recordio.ts";
import type { ChannelConfig } from "./task-folder.ts";

export interface FakeTask {
  readonly hyperparameters: Readonly<Record<string, string>>;
  readonly channels: Readonly<Record<string, ChannelConfig>>;
  /** Path below input/data → bytes. */
  readonly files: Readonly<Record<string, Uint8Array | string>>;
  readonly currentHost?: string;
  readonly hosts?: readonly string[];
}

/** RecordIO-protobuf, with labels as the SDK writes them when they are given. */
export function encodeRows(rows: readonly Float32Array[], labels?: readonly number[]): Uint8Array {
  const map = (tensor: Tensor): Map<string, Tensor> => new Map([["values", tensor]]);
  return Buffer.concat(
    rows.map((values, at) => {
      const label = labels && { label: map({ type: "int32", values: Int32Array.of(labels[at]!) }) };
      return encodeRecordIo(encodeRecord({ features: map({ type: "float32", values }), ...label }));
    }),
  );
}

/** The folder's path and the way to remove it. */
export function layTaskFolder(task: FakeTask): { readonly root: string; readonly remove: () => void } {
  const root = mkdtempSync(join(tmpdir(), "salvia-task-"));
  const write = (path: string, content: Uint8Array | string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  };
  const { currentHost = "algo-1", hosts = ["algo-1"] } = task;
  write("input/config/hyperparameters.json", JSON.stringify(task.hyperparameters));
  write("input/config/inputdataconfig.json", JSON.stringify(task.channels));
  write(
    "input/config/resourceconfig.json",
    JSON.stringify({ current_host: currentHost, hosts, network_interface_name: "lo" }),
  );
  for (const [path, content] of Object.entries(task.files)) write(`input/data/${path}`, content);
  return { root, remove: () => rmSync(root, { recursive: true }) };
}
