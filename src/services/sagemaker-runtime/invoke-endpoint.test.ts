import { expect, test } from "vitest";
import { FakeClock } from "../../lib/clock.fake.ts";
import { seconds } from "../../lib/clock.ts";
import { fakeRuntime, instance, type FakeInstance } from "./runtime.fake.ts";

const notFound = {
  code: "ValidationError",
  message: "Endpoint digits of account 000000000000 not found.",
};

test("the container gets InvokeEndpoint's headers and the body, and its answer comes back", async () => {
  const runtime = await fakeRuntime();
  const only = await instance("one", (body, _, response) => {
    response.setHeader("content-type", "application/json");
    response.setHeader("x-amzn-sagemaker-custom-attributes", "trace=2");
    response.end(JSON.stringify({ got: body.toString() }));
  });
  await runtime.serve(only);
  const answer = await runtime.invoke({
    ContentType: "text/csv",
    Accept: "application/json",
    CustomAttributes: "trace=1",
    InferenceId: "id-1",
  });
  expect(answer).toMatchObject({
    text: '{"got":"1,2"}',
    ContentType: "application/json",
    InvokedProductionVariant: "AllTraffic",
    CustomAttributes: "trace=2",
  });
  expect(answer).not.toHaveProperty("NewSessionId");
  const { host: _, ...headers } = only.received[0]?.headers ?? {};
  expect(headers).toEqual({
    "content-type": "text/csv",
    accept: "application/json",
    "x-amzn-sagemaker-custom-attributes": "trace=1",
    "x-amzn-sagemaker-inference-id": "id-1",
    "content-length": "3",
    connection: "keep-alive",
  });
});

test("only an endpoint in service is found", async () => {
  const runtime = await fakeRuntime();
  await expect(runtime.invoke()).rejects.toMatchObject(notFound);
  const routes = { variants: [{ name: "AllTraffic", weight: 1, instances: [await instance("one")] }] };
  for (const state of ["Creating", "Failed", "Deleting"]) {
    await runtime.setEndpoint(state, routes);
    await expect(runtime.invoke()).rejects.toMatchObject(notFound);
  }
  for (const state of ["Updating", "InService"]) {
    await runtime.setEndpoint(state, routes);
    expect((await runtime.invoke()).text).toBe("1,2");
  }
});

test("an endpoint is gone as soon as its deletion was asked for", async () => {
  const runtime = await fakeRuntime();
  const routes = { variants: [{ name: "AllTraffic", weight: 1, instances: [await instance("one")] }] };
  await runtime.setEndpoint("InService", routes);
  await runtime.invoke();
  await runtime.setEndpoint("InService", routes, { deleteRequestedAt: { $date: 1 } });
  await expect(runtime.invoke()).rejects.toMatchObject(notFound);
});

test("traffic is shared by weight, and TargetVariant overrides it", async () => {
  const runtime = await fakeRuntime();
  const [a, b, idle] = [await instance("a"), await instance("b"), await instance("c")];
  await runtime.setEndpoint("InService", {
    variants: [
      { name: "A", weight: 1, instances: [a] },
      { name: "B", weight: 3, instances: [b] },
      { name: "C", weight: 0, instances: [idle] },
    ],
  });
  for (let at = 0; at < 400; at++) await runtime.invoke();
  expect(a.received.length + b.received.length).toBe(400);
  expect(a.received.length).toBeGreaterThan(70);
  expect(a.received.length).toBeLessThan(130);
  expect(await runtime.invoke({ TargetVariant: "C" })).toMatchObject({ InvokedProductionVariant: "C" });
  await expect(runtime.invoke({ TargetVariant: "D" })).rejects.toMatchObject({
    code: "ValidationError",
    message: "Variant D of endpoint digits of account 000000000000 not found.",
  });
});

test("the instance with the fewest requests under way is chosen", async () => {
  const runtime = await fakeRuntime();
  const held: (() => void)[] = [];
  const slow = await instance("slow", (_, __, response) => void held.push(() => void response.end("slow")));
  const fast = await instance("fast");
  await runtime.serve(slow);
  const first = runtime.invoke();
  await expect.poll(() => held.length).toBe(1);
  await runtime.serve(slow, fast);
  for (let at = 0; at < 20; at++) expect((await runtime.invoke()).text).toBe("1,2");
  held[0]?.();
  expect((await first).text).toBe("slow");
});

