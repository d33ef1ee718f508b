// Joins what the instances uploaded into model.tar.gz and output.tar.gz. Each part is a gzip member of tar entries without
// the end-of-archive blocks; gzip members may follow each other (RFC 1952 §2.2), so nothing is recompressed.
import { gzipSync } from "node:zlib";
import { AwsError } from "../../../lib/aws-error.ts";
import type { Blob, BlobStorage } from "../../../storage/storage.ts";
import type { Objects } from "../context.ts";
import { bucketToWrite, type RoleAccess } from "../role-access.ts";
import { inFolder, parseS3Uri, s3Uri, type S3Uri } from "../s3-uri.ts";
import { observedOf } from "../tasks/task-rows.ts";
import type { PartName } from "../tasks/observed-task.ts";
import type { TaskRow } from "../tasks/task-owner.ts";
import type { Verdict } from "../jobs/verdict.ts";

/** Two blocks of zeros end a tar archive. */
const endOfArchive = gzipSync(Buffer.alloc(1024));

/** The results cannot be stored; the message is the FailureReason. */
export class ArtifactError extends Error {}

async function* joined(storage: BlobStorage, parts: readonly Blob[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) {
    for await (const chunk of await storage.read(part.id)) yield chunk as Uint8Array;
  }
  yield endOfArchive;
}

const partsOf = (tasks: readonly TaskRow[], name: PartName): Blob[] =>
  tasks.map((task) => observedOf(task).parts[name]).filter((part) => part !== undefined);

const hasFiles = (tasks: readonly TaskRow[], member: "modelFiles" | "outputFiles"): boolean =>
  tasks.some((task) => (observedOf(task).end?.[member] ?? []).length > 0);

export interface ArtifactJob {
  readonly name: string;
  readonly outputPath: string;
  /** Of the job's role. */
  readonly access: RoleAccess;
}

/** `<S3OutputPath>/<job>/output/<file>` */
function artifactUri(job: Pick<ArtifactJob, "name" | "outputPath">, file: string): S3Uri {
  const uri = parseS3Uri(job.outputPath);
  if (!uri) throw new ArtifactError(`ClientError: Artifact upload failed: "${job.outputPath}" is no S3 URI.`);
  return inFolder(uri, `${job.name}/output/${file}`);
}

/** The account of the bucket that the role may write the file to. */
async function writable({ access }: ArtifactJob, object: S3Uri): Promise<string> {
  const { owner, problem } = await bucketToWrite(access, object);
  if (problem !== undefined) throw new ArtifactError(`ClientError: Artifact upload failed: ${problem}`);
  return owner;
}

/** Throws ArtifactError when nothing could be stored there: better before the job than after. */
export async function checkOutput(job: ArtifactJob): Promise<void> {
  await writable(job, artifactUri(job, "model.tar.gz"));
}

/** Safe to repeat: the same bytes under the same keys. Answers the model's URI when there is a model. */
export async function storeArtifacts(
  { objects, storage }: { readonly objects: Objects; readonly storage: BlobStorage },
  job: ArtifactJob,
  tasks: readonly TaskRow[],
  verdict: Verdict,
): Promise<string | undefined> {
  const put = async (file: string, part: PartName): Promise<string> => {
    const uri = artifactUri(job, file);
    const owner = await writable(job, uri);
    try {
      await objects.put(owner, uri.bucket, uri.key, joined(storage, partsOf(tasks, part)));
    } catch (error) {
      if (error instanceof AwsError) throw new ArtifactError(`ClientError: Artifact upload failed: ${error.message}`);
      throw error;
    }
    return s3Uri(uri);
  };
  if (hasFiles(tasks, "outputFiles")) await put("output.tar.gz", "output");
  const hasModel = verdict.state === "Completed" || (verdict.state === "Stopped" && hasFiles(tasks, "modelFiles"));
  return hasModel ? put("model.tar.gz", "model") : undefined;
}
