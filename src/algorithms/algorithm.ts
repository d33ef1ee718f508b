// What a built-in algorithm is: a name, declared hyperparameters and metrics, a way to train, a way to predict.
import type { Clock } from "../lib/clock.ts";
import type { Channel } from "./channel.ts";
import { checkedValues, type Declarations, type ValuesOf } from "./hyperparameters.ts";
import type { JobLog } from "./job-log.ts";
import type { Row } from "./rows.ts";
import type { Hosts } from "./task-folder.ts";

export interface MetricDefinition {
  readonly Name: string;
  readonly Regex: string;
}

export interface ChannelDeclaration {
  readonly name: string;
  readonly isRequired: boolean;
  readonly contentTypes: readonly string[];
}

/** What a training run may use. */
export interface TrainingContext {
  /** The channels of this job, each under its name. */
  readonly channels: ReadonlyMap<string, Channel>;
  readonly hosts: Hosts;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: JobLog;
  readonly clock: Clock;
  /** Aborted when the job is asked to stop: save the model so far and return soon. */
  readonly stop: AbortSignal;
  readonly writeModel: (name: string, bytes: Uint8Array) => Promise<void>;
}

/** One answer per row: numbers under the names of the response format. */
export type Prediction = Readonly<Record<string, number | readonly number[]>>;

export interface Predictor {
  /** Features per row. */
  readonly width: number;
  predict(rows: readonly Row[]): readonly Prediction[];
}

interface Definition<D extends Declarations> {
  readonly name: string;
  readonly title: string;
  /** Repository names of the images that mean this algorithm, whatever account, region and tag. */
  readonly images: readonly string[];
  readonly hyperparameters: D;
  readonly metrics: readonly MetricDefinition[];
  readonly channels: readonly ChannelDeclaration[];
  readonly supportsSeveralInstances: boolean;
  /** The key over the list of predictions in a JSON answer. */
  readonly answerKey: string;
  train(values: ValuesOf<D>, context: TrainingContext): Promise<void>;
  load(modelFolder: string): Promise<Predictor>;
}

export interface Algorithm extends Omit<Definition<Declarations>, "train"> {
  /** Throws one ClientError naming every bad, missing and unknown hyperparameter. */
  checkHyperparameters(values: Readonly<Record<string, string>>): void;
  train(values: Readonly<Record<string, string>>, context: TrainingContext): Promise<void>;
}

export function defineAlgorithm<const D extends Declarations>(definition: Definition<D>): Algorithm {
  return {
    ...definition,
    checkHyperparameters: (values) => void checkedValues(definition.hyperparameters, values),
    train: async (values, context) => definition.train(checkedValues(definition.hyperparameters, values), context),
  };
}
