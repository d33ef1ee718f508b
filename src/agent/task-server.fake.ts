// The server's side of a task, for tests: keeps what agents report by the rules of src/task/report.ts, and can be away.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import type { ChannelPlan, PlanFailure } from "../task/channel-plan.ts";
import { taskRoutePrefix, type ReportRequest, type TaskEnd, type TaskEvent } from "../task/report.ts";

export interface FakeTaskServer {
  readonly url: string;
  readonly token: string;
  readonly events: TaskEvent[];
  readonly parts: Map<string, Buffer>;
  /** Requests that were no agent's, as "METHOD url host". */
  readonly forwarded: string[];
  plan: ChannelPlan | PlanFailure;
  objects: Map<string, Buffer>;
  stop: boolean;
  isGone: boolean;
  /** Answers 503 to everything. */
  isAway: boolean;
  /** Stores a report, but cuts the connection before the answer, this many times. */
  answersToLose: number;
  /** Status of PUT parts. */
  partStatus: number;
  lines(): string[];
  end(): TaskEnd | undefined;
  close(): Promise<void>;
}

export async function startTaskServer(): Promise<FakeTaskServer> {
  let sequence = 0;
  const answer = (response: ServerResponse, status: number, body?: unknown): void => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(body === undefined ? "" : JSON.stringify(body));
  };
  const report = (request: ReportRequest, response: ServerResponse): void => {
    if (request.events.length > 0 && request.sequence === sequence + 1) {
      sequence = request.sequence;
      fake.events.push(...request.events);
    }
    if (request.events.length > 0 && fake.answersToLose > 0) {
      fake.answersToLose--;
      response.destroy();
    } else answer(response, 200, { acknowledged: sequence, stop: fake.stop });
  };
  const credentials = { AccessKeyId: "ASIA", SecretAccessKey: "s", Token: "t", Expiration: "2099-01-01T00:00:00Z" };
  const route = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = request.url ?? "";
    const body = await buffer(request);
    if (fake.isAway) return answer(response, 503);
    if (!url.startsWith(taskRoutePrefix)) {
      fake.forwarded.push(`${request.method} ${url} ${request.headers.host} ${body.toString()}`);
      return answer(response, 200, { from: "salvia" });
    }
    if (fake.isGone) return answer(response, 410);
    if (request.headers.authorization !== `Bearer ${fake.token}`) return answer(response, 403);
    const [, ...rest] = url.slice(taskRoutePrefix.length).split("/");
    const path = rest.join("/");
    if (path === "plan") return answer(response, "failureReason" in fake.plan ? 422 : 200, fake.plan);
    if (path === "reports") return report(JSON.parse(body.toString()) as ReportRequest, response);
    if (path === "credentials") return answer(response, 200, credentials);
    if (path.startsWith("parts/")) {
      if (fake.partStatus < 300) fake.parts.set(path.slice("parts/".length), body);
      return answer(response, fake.partStatus, { message: "no room" });
    }
    const object = fake.objects.get(path.slice("objects/".length));
    if (object) response.writeHead(200).end(object);
    else answer(response, 404);
  };
  const server = createServer((request, response) => {
    route(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = address !== null && typeof address === "object" ? address.port : 0;
  const fake: FakeTaskServer = {
    url: `http://127.0.0.1:${port}`,
    token: "task-token",
    events: [],
    parts: new Map(),
    forwarded: [],
    plan: { channels: [], modelArchives: [] },
    objects: new Map(),
    stop: false,
    isGone: false,
    isAway: false,
    answersToLose: 0,
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
