// A backend that runs programs, as the contract asks it.
import { test } from "vitest";
import type { TaskBench } from "../../agent/task-bench.fake.ts";
import type { ChannelPlan } from "../../task/channel-plan.ts";
import type { Program, TaskSpec } from "../../task/task.ts";

/**
 * What not every backend can promise. Each has a test that asks all of them: of those that do not promise it the test says what
 * happens instead.
 *   own-files: the program sees /opt/ml and a /tmp of its own, and no folder of Salvia's
 *   read-only-inputs: files that are not copied (FastFile) cannot be changed
 *   names: algo-1, algo-2 … resolve
 *   memory: a program that takes more than its instance type has is ended, and told so
 */
export type Promised = "own-files" | "read-only-inputs" | "names" | "memory";

export interface Subject {
  readonly name: string;
  /** Why it cannot be asked here. */
  readonly absent?: string | undefined;
  readonly promises: ReadonlySet<Promised>;
  readonly setUp: () => Promise<TaskBench>;
  readonly program: (argv: readonly [string, ...string[]], memoryBytes: number) => Program;
}

export interface Asked extends Partial<Omit<TaskSpec, "program">> {
  readonly plan?: ChannelPlan;
  readonly memoryBytes?: number;
}

/** Starts a program; the task's own folder is $base. */
export async function started(
  { setUp, program }: Subject,
  argv: readonly [string, ...string[]],
  { plan, memoryBytes = 2 ** 28, ...more }: Asked = {},
): Promise<TaskBench> {
  const bench = await setUp();
  if (plan) bench.server.plan = plan;
  await bench.backend.start({ ...bench.spec("", more), program: program(argv, memoryBytes) });
  return bench;
}

export const script = (source: string): readonly [string, ...string[]] => [
  "/bin/sh",
  "-c",
  `base=\${SAGEMAKER_BASE_DIR:-/opt/ml}; ${source}`,
];

export async function ended(subject: Subject, source: string, asked?: Asked): Promise<TaskBench> {
  const bench = await started(subject, script(source), asked);
  await bench.untilEnd();
  return bench;
}

export const ask = ({ name, absent }: Subject, what: string, act: () => Promise<void>): void =>
  test.skipIf(absent !== undefined)(`${name}: ${what}${absent === undefined ? "" : ` (skipped: ${absent})`}`, act);
