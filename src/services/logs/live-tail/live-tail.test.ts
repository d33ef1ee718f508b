import { expect, test } from "vitest";
import type { StartLiveTailRequest, StartLiveTailResponseStream } from "../../../models/generated/logs.ts";
import { createFakeLogs, scope, type FakeLogs } from "../logs.fake.ts";

const arn = "arn:aws:logs:us-west-2:000000000000:log-group:group";

async function tail(logs: FakeLogs, more: Partial<StartLiveTailRequest> = {}) {
  const { responseStream } = await logs.call("StartLiveTail", { logGroupIdentifiers: [arn], ...more });
  const events = responseStream![Symbol.asyncIterator]() as AsyncIterator<StartLiveTailResponseStream>;
  const next = async (): Promise<StartLiveTailResponseStream> =>
    (await events.next()).value as StartLiveTailResponseStream;
  const messages = async (): Promise<string[]> => {
    const coming = next();
    await logs.clock.advance(1_000);
    return (await coming).sessionUpdate?.sessionResults?.map(({ message = "" }) => message) ?? ["none"];
  };
  return { next, messages };
}

const lines = (logs: FakeLogs, stream: string, ...texts: string[]): Promise<void> =>
  logs.append(
    "group",
    stream,
    texts.map((message) => ({ timestamp: logs.clock.now().getTime(), message })),
  );

test("a session begins with itself, then tells each second what came in, and nothing from before", async () => {
  const logs = await createFakeLogs();
  await lines(logs, "s", "old");
  const { next, messages } = await tail(logs);
  expect((await next()).sessionStart).toMatchObject({ logGroupIdentifiers: [arn] });
  await lines(logs, "s", "a", "b");
  expect(await messages()).toEqual(["a", "b"]);
  expect(await messages()).toEqual([]);
  await lines(logs, "new stream", "c");
  expect(await messages()).toEqual(["c"]);
});

test("streams and a pattern choose among the lines", async () => {
  const logs = await createFakeLogs();
  await lines(logs, "train/1", "old");
  const { next, messages } = await tail(logs, { logStreamNamePrefixes: ["train/"], logEventFilterPattern: "loss" });
  await next();
  await lines(logs, "train/1", "loss 1", "else");
  await lines(logs, "serve/1", "loss 2");
  expect(await messages()).toEqual(["loss 1"]);
});

test("more than 500 lines a second are sampled, and say so", async () => {
  const logs = await createFakeLogs();
  await lines(logs, "s", "old");
  const { next } = await tail(logs);
  await next();
  await lines(logs, "s", ...Array.from({ length: 700 }, (_, at) => `line ${at}`));
  const coming = next();
  await logs.clock.advance(1_000);
  const { sessionUpdate } = await coming;
  expect(sessionUpdate?.sessionMetadata?.sampled).toBe(true);
  expect(sessionUpdate?.sessionResults).toHaveLength(500);
});

test("a group that is not there, or another account's, is not found", async () => {
  const logs = await createFakeLogs();
  const asked = { logGroupIdentifiers: [arn] };
  await expect(logs.call("StartLiveTail", asked)).rejects.toMatchObject({ code: "ResourceNotFoundException" });
  await lines(logs, "s", "x");
  await expect(logs.call("StartLiveTail", asked, { ...scope, account: "111111111111" })).rejects.toMatchObject({
    code: "ResourceNotFoundException",
  });
});
