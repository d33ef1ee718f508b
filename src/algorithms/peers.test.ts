// Two ends in one process, over loopback addresses of their own.
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { encodeRecord } from "../formats/record-protobuf.ts";
import { encodeRecordIo } from "../formats/recordio.ts";
import { FakeClock } from "../lib/clock.fake.ts";
import { minutes, seconds, systemClock } from "../lib/clock.ts";
import { joinLeader, leaderOf, openLeader, type PeerOptions } from "./peers.ts";

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined, metric: () => undefined };
const all = ["algo-1", "algo-2", "algo-3"];
const leaderAddress = "127.87.4.1";

const optionsOf = (
  current: string,
  port: number,
  token = "secret",
  others: Partial<PeerOptions> = {},
): PeerOptions => ({
  hosts: { current, all },
  environment: {
    SALVIA_PEERS: JSON.stringify({ "algo-1": leaderAddress, "algo-2": "127.87.4.2", "algo-3": "127.87.4.3" }),
    SALVIA_PEER_PORT: String(port),
    SALVIA_JOB_TOKEN: token,
  },
  clock: systemClock,
  log: silent,
  stop: new AbortController().signal,
  ...others,
});

const result = (value: number) => ({
  features: new Map([["x", { type: "float64" as const, values: Float64Array.of(value) }]]),
});
const basePort = 20_000 + (process.pid % 20_000);

test("the first host by number leads", () => {
  expect(leaderOf({ current: "algo-2", all: ["algo-10", "algo-2", "algo-1"] })).toBe("algo-1");
  expect(leaderOf({ current: "algo-2", all: ["algo-10", "algo-2"] })).toBe("algo-2");
});

test("the leader gathers every host's result, even from hosts that were there before it", async () => {
  const followers = ["algo-2", "algo-3"].map((host) => joinLeader(optionsOf(host, basePort)));
  const sent = followers.map((follower, at) => follower.send(result(at)));
  const leader = await openLeader(optionsOf("algo-1", basePort));
  const results = await leader.gather();
  await Promise.all(sent);
  expect([...results.keys()].sort()).toEqual(["algo-2", "algo-3"]);
  expect(results.get("algo-3")?.features.get("x")?.values).toEqual(Float64Array.of(1));
  followers.forEach((follower) => follower.close());
  leader.close();
});

test("a host that leaves without its result fails the job with its name", async () => {
  const port = basePort + 1;
  const leader = await openLeader(optionsOf("algo-1", port));
  const socket = connect(port, leaderAddress);
  socket.end(encodeRecordIo(encodeRecord({ metadata: "hello", uid: "algo-2", configuration: "secret" })));
  await expect(leader.gather()).rejects.toThrow("algo-2 left before it sent its result");
  leader.close();
});

test("a stranger is turned away and the job goes on", async () => {
  const port = basePort + 2;
  const leader = await openLeader(optionsOf("algo-1", port));
  const stranger = joinLeader(optionsOf("algo-2", port, "wrong"));
  await expect(stranger.send(result(0))).rejects.toThrow("algo-1 was lost");
  const noise = connect(port, leaderAddress);
  noise.on("error", () => undefined);
  noise.end("GET / HTTP/1.1\r\n\r\n");
  const followers = ["algo-2", "algo-3"].map((host) => joinLeader(optionsOf(host, port)));
  await Promise.all([leader.gather(), ...followers.map((follower) => follower.send(result(1)))]);
  followers.forEach((follower) => follower.close());
  leader.close();
});

test("a follower whose leader dies fails with its name", async () => {
  const port = basePort + 3;
  const leader = await openLeader(optionsOf("algo-1", port));
  const follower = joinLeader(optionsOf("algo-2", port));
  const gathered = leader.gather();
  gathered.catch(() => undefined);
  const others = joinLeader(optionsOf("algo-3", port));
  await others.send(result(1));
  leader.close();
  await expect(follower.send(result(2))).rejects.toThrow(/algo-1 (was lost|could not be reached)/);
  follower.close();
  others.close();
  await gathered.catch(() => undefined);
}, 120_000);

/** Hands the event loop on until the condition holds: what is written here arrives there. */
async function until(isSo: () => boolean, each: () => unknown = () => undefined): Promise<void> {
  while (!isSo()) {
    await each();
    await setImmediate();
  }
}

/** A log that remembers. */
function recording(): { readonly lines: string[]; readonly log: PeerOptions["log"] } {
  const lines: string[] = [];
  const keep = (line: string): void => void lines.push(line);
  return { lines, log: { info: keep, warn: keep, error: keep, metric: () => undefined } };
}

async function sayHello(port: number, host: string): Promise<Socket> {
  const socket = connect(port, leaderAddress);
  socket.on("error", () => undefined);
  await once(socket, "connect");
  socket.write(encodeRecordIo(encodeRecord({ metadata: "hello", uid: host, configuration: "secret" })));
  return socket;
}

const pair = { "algo-1": leaderAddress, "algo-2": "127.87.4.2" };
const ofTwo = (current: string, port: number, others: Partial<PeerOptions>): PeerOptions => ({
  ...optionsOf(current, port, "secret", others),
  hosts: { current, all: Object.keys(pair) },
});