test("an instance that takes no connection is passed over, and asked again when it was the only one", async () => {
  const runtime = await fakeRuntime();
  const [dead, alive] = [await instance("dead"), await instance("alive")];
  await dead.close();
  await runtime.serve(dead, alive);
  for (let at = 0; at < 10; at++) expect((await runtime.invoke()).text).toBe("1,2");
  await runtime.serve(dead);
  const waiting = runtime.invoke();
  await runtime.serve(dead, alive);
  expect((await waiting).text).toBe("1,2");
});

test("without any instance for ten seconds the service is unavailable", async () => {
  const clock = new FakeClock();
  const runtime = await fakeRuntime(clock);
  await runtime.serve();
  const waiting = runtime.invoke();
  const told = expect(waiting).rejects.toMatchObject({ code: "ServiceUnavailable" });
  for (let at = 0; at < 110; at++) {
    await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(100);
  }
  await told;
});

test("an error of the container is a ModelError with its status and text", async () => {
  const runtime = await fakeRuntime();
  await runtime.serve(
    await instance("one", (body, _, response) => {
      response.statusCode = Number(body.toString());
      response.end(`no good: ${body.toString()}`);
    }),
  );
  await expect(runtime.invoke({ Body: Buffer.from("400") })).rejects.toMatchObject({
    code: "ModelError",
    httpStatus: 424,
    message:
      'Received client error (400) from primary with message "no good: 400". See the log group /aws/sagemaker/Endpoints/digits in account 000000000000 for more information.',
    fields: {
      OriginalStatusCode: 400,
      OriginalMessage: "no good: 400",
      LogStreamArn: "arn:aws:logs:us-west-2:000000000000:log-group:/aws/sagemaker/Endpoints/digits",
    },
  });
  await expect(runtime.invoke({ Body: Buffer.from("500") })).rejects.toThrow("Received server error (500)");
});

test("a container that takes longer than a minute is given up", async () => {
  const clock = new FakeClock();
  const runtime = await fakeRuntime(clock);
  const slow = await instance("slow", () => undefined);
  await runtime.serve(slow);
  const waiting = runtime.invoke();
  const told = expect(waiting).rejects.toMatchObject({
    code: "ModelError",
    fields: { OriginalStatusCode: 0, OriginalMessage: expect.stringContaining("timed out") },
  });
  await expect.poll(() => slow.received.length).toBe(1);
  await clock.advance(seconds(60));
  await told;
});

test("a container that breaks off is a ModelError and is not asked twice", async () => {
  const runtime = await fakeRuntime();
  const breaking = await instance("breaking", (_, request) => void request.socket.destroy());
  await runtime.serve(breaking, breaking);
  await expect(runtime.invoke()).rejects.toMatchObject({ code: "ModelError", fields: { OriginalStatusCode: 0 } });
  expect(breaking.received).toHaveLength(1);
});

test("an answer of more than 6 MB is refused", async () => {
  const runtime = await fakeRuntime();
  const limit = 6 * 1024 * 1024;
  await runtime.serve(await instance("large", (body, _, response) => void response.end(Buffer.alloc(Number(body)))));
  expect((await runtime.invoke({ Body: Buffer.from(String(limit)) })).Body.length).toBe(limit);
  await expect(runtime.invoke({ Body: Buffer.from(String(limit + 1)) })).rejects.toMatchObject({
    code: "ModelError",
    message: expect.stringContaining("larger than 6291456 bytes"),
  });
});

test("a client that goes away takes its request with it", async () => {
  const runtime = await fakeRuntime();
  let isGone = false;
  const slow = await instance("slow", (_, request) => void request.socket.on("close", () => (isGone = true)));
  await runtime.serve(slow);
  const client = new AbortController();
  const waiting = runtime.invoke({}, client.signal);
  await expect.poll(() => slow.received.length).toBe(1);
  client.abort(new Error("gone"));
  await expect(waiting).rejects.toThrow("gone");
  await expect.poll(() => isGone).toBe(true);
});

test("connections are kept", async () => {
  const runtime = await fakeRuntime();
  const ports = new Set<number | undefined>();
  const only = await instance("one", (body, request, response) => {
    ports.add(request.socket.remotePort);
    response.end(body);
  });
  await runtime.serve(only);
  for (let at = 0; at < 20; at++) await runtime.invoke();
  // undici may open a second one while the first answer is still being let go.
  expect(ports.size).toBeLessThanOrEqual(2);
});

