// Two ends in one process, over loopback addresses of their own.
import { connect } from "node:net";
import { expect, test } from "vitest";
import { encodeRecord } from "../formats/record-protobuf.ts";
import { encodeRecordIo } from "../formats/recordio.ts";
import { systemClock } from "../lib/clock.ts";
import { joinLeader, leaderOf, openLeader, type PeerOptions } from "./peers.ts";

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined, metric: () => undefined };
const all = ["algo-1", "algo-2", "algo-3"];
const leaderAddress = "127.87.4.1";

const optionsOf = (current: string, port: number, token = "secret"): PeerOptions => ({
  hosts: { current, all },
  environment: {
    SALVIA_PEERS: JSON.stringify({ "algo-1": leaderAddress, "algo-2": "127.87.4.2", "algo-3": "127.87.4.3" }),
    SALVIA_PEER_PORT: String(port),
    SALVIA_JOB_TOKEN: token,
  },
  clock: systemClock,
  log: silent,
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
}, 20_000);
