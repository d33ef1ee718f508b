import { expect, test } from "vitest";
import type { ImageProgram, TaskSpec } from "../../task/task.ts";
import { containerRequest } from "./container-request.ts";

const gib = 1024 ** 3;
const program: ImageProgram = {
  kind: "image",
  image: "own:1",
  localNames: ["own:1"],
  arguments: ["train"],
  limits: { instanceType: "ml.m5.4xlarge", cpus: 16, memoryBytes: 64 * gib, gpus: 0, neuronDevices: 0 },
};
const spec: TaskSpec = {
  key: "uid-algo-2",
  ownerUid: "uid",
  account: "000000000000",
  region: "us-west-2",
  purpose: "training",
  server: { url: "http://127.0.0.1:9", token: "token" },
  program,
  network: { host: "algo-2", addresses: { "algo-1": "127.1.1.1", "algo-2": "127.1.1.2" }, isAlone: false },
  environment: { PATH: "/own", LINES: "a\nb = c" },
  configFiles: {},
  graceSeconds: 1,
};
const peers = { "algo-1": "172.20.0.10", "algo-2": "172.20.0.11" };
const wish = {
  spec,
  program,
  place: {
    engine: "unix:///var/run/docker.sock",
    installation: "0123",
    network: "salvia-uid",
    gateway: "172.20.0.1",
    address: "172.20.0.11",
    peers,
  },
  image: { name: "own:1", cpus: 2, memoryBytes: 8 * gib },
  root: "/data/tasks/uid-algo-2/root",
  addresses: { host: "172.20.0.1" },
  binds: [],
};

test("a container has the job's name, place and environment, and never more than the machine has", () => {
  expect(containerRequest(wish)).toMatchObject({
    Image: "own:1",
    Hostname: "algo-2",
    Cmd: ["train"],
    Env: expect.arrayContaining(["PATH=/own", "LINES=a\nb = c", "CURRENT_HOST=algo-2"]) as unknown,
    Labels: { "io.salvia.installation": "0123", "io.salvia.task": "uid-algo-2" },
    HostConfig: {
      Mounts: [{ Type: "bind", Source: wish.root, Target: "/opt/ml" }],
      ExtraHosts: ["algo-1:172.20.0.10"],
      NanoCpus: 2e9,
      Memory: 8 * gib,
      MemorySwap: 8 * gib,
    },
    NetworkingConfig: { EndpointsConfig: { "salvia-uid": { IPAMConfig: { IPv4Address: "172.20.0.11" } } } },
  });
  expect(containerRequest(wish)).not.toHaveProperty("Entrypoint");
});

test("what is bound lies below /opt/ml, read-only where it says so", () => {
  const binds = [
    { from: "/data/objects/1", to: "input/data/fast/a", isReadOnly: true },
    { from: "/shared", to: "input/data/files", isReadOnly: false },
  ];
  expect(containerRequest({ ...wish, binds })).toMatchObject({
    HostConfig: {
      Mounts: [
        { Source: wish.root, Target: "/opt/ml" },
        { Type: "bind", Source: "/data/objects/1", Target: "/opt/ml/input/data/fast/a", ReadOnly: true },
        { Type: "bind", Source: "/shared", Target: "/opt/ml/input/data/files", ReadOnly: false },
      ],
    },
  });
});

test("without a gateway there are no credentials and no endpoint; with one there are both", () => {
  const alone = JSON.stringify(containerRequest(wish));
  expect(alone).not.toContain("AWS_ENDPOINT_URL");
  const gateway = { url: "http://172.20.0.1:4000", token: "secret", credentialsUrl: "http://169.254.170.2:5000" };
  const open = JSON.stringify(containerRequest({ ...wish, addresses: { ...wish.addresses, gateway } }));
  expect(open).toContain("AWS_ENDPOINT_URL=http://172.20.0.1:4000");
  expect(open).toContain("AWS_CONTAINER_CREDENTIALS_FULL_URI=http://169.254.170.2:5000/_salvia/credentials");
  expect(open).toContain("AWS_CONTAINER_AUTHORIZATION_TOKEN=secret");
});

test("folders, GPUs and Neuron devices are asked for by name", () => {
  const mounts = [{ from: "input/data", to: "/opt/ml/processing/input", isReadOnly: true }];
  const limits = { ...program.limits, gpus: 2, neuronDevices: 1 };
  expect(containerRequest({ ...wish, program: { ...program, mounts, limits, entrypoint: ["run"] } })).toMatchObject({
    Entrypoint: ["run"],
    HostConfig: {
      Mounts: [{}, { Source: `${wish.root}/input/data`, Target: "/opt/ml/processing/input", ReadOnly: true }],
      DeviceRequests: [{ Count: 2, Capabilities: [["gpu"]] }],
      Devices: [{ PathOnHost: "/dev/neuron0" }],
    },
  });
});
