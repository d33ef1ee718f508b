// The container image that a job or model names, as its tasks run it: from one of our registries, or whatever the engine has or pulls.
import { ImageError, type ComputeBackend } from "../../compute/backend.ts";
import { shapeOf } from "../../compute/instance-types.ts";
import type { ImageProgram } from "../../task/task.ts";
import type { SagemakerPlatform } from "./context.ts";

export interface ContainerWish {
  readonly image: string;
  readonly account: string;
  readonly region: string;
  readonly roleArn: string;
  readonly instanceType: string;
  readonly entrypoint?: readonly string[];
  readonly arguments: readonly string[];
}

export interface ImagePlatform extends Pick<SagemakerPlatform, "images"> {
  readonly compute: Pick<ComputeBackend, "features" | "hasImage">;
}

/**
 * Whether an image of this name is here, and an engine that can run it: pushed to one of our registries, or in the engine (built, or pulled from
 * AWS). A framework's own image, and one's own build of it, come before the environment that stands for the image.
 */
export async function isContainerHere(
  { images, compute }: ImagePlatform,
  {
    image,
    account,
    region,
    roleArn: executionRoleArn,
  }: Pick<ContainerWish, "image" | "account" | "region" | "roleArn">,
): Promise<boolean> {
  if (!compute.features.has("images")) return false;
  const found = await images.find({ image, account, region, executionRoleArn });
  if (found.kind === "registry" || found.kind === "denied") return true;
  return compute.hasImage(found.kind === "local" ? found.localNames : [found.name]);
}

/** Throws ImageError, in AWS's words, where the role may not pull it. */
export async function containerProgram(
  { images }: Pick<SagemakerPlatform, "images">,
  wish: ContainerWish,
): Promise<ImageProgram> {
  const { image, account, region, roleArn: executionRoleArn } = wish;
  const found = await images.find({ image, account, region, executionRoleArn });
  const shared = {
    kind: "image" as const,
    image,
    ...(wish.entrypoint === undefined ? {} : { entrypoint: wish.entrypoint }),
    arguments: wish.arguments,
    limits: shapeOf(wish.instanceType),
  };
  switch (found.kind) {
    case "denied":
      throw new ImageError(found.problem);
    case "registry": {
      // The pushed one, whatever an engine has under that name: its digest tells.
      const { pullName: name, credential } = found;
      return { ...shared, localNames: [name], pull: { name, credential } };
    }
    case "local":
      return { ...shared, localNames: found.localNames };
    case "foreign":
      return { ...shared, localNames: [found.name], pull: { name: found.name } };
  }
}
