// Batch transform: beside the model until everything is done; then the agent ends it.
import type { TaskRun } from "../task-run.ts";

/** Until the signal aborts; ends at once for other tasks. */
export async function watchTransform(run: TaskRun, signal: AbortSignal): Promise<void> {
  const { spec, state } = run;
  if (spec.purpose !== "transform" || !spec.transform || state.current.transform) return;
  const { runTransform } = await import("./run-transform.ts");
  try {
    const problem = await runTransform(run, spec.transform, signal);
    state.save({ transform: problem === undefined ? {} : { problem } });
  } catch (error) {
    if (signal.aborted) return;
    run.log.error("the transform failed", { error });
    state.save({ transform: { problem: "InternalServerError: The transform failed. Please try again." } });
  }
}
