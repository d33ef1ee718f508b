import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { Readable } from "node:stream";
import { expect, onTestFinished, test } from "vitest";
import { systemClock, type Clock } from "../lib/clock.ts";
import { silentLog } from "../lib/log.ts";
import type { UploadFolder } from "../task/upload-folder.ts";
import { ServerRefusalError } from "./server-connection.ts";
import { setUpTask } from "./task-bench.fake.ts";
import { folderUploads, type FolderUploads } from "./upload-folders.ts";

/** A clock whose sleepers wake when the test says so; each sleep ends one look of the watcher. */
function steppedClock(): { readonly clock: Clock; readonly look: () => Promise<void> } {
  let asleep = Promise.withResolvers<void>();
  let wake: (() => void) | undefined;
  const sleep = (_ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      wake = resolve;
      signal?.addEventListener("abort", () => reject(signal.reason));
      asleep.resolve();
    });
  const look = async (): Promise<void> => {
    await asleep.promise;
    asleep = Promise.withResolvers();
    wake?.();
    await asleep.promise;
  };
  return { clock: { ...systemClock, sleep }, look };
}

interface World {
  readonly root: string;
  readonly folder: string;
  readonly stored: Map<string, string>;
  /** "<folder>/<path>" in the order of their uploads. */
  readonly sent: string[];
  readonly told: string[];
  /** Thrown by the next uploads. */
  refusal: Error | undefined;
  look(): Promise<void>;
  uploads(): FolderUploads;
  /** Starts to watch until the test ends. */
  watch(): AbortController;
}

function setUp(mode: UploadFolder["mode"] = "Continuous"): World {
  const base = mkdtempSync(join(tmpdir(), "salvia-uploads-"));
  onTestFinished(() => rmSync(base, { recursive: true, force: true }));
  const root = join(base, "root");
  const folder = join(root, "checkpoints");
  mkdirSync(folder, { recursive: true });
  const { clock, look } = steppedClock();
  const putFile = async (name: string, path: string, body: Readable): Promise<void> => {
    const content = await text(body);
    if (world.refusal) throw world.refusal;
    world.sent.push(`${name}/${path}`);
    world.stored.set(`${name}/${path}`, content);
  };
  const world: World = {
    root,
    folder,
    stored: new Map(),
    sent: [],
    told: [],
    refusal: undefined,
    look,
    uploads: () =>
      folderUploads({
        folders: [{ name: "saved", folder: "checkpoints", mode }],
        root,
        logFile: join(base, "uploads"),
        connection: { putFile },
        clock,
        log: silentLog,
        tellUser: (line) => world.told.push(line),
      }),
    watch: () => {
      const stop = new AbortController();
      const watching = world.uploads().watch(stop.signal);
      onTestFinished(async () => {
        stop.abort();
        await watching;
      });
      return stop;
    },
  };
  return world;
}

const never = new AbortController().signal;

test("a file is stored once it rests, again once it has changed, and not in between", async () => {
  const world = setUp();
  world.watch();
  await world.look();
  writeFileSync(join(world.folder, "step-1"), "one");
  await world.look();
  expect(world.sent).toEqual([]);
  await world.look();
  await world.look();
  expect(world.sent).toEqual(["saved/step-1"]);
  writeFileSync(join(world.folder, "step-1"), "other");
  await world.look();
  await world.look();
  await world.look();
  expect(world.sent).toEqual(["saved/step-1", "saved/step-1"]);
  expect(world.stored.get("saved/step-1")).toBe("other");
});

test("the end stores what the watcher has not, in folders too, and nothing twice", async () => {
  const world = setUp();
  mkdirSync(join(world.folder, "deep"));
  writeFileSync(join(world.folder, "deep/a b"), "1");
  writeFileSync(join(world.folder, "empty"), "");
  expect(await world.uploads().finish(false, never)).toBeUndefined();
  expect(Object.fromEntries(world.stored)).toEqual({ "saved/deep/a b": "1", "saved/empty": "" });
  // As an agent that was restarted.
  expect(await world.uploads().finish(false, never)).toBeUndefined();
  expect(world.sent).toHaveLength(2);
});

test("folders of the end are stored only when the program has succeeded", async () => {
  const world = setUp("EndOfJob");
  writeFileSync(join(world.folder, "x"), "1");
  await world.uploads().finish(false, never);
  expect(world.sent).toEqual([]);
  await world.uploads().finish(true, never);
  expect(world.sent).toEqual(["saved/x"]);
});

test("no link, FIFO or swapped folder leads out of the task", async () => {
  const world = setUp();
  const outside = mkdtempSync(join(tmpdir(), "salvia-host-"));
  onTestFinished(() => rmSync(outside, { recursive: true, force: true }));
  writeFileSync(join(outside, "secret"), "s");
  symlinkSync(join(outside, "secret"), join(world.folder, "link"));
  symlinkSync(outside, join(world.folder, "folder"));
  symlinkSync("fine", join(world.folder, "inner"));
  execFileSync("/bin/sh", ["-c", `mkfifo "$0"`, join(world.folder, "pipe")]);
  writeFileSync(join(world.folder, "fine"), "1");
  expect(await world.uploads().finish(true, never)).toBeUndefined();
  expect(world.sent).toEqual(["saved/fine"]);
  expect(world.told.toSorted()).toEqual(
    ["folder", "inner", "link", "pipe"].map(
      (name) => `[salvia] checkpoints/${name} is not stored: it is no plain file of this job`,
    ),
  );
  // The folder itself may be swapped, too.
  renameSync(world.folder, `${world.folder}-old`);
  symlinkSync(outside, world.folder);
  await world.uploads().finish(true, never);
  expect(world.sent).toEqual(["saved/fine"]);
});

test("a refusal is told while the program runs, and again as the problem of the end", async () => {
  const world = setUp();
  world.watch();
  world.refusal = new ServerRefusalError(422, "the server answered 422: Access Denied");
  writeFileSync(join(world.folder, "x"), "1");
  for (let count = 0; count < 4; count++) await world.look();
  expect(world.told).toEqual(["[salvia] could not store a file: the server answered 422: Access Denied"]);
  expect(await world.uploads().finish(true, never)).toBe("the server answered 422: Access Denied");
  world.refusal = undefined;
  expect(await world.uploads().finish(true, never)).toBeUndefined();
  expect(world.sent).toEqual(["saved/x"]);
});

test("a folder that is not there holds nothing", async () => {
  const world = setUp();
  rmSync(world.folder, { recursive: true });
  expect(await world.uploads().finish(true, never)).toBeUndefined();
  expect(world.sent).toEqual([]);
});

test("a task's folders are stored before its end is told, and a processing task has no model", async () => {
  const bench = await setUpTask();
  await bench.start(
    `const fs = require("fs"); const root = process.env.SAGEMAKER_BASE_DIR;
    fs.mkdirSync(root + "/processing/out/part", { recursive: true }); fs.writeFileSync(root + "/processing/out/part/1.csv", "a,b");
    fs.writeFileSync(root + "/model/m", "m");`,
    { purpose: "processing", uploads: [{ name: "out", folder: "processing/out", mode: "EndOfJob" }] },
  );
  await bench.untilEnd();
  expect(bench.server.files.get("out/part/1.csv")?.toString()).toBe("a,b");
  expect([...bench.server.parts.keys()]).toEqual([]);
  expect(bench.server.end()).toMatchObject({ how: "exited", exitCode: 0 });
});
