// The one schema of settings: flags of `salvia serve` and SALVIA_* variables. The only reader of process.env.
import { availableParallelism } from "node:os";
import { resolve } from "node:path";

export interface Config {
  readonly port: number;
  readonly host: string;
  /** Absolute. */
  readonly dataFolder: string;
  /** postgres://…; undefined: SQLite in the data folder. */
  readonly database: string | undefined;
  readonly accountId: string;
  readonly rootAccessKeyId: string | undefined;
  readonly rootSecretAccessKey: string | undefined;
  /** Instances that jobs, and that endpoints, may hold together. */
  readonly jobInstances: number;
  readonly hostingInstances: number;
  /** The most that one task's files may take, whatever its VolumeSizeInGB; undefined: that alone counts. */
  readonly taskDiskGigabytes: number | undefined;
  /** process: no containers; docker: refuse to start without an engine; auto: containers where an engine answers. */
  readonly compute: "auto" | "process" | "docker";
  /** unix:///PATH or tcp://ADDRESS:PORT; undefined: the usual socket. */
  readonly dockerHost: string | undefined;
  readonly logLevel: "debug" | "info" | "warn" | "error";
  /** End every task when the server stops; by default jobs and endpoints go on. */
  readonly stopsTasks: boolean;
  /** Jobs may read what the server's user can read: needed where namespaces do not work and the server listens beyond loopback. */
  readonly trustsJobs: boolean;
  /** Further names under which clients may call this server. */
  readonly allowedHosts: readonly string[];
  /** Where events of buckets go: ARN=URL for the destination of that ARN, URL for all others. */
  readonly s3Webhooks: readonly string[];
  /** Framework images run in the version of their tag, or not at all. */
  readonly isFrameworkStrict: boolean;
  /** File that says when spot instances are taken back; "" for never. */
  readonly spotInterruptions: string;
  /** File of what instances cost; "" for AWS's list prices alone. */
  readonly prices: string;
  /** ID=FOLDER: folders that stand for file systems; absolute. */
  readonly fileSystems: readonly string[];
  /** NAME=FOLDER: folders that are shown as public, read-only buckets; absolute. */
  readonly sampleBuckets: readonly string[];
  /** What new buckets begin with: as AWS makes them now, or 2022: with access control lists and nothing blocked. */
  readonly bucketDefaults: "current" | "2022";
}

interface Setting<T> {
  readonly flag: string;
  readonly variable: string;
  readonly fallback: T;
  /** What goes into the help text. */
  readonly about: string;
  /** True for flags that stand alone. */
  readonly isSwitch?: boolean;
  /** True for what no message may repeat. */
  readonly isSecret?: boolean;
  /** True for flags that may come several times: their values are joined by commas. */
  readonly isRepeatable?: boolean;
  read(text: string): T | Problem;
}

class Problem {
  readonly expected: string;
  constructor(expected: string) {
    this.expected = expected;
  }
}

const integer =
  (min: number, max: number) =>
  (text: string): number | Problem =>
    /^\d+$/.test(text) && Number(text) >= min && Number(text) <= max
      ? Number(text)
      : new Problem(`a whole number from ${min} to ${max}`);

const text = (value: string): string => value;
const matching =
  (pattern: RegExp, expected: string) =>
  (value: string): string | Problem =>
    pattern.test(value) ? value : new Problem(expected);
const onOff = (value: string): boolean | Problem => {
  if (["", "on", "true", "1", "yes"].includes(value)) return true;
  return ["off", "false", "0", "no"].includes(value) ? false : new Problem("on or off");
};
const computeOf = (value: string): Config["compute"] | Problem =>
  value === "auto" || value === "process" || value === "docker" ? value : new Problem("auto, process or docker");
const bucketDefaultsOf = (value: string): Config["bucketDefaults"] | Problem =>
  value === "current" || value === "2022" ? value : new Problem("current or 2022");
const level = (value: string): Config["logLevel"] | Problem =>
  value === "debug" || value === "info" || value === "warn" || value === "error"
    ? value
    : new Problem("debug, info, warn or error");

/** A URL for all events, ARN=URL for those of one destination; several with commas between. */
function webhooks(value: string): readonly string[] | Problem {
  const parts = value.split(",").map((text) => text.trim());
  const areUrls = parts.every((part) => {
    const url = /^(?:arn:[^=]+=)?(https?:\/\/.+)$/.exec(part)?.[1];
    return url !== undefined && URL.canParse(url);
  });
  return areUrls ? parts : new Problem("URL or ARN=URL, with commas between several");
}

/** NAME=FOLDER, several with commas between. */
const folders =
  (name: RegExp, expected: string) =>
  (value: string): readonly string[] | Problem => {
    const parts = value.split(",").map((part) => /^([^=]+)=(.+)$/s.exec(part.trim()));
    const mounts = parts.flatMap((found) =>
      found && name.test(found[1] ?? "") ? [`${found[1]}=${resolve(found[2] ?? "")}`] : [],
    );
    return mounts.length === parts.length ? mounts : new Problem(`${expected}, with commas between several`);
  };

