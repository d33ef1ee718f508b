// Runs the program as a container of the Docker Engine. The engine keeps the books: whether it was started, how it ended and what it
// wrote are asked of it, so that an agent killed at any moment and started again finds everything.
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import type { Clock } from "../../lib/clock.ts";
import { EngineAwayError, EngineRefusalError, type DockerEngine } from "../../lib/docker-engine.ts";
import type { Log } from "../../lib/log.ts";
import { addLoopbackAddress, isRoot, ownAgain } from "../../lib/root-errand.ts";
import { containerName, taskLabels, type ContainerPlace } from "../../task/container-place.ts";
import type { TaskPaths } from "../../task/task-folder.ts";
import type { ImageProgram, TaskSpec } from "../../task/task.ts";
import { untilItWorks } from "../back-off.ts";
import type { MachineDevices } from "../machine-devices.ts";
import { StageError } from "../planned-path.ts";
import type { Bind } from "../binds.ts";
import { cannotStart } from "./container-problems.ts";
import { containerRequest, type EngineImage } from "./container-request.ts";
import { startOutputCopy, type OutputCopy } from "./copy-output.ts";
import { credentialsAddress, ensureCredentialsAddress } from "./credentials-address.ts";
import { ensureImage } from "./ensure-image.ts";
import type { ProgramAddresses } from "./program-command.ts";
import { writeContract } from "./write-contract.ts";
import type { CredentialsHost, ProgramExit, ProgramState, Runner, Usage } from "./runner.ts";

export interface DockerRunnerOptions {
  readonly spec: TaskSpec;
  readonly program: ImageProgram;
  readonly place: ContainerPlace;
  readonly paths: TaskPaths;
  readonly engine: DockerEngine;
  readonly clock: Clock;
  readonly log: Log;
  /** Aborts when nobody wants the task's preparation any more. */
  readonly signal: AbortSignal;
  readonly addresses: () => ProgramAddresses;
  readonly binds: () => readonly Bind[];
  /** Accelerators of this machine. */
  readonly devices: MachineDevices;
  /** For people, while the image comes. */
  readonly tell: (message: string) => void;
}

/** Of GET /containers/ID/json, what is used. */
interface Inspected {
  readonly State: {
    readonly Status: "created" | "running" | "paused" | "restarting" | "removing" | "exited" | "dead";
    readonly ExitCode: number;
    readonly Error: string;
    readonly OOMKilled: boolean;
    readonly StartedAt: string;
    readonly FinishedAt: string;
  };
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, { readonly IPAddress: string }>> };
}

interface Stats {
  readonly cpu_stats?: { readonly cpu_usage?: { readonly total_usage?: number } };
  readonly memory_stats?: {
    readonly usage?: number;
    readonly limit?: number;
    readonly stats?: Readonly<Record<string, number>>;
  };
}

interface Sizes {
  readonly SizeRw?: number;
}

/** Where SageMaker's containers listen. */
const servingPort = 8080;
/** How containers end that were killed with their engine. */
const killedCodes: readonly number[] = [137, 143, 255];
const outOfMemory =
  "ClientError: Please use an instance type with more memory, or reduce the size of job data processed on an instance.";

const isRefusal = (error: unknown, ...statuses: readonly number[]): error is EngineRefusalError =>
  error instanceof EngineRefusalError && (statuses.length === 0 || statuses.includes(error.status));

const isNotAway = (error: unknown): boolean => !(error instanceof EngineAwayError);

class DockerRunner implements Runner {
  readonly #options: DockerRunnerOptions;
  readonly #path: string;
  #output: OutputCopy | undefined;
  /** The engine did not answer while the program ran: it may have taken it along. */
  #wasAway = false;
  #host: string | undefined;

  constructor(options: DockerRunnerOptions) {
    this.#options = options;
    this.#path = `/containers/${containerName(options.spec.key)}`;
  }

  async prepare(): Promise<void> {
    const { spec, paths, program, place, engine, clock, log, signal, addresses, binds } = this.#options;
    writeContract(spec, paths.root);
    // An image may run as any user.
    openToAll(paths.root);
    const patience = { clock, log, signal };
    await untilItWorks(
      "container",
      patience,
      async () => {
        const image = await this.#image();
        // One of an agent that was killed before the release.
        await this.destroy();
        const body = containerRequest({
          spec,
          program,
          place,
          image,
          root: paths.root,
          addresses: addresses(),
          binds: binds(),
        });
        const path = `/containers/create?name=${containerName(spec.key)}`;
        try {
          await engine.ask({ method: "POST", path, body, signal });
        } catch (error) {
          if (isRefusal(error)) throw new StageError(cannotStart(spec, error.message));
          throw error;
        }
      },
      isNotAway,
    );
  }

