// The server's side of a task, for tests: keeps what agents report by the rules of src/task/report.ts, and can be away.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import type { ChannelPlan, PlanFailure } from "../task/channel-plan.ts";
import { planLines } from "../task/plan-lines.ts";
import { taskRoutePrefix, type ReportRequest, type TaskEnd, type TaskEvent } from "../task/report.ts";

export interface FakeTaskServer {
  readonly url: string;
  readonly token: string;
  /** Highest report stored. */
  sequence: number;
  readonly events: TaskEvent[];
  readonly parts: Map<string, Buffer>;
  /** Files of upload folders by "<folder>/<path>". */
  readonly files: Map<string, Buffer>;
  /** Requests that were no agent's, as "METHOD url host". */
  readonly forwarded: string[];
  plan: ChannelPlan | PlanFailure;
  objects: Map<string, Buffer>;
  /** Requests for one object or several. */
  objectRequests: number;
  /** Status of requests for several. */
  batchStatus: number;
  stop: boolean;
  isGone: boolean;
  /** Answers 503 to everything. */
  isAway: boolean;
  /** Stores a report, but cuts the connection before the answer, this many times. */
  answersToLose: number;
  /** Reports with more lines of output than this are refused with 413. */
  mostLines: number;
  /** Status of PUT parts. */
  partStatus: number;
  lines(): string[];
  end(): TaskEnd | undefined;
  close(): Promise<void>;
}

const credentials = { AccessKeyId: "ASIA", SecretAccessKey: "s", Token: "t", Expiration: "2099-01-01T00:00:00Z" };

const answer = (response: ServerResponse, status: number, body?: unknown): void => {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(body === undefined ? "" : JSON.stringify(body));
};

/** `[path under the task's routes]`, undefined for requests that are no agent's. */
const taskPath = (url: string): string | undefined =>
  url.startsWith(taskRoutePrefix) ? url.slice(url.indexOf("/", taskRoutePrefix.length) + 1) : undefined;

export async function startTaskServer(): Promise<FakeTaskServer> {
  const server = createServer((request, response) => {
    handle(fake, request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = address !== null && typeof address === "object" ? address.port : 0;
  const fake: FakeTaskServer = {
    url: `http://127.0.0.1:${port}`,
    token: "task-token",
    sequence: 0,
    events: [],
    parts: new Map(),
    files: new Map(),
    forwarded: [],
    plan: { channels: [], modelArchives: [] },
    objects: new Map(),
    objectRequests: 0,
    batchStatus: 200,
    stop: false,
    isGone: false,
    isAway: false,
    answersToLose: 0,
    mostLines: Infinity,
    partStatus: 204,
    lines: () => fake.events.flatMap((event) => (event.type === "output" ? event.lines.map(({ text }) => text) : [])),
    end: () => fake.events.find((event) => event.type === "end")?.end,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return fake;
}

async function handle(fake: FakeTaskServer, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { url = "", method, headers } = request;
  const body = await buffer(request);
  const path = taskPath(url);
  if (fake.isAway) answer(response, 503);
  else if (path === undefined) {
    fake.forwarded.push(`${method} ${url} ${headers.host} ${body.toString()}`);
    answer(response, 200, { from: "salvia" });
  } else if (fake.isGone) answer(response, 410);
  else if (headers.authorization !== `Bearer ${fake.token}`) answer(response, 403);
  else if (path === "objects") serveObjects(fake, JSON.parse(body.toString()) as string[], response);
  else serveTask(fake, path, body, response);
}

function serveTask(fake: FakeTaskServer, path: string, body: Buffer, response: ServerResponse): void {
  const [first = "", name = ""] = path.split("/");
  switch (first) {
    case "plan":
      return servePlan(fake.plan, response);
    case "reports":
      return storeReport(fake, JSON.parse(body.toString()) as ReportRequest, response);
    case "credentials":
      return answer(response, 200, credentials);
    case "parts":
      if (fake.partStatus < 300) fake.parts.set(name, body);
      return answer(response, fake.partStatus, { message: "no room" });
    case "files":
      fake.files.set(path.slice("files/".length).split("/").map(decodeURIComponent).join("/"), body);
      return answer(response, 204);
    default: {
      fake.objectRequests++;
      const object = fake.objects.get(name);
      if (object) response.writeHead(200).end(object);
      else answer(response, 404);
    }
  }
}

function serveObjects(fake: FakeTaskServer, ids: readonly string[], response: ServerResponse): void {
  fake.objectRequests++;
  const found = ids.flatMap((id) => fake.objects.get(id) ?? []);
  if (fake.batchStatus >= 300 || found.length < ids.length) answer(response, Math.max(404, fake.batchStatus));
  else response.writeHead(200).end(Buffer.concat(found));
}

function servePlan(plan: ChannelPlan | PlanFailure, response: ServerResponse): void {
  if ("failureReason" in plan) return answer(response, 422, plan);
  const lines = [...planLines(plan)].map((line) => `${JSON.stringify(line)}\n`);
  response.writeHead(200).end(lines.join(""));
}

function storeReport(fake: FakeTaskServer, { sequence, events }: ReportRequest, response: ServerResponse): void {
  const lines = events.reduce((count, event) => count + (event.type === "output" ? event.lines.length : 0), 0);
  if (lines > fake.mostLines) return answer(response, 413);
  if (events.length > 0 && sequence === fake.sequence + 1) {
    fake.sequence = sequence;
    fake.events.push(...events);
  }
  if (events.length > 0 && fake.answersToLose > 0) {
    fake.answersToLose--;
    response.destroy();
  } else answer(response, 200, { acknowledged: fake.sequence, stop: fake.stop });
}
