// What the server hands to an agent: one instance of a job or endpoint, complete, as plain JSON.

import type { ContainerPlace } from "./container-place.ts";
import type { TransformWork } from "./transform-work.ts";
import type { UploadFolder } from "./upload-folder.ts";

/** What runs inside the task. */
export interface AlgorithmProgram {
  readonly kind: "algorithm";
  /** Folder name under src/algorithms, e.g. "kmeans". */
  readonly name: string;
  readonly command: "train" | "serve";
}
/** A command line. "node" is Salvia's own Node; other programs are found on PATH. */
export interface CommandProgram {
  readonly kind: "command";
  readonly argv: readonly string[];
  /** The managed Python environment that comes first on its PATH. */
  readonly python?: PythonNeeds;
}
/** A framework's releases, the one nearest to what was asked for first: the agent takes the first that its machine can install. */
export interface PythonNeeds {
  /** Of the framework. Safe as a file name, e.g. "scikit-learn". */
  readonly name: string;
  readonly releases: readonly PythonRelease[];
  /** The image's tag, for messages. */
  readonly asked?: string;
  /** No other releases than the one asked for are in the list, for messages. */
  readonly isStrict?: boolean;
  /** An index besides the default one. */
  readonly extraIndex?: string;
  /** Something to know before it is installed. */
  readonly note?: string;
  /** What is taken from the system's own packages instead, where they have it in a release's version. */
  readonly fromSystem?: SystemPackage;
}
export interface SystemPackage {
  /** As pip lists it, e.g. "torch". */
  readonly distribution: string;
  /** Names of requirements that it makes needless. */
  readonly brings: readonly string[];
}
export interface PythonRelease {
  readonly version: string;
  /** For people, where there is more to say: "1.13.1 with transformers 4.26.1". */
  readonly shown?: string;
  /** pip requirements, pinned. */
  readonly packages: readonly string[];
  /** The oldest and the newest Python that they install on, e.g. ["3.8", "3.11"]. */
  readonly pythons: readonly [from: string, to: string];
}
/** Script mode or the model server of a framework image, from the package's folder python/. */
export interface ScriptProgram {
  readonly kind: "script";
  readonly command: "train" | "serve";
  readonly python: PythonNeeds;
  /** What SM_FRAMEWORK_MODULE says. */
  readonly module: string;
}
/** A container image. */
export interface ImageProgram {
  readonly kind: "image";
  /** As the request names it, for messages. */
  readonly image: string;
  /** Names by which the engine may have it already, the best first. */
  readonly localNames: readonly string[];
  /** Where it comes from otherwise; undefined: nowhere. */
  readonly pull?: ImagePull;
  /** In place of the image's own. */
  readonly entrypoint?: readonly string[];
  /** E.g. ["train"]. Empty: the image's own, as long as the entrypoint is its own, too. */
  readonly arguments: readonly string[];
  readonly limits: InstanceShape;
  /** Folders that it sees, besides its root at /opt/ml. */
  readonly mounts?: readonly ImageMount[];
}
export interface ImagePull {
  readonly name: string;
  readonly credential?: { readonly username: string; readonly password: string; readonly server: string };
}
export interface ImageMount {
  /** A folder of this machine, or one below the task's root (relative). */
  readonly from: string;
  readonly to: string;
  readonly isReadOnly: boolean;
}
/** What an instance type has. */
export interface InstanceShape {
  readonly instanceType: string;
  /** Undefined: unknown, all that the machine has. */
  readonly cpus?: number;
  readonly memoryBytes?: number;
  readonly gpus: number;
  readonly neuronDevices: number;
}
export type Program = AlgorithmProgram | CommandProgram | ScriptProgram | ImageProgram;

/** What the program needs of Python. */
export const pythonNeedsOf = (program: Program): PythonNeeds | undefined =>
  program.kind === "command" || program.kind === "script" ? program.python : undefined;

export interface TaskNetwork {
  /** This instance's name, e.g. "algo-1". */
  readonly host: string;
  /** Every instance of the job and its loopback address. Each job has a /24 of its own inside 127.0.0.0/8, so jobs may use the same ports. */
  readonly addresses: Readonly<Record<string, string>>;
  /** No gateway, no credentials. */
  readonly isAlone: boolean;
}

export interface TaskSpec {
  /** Unique over the installation, safe as a file name: `<resource uid>-algo-1`. Starting the same key twice yields one task. */
  readonly key: string;
  /** The resource that owns the task; the orphan sweeper looks it up. */
  readonly ownerUid: string;
  readonly account: string;
  readonly region: string;
  readonly purpose: "training" | "hosting" | "processing" | "transform";
  /**
   * Base URL of the server and the secret that this task's reports carry as `Authorization: Bearer`. `file` holds
   * {"url": …} and is read again when the server does not answer: after a restart it may listen on another port.
   */
  readonly server: { readonly url: string; readonly token: string; readonly file?: string };
  readonly program: Program;
  /** What its instance type has. Undefined: unknown, whatever the machine has. */
  readonly instance?: InstanceShape;
  /** Of an endpoint's instance: its production variant, for messages. */
  readonly variant?: string;
  /** Of an image's container; the Docker backend adds it. */
  readonly container?: ContainerPlace;
  readonly network: TaskNetwork;
  /** Environment of the program, over an otherwise empty one (PATH, HOME, LANG are set by the runner). */
  readonly environment: Readonly<Record<string, string>>;
  /** Of the files below, under /opt/ml; default: "input/config". */
  readonly configFolder?: string;
  /** Files under /opt/ml/input/config, e.g. {"hyperparameters.json": "{…}"}; written before release. */
  readonly configFiles: Readonly<Record<string, string>>;
  /** Of a batch transform: what is done with the objects of its streamed channel. */
  readonly transform?: TransformWork;
  /** Whether its plan has channels in Pipe mode. */
  readonly hasPipes?: boolean;
  /** Folders whose files the agent stores in S3, as they are. */
  readonly uploads?: readonly UploadFolder[];
  /** Of a multi-model container: its invocations go through the agent, which loads the models. */
  readonly multiModel?: { readonly keepsLoaded: boolean };
  /** Where the model of a hosting task listens; the agent picks a free one when undefined and reports it. */
  readonly port?: number;
  /** Seconds between SIGTERM and SIGKILL: 120 for training, 30 for hosting. */
  readonly graceSeconds: number;
  /** What its files may take on the disk, inputs and output log included: the volume. Undefined: what the machine has. */
  readonly diskBytes?: number;
  /** Whole seconds the program may run after release; the agent then stops it (SIGTERM, grace, SIGKILL) and says so. */
  readonly maxRuntimeSeconds?: number;
}

/** Whether its program is a model that listens. */
export const serves = ({ purpose }: Pick<TaskSpec, "purpose">): boolean =>
  purpose === "hosting" || purpose === "transform";
