// The agent's part in a multi-model container: its door, its cache, and what it tells of them.
import { join } from "node:path";
import type { ModelMetric } from "../../task/report.ts";
import { ownAddress } from "../own-address.ts";
import { nowMs, type TaskRun } from "../task-run.ts";
import { ModelCache } from "./model-cache.ts";
import { connectToContainer } from "./model-container.ts";
import { openModelDoor } from "./model-door.ts";
import { makeModelsFolder, modelStore } from "./model-store.ts";

const tellEveryMs = 10_000;
/** Beyond this a busy container's older figures of one interval are left out. */
const mostMetrics = 2_000;
/** Of the volume; the rest is for what the container writes. */
const shareOfModels = 0.9;

/** Before the program is released, and again when an agent finds it running. */
export async function openModels(run: TaskRun, time: "first" | "again"): Promise<void> {
  const { spec, paths, state, connection, runner, clock, log, abandoned, doors } = run;
  if (doors.models) return;
  const models = join(paths.root, "models");
  if (time === "first") await makeModelsFolder(models);
  const told = tellMetrics(run, () => cache.loadedCount);
  const container = connectToContainer(async () => {
    const host = await runner.servingHost();
    if (host === undefined) throw new Error("the container has no address");
    return `http://${host}:${state.current.port}`;
  });
  const cache = new ModelCache({
    container,
    store: modelStore({
      folder: paths.folder,
      models,
      fetch: (target, signal) => connection.modelArchive(target, signal),
      signal: abandoned.signal,
    }),
    clock,
    mostBytes: spec.diskBytes === undefined ? Infinity : spec.diskBytes * shareOfModels,
    keepsLoaded: spec.multiModel?.keepsLoaded ?? true,
    onMetric: (name, value) => told.add(name, value),
  });
  const host = ownAddress(spec);
  const door = await openModelDoor({ host, port: state.current.modelDoorPort ?? 0, cache, container, clock, log });
  state.save({ modelDoorPort: door.port });
  doors.models = {
    address: `http://${host}:${door.port}`,
    close: () => {
      told.stop();
      door.close();
      container.close();
    },
  };
}

interface ToldMetrics {
  add(name: ModelMetric["name"], value: number): void;
  stop(): void;
}

function tellMetrics(run: TaskRun, loadedCount: () => number): ToldMetrics {
  let metrics: ModelMetric[] = [];
  const stop = run.clock.every(tellEveryMs, () => {
    if (metrics.length === 0) return;
    const all = [...metrics, { name: "LoadedModelCount" as const, value: loadedCount() }];
    run.reporter.tell({ type: "models", at: nowMs(run), metrics: all });
    metrics = [];
  });
  const add = (name: ModelMetric["name"], value: number): void => {
    if (metrics.length < mostMetrics) metrics.push({ name, value });
  };
  return { add, stop };
}