test("a follower that waits for a dead leader stops within a second of being asked to", async () => {
  const stop = new AbortController();
  const follower = joinLeader(optionsOf("algo-2", basePort + 4, "secret", { stop: stop.signal }));
  const sent = follower.send(result(1));
  await setImmediate();
  const askedMs = performance.now();
  stop.abort();
  expect(await sent).toBe(false);
  expect(performance.now() - askedMs).toBeLessThan(1_000);
  follower.close();
});

test("a leader that is asked to stop goes on without the hosts that never came", async () => {
  const stop = new AbortController();
  const { lines, log } = recording();
  const leader = await openLeader(optionsOf("algo-1", basePort + 5, "secret", { stop: stop.signal, log }));
  const follower = joinLeader(optionsOf("algo-2", basePort + 5));
  await follower.send(result(1));
  const gathered = leader.gather();
  stop.abort();
  expect([...(await gathered).keys()]).toEqual(["algo-2"]);
  expect(lines).toContain("asked to stop: going on without algo-3");
  follower.close();
  leader.close();
});

test("a leader that is asked to stop waits fifteen seconds for a host that is connected", async () => {
  const [stop, clock] = [new AbortController(), new FakeClock()];
  const { lines, log } = recording();
  const port = basePort + 6;
  const leader = await openLeader(ofTwo("algo-1", port, { stop: stop.signal, clock, log }));
  const socket = await sayHello(port, "algo-2");
  await until(() => lines.includes("algo-2 is connected"));
  const gathered = leader.gather();
  stop.abort();
  await setImmediate();
  await clock.advance(seconds(14));
  expect(lines).not.toContain("asked to stop: going on without algo-2");
  await clock.advance(seconds(2));
  expect((await gathered).size).toBe(0);
  expect(lines).toContain("asked to stop: going on without algo-2");
  socket.destroy();
  leader.close();
});

test("a host that is connected but silent for two minutes fails the job with its name", async () => {
  const clock = new FakeClock();
  const { lines, log } = recording();
  const port = basePort + 7;
  const leader = await openLeader(ofTwo("algo-1", port, { clock, log }));
  const socket = await sayHello(port, "algo-2");
  await until(() => lines.includes("algo-2 is connected"));
  const gathered = leader.gather();
  let isLost = false;
  gathered.catch(() => (isLost = true));
  await clock.advance(minutes(2));
  await setImmediate();
  expect(isLost).toBe(false);
  await clock.advance(seconds(5));
  await expect(gathered).rejects.toThrow("algo-2 left before it sent its result: nothing was heard for 120 s");
  socket.destroy();
  leader.close();
});

test("a leader that is connected but silent for two minutes fails its followers", async () => {
  const clock = new FakeClock();
  const port = basePort + 8;
  const frozen = createServer((socket) => socket.resume());
  frozen.listen(port, leaderAddress);
  await once(frozen, "listening");
  const follower = joinLeader(ofTwo("algo-2", port, { clock }));
  const accepting = once(frozen, "connection");
  const sent = follower.send(result(1));
  let isLost = false;
  sent.catch(() => (isLost = true));
  await accepting;
  await until(
    () => isLost,
    () => clock.advance(seconds(5)),
  );
  await expect(sent).rejects.toThrow("algo-1 was lost: nothing was heard for 120 s");
  follower.close();
  frozen.close();
});

test("heartbeats keep a job alive that computes for ten minutes", async () => {
  const clock = new FakeClock();
  const { lines, log } = recording();
  const port = basePort + 9;
  const leader = await openLeader(ofTwo("algo-1", port, { clock, log }));
  const follower = joinLeader(ofTwo("algo-2", port, { clock }));
  await until(() => lines.includes("algo-2 is connected"));
  const gathered = leader.gather();
  for (let passed = 0; passed < minutes(10); passed += seconds(5)) {
    await clock.advance(seconds(5));
    for (let turn = 0; turn < 5; turn++) await setImmediate();
  }
  await follower.send(result(3));
  expect((await gathered).has("algo-2")).toBe(true);
  expect(lines).toContain("waiting for algo-2");
  follower.close();
  leader.close();
});

test("a host that does not connect within fifteen minutes fails the job with its name", async () => {
  const clock = new FakeClock();
  const leader = await openLeader(optionsOf("algo-1", basePort + 10, "secret", { clock }));
  const gathered = leader.gather();
  const isRefused = expect(gathered).rejects.toThrow("algo-2, algo-3 did not connect within 15 minutes");
  await clock.advance(minutes(15));
  await isRefused;
  leader.close();
});

test("a leader that does not start within fifteen minutes fails its followers", async () => {
  const clock = new FakeClock();
  const { lines, log } = recording();
  const follower = joinLeader(optionsOf("algo-2", basePort + 11, "secret", { clock, log }));
  const sent = follower.send(result(1));
  let isLost = false;
  sent.catch(() => (isLost = true));
  await until(
    () => isLost,
    () => clock.advance(seconds(30)),
  );
  await expect(sent).rejects.toThrow("algo-1 could not be reached within 15 minutes: connect ECONNREFUSED");
  expect(lines[0]).toMatch(/^waiting for algo-1: connect ECONNREFUSED/);
  follower.close();
});
