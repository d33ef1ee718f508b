// What a program finds below /opt/ml, what it may do there, and what is kept of it. Every backend that runs programs keeps it.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import type { ChannelPlan } from "../../task/channel-plan.ts";
import { ask, ended, script, started, type Subject } from "./subject.fake.ts";

interface Objects {
  readonly file: string;
  readonly plan: (mode: "File" | "FastFile") => ChannelPlan;
}

function storedObject(): Objects {
  const folder = mkdtempSync(join(tmpdir(), "salvia-stored-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "object");
  writeFileSync(file, "bytes", { mode: 0o600 });
  const plan: Objects["plan"] = (mode) => ({
    channels: [{ name: "train", mode, objects: [{ path: "a/b.csv", sizeBytes: 5, source: { file }, isGzip: false }] }],
    modelArchives: [],
  });
  return { file, plan };
}

export function askFiles(subject: Subject): void {
  ask(subject, "the folders and the configuration of /opt/ml are there before the program", async () => {
    const configFiles = { "hyperparameters.json": `{"k":"1"}`, "resourceconfig.json": `{"current_host":"algo-1"}` };
    const { server } = await ended(
      subject,
      `cd "$base"; ls -d input/config input/data model output/data; cat input/config/hyperparameters.json; echo
      cat input/config/resourceconfig.json`,
      { configFiles },
    );
    const folders = ["input/config", "input/data", "model", "output/data"];
    expect(server.lines()).toEqual([...folders, `{"k":"1"}`, `{"current_host":"algo-1"}`]);
  });

  ask(
    subject,
    "a File channel is the program's own: it may change and remove what it got, and the object stays",
    async () => {
      const { file, plan } = storedObject();
      const source = `cd "$base/input/data/train"; cat a/b.csv; echo; echo more >>a/b.csv; rm -r a; ls | wc -l | tr -d ' '`;
      const { server } = await ended(subject, source, { plan: plan("File") });
      expect(server.lines()).toEqual(["bytes", "0"]);
      expect(readFileSync(file, "utf8")).toBe("bytes");
    },
  );

  ask(subject, "a FastFile channel can be read, and its object not be changed", async () => {
    const { file, plan } = storedObject();
    const source = `cd "$base/input/data/train"; cat a/b.csv; echo; echo more >>a/b.csv && echo changed; true`;
    const { server } = await ended(subject, source, { plan: plan("FastFile") });
    const told = server.lines().filter((line) => ["bytes", "changed"].includes(line));
    // Where it is no bind it is a copy, as the log says.
    expect(told).toEqual(subject.promises.has("read-only-inputs") ? ["bytes"] : ["bytes", "changed"]);
    expect(readFileSync(file, "utf8")).toBe("bytes");
  });

  ask(
    subject,
    "the model and the other outputs are stored when the program has ended, also when it has failed",
    async () => {
      for (const code of [0, 1]) {
        const source = `cd "$base"; mkdir model/sub; echo m >model/sub/m; ln -s m model/sub/link; echo o >output/data/o; exit ${code}`;
        const { server } = await ended(subject, source);
        expect(server.end()?.exitCode).toBe(code);
        expect([...server.parts.keys()].toSorted()).toEqual(code === 0 ? ["model", "output"] : ["output"]);
      }
    },
  );

  ask(subject, "upload folders are stored file by file, and what leads out of the task is not", async () => {
    const uploads = [{ name: "out", folder: "checkpoints", mode: "Continuous" }] as const;
    const source = `cd "$base/checkpoints"; mkdir a; echo one >a/one; ln -s /etc/passwd stolen; echo two >two`;
    const { server } = await ended(subject, source, { uploads });
    expect(Object.fromEntries([...server.files].map(([name, bytes]) => [name, bytes.toString()]))).toEqual({
      "out/a/one": "one\n",
      "out/two": "two\n",
    });
  });

  ask(subject, "Salvia's folders and other tasks' files are out of sight, where the backend has walls", async () => {
    const { folder, server, backend, key } = await started(subject, script("true"));
    expect(folder).not.toBe("");
    await backend.remove(key);
    await server.close();
    const own = mkdtempSync(join(tmpdir(), "salvia-other-"));
    onTestFinished(() => rmSync(own, { recursive: true }));
    const seen = await ended(
      subject,
      `test -e '${own}' && echo seen; echo mine >/tmp/${subject.name.length}-mine; echo done`,
    );
    const isSeen = seen.server.lines().includes("seen");
    expect(isSeen).toBe(!subject.promises.has("own-files"));
    expect(existsSync(`/tmp/${subject.name.length}-mine`)).toBe(!subject.promises.has("own-files"));
    rmSync(`/tmp/${subject.name.length}-mine`, { force: true });
  });

  ask(subject, "instances find each other by name, where the backend gives names", async () => {
    const source = `python3 -c 'import socket; print(socket.gethostbyname("algo-1") != "", socket.gethostbyname("algo-2") != "")'`;
    const { server } = await ended(subject, source);
    if (subject.promises.has("names")) expect(server.lines()).toEqual(["True True"]);
    else expect(server.end()?.exitCode).not.toBe(0);
  });

  ask(subject, "a task that is removed while it runs leaves nothing: no process, no folder", async () => {
    const bench = await started(
      subject,
      script(`sleep 1000 & echo x >"$base/model/x"; chmod 0 "$base/model"; echo up; wait`),
    );
    await bench.untilLine("up");
    await bench.backend.remove(bench.key);
    expect(existsSync(bench.paths().folder)).toBe(false);
    await expect.poll(bench.processes, { timeout: 10_000 }).toEqual([]);
    expect(await Array.fromAsync(bench.backend.list())).toEqual([]);
  });
}
