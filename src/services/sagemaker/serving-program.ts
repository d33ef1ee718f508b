// What serves a model: a built-in algorithm, a framework image's model server, or the container itself.
import { findFramework, pythonNeeds } from "../../compute/frameworks/find-framework.ts";
import { needsContainer } from "../../compute/frameworks/other-images.ts";
import { validationError } from "../../lib/aws-error.ts";
import type { ContainerDefinition } from "../../models/generated/sagemaker.ts";
import type { Program } from "../../task/task.ts";
import { containerProgram, isContainerHere } from "./container-program.ts";
import type { SagemakerContext, SagemakerPlatform } from "./context.ts";
import { containersOf, type Model } from "./model/model.resource.ts";
import { notImplemented, refuseUnsupported, type SupportCheck } from "./not-implemented.ts";

const containerChecks: readonly SupportCheck<ContainerDefinition>[] = [
  ["ModelPackageName", (container) => container.ModelPackageName],
  ["AdditionalModelDataSources", (container) => (container.AdditionalModelDataSources ?? []).length > 0],
  ["ImageConfig", (container) => container.ImageConfig?.RepositoryAccessMode === "Vpc"],
  [
    "ModelDataSource with S3DataType S3Prefix",
    ({ ModelDataSource: source }) => (source?.S3DataSource?.S3DataType ?? "S3Object") !== "S3Object",
  ],
  [
    "ModelDataSource with CompressionType None",
    ({ ModelDataSource: source }) => (source?.S3DataSource?.CompressionType ?? "Gzip") !== "Gzip",
  ],
];

/** The one container of a model. Throws what cannot run here yet. */
export function servedContainer(found: Model): ContainerDefinition {
  const where = `Model "${found.name}": `;
  const [container, ...others] = containersOf(found.spec);
  if (!container || others.length > 0) throw notImplemented(`${where}an inference pipeline (several Containers)`);
  refuseUnsupported(container, containerChecks, where);
  return container;
}

/** The built-in algorithm of the image, where it is one. Throws for images that nothing here can run. */
export function servedAlgorithm(
  image: string,
  ctx: Pick<SagemakerContext, "algorithms" | "compute">,
): { readonly algorithm?: string } {
  const algorithm = ctx.algorithms.find(image);
  if (algorithm) return { algorithm: algorithm.name };
  if (findFramework(image) || ctx.compute.features.has("images")) return {};
  const why = needsContainer(image);
  if (why !== undefined) throw validationError(`Salvia cannot serve the image ${image} here: ${why}`);
  throw validationError(
    `Salvia cannot serve the image ${image} yet. It serves SageMaker's built-in algorithms ${ctx.algorithms.names.join(", ")}, and its framework images (docs/frameworks.md), under the image name of any registry account and region. Other images run as containers, where a Docker Engine answers: none does here.`,
  );
}

export interface ServedModel {
  readonly image: string;
  readonly algorithm?: string;
  readonly account: string;
  readonly region: string;
  readonly roleArn: string;
  readonly instanceType: string;
}

/** Throws ImageError for an image that the model's role may not pull. */
export async function servingProgram(
  { image, algorithm, ...wish }: ServedModel,
  platform: Pick<SagemakerPlatform, "images" | "compute" | "isFrameworkStrict">,
): Promise<Program> {
  if (algorithm !== undefined) return { kind: "algorithm", name: algorithm, command: "serve" };
  const found = findFramework(image);
  if (!found || (await isContainerHere(platform, { image, ...wish })))
    return containerProgram(platform, { image, ...wish, arguments: ["serve"] });
  const python = pythonNeeds(found, platform.isFrameworkStrict);
  return { kind: "script", command: "serve", python, module: found.framework.module };
}
