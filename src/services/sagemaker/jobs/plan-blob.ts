// The plan of a job: which bytes it reads, fixed once for all instances and attempts. A blob of JSON lines, since it may be long: it is
// written while the objects are found and read while an agent is answered, never held as a whole.
import type { ResourceRow } from "../../../database/resources.ts";
import { readJsonLines } from "../../../formats/json-lines.ts";
import { unpack } from "../../../lib/stored-json.ts";
import type { JobPlanLine, PlannedFile } from "../channels/channel-planner.ts";
import type { SagemakerPlatform } from "../context.ts";
import { keepBlob } from "../tasks/kept-blobs.ts";

/** Pinned in one transaction, which others wait for. */
const linesAtOnce = 500;

/** Saved before anything starts: agents ask for it at once. Answers the blob; what it names is pinned until the job ends. Throws what the lines throw. */
export async function savePlan(
  { store, objects, storage }: Pick<SagemakerPlatform, "store" | "objects" | "storage">,
  uid: string,
  lines: AsyncIterable<JobPlanLine>,
): Promise<string> {
  const bytes = async function* (): AsyncGenerator<Uint8Array> {
    for await (const page of pagesOf(lines)) {
      await objects.pin(uid, page.flatMap(fileOf));
      yield Buffer.from(page.map((line) => `${JSON.stringify(line)}\n`).join(""));
    }
  };
  const blob = await storage.write(bytes());
  await store.write((tx) => keepBlob(tx, uid, blob.id));
  return blob.id;
}

function fileOf(line: JobPlanLine): PlannedFile[] {
  if ("model" in line) return [line.model];
  return "piece" in line && "blobId" in line.piece ? [line.piece] : [];
}

async function* pagesOf(lines: AsyncIterable<JobPlanLine>): AsyncGenerator<JobPlanLine[]> {
  let page: JobPlanLine[] = [];
  for await (const line of lines) {
    page.push(line);
    if (page.length < linesAtOnce) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

/** As it was saved, of a job whose status names it. */
export async function* readPlan(
  { storage }: Pick<SagemakerPlatform, "storage">,
  { kind, name, status }: ResourceRow,
): AsyncGenerator<JobPlanLine> {
  const { planBlob } = unpack(status) as { readonly planBlob?: string };
  if (planBlob === undefined) throw new Error(`the ${kind} ${name} runs without a plan`);
  for await (const { value } of readJsonLines(`the plan of ${name}`, await storage.read(planBlob)))
    yield value as JobPlanLine;
}
