// Tasks of container images: an agent on this machine, as for every task, and a container that the agent makes. This adds what outlives
// an agent: the networks, and the removal of containers. Everything it needs to know stands in the tasks' folders and on labels.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import {
  connectToEngine,
  EngineAwayError,
  engineHas,
  EngineRefusalError,
  filterQuery,
  type DockerEngine,
} from "../../lib/docker-engine.ts";
import type { Log } from "../../lib/log.ts";
import { installationLabel, taskLabel, type ContainerPlace } from "../../task/container-place.ts";
import { readOwnJson, taskPaths } from "../../task/task-folder.ts";
import type { TaskSpec } from "../../task/task.ts";
import { CapacityError, ImageError, type ComputeBackend } from "../backend.ts";
import { createNetworks, placeOf, type Networks } from "./networks.ts";

export interface DockerBackendOptions {
  /** Runs the agents, and programs that are no images. Its tasks lie in `tasks/` of the same data folder. */
  readonly agents: ComputeBackend;
  readonly dataFolder: string;
  /** As in DOCKER_HOST; undefined: the usual socket. */
  readonly engineAddress: string | undefined;
  readonly log: Log;
}

interface Listed {
  readonly Id: string;
  readonly Labels: Readonly<Record<string, string>>;
}

/** Who starts containers on an engine: the data folder. */
export const installationOf = (dataFolder: string): string =>
  createHash("sha256")
    .update(existsSync(dataFolder) ? realpathSync(dataFolder) : dataFolder)
    .digest("hex")
    .slice(0, 12);

export function createDockerBackend(options: DockerBackendOptions): ComputeBackend {
  const { agents, dataFolder, log } = options;
  const engine = connectToEngine(options.engineAddress);
  const installation = installationOf(dataFolder);
  const networks = createNetworks(engine, installation);
  const inTurn = queue();
  const containers = (label: string): Promise<readonly Listed[]> =>
    engine.ask({ method: "GET", path: `/containers/json?all=1&${filterQuery({ label: [label] })}` });

  const start = async (task: TaskSpec): Promise<void> => {
    const place = await placeFor(task, networks, { engine: engine.address, installation });
    await agents.start({ ...task, container: place });
  };
  const clear = async (key: string): Promise<void> => {
    for (const { Id } of await containers(`${taskLabel}=${key}`)) await removeContainer(engine, Id);
    await networks.removeUnused(usedNetworks(dataFolder));
  };
  /** What cannot be done now, the sweeper asks for again: the label is still there. */
  const whenItAnswers = async (what: string, act: () => Promise<void>): Promise<void> => {
    if (!engine.mayExist()) return;
    try {
      await act();
    } catch (error) {
      if (!(error instanceof EngineAwayError)) throw error;
      log.warn(what, { problem: error.message });
    }
  };

  const keysOfContainers = async (): Promise<readonly string[]> => {
    const keys: string[] = [];
    await whenItAnswers("containers could not be listed", async () => {
      const found = await containers(`${installationLabel}=${installation}`);
      keys.push(...found.flatMap(({ Labels }) => Labels[taskLabel] ?? []));
    });
    return keys;
  };

  return {
    name: "docker",
    get features() {
      return new Set([...agents.features, ...(engine.mayExist() ? (["images"] as const) : [])]);
    },
    hasImage: async (names) => {
      const found: string[] = [];
      await whenItAnswers("images could not be asked for", async () => void found.push(...(await here(engine, names))));
      return found.length > 0;
    },
    start: (task) => (task.program.kind === "image" ? inTurn(() => start(task)) : agents.start(task)),
    inspect: (key) => agents.inspect(key),
    stop: (key, graceSeconds) => agents.stop(key, graceSeconds),
    remove: async (key) => {
      const spec = readOwnJson<TaskSpec>(taskPaths(join(dataFolder, "tasks", key)).task);
      await agents.remove(key);
      if (spec && spec.program.kind !== "image") return;
      await inTurn(() => whenItAnswers("a container could not be removed", () => clear(key)));
    },
    list: () => listAll(agents, keysOfContainers),
  };
}

async function here(engine: DockerEngine, names: readonly string[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const name of names) if (await engineHas(engine, name)) found.push(name);
  return found;
}

async function removeContainer(engine: DockerEngine, id: string): Promise<void> {
  try {
    await engine.ask({ method: "DELETE", path: `/containers/${id}?force=1&v=1` });
  } catch (error) {
    // Gone, or somebody else is at it.
    if (!(error instanceof EngineRefusalError && [404, 409].includes(error.status))) throw error;
  }
}

/** Tasks with a folder, then containers whose task has none any more. */
async function* listAll(agents: ComputeBackend, keysOfContainers: () => Promise<readonly string[]>) {
  const seen = new Set<string>();
  for await (const key of agents.list()) {
    seen.add(key);
    yield key;
  }
  for (const key of new Set(await keysOfContainers())) if (!seen.has(key)) yield key;
}

async function placeFor(
  task: TaskSpec,
  networks: Networks,
  ground: Pick<ContainerPlace, "engine" | "installation">,
): Promise<ContainerPlace> {
  try {
    return { ...ground, ...(await placeOf(task, networks, ground.installation)) };
  } catch (error) {
    if (error instanceof EngineAwayError) throw new CapacityError(`Waiting for the Docker Engine: ${error.message}`);
    if (!(error instanceof EngineRefusalError)) throw error;
    if (/address pool|overlap/i.test(error.message)) throw new CapacityError(`Waiting for a network: ${error.message}`);
    throw new ImageError(error.message);
  }
}

/** Networks that a task of this data folder has its place on. */
function usedNetworks(dataFolder: string): ReadonlySet<string> {
  const tasks = join(dataFolder, "tasks");
  const names = existsSync(tasks) ? readdirSync(tasks) : [];
  const used = names.flatMap((name) => {
    const network = readOwnJson<TaskSpec>(taskPaths(join(tasks, name)).task)?.container?.network;
    return network === undefined ? [] : [network];
  });
  return new Set(used);
}

/** One after the other: a network is not removed while a task takes its place on it. */
function queue() {
  let last: Promise<unknown> = Promise.resolve();
  return <T>(act: () => Promise<T>): Promise<T> => {
    const mine = last.then(act);
    last = mine.catch(() => undefined);
    return mine;
  };
}
