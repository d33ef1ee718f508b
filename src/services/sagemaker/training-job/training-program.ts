// What a job's image runs: a built-in algorithm; a framework image's script, or the command that the request gives it; a container.
import { findFramework, pythonNeeds, type FrameworkImage } from "../../../compute/frameworks/find-framework.ts";
import { frameworks } from "../../../compute/frameworks/frameworks.ts";
import { validationError } from "../../../lib/aws-error.ts";
import type { AlgorithmSpecification } from "../../../models/generated/sagemaker.ts";
import type { Program } from "../../../task/task.ts";
import type { BuiltInAlgorithm, SagemakerPlatform } from "../context.ts";
import { notImplemented } from "../not-implemented.ts";
import type { Job } from "./job-step.ts";
import type { ComputeBackend } from "../../../compute/backend.ts";
import { containerProgram, isContainerHere, type ImagePlatform } from "../container-program.ts";
import { fixedMetricDefinitions, unknownImage } from "./errors.ts";
import { checkMetricDefinitions } from "./log-metrics.ts";

export type TrainingProgram =
  | { readonly kind: "algorithm"; readonly algorithm: BuiltInAlgorithm }
  /** Without a command: script mode. */
  | {
      readonly kind: "framework";
      readonly image: string;
      readonly found: FrameworkImage;
      readonly argv?: readonly string[];
    }
  | { readonly kind: "image"; readonly image: string };

type Algorithms = SagemakerPlatform["algorithms"];

const isGiven = (list: readonly unknown[] | undefined): boolean => list !== undefined && list.length > 0;

/** Throws what the caller should hear: no image, one that cannot run here, something of it that is not there yet. */
export function trainingProgram(
  wanted: AlgorithmSpecification | undefined,
  algorithms: Algorithms,
  { features }: Pick<ComputeBackend, "features">,
): TrainingProgram {
  const image = wanted?.TrainingImage;
  if (image === undefined) throw validationError("AlgorithmSpecification.TrainingImage is missing.");
  const algorithm = algorithms.find(image);
  if (algorithm) return builtIn(wanted, algorithm);
  const found = findFramework(image);
  if (!found) {
    if (features.has("images")) return { kind: "image", image };
    const names = frameworks.flatMap(({ images }) => images);
    throw unknownImage(image, algorithms.names, names);
  }
  const { ContainerEntrypoint = [], ContainerArguments = [] } = wanted ?? {};
  if (ContainerEntrypoint.length > 0)
    return { kind: "framework", image, found, argv: [...ContainerEntrypoint, ...ContainerArguments] };
  if (ContainerArguments.length > 0)
    throw notImplemented(`The training image ${image} with ContainerArguments and without ContainerEntrypoint`);
  return { kind: "framework", image, found };
}

function builtIn(wanted: AlgorithmSpecification | undefined, algorithm: BuiltInAlgorithm): TrainingProgram {
  for (const member of ["ContainerEntrypoint", "ContainerArguments"] as const)
    if (isGiven(wanted?.[member])) throw notImplemented(`AlgorithmSpecification.${member} with a built-in algorithm`);
  return { kind: "algorithm", algorithm };
}

/** Of a request: built-in algorithms have metrics of their own, which their stored jobs show. */
export async function checkMetrics(
  wanted: AlgorithmSpecification | undefined,
  { kind }: TrainingProgram,
): Promise<void> {
  const { MetricDefinitions = [] } = wanted ?? {};
  if (MetricDefinitions.length === 0) return;
  if (kind === "algorithm") throw fixedMetricDefinitions();
  await checkMetricDefinitions(MetricDefinitions);
}

export type JobOfProgram = Pick<Job, "account" | "region" | "spec">;

type TaskPlatform = ImagePlatform & Pick<SagemakerPlatform, "isFrameworkStrict">;

/** Throws ImageError for an image that the job's role may not pull. */
export async function taskProgram(
  program: TrainingProgram,
  job: JobOfProgram,
  platform: TaskPlatform,
): Promise<Program> {
  switch (program.kind) {
    case "algorithm":
      return { kind: "algorithm", name: program.algorithm.name, command: "train" };
    case "framework": {
      const { found, argv, image } = program;
      if (await isContainerHere(platform, { ...job, image, roleArn: job.spec.RoleArn }))
        return imageProgram(image, job, platform);
      const python = pythonNeeds(found, platform.isFrameworkStrict);
      if (argv) return { kind: "command", argv, python };
      return { kind: "script", command: "train", python, module: found.framework.module };
    }
    case "image":
      return imageProgram(program.image, job, platform);
  }
}

function imageProgram(image: string, job: JobOfProgram, platform: Pick<SagemakerPlatform, "images">): Promise<Program> {
  const { RoleArn: roleArn, ResourceConfig, AlgorithmSpecification: wanted } = job.spec;
  const { ContainerEntrypoint: entrypoint, ContainerArguments: given } = wanted ?? {};
  const hasOwn = entrypoint !== undefined && entrypoint.length > 0;
  return containerProgram(platform, {
    ...job,
    image,
    roleArn,
    instanceType: ResourceConfig?.InstanceType ?? "",
    ...(hasOwn ? { entrypoint } : {}),
    // "train" is for the image's own entrypoint.
    arguments: given ?? (hasOwn ? [] : ["train"]),
  });
}
