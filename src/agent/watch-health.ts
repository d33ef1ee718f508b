// Whether a hosting task serves: often until it does, then every 5 seconds.
import { ping } from "./ping.ts";
import { nowMs, type TaskRun } from "./task-run.ts";

const untilReadyMs = 100;
const onceReadyMs = 5_000;
/** One missed ping may be a busy moment. */
const failuresToBeUnready = 2;

/** Until the signal aborts; ends at once for other tasks. */
export async function watchHealth(run: TaskRun, signal: AbortSignal): Promise<void> {
  const { spec, state, clock, runner } = run;
  const { port } = state.current;
  if (spec.purpose !== "hosting" || port === undefined) return;
  let isReady: boolean | undefined;
  let failures = 0;
  while (!signal.aborted) {
    const address = addressOf(await runner.servingHost(), port);
    failures = (await isServing(address)) ? 0 : failures + 1;
    if (failures === 0 && isReady !== true) isReady = report(run, address, true);
    else if (failures >= failuresToBeUnready && isReady !== false && state.current.wasReady === true)
      isReady = report(run, address, false);
    await clock.sleep(isReady === true ? onceReadyMs : untilReadyMs, signal).catch(() => undefined);
  }
}

const addressOf = (host: string | undefined, port: number): string =>
  host === undefined ? "" : `http://${host}:${port}`;

/** A container may have no address yet. */
const isServing = async (address: string): Promise<boolean> => address !== "" && ping(address);

function report({ state, reporter, clock, doors }: TaskRun, address: string, ready: boolean): boolean {
  if (ready && state.current.wasReady !== true) state.save({ wasReady: true });
  reporter.tell({ type: "serving", at: nowMs({ clock }), ready, address: doors.models?.address ?? address });
  return ready;
}