test("a response stream passes the container's chunks on as they come", async () => {
  const runtime = await fakeRuntime();
  let finish: (() => void) | undefined;
  const chunked = await instance("chunked", (_, __, response) => {
    response.setHeader("content-type", "text/plain");
    response.write("first");
    finish = () => void response.end("last");
  });
  await runtime.serve(chunked);
  const answer = await runtime.call("InvokeEndpointWithResponseStream", {
    EndpointName: "digits",
    Body: Buffer.from("x"),
  });
  expect(answer).toMatchObject({ ContentType: "text/plain", InvokedProductionVariant: "AllTraffic" });
  const texts: string[] = [];
  for await (const event of answer.Body) {
    texts.push(Buffer.from(event.PayloadPart?.Bytes ?? []).toString());
    finish?.();
  }
  expect(texts.join("")).toBe("firstlast");
  expect(texts[0]).toBe("first");
});

test("a stream that breaks ends with a ModelStreamError", async () => {
  const runtime = await fakeRuntime();
  const breaking = await instance("breaking", (_, request, response) => {
    response.write("first");
    setTimeout(() => request.socket.destroy(), 20);
  });
  await runtime.serve(breaking);
  const answer = await runtime.call("InvokeEndpointWithResponseStream", {
    EndpointName: "digits",
    Body: Buffer.from("x"),
  });
  const events = await Array.fromAsync(answer.Body);
  expect(events.at(-1)).toMatchObject({ ModelStreamError: { Message: expect.stringContaining("broke") } });
});

test("invocations are counted per variant and written when the server stops", async () => {
  const runtime = await fakeRuntime();
  await runtime.serve(
    await instance("one", (body, _, response) => {
      response.statusCode = Number(body.toString());
      response.end();
    }),
  );
  for (const status of ["200", "200", "400", "503"])
    await runtime.invoke({ Body: Buffer.from(status) }).catch(() => undefined);
  await runtime.stop();
  const sum = (name: string): number =>
    runtime.metrics.filter((datum) => datum.name === name).reduce((total, { value }) => total + value, 0);
  expect(sum("Invocations")).toBe(4);
  expect(sum("Invocation4XXErrors")).toBe(1);
  expect(sum("Invocation5XXErrors")).toBe(1);
  expect(sum("ModelLatency")).toBeGreaterThan(0);
  expect(runtime.metrics[0]).toMatchObject({
    namespace: "AWS/SageMaker",
    dimensions: { EndpointName: "digits", VariantName: "AllTraffic" },
  });
});

test("members that another sort of endpoint takes are refused", async () => {
  const runtime = await fakeRuntime();
  await runtime.serve(await instance("one"));
  for (const member of ["TargetContainerHostname", "InferenceComponentName", "EnableExplanations"])
    await expect(runtime.invoke({ [member]: "x" })).rejects.toMatchObject({ code: "ValidationError" });
});

const multiModel = async (...instances: readonly FakeInstance[]) => {
  const runtime = await fakeRuntime();
  const variant = { name: "AllTraffic", weight: 1, isMultiModel: true as const, instances: [...instances] };
  await runtime.setEndpoint("InService", { variants: [variant] });
  return runtime;
};

test("a target model is for multi-model endpoints, and they need one", async () => {
  const single = await fakeRuntime();
  await single.serve(await instance("one"));
  const text = "Endpoint digits is not a multi-model endpoint and does not support target model header.";
  await expect(single.invoke({ TargetModel: "a.tar.gz" })).rejects.toMatchObject({ message: text });
  const several = await multiModel(await instance("one"));
  await expect(several.invoke()).rejects.toThrow(/^Request \S+ is missing a target model header\.$/);
  for (const TargetModel of ["../a", "a/../b", "/a", "a//b", "."])
    await expect(several.invoke({ TargetModel })).rejects.toThrow("is not the path of a model");
});

test("the instance hears which model is meant, and a model stays with its instance", async () => {
  const instances = await Promise.all(["one", "two", "three"].map((id) => instance(id)));
  const runtime = await multiModel(...instances);
  for (let count = 0; count < 5; count++) await runtime.invoke({ TargetModel: "north/é 1.tar.gz" });
  const received = instances.map((one) => one.received.length).toSorted((a, b) => a - b);
  expect(received).toEqual([0, 0, 5]);
  const headers = instances.flatMap((one) => one.received)[0]?.headers;
  expect(headers?.["x-salvia-target-model"]).toBe(encodeURIComponent("north/é 1.tar.gz"));
});

test.each([
  ["no-model", 400, "ValidationError"],
  ["not-ready", 429, "ModelNotReadyException"],
])("the agent's %s is told as SageMaker does", async (problem, status, code) => {
  const agent = await instance("one", (_body, _request, response) => {
    response.writeHead(status, { "x-salvia-model-problem": problem });
    response.end("why");
  });
  const runtime = await multiModel(agent);
  await expect(runtime.invoke({ TargetModel: "a" })).rejects.toMatchObject({ code, message: "why" });
});
