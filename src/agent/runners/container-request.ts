// What the engine is asked for: the container of a task, as SageMaker's container contract has it (developer guide, "Use your own
// algorithms": argument train or serve, /opt/ml, algo-1 …, eth0).
import { resolve } from "node:path";
import { containerName, taskLabels, type ContainerPlace } from "../../task/container-place.ts";
import type { ImageProgram, InstanceShape, TaskSpec } from "../../task/task.ts";
import type { Bind } from "../binds.ts";
import { gatewayEnvironment, type ProgramAddresses } from "./program-command.ts";

export interface ContainerWish {
  readonly spec: TaskSpec;
  readonly program: ImageProgram;
  readonly place: ContainerPlace;
  /** As the engine knows it. */
  readonly image: EngineImage;
  /** Becomes /opt/ml. */
  readonly root: string;
  readonly addresses: ProgramAddresses;
  /** Below /opt/ml. */
  readonly binds: readonly Bind[];
}

export interface EngineImage {
  readonly name: string;
  /** What the engine's machine has. */
  readonly cpus: number;
  readonly memoryBytes: number;
}

/** Body of POST /containers/create. */
export function containerRequest(wish: ContainerWish): object {
  const { spec, program, place, image } = wish;
  const { network, key } = spec;
  return {
    Image: image.name,
    Hostname: network.host,
    Env: environmentOf(wish).map(([name, value]) => `${name}=${value}`),
    ...(program.entrypoint === undefined ? {} : { Entrypoint: program.entrypoint }),
    ...(program.arguments.length === 0 ? {} : { Cmd: program.arguments }),
    Labels: taskLabels(place, key),
    HostConfig: {
      Mounts: mountsOf(wish),
      NetworkMode: place.network,
      ExtraHosts: Object.entries(place.peers).flatMap(([name, address]) =>
        name === network.host ? [] : [`${name}:${address}`],
      ),
      // Read again from its start by a restarted agent: nothing of it may be rotated away, whatever daemon.json says.
      LogConfig: { Type: "json-file", Config: { "max-size": "1024g" } },
      RestartPolicy: { Name: "no" },
      ...limitsOf(program.limits, image),
    },
    NetworkingConfig: {
      EndpointsConfig: {
        [place.network]:
          place.address === undefined
            ? {}
            : { IPAMConfig: { IPv4Address: place.address }, Aliases: [network.host, containerName(key)] },
      },
    },
  };
}

function environmentOf({ spec, addresses }: ContainerWish): [string, string][] {
  return Object.entries({
    AWS_REGION: spec.region,
    AWS_DEFAULT_REGION: spec.region,
    SAGEMAKER_REGION: spec.region,
    CURRENT_HOST: spec.network.host,
    ...(addresses.gateway ? gatewayEnvironment(addresses.gateway) : {}),
    ...spec.environment,
  });
}

const mountsOf = ({ program, root, binds }: ContainerWish): object[] => [
  { Type: "bind", Source: root, Target: "/opt/ml" },
  ...binds.map(({ from, to, isReadOnly }) => ({
    Type: "bind",
    Source: from,
    Target: `/opt/ml/${to}`,
    ReadOnly: isReadOnly,
  })),
  ...(program.mounts ?? []).map(({ from, to, isReadOnly }) => ({
    Type: "bind",
    Source: resolve(root, from),
    Target: to,
    ReadOnly: isReadOnly,
  })),
];

/** Never more than the machine has: the engine refuses that. */
function limitsOf(limits: InstanceShape, { cpus, memoryBytes }: EngineImage): object {
  const memory = Math.min(limits.memoryBytes ?? memoryBytes, memoryBytes);
  const cores = Math.min(limits.cpus ?? cpus, cpus);
  const neurons = Array.from({ length: limits.neuronDevices }, (_, at) => `/dev/neuron${at}`);
  return {
    NanoCpus: cores * 1e9,
    Memory: memory,
    // The same again: no swap.
    MemorySwap: memory,
    ShmSize: Math.floor(memory / 2),
    ...(limits.gpus > 0 ? { DeviceRequests: [{ Driver: "nvidia", Count: limits.gpus, Capabilities: [["gpu"]] }] } : {}),
    ...(neurons.length > 0
      ? { Devices: neurons.map((path) => ({ PathOnHost: path, PathInContainer: path, CgroupPermissions: "rwm" })) }
      : {}),
  };
}
