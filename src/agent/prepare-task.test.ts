import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../lib/clock.ts";
import { silentLog } from "../lib/log.ts";
import { systemRandom } from "../lib/random.ts";
import { taskPaths } from "../task/task-folder.ts";
import { openDoors } from "./prepare-task.ts";
import type { CredentialsHost } from "./runners/runner.ts";
import type { TaskRun } from "./task-run.ts";
import { openState } from "./task-state.ts";

/** A task that trains, and what its log is told. */
function runWith(credentialsHost: CredentialsHost | undefined): { readonly run: TaskRun; readonly told: unknown[] } {
  const folder = mkdtempSync(join(tmpdir(), "salvia-prepare-"));
  const told: unknown[] = [];
  const run = {
    spec: {
      network: { isAlone: false },
      program: { kind: "image" },
      server: { url: "http://127.0.0.1:1", token: "t" },
    },
    state: openState(taskPaths(folder), silentLog),
    runner: { gatewayHost: () => "127.0.0.1", credentialsHost: async () => credentialsHost },
    reporter: { tell: (event: { readonly lines: readonly { text: string }[] }) => told.push(event.lines[0]?.text) },
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    connection: {},
    doors: {},
    abandoned: new AbortController(),
  } as unknown as TaskRun;
  onTestFinished(() => {
    run.doors.gateway?.close();
    run.doors.credentials?.close();
    rmSync(folder, { recursive: true });
  });
  return { run, told };
}

test("a job whose SDKs will find no credentials is told so in its log, once", async () => {
  const { run, told } = runWith({ problem: "do this" });
  await openDoors(run);
  expect(told).toEqual(["do this"]);
  expect(run.state.current.gateway).toEqual({ port: expect.any(Number), token: expect.any(String) });
  run.doors.gateway?.close();
  delete run.doors.gateway;
  await openDoors(run);
  expect(told).toEqual(["do this"]);
});

test("where SDKs take credentials from another address there is a door, and nothing to say", async () => {
  const { run, told } = runWith({ host: "127.0.0.1" });
  await openDoors(run);
  expect(told).toEqual([]);
  expect(run.state.current.gateway?.credentials).toEqual({ host: "127.0.0.1", port: run.doors.credentials?.port });
});

test("where the gateway's address will do, it is the only door", async () => {
  const { run, told } = runWith(undefined);
  await openDoors(run);
  expect({ told, credentials: run.doors.credentials }).toEqual({ told: [], credentials: undefined });
});