  async release(onEnd: () => void): Promise<void> {
    const { engine, log, paths } = this.#options;
    const found = await this.#inspect();
    if (found?.State.Status !== "created" || found.State.Error !== "") return;
    try {
      await engine.ask({ method: "POST", path: `${this.#path}/start` });
    } catch (error) {
      // The engine remembers why: `look` reads it there.
      if (!isRefusal(error)) throw error;
      log.warn("the container cannot be started", { error: error.message });
      return;
    }
    mkdirSync(paths.started, { recursive: true });
    this.#followOutput();
    engine.ask({ method: "POST", path: `${this.#path}/wait?condition=not-running`, timeoutMs: 0 }).then(
      onEnd,
      // `look` finds out by itself.
      (error: unknown) => log.debug("the container's end was not awaited", { error }),
    );
  }

  async look(): Promise<ProgramState> {
    const { paths } = this.#options;
    try {
      const found = await this.#inspect();
      if (!found) return existsSync(paths.started) ? { is: "lost", startedAt: this.#startedAt() } : notStarted;
      return await this.#stateOf(found);
    } catch (error) {
      if (!(error instanceof EngineAwayError)) throw error;
      this.#wasAway = true;
      return existsSync(paths.started) ? { is: "running", startedAt: this.#startedAt() } : notStarted;
    }
  }

  async terminate(): Promise<boolean> {
    return this.#signal("SIGTERM");
  }

  async kill(): Promise<void> {
    await this.#signal("SIGKILL");
  }

  async destroy(): Promise<void> {
    this.#output?.close();
    try {
      await this.#options.engine.ask({ method: "DELETE", path: `${this.#path}?force=1&v=1` });
    } catch (error) {
      // A container that stays behind is swept by the server later.
      if (!isRefusal(error, 404, 409) && !(error instanceof EngineAwayError)) throw error;
    }
  }

  async reclaim(): Promise<void> {
    const { engine, clock, log, signal, paths, program, place, spec } = this.#options;
    if (isRoot()) return;
    try {
      const ground = { images: program.localNames, labels: taskLabels(place, spec.key) };
      const patience = { clock, log, signal };
      await untilItWorks("ownership", patience, () => ownAgain(engine, paths.folder, ground), isNotAway);
    } catch (error) {
      signal.throwIfAborted();
      // What cannot be read is told, file by file, when it is wanted.
      log.warn("the program's files still belong to others", { error });
    }
  }

  async usage(): Promise<Usage> {
    try {
      const path = `${this.#path}/stats?stream=false&one-shot=true`;
      const { cpu_stats: cpu, memory_stats: memory } = await this.#options.engine.ask<Stats>({ method: "GET", path });
      return {
        cpuMs: (cpu?.cpu_usage?.total_usage ?? 0) / 1e6,
        memoryBytes: usedMemory(memory),
        ...(memory?.limit === undefined ? {} : { memoryLimitBytes: memory.limit }),
      };
    } catch (error) {
      if (!isRefusal(error) && !(error instanceof EngineAwayError)) throw error;
      return { cpuMs: 0, memoryBytes: 0 };
    }
  }

  /** The container's own layer, and the engine's log of it: as long as the output, which it copies. */
  async outsideBytes(): Promise<number> {
    try {
      const { SizeRw } = await this.#options.engine.ask<Sizes>({ method: "GET", path: `${this.#path}/json?size=true` });
      return (SizeRw ?? 0) + (statSync(this.#options.paths.output, { throwIfNoEntry: false })?.size ?? 0);
    } catch (error) {
      if (!isRefusal(error) && !(error instanceof EngineAwayError)) throw error;
      return 0;
    }
  }

  gatewayHost(): string {
    return this.#options.place.gateway;
  }

  async credentialsHost(): Promise<CredentialsHost> {
    if (await ensureCredentialsAddress(() => this.#addAddress())) return { host: credentialsAddress };
    return {
      problem: `AWS's SDKs find no credentials in this container until somebody runs this on its machine, once after each boot: sudo ip address add ${credentialsAddress}/32 dev lo`,
    };
  }

  /** As a user of the engine who is not root. */
  async #addAddress(): Promise<void> {
    const { engine, clock, log, signal, place, spec } = this.#options;
    const { name } = await untilItWorks("image", { clock, log, signal }, () => this.#image(), isNotAway);
    try {
      await addLoopbackAddress(engine, credentialsAddress, { images: [name], labels: taskLabels(place, spec.key) });
    } catch (error) {
      log.warn("the address of the credentials cannot be made", { error });
    }
  }

  #image(): Promise<EngineImage> {
    return ensureImage(this.#options);
  }

  async choosePort(): Promise<number> {
    return servingPort;
  }

  async servingHost(): Promise<string | undefined> {
    if (this.#host !== undefined) return this.#host;
    try {
      const address = (await this.#inspect())?.NetworkSettings.Networks[this.#options.place.network]?.IPAddress;
      if (address) this.#host = address;
    } catch (error) {
      if (!(error instanceof EngineAwayError)) throw error;
    }
    return this.#host;
  }

  async #stateOf({ State: state }: Inspected): Promise<ProgramState> {
    const startedAt = Date.parse(state.StartedAt);
    switch (state.Status) {
      case "created":
        return state.Error === "" ? notStarted : this.#refusedState(state);
      case "exited":
      case "dead":
        if (this.#wasAway && isKilled(state)) return { is: "lost", startedAt };
        await this.#takeOutput();
        return { is: "ended", startedAt, exit: exitOf(state) };
      case "running":
      case "paused":
      case "restarting":
      case "removing":
        mkdirSync(this.#options.paths.started, { recursive: true });
        this.#followOutput();
        return { is: "running", startedAt };
    }
  }

  #refusedState(state: Inspected["State"]): ProgramState {
    const { spec, clock } = this.#options;
    const endedAt = clock.now().getTime();
    const exit = { exitCode: state.ExitCode || 127, endedAt, neverRan: cannotStart(spec, state.Error) };
    return { is: "ended", startedAt: endedAt, exit };
  }

  #followOutput(): void {
    const { engine, paths, log, clock } = this.#options;
    this.#output ??= startOutputCopy({ engine, container: this.#path, file: paths.output, log, clock });
  }

  async #takeOutput(): Promise<void> {
    this.#followOutput();
    await this.#output?.finish();
  }

  async #inspect(): Promise<Inspected | undefined> {
    try {
      return await this.#options.engine.ask<Inspected>({ method: "GET", path: `${this.#path}/json` });
    } catch (error) {
      if (isRefusal(error, 404)) return undefined;
      throw error;
    }
  }

  async #signal(signal: string): Promise<boolean> {
    try {
      await this.#options.engine.ask({ method: "POST", path: `${this.#path}/kill?signal=${signal}` });
      return true;
    } catch (error) {
      // Not there, or not running; one that is away is asked again.
      if (!isRefusal(error, 404, 409) && !(error instanceof EngineAwayError)) throw error;
      return false;
    }
  }

  #startedAt(): number {
    return Math.floor(statSync(this.#options.paths.started, { throwIfNoEntry: false })?.mtimeMs ?? 0);
  }
}

export const createDockerRunner = (options: DockerRunnerOptions): Runner => new DockerRunner(options);

const isKilled = ({ ExitCode, OOMKilled }: Inspected["State"]): boolean => killedCodes.includes(ExitCode) && !OOMKilled;

const notStarted: ProgramState = { is: "not-started" };

function exitOf(state: Inspected["State"]): ProgramExit {
  const signal = Object.entries(constants.signals).find(([, number]) => number === state.ExitCode - 128)?.[0];
  return {
    exitCode: state.ExitCode,
    ...(signal === undefined ? {} : { signal }),
    endedAt: Date.parse(state.FinishedAt),
    ...(state.OOMKilled ? { failure: outOfMemory } : {}),
  };
}

/** As `docker stats` counts it: files that were read and may be dropped again are not the program's. Names of cgroups v2 and v1. */
export function usedMemory(memory: Stats["memory_stats"]): number {
  const used = memory?.usage ?? 0;
  const cached = memory?.stats?.["inactive_file"] ?? memory?.stats?.["total_inactive_file"] ?? 0;
  return cached < used ? used - cached : used;
}

function openToAll(folder: string): void {
  chmodSync(folder, 0o777);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) openToAll(path);
    else if (entry.isFile()) chmodSync(path, statSync(path).mode | 0o666);
  }
}