const cores = availableParallelism();

export const settings: { readonly [Name in keyof Config]: Setting<Config[Name]> } = {
  port: {
    flag: "port",
    variable: "SALVIA_PORT",
    fallback: 7243,
    about: "port to listen on; 0 takes a free one",
    read: integer(0, 65_535),
  },
  host: { flag: "host", variable: "SALVIA_HOST", fallback: "127.0.0.1", about: "address to listen on", read: text },
  dataFolder: { flag: "data", variable: "SALVIA_DATA", fallback: ".salvia", about: "folder of all data", read: text },
  database: {
    flag: "database",
    variable: "SALVIA_DATABASE",
    fallback: undefined,
    about: "postgres://USER:PASSWORD@HOST:PORT/NAME; without it the data folder holds the database",
    isSecret: true,
    read: matching(/^postgres(ql)?:\/\/\S+$/, "an address that begins with postgres://"),
  },
  accountId: {
    flag: "account-id",
    variable: "SALVIA_ACCOUNT_ID",
    fallback: "000000000000",
    about: "AWS account id of the first account",
    read: matching(/^\d{12}$/, "12 digits"),
  },
  rootAccessKeyId: {
    flag: "root-access-key-id",
    variable: "SALVIA_ROOT_ACCESS_KEY_ID",
    fallback: undefined,
    about: "root access key (made at first start when absent)",
    read: matching(/^\w{16,128}$/, "16 to 128 letters and digits"),
  },
  rootSecretAccessKey: {
    flag: "root-secret-access-key",
    variable: "SALVIA_ROOT_SECRET_ACCESS_KEY",
    fallback: undefined,
    about: "its secret",
    isSecret: true,
    read: matching(/^.{16,}$/, "at least 16 characters"),
  },
  jobInstances: {
    flag: "job-instances",
    variable: "SALVIA_JOB_INSTANCES",
    fallback: Math.max(2, cores),
    about: "instances that jobs may hold at a time",
    read: integer(1, 10_000),
  },
  hostingInstances: {
    flag: "hosting-instances",
    variable: "SALVIA_HOSTING_INSTANCES",
    fallback: Math.max(8, 2 * cores),
    about: "instances that endpoints may hold at a time",
    read: integer(1, 10_000),
  },
  taskDiskGigabytes: {
    flag: "task-disk-gb",
    variable: "SALVIA_TASK_DISK_GB",
    fallback: undefined,
    about: "most GB that one instance's files may take, whatever VolumeSizeInGB says (without it, that alone counts)",
    read: integer(1, 1_000_000),
  },
  compute: {
    flag: "compute",
    variable: "SALVIA_COMPUTE",
    fallback: "auto",
    about:
      "where images run that are not Salvia's own: auto (in Docker where an engine answers), docker, process (nowhere)",
    read: computeOf,
  },
  dockerHost: {
    flag: "docker-host",
    variable: "DOCKER_HOST",
    fallback: undefined,
    about: "Docker Engine of this machine: unix:///PATH or tcp://ADDRESS:PORT",
    read: matching(/^(unix:\/\/\/|tcp:\/\/)\S+$/, "an address that begins with unix:/// or tcp://"),
  },
  logLevel: {
    flag: "log-level",
    variable: "SALVIA_LOG_LEVEL",
    fallback: "info",
    about: "debug, info, warn or error",
    read: level,
  },
  stopsTasks: {
    flag: "stop-tasks",
    variable: "SALVIA_STOP_TASKS",
    fallback: false,
    about: "end jobs and endpoints with the server",
    isSwitch: true,
    read: onOff,
  },
  trustsJobs: {
    flag: "trust-jobs",
    variable: "SALVIA_TRUST_JOBS",
    fallback: false,
    about: "accept jobs that are not walled off by namespaces",
    isSwitch: true,
    read: onOff,
  },
  allowedHosts: {
    flag: "allowed-hosts",
    variable: "SALVIA_ALLOWED_HOSTS",
    fallback: [],
    about: "further host names of this server, separated by commas",
    read: (value) =>
      value
        .split(",")
        .map((name) => name.trim().toLowerCase())
        .filter(Boolean),
  },
  s3Webhooks: {
    flag: "s3-webhook",
    variable: "SALVIA_S3_WEBHOOK",
    fallback: [],
    about: "URL that events of buckets are posted to; ARN=URL for one destination alone, several with commas between",
    read: webhooks,
  },
  isFrameworkStrict: {
    flag: "framework-strict",
    variable: "SALVIA_FRAMEWORK_STRICT",
    fallback: false,
    about: "framework images run in the version of their tag, or fail; otherwise in the nearest that installs here",
    isSwitch: true,
    read: onOff,
  },
  spotInterruptions: {
    flag: "spot-interruptions",
    variable: "SALVIA_SPOT_INTERRUPTIONS",
    fallback: "",
    about: "file that says when spot instances are taken back (docs/spot.md)",
    read: (value) => value,
  },
  prices: {
    flag: "prices",
    variable: "SALVIA_PRICES",
    fallback: "",
    about: "JSON file of dollars per hour by instance type, which go before AWS's list prices (docs/cost.md)",
    read: text,
  },
  fileSystems: {
    flag: "file-system",
    variable: "SALVIA_FILE_SYSTEMS",
    fallback: [],
    about: "fs-ID=FOLDER: jobs may read the folder as the file system of that id; may be given several times",
    isRepeatable: true,
    // As long as the API asks for.
    read: folders(/^fs-[0-9a-f]{8,}$/, "fs-ID=FOLDER, the id with 8 or more of 0-9 and a-f behind fs-"),
  },
  sampleBuckets: {
    flag: "sample-bucket",
    variable: "SALVIA_SAMPLE_BUCKETS",
    fallback: [],
    about: "NAME=FOLDER: shows the folder as a public bucket that can only be read; may be given several times",
    isRepeatable: true,
    read: folders(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "NAME=FOLDER"),
  },
  bucketDefaults: {
    flag: "bucket-defaults",
    variable: "SALVIA_BUCKET_DEFAULTS",
    fallback: "current",
    about:
      "what new buckets begin with: current (as on AWS now), or 2022: access control lists work, public access is not blocked",
    read: bucketDefaultsOf,
  },
};

