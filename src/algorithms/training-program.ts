// `train`: reads the configuration, runs the algorithm, and on trouble leaves /opt/ml/output/failure.
import type { Algorithm } from "./algorithm.ts";
import { openChannel } from "./channel.ts";
import { ClientError, failureText } from "./client-error.ts";
import { createJobLog } from "./job-log.ts";
import type { Clock } from "../lib/clock.ts";
import { openTaskFolder, type TaskFolder } from "./task-folder.ts";

export interface TrainingOptions {
  readonly algorithm: Algorithm;
  readonly root: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly stop: AbortSignal;
  readonly write: (text: string) => void;
}

async function run(
  folder: TaskFolder,
  host: string,
  { algorithm, environment, clock, stop, write }: TrainingOptions,
): Promise<void> {
  const log = createJobLog(clock, host, write);
  const [values, configs, hosts] = await Promise.all([folder.hyperparameters(), folder.channels(), folder.hosts()]);
  log.info(`hyperparameters: ${JSON.stringify(values)}`);
  algorithm.checkHyperparameters(values);
  for (const { name, isRequired } of algorithm.channels) {
    if (isRequired && !configs[name])
      throw new ClientError(`the channel '${name}' is missing from the input data configuration`);
  }
  for (const name of Object.keys(configs)) {
    if (algorithm.channels.some((channel) => channel.name === name)) continue;
    throw new ClientError(
      `${algorithm.title} has no channel '${name}'; it reads ${algorithm.channels.map((each) => `'${each.name}'`).join(", ")}`,
    );
  }
  if (hosts.all.length > 1 && !algorithm.supportsSeveralInstances) {
    throw new ClientError(`${algorithm.title} runs on one instance, not on ${hosts.all.length}`);
  }
  const channels = new Map(
    Object.entries(configs).map(([name, config]) => [
      name,
      openChannel({ name, config, dataFolder: folder.data, clock }),
    ]),
  );
  await algorithm.train(values, { channels, hosts, environment, log, clock, stop, writeModel: folder.writeModel });
}

/** Resolves to the exit code: 0, or 1 after writing the failure file. */
export async function train(options: TrainingOptions): Promise<number> {
  const folder = openTaskFolder(options.root);
  const started = options.clock.monotonicMs();
  let host = options.environment["CURRENT_HOST"] ?? "algo-1";
  const log = (): ReturnType<typeof createJobLog> => createJobLog(options.clock, host, options.write);
  try {
    host = (await folder.hosts()).current;
    log().info(`Salvia ${options.algorithm.title}: reading configuration`);
    await run(folder, host, options);
    log().info(`done in ${((options.clock.monotonicMs() - started) / 1_000).toFixed(2)} s`);
    return 0;
  } catch (error) {
    const text = failureText(error);
    log().error(text);
    if (text.startsWith("AlgorithmError") && error instanceof Error && error.stack) log().error(error.stack);
    await folder.writeFailure(text);
    return 1;
  }
}
