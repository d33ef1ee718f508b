// What agents call: their plan, its objects, reports, parts and credentials. Contract: src/task/report.ts.
import { createHash, timingSafeEqual } from "node:crypto";
import { Readable } from "node:stream";
import { findResourceByUid, type ResourceRow } from "../../../database/resources.ts";
import type { PlanLine } from "../../../task/plan-lines.ts";
import { taskRoutePrefix, type TaskCredentials } from "../../../task/report.ts";
import type { HttpRoute, RouteRequest, RouteResponse } from "../../service.ts";
import type { SagemakerPlatform } from "../context.ts";
import { targetModelMissing } from "../model/errors.ts";
import { findModelData } from "../model/find-model-data.ts";
import type { PartName } from "./observed-task.ts";
import { readReport } from "./report-reader.ts";
import { storeReport } from "./store-report.ts";
import type { TaskOwner, TaskRow } from "./task-owner.ts";
import { findTask, savePart } from "./task-rows.ts";
import { storeFile } from "./store-file.ts";

const maxReportBytes = 16 * 1024 * 1024;
const credentialSeconds = 3_600;
const planChunkLength = 65_536;
const maxIds = 1_024;
const maxIdsBytes = 256 * 1_024;

type Platform = Pick<
  SagemakerPlatform,
  "store" | "storage" | "objects" | "roles" | "logs" | "identity" | "clock" | "nudge"
>;

interface Exchange {
  readonly task: TaskRow;
  readonly owner: ResourceRow;
  readonly kind: TaskOwner;
  readonly request: RouteRequest;
}

const plain = (status: number, text: string): RouteResponse => ({
  status,
  headers: { "content-type": "text/plain" },
  body: text,
});
const json = (status: number, value: unknown): RouteResponse => ({
  status,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(value),
});
const unknownTask = plain(410, "This task is not known here any more: stop it and clean up.\n");

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

/** Takes as long for a nearly right token as for a wrong one. */
const isAuthorised = (task: TaskRow, authorization: string | undefined): boolean =>
  timingSafeEqual(digest(`Bearer ${task.token}`), digest(authorization ?? ""));

async function readText(body: Readable, maxBytes: number): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of body) {
    const bytes = Buffer.from(chunk as Uint8Array);
    sizeBytes += bytes.length;
    if (sizeBytes > maxBytes) return undefined;
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString();
}

async function plan({ task, owner, kind }: Exchange): Promise<RouteResponse> {
  const answer = await kind.planFor(task, owner);
  if ("failureReason" in answer) return json(422, answer);
  return { status: 200, headers: { "content-type": "application/jsonl" }, body: Readable.from(textOf(answer)) };
}

/** A chunk for many lines: each costs its way through the socket. */
async function* textOf(lines: AsyncIterable<PlanLine>): AsyncGenerator<Buffer> {
  let text = "";
  for await (const line of lines) {
    text += `${JSON.stringify(line)}\n`;
    if (text.length < planChunkLength) continue;
    yield Buffer.from(text);
    text = "";
  }
  yield Buffer.from(text);
}

async function report(platform: Platform, exchange: Exchange): Promise<RouteResponse> {
  const text = await readText(exchange.request.body, maxReportBytes);
  if (text === undefined) return plain(413, `A report has at most ${maxReportBytes} bytes.\n`);
  const request = readReport(text);
  if (!request) return plain(400, "This is no report.\n");
  const answer = await storeReport(platform, exchange.kind, exchange.task.key, exchange.owner, request);
  return answer ? json(200, answer) : unknownTask;
}

async function part(platform: Platform, exchange: Exchange, name: PartName): Promise<RouteResponse> {
  const { store, storage, clock } = platform;
  const blob = await storage.write(exchange.request.body);
  const isSaved = await store.write(async (tx) => {
    const task = await findTask(tx, exchange.task.key);
    if (task) await savePart(tx, task, name, blob, clock.now());
    return task !== undefined;
  });
  if (isSaved) return { status: 204 };
  await storage.remove(blob.id);
  return unknownTask;
}

/** Bytes of a planned object, where the agent cannot read them from a file: pinned for this owner, or not its affair. An agent that was cut off asks for the rest. */
async function object(platform: Platform, exchange: Exchange, id: string): Promise<RouteResponse> {
  const pin = await platform.store.read
    .selectFrom("object_pins")
    .select("blob_id")
    .where("owner", "=", exchange.owner.uid)
    .where("blob_id", "=", id)
    .executeTakeFirst();
  if (!pin) return plain(404, "The plan of this task has no such object.\n");
  const [, from] = /^bytes=(\d{1,15})-$/.exec(exchange.request.headers["range"] ?? "") ?? [];
  if (from === undefined) return { status: 200, body: await platform.storage.read(pin.blob_id) };
  return { status: 206, body: await platform.storage.read(pin.blob_id, { start: Number(from), end: Infinity }) };
}

