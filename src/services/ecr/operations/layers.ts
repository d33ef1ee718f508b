// Layers by the API instead of by /v2/: BatchCheckLayerAvailability, GetDownloadUrlForLayer, and uploads in parts.
import { AwsError } from "../../../lib/aws-error.ts";
import type { Layer, LayerFailure } from "../../../models/generated/ecr.ts";
import { hostOf, operation, repositoryIn, type EcrContext } from "../context.ts";
import { emptyUpload, invalidLayer, invalidParameter, layersNotFound, uploadNotFound } from "../core/errors.ts";
import { isDigest, pathOfRepository } from "../core/image-name.ts";
import { UploadProblem } from "../core/layers.ts";
import { requireRepository, type Repository } from "../core/repositories.ts";

/** In base64 it fits into the largest body that the server takes. */
const partBytes = 5 * 1_024 * 1_024;

const named = ({ account, name }: Repository) => ({ registryId: account, repositoryName: name });

const batchCheckLayerAvailability = operation("BatchCheckLayerAvailability", async (input, ctx) => {
  const { uid } = await requireRepository(ctx.store.read, repositoryIn(ctx, input.repositoryName));
  const layers: Layer[] = [];
  const failures: LayerFailure[] = [];
  for (const layerDigest of input.layerDigests) {
    if (!isDigest(layerDigest)) {
      const failureReason = "Invalid layer digest";
      failures.push({ layerDigest, failureCode: "InvalidLayerDigest", failureReason });
      continue;
    }
    const found = await ctx.layers.find(uid, layerDigest);
    if (found) layers.push({ layerDigest, layerAvailability: "AVAILABLE", layerSize: found.sizeBytes });
    else layers.push({ layerDigest, layerAvailability: "UNAVAILABLE" });
  }
  return { layers, failures };
});

const getDownloadUrlForLayer = operation("GetDownloadUrlForLayer", async (input, ctx) => {
  const { layerDigest } = input;
  const repository = await requireRepository(ctx.store.read, repositoryIn(ctx, input.repositoryName));
  const found = isDigest(layerDigest) ? await ctx.layers.find(repository.uid, layerDigest) : undefined;
  if (!found) throw layersNotFound([layerDigest], repository.name, repository.account);
  const token = ctx.tickets.sealLayer({ repositoryUid: repository.uid, digest: layerDigest });
  const downloadUrl = `http://${hostOf(ctx)}/v2/${pathOfRepository(repository)}/blobs/${layerDigest}?ticket=${token}`;
  return { downloadUrl, layerDigest };
});

const initiateLayerUpload = operation("InitiateLayerUpload", async (input, ctx) => {
  const { uid } = await requireRepository(ctx.store.read, repositoryIn(ctx, input.repositoryName));
  const { id } = await ctx.layers.begin(uid);
  return { uploadId: id, partSize: partBytes };
});

const uploadLayerPart = operation("UploadLayerPart", async (input, ctx) => {
  const { uploadId, partFirstByte, partLastByte, layerPartBlob } = input;
  const repository = await requireRepository(ctx.store.read, repositoryIn(ctx, input.repositoryName));
  if (layerPartBlob.byteLength !== partLastByte - partFirstByte + 1)
    throw invalidParameter("Invalid parameter: partFirstByte and partLastByte do not fit the length of layerPartBlob.");
  const upload = await told(ctx, repository, uploadId, () =>
    ctx.layers.append(repository.uid, uploadId, once(layerPartBlob), partFirstByte),
  );
  return { ...named(repository), uploadId, lastByteReceived: upload.sizeBytes - 1 };
});

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

const completeLayerUpload = operation("CompleteLayerUpload", async (input, ctx) => {
  const { uploadId, layerDigests } = input;
  const repository = await requireRepository(ctx.store.read, repositoryIn(ctx, input.repositoryName));
  if (!layerDigests.every(isDigest)) throw invalidParameter("Invalid parameter at 'layerDigests'.");
  for (const layerDigest of layerDigests)
    if (await ctx.layers.find(repository.uid, layerDigest)) {
      await ctx.layers.cancel(repository.uid, uploadId);
      throw new AwsError(
        "LayerAlreadyExistsException",
        `Layer with digest '${layerDigest}' already exists in the repository with name '${repository.name}' in the registry with id '${repository.account}'`,
      );
    }
  const layer = await told(ctx, repository, uploadId, () =>
    ctx.layers.complete(repository.uid, uploadId, layerDigests),
  );
  return { ...named(repository), uploadId, layerDigest: layer.digest };
});

/** What went wrong with an upload, in ECR's words. */
async function told<T>(
  ctx: EcrContext,
  { uid, name, account }: Repository,
  id: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof UploadProblem)) throw error;
    switch (error.kind) {
      case "gone":
        throw uploadNotFound(id, name, account);
      case "empty":
        throw emptyUpload(id);
      case "other-digest":
        throw invalidLayer();
      case "out-of-order": {
        const lastValidByteReceived = ((await ctx.layers.findUpload(uid, id))?.sizeBytes ?? 0) - 1;
        const fields = { registryId: account, repositoryName: name, uploadId: id, lastValidByteReceived };
        throw new AwsError("InvalidLayerPartException", "The part does not begin where the last one ended.", {
          fields,
        });
      }
    }
  }
}

export const layerOperations = [
  batchCheckLayerAvailability,
  getDownloadUrlForLayer,
  initiateLayerUpload,
  uploadLayerPart,
  completeLayerUpload,
];
