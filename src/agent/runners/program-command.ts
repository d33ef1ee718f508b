// The command line and environment of a program, as it sees them: in its namespaces, or on the bare machine.
import { delimiter, dirname, join } from "node:path";
import { systemPath } from "../../lib/probe-namespaces.ts";
import type { TaskSpec } from "../../task/task.ts";

/** Where things lie as the program sees them. */
export interface ProgramView {
  readonly node: string;
  /** What starts the CLI. */
  readonly entry: string;
  /** "/opt/ml", or the root folder's own path. */
  readonly root: string;
  readonly temporary: string;
  /** The package's folder python/: script runner and model server. */
  readonly scripts: string;
  /** What it may use of the machine's GPUs; undefined: the machine has none. */
  readonly gpus?: readonly number[];
  /** The bin folder of the task's Python environment. */
  readonly python?: string;
  /** Whether algo-N resolves by itself and /opt/ml is the root. */
  readonly isPrivate: boolean;
}

export interface ProgramAddresses {
  /** Own address of this instance. */
  readonly host: string;
  /** Of a hosting task. */
  readonly port?: number;
  readonly gateway?: { readonly url: string; readonly token: string; readonly credentialsUrl: string };
}

export function programArguments({ program }: TaskSpec, view: ProgramView): readonly string[] {
  switch (program.kind) {
    case "algorithm": {
      const place = view.isPrivate ? [] : ["--root", view.root];
      return [view.node, view.entry, "algorithm", program.name, program.command, ...place];
    }
    case "command":
      return program.argv.map((word, at) => (at === 0 && word === "node" ? view.node : word));
    case "script":
      return ["python", join(view.scripts, `${program.command}.py`)];
    case "image":
      throw new Error("the program of an image is its container's");
  }
}

/** Base, then the job's own, then what nobody may change. */
export function programEnvironment(
  spec: TaskSpec,
  view: ProgramView,
  addresses: ProgramAddresses,
): Record<string, string> {
  return {
    PATH: [dirname(view.node), systemPath].join(delimiter),
    ...(view.python === undefined ? {} : pythonEnvironment(view, view.python)),
    ...scriptEnvironment(spec),
    ...(view.gpus === undefined ? {} : { CUDA_VISIBLE_DEVICES: view.gpus.join(",") }),
    ...(spec.network.isAlone && view.python !== undefined ? isolatedPip : {}),
    HOME: view.temporary,
    TMPDIR: view.temporary,
    LANG: "C.UTF-8",
    AWS_REGION: spec.region,
    AWS_DEFAULT_REGION: spec.region,
    SAGEMAKER_REGION: spec.region,
    CURRENT_HOST: spec.network.host,
    SAGEMAKER_BASE_DIR: view.root,
    ...(addresses.gateway ? gatewayEnvironment(addresses.gateway) : {}),
    ...spec.environment,
    ...(addresses.port === undefined ? {} : { SAGEMAKER_BIND_TO_PORT: String(addresses.port) }),
    SALVIA_TASK_KEY: spec.key,
    SALVIA_BIND_HOST: addresses.host,
    SALVIA_PEERS: JSON.stringify(spec.network.addresses),
  };
}

/** Which defaults the script runner and the model server have. */
const scriptEnvironment = ({ program }: TaskSpec): Record<string, string> =>
  program.kind === "script"
    ? {
        SALVIA_FRAMEWORK: program.python.name,
        SALVIA_FRAMEWORK_MODULE: program.module,
        SALVIA_FRAMEWORK_ASKED: program.python.asked ?? "",
      }
    : {};

/** Without a network there is no index: packages that come with the code still install. */
const isolatedPip = { PIP_NO_INDEX: "1", SALVIA_NETWORK_ISOLATION: "1" };

/** What a job installs itself goes beside its temporary files: the environment is everybody's. */
function pythonEnvironment({ node, temporary }: ProgramView, bin: string): Record<string, string> {
  const own = join(temporary, "python-packages");
  return {
    PATH: [join(own, "bin"), bin, dirname(node), systemPath].join(delimiter),
    PIP_TARGET: own,
    PYTHONPATH: own,
    PYTHONUNBUFFERED: "1",
    PIP_DISABLE_PIP_VERSION_CHECK: "1",
  };
}

export const gatewayEnvironment = ({
  url,
  token,
  credentialsUrl,
}: NonNullable<ProgramAddresses["gateway"]>): Record<string, string> => ({
  AWS_ENDPOINT_URL: url,
  AWS_ENDPOINT_URL_S3: url,
  S3_ENDPOINT_URL: url,
  AWS_CONTAINER_CREDENTIALS_FULL_URI: `${credentialsUrl}/_salvia/credentials`,
  AWS_CONTAINER_AUTHORIZATION_TOKEN: token,
});

const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

/**
 * A POSIX script that becomes the program: secrets stand on no command line, and only the program itself sees the job's environment.
 * Leaves the file `neverRan` where it cannot.
 */
export function startScript(
  argv: readonly string[],
  environment: Readonly<Record<string, string>>,
  { folder, neverRan }: { readonly folder: string; readonly neverRan: string },
): string {
  const exports = Object.entries(environment)
    .filter(([name]) => /^[A-Za-z_]\w*$/.test(name))
    .map(([name, value]) => `export ${name}=${quoted(value)}`);
  // A shell that cannot execute the program ends, and says so on its way; one that can is gone.
  const trap = `trap ${quoted(`: > ${quoted(neverRan)}`)} EXIT`;
  return [`cd ${quoted(folder)}`, "unset OLDPWD", ...exports, trap, `exec ${argv.map(quoted).join(" ")}`, ""].join(
    "\n",
  );
}
