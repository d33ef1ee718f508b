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
  readonly compute: Pick<ComputeBackend, "features">;
}

/**
 * Whether somebody has pushed an image of this name to one of our registries and an engine here can run it: one's own build of a
 * framework's image comes before the environment that stands for the image.
 */
export async function isPushed(
  { images, compute }: ImagePlatform,
  {
    image,
    account,
    region,
    roleArn: executionRoleArn,
  }: Pick<ContainerWish, "image" | "account" | "region" | "roleArn">,
): Promise<boolean> {
  if (!compute.features.has("images")) return false;
  const { kind } = await images.find({ image, account, region, executionRoleArn });
  return kind === "registry" || kind === "denied";
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
