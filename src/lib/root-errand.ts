// What takes root on this machine, where Salvia itself is not root but may ask the engine (a user of the group "docker"), who could
// do the same by hand: a container of a moment runs the machine's own programs, bound over the folders of whatever image is there.
import { existsSync } from "node:fs";
import { engineHas, type DockerEngine } from "./docker-engine.ts";

export interface RootErrand {
  /** Nothing of it is run: the first of these that the engine has, or any other. */
  readonly images: readonly string[];
  /** For the machine's /bin/sh, with `words` as $1, $2, …. */
  readonly script: string;
  readonly words: readonly string[];
  /** Seen by the script under the same path, and writable; nothing else of the machine is. */
  readonly folder?: string;
  readonly capabilities: readonly string[];
  readonly isOnHostNetwork?: boolean;
  readonly labels: Readonly<Record<string, string>>;
}

export const isRoot = (): boolean => process.getuid?.() === 0;

const systemFolders = ["/bin", "/sbin", "/usr", "/lib", "/lib64"];

type ErrandGround = Pick<RootErrand, "images" | "labels">;

/** Throws when the script fails or the engine has no image at all, EngineAwayError, EngineRefusalError. */
export async function runAsRoot(engine: DockerEngine, errand: RootErrand): Promise<void> {
  const body = bodyOf(errand, await anyImage(engine, errand.images));
  const { Id } = await engine.ask<{ Id: string }>({ method: "POST", path: "/containers/create", body });
  const path = `/containers/${Id}`;
  try {
    await engine.ask({ method: "POST", path: `${path}/start` });
    const ended = await engine.ask<{ StatusCode: number }>({ method: "POST", path: `${path}/wait`, timeoutMs: 0 });
    if (ended.StatusCode !== 0)
      throw new Error(`as root: exit code ${ended.StatusCode}: ${await wordsOf(engine, path)}`);
  } finally {
    await engine.ask({ method: "DELETE", path: `${path}?force=1&v=1` });
  }
}

const bodyOf = (
  { script, words, folder, capabilities, isOnHostNetwork, labels }: RootErrand,
  image: string,
): object => ({
  Image: image,
  User: "0:0",
  WorkingDir: "/",
  Entrypoint: ["/bin/sh", "-c", script, "sh", ...words],
  Cmd: [],
  // What the image sets for its own libraries is not for the machine's programs.
  Env: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LD_PRELOAD=", "LD_LIBRARY_PATH=", "LC_ALL=C"],
  Tty: true,
  Labels: labels,
  HostConfig: {
    Mounts: [
      ...systemFolders.filter((each) => existsSync(each)).map((each) => bind(each, true)),
      ...(folder === undefined ? [] : [bind(folder, false)]),
    ],
    NetworkMode: isOnHostNetwork === true ? "host" : "none",
    UsernsMode: "host",
    SecurityOpt: ["label=disable"],
    CapDrop: ["ALL"],
    CapAdd: capabilities,
  },
});

const bind = (path: string, isReadOnly: boolean): object => ({
  Type: "bind",
  Source: path,
  Target: path,
  ReadOnly: isReadOnly,
});

/** A terminal's output is plain text. */
async function wordsOf(engine: DockerEngine, path: string): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of await engine.stream({ method: "GET", path: `${path}/logs?stdout=1&stderr=1&tail=5` }))
    parts.push(part as Buffer);
  return Buffer.concat(parts).toString("utf8").trim();
}

const takeOwnership = `
owner=$(stat -c %u:%g "$1") && user=\${owner%%:*} &&
find "$1" -xdev ! -type l '(' ! -user "$user" -o -type d ! -perm -700 ')' -exec chmod u+rwX {} + &&
find "$1" -xdev ! -user "$user" -exec chown -h "$owner" {} +`;

/** What programs in containers have left below a folder becomes its owner's, who may then read and remove it. Links are not followed. */
export const ownAgain = (engine: DockerEngine, folder: string, ground: ErrandGround): Promise<void> =>
  runAsRoot(engine, {
    ...ground,
    folder,
    script: takeOwnership,
    words: [folder],
    capabilities: ["CHOWN", "DAC_OVERRIDE", "FOWNER"],
  });

/** Makes the address one of this machine's loopback interface. */
export const addLoopbackAddress = (engine: DockerEngine, address: string, ground: ErrandGround): Promise<void> =>
  runAsRoot(engine, {
    ...ground,
    script: 'exec ip address add "$1/32" dev lo',
    words: [address],
    capabilities: ["NET_ADMIN"],
    isOnHostNetwork: true,
  });

async function anyImage(engine: DockerEngine, wanted: readonly string[]): Promise<string> {
  for (const name of wanted) if (await engineHas(engine, name)) return name;
  const [any] = await engine.ask<readonly { readonly Id: string }[]>({ method: "GET", path: "/images/json" });
  if (any === undefined) throw new Error("the Docker Engine has no image to do with what takes root");
  return any.Id;
}
