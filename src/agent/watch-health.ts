// Whether a hosting task serves: often until it does, then every 5 seconds.
import { ping } from "./ping.ts";
import { nowMs, ownAddress, type TaskRun } from "./task-run.ts";

const untilReadyMs = 100;
const onceReadyMs = 5_000;
/** One missed ping may be a busy moment. */
const failuresToBeUnready = 2;

/** Until the signal aborts; ends at once for other tasks. */
export async function watchHealth(run: TaskRun, signal: AbortSignal): Promise<void> {
  const { spec, state, reporter, clock } = run;
  const { port } = state.current;
  if (spec.purpose !== "hosting" || port === undefined) return;
  const address = `http://${ownAddress(spec)}:${port}`;
  let isReady: boolean | undefined;
  let failures = 0;
  while (!signal.aborted) {
    failures = (await ping(address)) ? 0 : failures + 1;
    if (signal.aborted) return;
    const seen = failures === 0 ? true : failures >= failuresToBeUnready ? false : isReady;
    if (seen !== isReady && (seen === true || state.current.wasReady === true)) {
      if (seen === true) state.save({ wasReady: true });
      reporter.tell({ type: "serving", at: nowMs({ clock }), ready: seen === true, address });
      isReady = seen;
    }
    await clock.sleep(isReady === true ? onceReadyMs : untilReadyMs, signal).catch(() => undefined);
  }
}