/** Every problem at once, in words. */
export class ConfigError extends Error {}

type Texts = ReadonlyMap<string, { readonly value: string; readonly from: string }>;

const joined = (
  { isRepeatable }: { readonly isRepeatable?: boolean },
  before: string | undefined,
  value: string,
): string => (isRepeatable === true && before !== undefined ? `${before},${value}` : value);

function flagTexts(args: readonly string[], problems: string[]): Texts {
  const known = new Map(Object.values(settings).map((setting) => [setting.flag, setting]));
  const texts = new Map<string, { value: string; from: string }>();
  for (let at = 0; at < args.length; at++) {
    const [, flag, inline] = /^--([a-z0-9-]+)(?:=(.*))?$/s.exec(args[at] ?? "") ?? [];
    const setting = flag === undefined ? undefined : known.get(flag);
    if (flag === undefined || !setting) {
      problems.push(`"${args[at]}" is not a flag of this command; \`salvia serve --help\` lists them`);
      continue;
    }
    const value = inline ?? (setting.isSwitch ? "" : args[++at]);
    if (value === undefined) problems.push(`--${flag} needs a value`);
    else texts.set(flag, { value: joined(setting, texts.get(flag)?.value, value), from: `--${flag}` });
  }
  return texts;
}

function valueOf<T>(setting: Setting<T>, flags: Texts, environment: NodeJS.ProcessEnv, problems: string[]): T {
  const variable = environment[setting.variable];
  const given = flags.get(setting.flag) ?? (variable ? { value: variable, from: setting.variable } : undefined);
  if (!given) return setting.fallback;
  const value = setting.read(given.value);
  if (!(value instanceof Problem)) return value;
  problems.push(`${given.from} must be ${value.expected}${setting.isSecret ? "" : `, not "${given.value}"`}`);
  return setting.fallback;
}

/** Flags win over variables. Throws ConfigError naming every problem. */
export function readConfig(args: readonly string[], environment: NodeJS.ProcessEnv = process.env): Config {
  const problems: string[] = [];
  const flags = flagTexts(args, problems);
  const read = <Name extends keyof Config>(name: Name): Config[Name] =>
    valueOf(settings[name], flags, environment, problems);
  const config: Config = {
    port: read("port"),
    host: read("host"),
    dataFolder: resolve(read("dataFolder")),
    database: read("database"),
    accountId: read("accountId"),
    rootAccessKeyId: read("rootAccessKeyId"),
    rootSecretAccessKey: read("rootSecretAccessKey"),
    jobInstances: read("jobInstances"),
    hostingInstances: read("hostingInstances"),
    taskDiskGigabytes: read("taskDiskGigabytes"),
    compute: read("compute"),
    dockerHost: read("dockerHost"),
    logLevel: read("logLevel"),
    stopsTasks: read("stopsTasks"),
    trustsJobs: read("trustsJobs"),
    allowedHosts: read("allowedHosts"),
    s3Webhooks: read("s3Webhooks"),
    isFrameworkStrict: read("isFrameworkStrict"),
    spotInterruptions: read("spotInterruptions"),
    prices: read("prices"),
    fileSystems: read("fileSystems"),
    sampleBuckets: read("sampleBuckets"),
    bucketDefaults: read("bucketDefaults"),
  };
  const hasHalfAKey = (config.rootAccessKeyId === undefined) !== (config.rootSecretAccessKey === undefined);
  // A half that is wrong is told already.
  if (hasHalfAKey && problems.length === 0) {
    problems.push("SALVIA_ROOT_ACCESS_KEY_ID and SALVIA_ROOT_SECRET_ACCESS_KEY go together");
  }
  if (config.database !== undefined && config.stopsTasks) {
    problems.push("--stop-tasks does not go with --database: the tasks are those of all its servers");
  }
  if (problems.length > 0) throw new ConfigError(problems.join("\n"));
  return Object.freeze(config);
}
