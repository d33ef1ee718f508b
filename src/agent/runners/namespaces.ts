// The private machine of a task: bubblewrap's arguments (bwrap(1)). Only what is bound exists inside, so the data folder does not.
import { createHash } from "node:crypto";
import { existsSync, lstatSync, readdirSync, readlinkSync, realpathSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { findSystemProgram } from "../../lib/probe-namespaces.ts";
import type { TaskPaths } from "../../task/task-folder.ts";
import type { Bind } from "../binds.ts";
import type { MachineDevices } from "../machine-devices.ts";
import type { ProgramView } from "./program-command.ts";

const salviaFolder = "/opt/salvia";
export const scriptInside = `${salviaFolder}/start.sh`;

const pythonInside = `${salviaFolder}/python`;

export const privateView = (entry: string, hasPython: boolean): ProgramView => ({
  node: `${salviaFolder}/bin/node`,
  entry: join(salviaFolder, "app", relative(packageFolder(entry), realpathSync(entry))),
  root: "/opt/ml",
  temporary: "/tmp",
  isPrivate: true,
  scripts: `${salviaFolder}/app/python`,
  ...(hasPython ? { python: `${pythonInside}/bin` } : {}),
});

/** The folder of the package that the CLI's entry belongs to. */
export function packageFolder(entry: string): string {
  for (let folder = dirname(realpathSync(entry)); ; folder = dirname(folder)) {
    if (existsSync(join(folder, "package.json"))) return folder;
    if (folder === dirname(folder)) return dirname(realpathSync(entry));
  }
}

/** Programs of a root server run as another user: one of 50,000, by the task's key. */
export const userOf = (key: string): number =>
  10_000 + (createHash("sha256").update(key).digest().readUInt32BE(0) % 50_000);

export interface NamespaceOptions {
  readonly bwrap: string;
  readonly paths: TaskPaths;
  readonly nodePath: string;
  readonly entry: string;
  /** Folder of the task's Python environment. */
  readonly python: string | undefined;
  /** Undefined keeps the agent's own user. */
  readonly user: number | undefined;
  /** Below /opt/ml. */
  readonly binds: readonly Bind[];
  /** Of the machine, what the program gets. */
  readonly devices: MachineDevices;
}

/** The whole command line, up to the program: "/bin/sh start.sh" as the task's user. */
export function namespaceCommand({
  bwrap,
  paths,
  nodePath,
  entry,
  python,
  user,
  binds,
  devices,
}: NamespaceOptions): string[] {
  const app = packageFolder(entry);
  const inside = ["/run", "/run/systemd", "/var", "/opt", salviaFolder, `${salviaFolder}/bin`, `${salviaFolder}/app`];
  return [
    bwrap,
    ..."--unshare-pid --unshare-ipc --unshare-uts --die-with-parent --clearenv".split(" "),
    ...(user === undefined ? ["--unshare-user", "--cap-drop", "ALL"] : []),
    ...systemBinds(),
    // Python's multiprocessing keeps its semaphores in /dev/shm.
    ..."--proc /proc --dev /dev --perms 1777 --tmpfs /dev/shm --bind".split(" "),
    paths.temporary,
    "/tmp",
    ...deviceBinds(devices),
    // Said one by one: what bwrap makes on the way to a target is closed to other users.
    ...inside.flatMap((folder) => ["--dir", folder]),
    ..."--symlink /tmp /var/tmp --ro-bind-try /run/systemd/resolve /run/systemd/resolve".split(" "),
    ...readOnly(paths.hosts, "/etc/hosts"),
    ...optBinds(),
    "--bind",
    paths.root,
    "/opt/ml",
    ...binds.flatMap(({ from, to, isReadOnly }) => [isReadOnly ? "--ro-bind" : "--bind", from, `/opt/ml/${to}`]),
    ...readOnly(nodePath, `${salviaFolder}/bin/node`),
    ...packageParts.flatMap((name) => readOnly(join(app, name), `${salviaFolder}/app/${name}`)),
    ...(python === undefined ? [] : readOnly(python, pythonInside)),
    ...readOnly(paths.startScript, scriptInside),
    ..."--chdir /opt/ml --".split(" "),
    ...(user === undefined ? [] : dropTo(user)),
    "/bin/sh",
    scriptInside,
  ];
}

/** The private /dev has no accelerators: those that the program gets, and what NVIDIA's driver shares between all GPUs. */
function deviceBinds({ gpus, neurons }: MachineDevices): string[] {
  const shared = gpus.length === 0 ? [] : ["nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia-modeset"];
  const names = [...gpus.map((at) => `nvidia${at}`), ...shared, ...neurons.map((at) => `neuron${at}`)];
  return names.flatMap((name) => ["--dev-bind-try", `/dev/${name}`, `/dev/${name}`]);
}

/** Of Salvia's own package: no data folder that may lie in a checkout. */
const packageParts = ["package.json", "dist", "src", "node_modules", "python"];

const readOnly = (from: string, to: string): string[] => (existsSync(from) ? ["--ro-bind", from, to] : []);

/** /usr and what belongs to it, /etc, /sys. On merged systems /bin and its like are links into /usr, and stay links. */
const systemBinds = (): string[] =>
  ["usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "etc", "sys", "nix", "gnu"].flatMap((name) => {
    const path = `/${name}`;
    if (!existsSync(path)) return [];
    return lstatSync(path).isSymbolicLink() ? ["--symlink", readlinkSync(path), path] : ["--ro-bind", path, path];
  });

/** The host's /opt by its children, so that /opt/ml can be the task's own without a trace on the host. */
const optBinds = (): string[] => {
  const names = existsSync("/opt") ? readdirSync("/opt") : [];
  const others = names.filter((name) => name !== "ml" && name !== "salvia");
  return others.flatMap((name) => readOnly(`/opt/${name}`, `/opt/${name}`));
};

const dropTo = (user: number): string[] => [
  findSystemProgram("setpriv") ?? "setpriv",
  ..."--clear-groups --no-new-privs --inh-caps=-all --bounding-set=-all --reuid".split(" "),
  String(user),
  "--regid",
  String(user),
];