/** Small objects, many with one request: their bytes one after the other, in the order of the ids. */
async function objects(platform: Platform, { owner, request }: Exchange): Promise<RouteResponse> {
  const ids = idsOf(await readText(request.body, maxIdsBytes));
  if (!ids) return plain(400, `This is no list of at most ${maxIds} objects.\n`);
  const pins = await platform.store.read
    .selectFrom("object_pins")
    .select("blob_id")
    .where("owner", "=", owner.uid)
    .where("blob_id", "in", ids)
    .execute();
  const known = new Set(pins.map((pin) => pin.blob_id));
  if (!ids.every((id) => known.has(id))) return plain(404, "The plan of this task has no such object.\n");
  return { status: 200, body: Readable.from(contentsOf(platform, ids), { objectMode: false }) };
}

function idsOf(text: string | undefined): readonly string[] | undefined {
  const value = parsed(text ?? "");
  if (!Array.isArray(value) || value.length === 0 || value.length > maxIds) return undefined;
  return value.every((id) => typeof id === "string") ? value : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function* contentsOf({ storage }: Platform, ids: readonly string[]): AsyncGenerator<Buffer> {
  // Copied: storage may lend its chunks, and what is answered is read ahead.
  for (const id of ids) for await (const chunk of await storage.read(id)) yield Buffer.from(chunk as Uint8Array);
}

/** A model of a multi-model container, read as the role of its model. */
async function modelArchive(platform: Platform, { task, owner, kind }: Exchange, at: string): Promise<RouteResponse> {
  const place = kind.modelAt?.(task, owner, decodeURIComponent(at));
  if (!place) return plain(404, "This task has no models.\n");
  const { account, region } = task;
  const roleArn = kind.roleArn(owner, task) || undefined;
  const { bucket, key } = place;
  const uri = `s3://${bucket}/${key}`;
  const found = await findModelData(platform, { account, region, roleArn, uri });
  if (!found || found === "denied") return plain(422, targetModelMissing(bucket, key));
  return { status: 200, body: await platform.storage.read(found.blobId) };
}

/** A file of an upload folder. */
async function file(platform: Platform, { task, owner, kind, request }: Exchange, at: string): Promise<RouteResponse> {
  const [name = "", ...segments] = at.split("/");
  const folder = kind.uploadTo?.(task, owner, name);
  if (!folder) return plain(404, "This task has no such folder.\n");
  const problem = await storeFile(
    platform,
    { folder, segments, roleArn: kind.roleArn(owner, task), task },
    request.body,
  );
  // 422: asking again would not help, and the agent shows the text.
  return problem === undefined ? { status: 204 } : plain(422, problem);
}

async function credentials(platform: Platform, { task, owner, kind }: Exchange): Promise<RouteResponse> {
  const session = await platform.identity.sessionFor(kind.roleArn(owner, task), "SageMaker", credentialSeconds);
  const answer: TaskCredentials = {
    AccessKeyId: session.accessKeyId,
    SecretAccessKey: session.secretAccessKey,
    Token: session.sessionToken,
    Expiration: session.expiration.toISOString(),
  };
  return json(200, answer);
}

async function dispatch(platform: Platform, exchange: Exchange, path: string): Promise<RouteResponse> {
  switch (`${exchange.request.method} ${path}`) {
    case "GET plan":
      return plan(exchange);
    case "POST reports":
      return report(platform, exchange);
    case "PUT parts/model":
      return part(platform, exchange, "model");
    case "PUT parts/output":
      return part(platform, exchange, "output");
    case "POST objects":
      return objects(platform, exchange);
    case "GET credentials":
      return credentials(platform, exchange);
    default:
      return dispatchNamed(platform, exchange, path);
  }
}

/** Routes that name what they are about. */
async function dispatchNamed(platform: Platform, exchange: Exchange, path: string): Promise<RouteResponse> {
  const slash = path.indexOf("/");
  const rest = path.slice(slash + 1);
  switch (`${exchange.request.method} ${path.slice(0, slash)}`) {
    case "GET objects":
      return object(platform, exchange, rest);
    case "GET models":
      return modelArchive(platform, exchange, rest);
    case "PUT files":
      return file(platform, exchange, rest);
    default:
      return plain(404, "There is no such route for tasks.\n");
  }
}

export function taskRoute(platform: Platform, owners: readonly TaskOwner[]): HttpRoute {
  const kinds = new Map(owners.map((owner) => [owner.kind, owner]));

  const handle = async (request: RouteRequest): Promise<RouteResponse> => {
    const [key = "", ...rest] = request.rawPath.slice(taskRoutePrefix.length).split("/");
    const task = await findTask(platform.store.read, key);
    if (!task) return unknownTask;
    if (!isAuthorised(task, request.headers["authorization"]))
      return plain(403, "The token of this task is another.\n");
    const owner = await findResourceByUid(platform.store.read, task.owner_uid);
    const kind = owner && kinds.get(owner.kind);
    return kind ? dispatch(platform, { task, owner, kind, request }, rest.join("/")) : unknownTask;
  };
  return { prefix: taskRoutePrefix, handle };
}
