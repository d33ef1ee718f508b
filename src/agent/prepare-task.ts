// Before the release: the plan, the data, the model, the gateway, the files of the container contract. Ends early when it cannot.
import type { TaskEnd } from "../task/report.ts";
import { untilItWorks } from "./back-off.ts";
import { DiskQuota } from "./disk-quota.ts";
import { lackOfDevices } from "./give-devices.ts";
import { openGateway, type Gateway } from "./gateway.ts";
import { StageError } from "./planned-path.ts";
import { pythonNeedsOf, serves } from "../task/task.ts";
import { createProgress } from "./progress.ts";
import { ServerRefusalError, serverUrl } from "./server-connection.ts";
import { nowMs, tellUser, type TaskRun } from "./task-run.ts";

/** Undefined when the program may be released; throws when the task is abandoned. */
export async function prepareTask(run: TaskRun): Promise<TaskEnd | undefined> {
  const { reporter, stopAsked, abandoned } = run;
  reporter.tell({ type: "phase", at: nowMs(run), phase: "downloading", message: "Downloading input data" });
  tellOfDevices(run);
  try {
    await bringIn(run);
    await preparePython(run);
    await openDoors(run);
    await run.runner.prepare();
    await openModels(run, "first");
    await run.uploads.noteRestored();
    abandoned.signal.throwIfAborted();
    return stopAsked.signal.aborted ? { how: "stopped" } : undefined;
  } catch (error) {
    abandoned.signal.throwIfAborted();
    if (stopAsked.signal.aborted) return { how: "stopped" };
    if (error instanceof StageError || error instanceof ServerRefusalError)
      return { how: "setup-failed", failure: error.message };
    throw error;
  }
}

/** A container without its devices is refused; what runs here goes on without, and its log begins with it. */
function tellOfDevices(run: TaskRun): void {
  if (run.spec.program.kind === "image") return;
  const lack = lackOfDevices(run.spec.instance, run.devices);
  if (lack !== undefined) tellUser(run, lack);
}

/** Few tasks have a multi-model container: the others do not even load the code. */
export async function openModels(run: TaskRun, time: "first" | "again"): Promise<void> {
  if (run.spec.multiModel) await (await import("./multi-model/open-models.ts")).openModels(run, time);
}

/** A framework image's environment. */
async function preparePython(run: TaskRun): Promise<void> {
  const needs = pythonNeedsOf(run.spec.program);
  if (!needs) return;
  const { host, clock, environment } = run;
  const { taskPython } = await import("./task-python.ts");
  const python = await taskPython(needs, host, {
    clock,
    environment,
    signal: AbortSignal.any([run.stopAsked.signal, run.abandoned.signal]),
    tell: (text) => tellUser(run, text),
  });
  // Kept for the release, which may be another agent's.
  run.state.save({ python });
}

async function bringIn(run: TaskRun): Promise<void> {
  const { connection, clock, log, reporter, paths } = run;
  const signal = AbortSignal.any([run.stopAsked.signal, run.abandoned.signal]);
  const patience = { clock, log, signal };
  const plan = await untilItWorks("plan", patience, () => connection.plan(signal));
  if ("failureReason" in plan) throw new StageError(plan.failureReason);
  if (plan.channels.length === 0 && plan.modelArchives.length === 0) return;
  const { stageIn } = await import("./stage-in.ts");
  const progress = createProgress(clock, (message) =>
    reporter.tell({ type: "phase", at: nowMs(run), phase: "downloading", message }),
  );
  const quota = new DiskQuota(run.spec.diskBytes);
  const tell = (text: string): void => tellUser(run, text);
  const canBind = run.spec.program.kind === "image" || run.host.bwrap !== undefined;
  const binds = await stageIn(plan, {
    ...patience,
    root: paths.root,
    lent: paths.lent,
    connection,
    progress,
    quota,
    canBind,
    tell,
  });
  // Kept for the release, which may be another agent's.
  if (binds.length > 0) run.state.save({ binds });
  if (run.spec.hasPipes === true) await (await import("./pipes/watch-pipes.ts")).makeFirstPipes(plan, paths.root);
}

/** The gateway, and the port of a model. Both stay the same when the agent is restarted. */
export async function openDoors(run: TaskRun): Promise<void> {
  const { spec, state } = run;
  if (serves(spec) && state.current.port === undefined)
    state.save({ port: spec.port ?? (await run.runner.choosePort()) });
  if (spec.network.isAlone || run.doors.gateway) return;
  const known = state.current.gateway;
  const token = known?.token ?? run.random.bytes(24).toString("base64url");
  const gateway = await openGatewayAt(run, run.runner.gatewayHost(), token, known?.port ?? 0);
  if (!gateway) return;
  run.doors.gateway = gateway;
  const credentials = await openCredentials(run, token);
  state.save({ gateway: { port: gateway.port, token, ...(credentials && { credentials }) } });
}

/** Where SDKs take credentials from another address than the gateway's. */
async function openCredentials(
  run: TaskRun,
  token: string,
): Promise<{ readonly host: string; readonly port: number } | undefined> {
  const place = await run.runner.credentialsHost();
  if (place === undefined) return undefined;
  if ("problem" in place) {
    run.log.warn(place.problem);
    // An agent that was restarted has said it.
    if (run.state.current.gateway === undefined) tellUser(run, place.problem);
    return undefined;
  }
  const { host } = place;
  const door = await openGatewayAt(run, host, token, run.state.current.gateway?.credentials?.port ?? 0);
  if (!door) return undefined;
  run.doors.credentials = door;
  return { host, port: door.port };
}

/** After a restart the program knows the old port: without it the gateway stays closed, and the program goes on. */
async function openGatewayAt(run: TaskRun, host: string, token: string, port: number): Promise<Gateway | undefined> {
  const { spec, clock, log, connection, abandoned } = run;
  try {
    return await openGateway({
      host,
      port,
      token,
      clock,
      log,
      serverUrl: () => serverUrl(spec.server),
      credentials: () => connection.credentials(abandoned.signal),
    });
  } catch (error) {
    if (port === 0) throw error;
    log.error("the gateway's port is taken", { port, error });
    return undefined;
  }
}
