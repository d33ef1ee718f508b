// The plan of a job: which bytes it reads, fixed once for all instances and attempts. A blob, since it may be long.
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import type { ResourceRow } from "../../../database/resources.ts";
import { unpack } from "../../../lib/stored-json.ts";
import type { SagemakerPlatform } from "../context.ts";
import { keepBlob } from "../tasks/kept-blobs.ts";
import type { PlannedJob } from "./job-kind.ts";

/** Saved before anything starts: agents ask for it at once. Answers the blob; what it names is pinned until the job ends. */
export async function savePlan(
  { store, objects, storage }: Pick<SagemakerPlatform, "store" | "objects" | "storage">,
  uid: string,
  { plan, files }: PlannedJob,
): Promise<string> {
  await objects.pin(uid, files);
  const blob = await storage.write(Readable.from([Buffer.from(JSON.stringify(plan))]));
  await store.write((tx) => keepBlob(tx, uid, blob.id));
  return blob.id;
}

/** As it was saved, of a job whose status names it. */
export async function readPlan<Plan>(
  { storage }: Pick<SagemakerPlatform, "storage">,
  { kind, name, status }: ResourceRow,
): Promise<Plan> {
  const { planBlob } = unpack(status) as { readonly planBlob?: string };
  if (planBlob === undefined) throw new Error(`the ${kind} ${name} runs without a plan`);
  return JSON.parse(await text(await storage.read(planBlob))) as Plan;
}
