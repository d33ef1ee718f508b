import { expect, test } from "vitest";
import { CapacityError } from "../../../compute/backend.ts";
import { minutes, seconds } from "../../../lib/clock.ts";
import { fakeHosting, type FakeHosting } from "./endpoint.fake.ts";
import { planAnswer } from "../plan-answer.fake.ts";

const arn = "arn:aws:sagemaker:us-west-2:000000000000:endpoint/digits";

async function created(variants?: Readonly<Record<string, number>>): Promise<FakeHosting> {
  const hosting = await fakeHosting();
  await hosting.configure("first", variants);
  await hosting.call("CreateEndpoint", { EndpointName: "digits", EndpointConfigName: "first", Tags: [] });
  await hosting.settle();
  return hosting;
}

async function inService(variants?: Readonly<Record<string, number>>): Promise<FakeHosting> {
  const hosting = await created(variants);
  await hosting.serveAll();
  return hosting;
}

const ours = async ({ store }: FakeHosting) => ({
  tasks: (await store.read.selectFrom("tasks").selectAll().execute()).length,
  reservations: await store.read.selectFrom("reservations").select("instances").execute(),
  pins: (await store.read.selectFrom("object_pins").selectAll().execute()).length,
});

test("an endpoint is Creating until every instance serves, then InService", async () => {
  const hosting = await created({ AllTraffic: 2 });
  expect(await hosting.describe()).toMatchObject({ EndpointStatus: "Creating", EndpointConfigName: "first" });
  const [first = ""] = hosting.keys();
  await hosting.agent(first).report([{ type: "serving", at: 0, ready: true, address: "http://127.1.1.1:1" }]);
  await hosting.settle();
  expect((await hosting.describe()).EndpointStatus).toBe("Creating");

  await hosting.serveAll();
  const described = await hosting.describe();
  expect(described).toMatchObject({
    EndpointName: "digits",
    EndpointArn: arn,
    EndpointStatus: "InService",
    ProductionVariants: [
      {
        VariantName: "AllTraffic",
        CurrentWeight: 1,
        DesiredWeight: 1,
        CurrentInstanceCount: 2,
        DesiredInstanceCount: 2,
        DeployedImages: [{ SpecifiedImage: "174872318107.dkr.ecr.us-west-2.amazonaws.com/kmeans:1" }],
      },
    ],
  });
  expect(described).not.toHaveProperty("FailureReason");
  expect(described).not.toHaveProperty("DataCaptureConfig");
});

test("an instance runs the algorithm's server with the pinned archive of its model, under the model's role", async () => {
  const hosting = await created();
  const [key = ""] = hosting.keys();
  expect(hosting.tasks.spec(key)).toMatchObject({
    purpose: "hosting",
    program: { kind: "algorithm", name: "kmeans", command: "serve" },
    graceSeconds: 30,
    diskBytes: 20 * 2 ** 30,
  });
  await hosting.call("DeleteModel", { ModelName: "digits" });
  await hosting.putObject("job/output/model.tar.gz", "another archive");
  const plan = await planAnswer(hosting.agent(key).request("GET", "plan"));
  expect(plan.modelArchives).toEqual([expect.objectContaining({ sizeBytes: "an archive".length })]);
  expect((await hosting.agent(key).request("GET", "credentials")).status).toBe(200);
});

test("lines go to the endpoint's log group, in a stream per variant and instance", async () => {
  const hosting = await created();
  const [key = ""] = hosting.keys();
  await hosting.agent(key).report([{ type: "output", lines: [{ at: 1, text: "ready" }] }]);
  expect(hosting.lines).toEqual([
    {
      group: "/aws/sagemaker/Endpoints/digits",
      stream: expect.stringMatching(/^AllTraffic\/i-[0-9a-f]{17}$/),
      message: "ready",
    },
  ]);
});

test("a container that crashes before it serves fails the endpoint, and nothing is left running", async () => {
  const hosting = await created({ AllTraffic: 2 });
  await hosting.end(hosting.keys()[0] ?? "", "exited");
  expect(await hosting.describe()).toMatchObject({
    EndpointStatus: "Failed",
    FailureReason:
      "The primary container for production variant AllTraffic did not pass the ping health check. Please check CloudWatch logs for this endpoint.",
  });
  await hosting.wait(minutes(1));
  expect(hosting.keys()).toEqual([]);
  expect(await ours(hosting)).toEqual({ tasks: 0, reservations: [], pins: 0 });
  await expect(hosting.call("UpdateEndpoint", { EndpointName: "digits", EndpointConfigName: "first" })).rejects.toThrow(
    "Cannot update failed endpoint",
  );
});

test("a model that cannot be unpacked is the FailureReason", async () => {
  const hosting = await created();
  await hosting.end(hosting.keys()[0] ?? "", "setup-failed", "model.tar.gz is no tar archive");
  expect(await hosting.describe()).toMatchObject({
    EndpointStatus: "Failed",
    FailureReason: "model.tar.gz is no tar archive",
  });
});

test("four minutes without an answered ping fail the endpoint", async () => {
  const hosting = await created();
  await hosting.wait(minutes(4) - 1);
  expect((await hosting.describe()).EndpointStatus).toBe("Creating");
  await hosting.wait(seconds(2));
  expect(await hosting.describe()).toMatchObject({
    EndpointStatus: "Failed",
    FailureReason: expect.stringContaining("did not pass the ping health check"),
  });
});

test("an instance that is killed before it serves is started anew, three times at most", async () => {
  const hosting = await created();
  for (let loss = 1; loss <= 3; loss++) {
    const [key = ""] = hosting.keys();
    await hosting.end(key, "lost");
    await hosting.wait(seconds(10));
    expect(hosting.keys()).toHaveLength(1);
    expect(hosting.keys()).not.toContain(key);
    expect((await hosting.describe()).EndpointStatus).toBe("Creating");
  }
  await hosting.end(hosting.keys()[0] ?? "", "lost");
  expect((await hosting.describe()).EndpointStatus).toBe("Failed");
});

test("model data that went away fails the endpoint", async () => {
  const hosting = await fakeHosting();
  await hosting.configure("first");
  await hosting.store.write((tx) => tx.deleteFrom("objects").execute());
  await hosting.call("CreateEndpoint", { EndpointName: "digits", EndpointConfigName: "first" });
  await hosting.settle();
  expect(await hosting.describe()).toMatchObject({
    EndpointStatus: "Failed",
    FailureReason: expect.stringMatching(/^Failed to download model data .*s3:\/\/bucket\/job\/output\/model.tar.gz/),
  });
});

test("an endpoint that does not fit fails for want of capacity", async () => {
  const hosting = await inService({ AllTraffic: 3 });
  await hosting.configure("two", { AllTraffic: 2 });
  await hosting.call("CreateEndpoint", { EndpointName: "other", EndpointConfigName: "two" });
  await hosting.settle();
  expect(await hosting.describe("other")).toMatchObject({
    EndpointStatus: "Failed",
    FailureReason: expect.stringContaining("InsufficientInstanceCapacity"),
  });
  await hosting.configure("five", { AllTraffic: 5 });
  await expect(
    hosting.call("CreateEndpoint", { EndpointName: "huge", EndpointConfigName: "five" }),
  ).rejects.toMatchObject({ code: "ResourceLimitExceeded" });
});

test("a backend without room is asked again", async () => {
  const hosting = await fakeHosting();
  await hosting.configure("first");
  hosting.tasks.failNext = { error: new CapacityError("no room"), afterStart: false };
  await hosting.call("CreateEndpoint", { EndpointName: "digits", EndpointConfigName: "first" });
  await hosting.settle();
  expect(hosting.keys()).toEqual([]);
  await hosting.wait(seconds(1));
  await hosting.serveAll();
  expect((await hosting.describe()).EndpointStatus).toBe("InService");
});

test("an instance lost in service is replaced while the endpoint stays InService", async () => {
  const hosting = await inService({ AllTraffic: 2 });
  const [lost = "", other = ""] = hosting.keys();
  hosting.tasks.running.delete(lost);
  await hosting.wait(seconds(5));
  expect(await hosting.describe()).toMatchObject({
    EndpointStatus: "InService",
    ProductionVariants: [{ CurrentInstanceCount: 1, DesiredInstanceCount: 2 }],
  });
  await hosting.wait(seconds(2));
  expect(hosting.keys()).toHaveLength(2);
  expect(hosting.keys()).toContain(other);
  await hosting.serveAll();
  expect(await hosting.describe()).toMatchObject({
    EndpointStatus: "InService",
    ProductionVariants: [{ CurrentInstanceCount: 2 }],
  });
  expect(hosting.tasks.starts.get(lost)).toBe(1);
});

test("an update brings the new instances up before the old ones go", async () => {
  const hosting = await inService();
  const [old = ""] = hosting.keys();
  await hosting.configure("second", { Blue: 1, Green: 1 });
  await hosting.call("UpdateEndpoint", { EndpointName: "digits", EndpointConfigName: "second" });
  expect(await hosting.describe()).toMatchObject({
    EndpointStatus: "Updating",
    EndpointConfigName: "first",
    PendingDeploymentSummary: { EndpointConfigName: "second" },
  });
  await expect(hosting.call("UpdateEndpoint", { EndpointName: "digits", EndpointConfigName: "first" })).rejects.toThrow(
    `Cannot update in-progress endpoint "${arn}".`,
  );
  await hosting.settle();
  expect(hosting.keys()).toHaveLength(3);
  expect(hosting.tasks.stopped).not.toContain(old);

  await hosting.serveAll();
  expect(await hosting.describe()).toMatchObject({
    EndpointStatus: "InService",
    EndpointConfigName: "second",
    ProductionVariants: [{ VariantName: "Blue" }, { VariantName: "Green" }],
  });
  await hosting.wait(seconds(2));
  expect(hosting.tasks.stopped).toEqual(new Set([old]));
  await hosting.end(old, "stopped");
  await hosting.wait(seconds(1));
  expect(hosting.keys()).toHaveLength(2);
  expect((await ours(hosting)).reservations).toEqual([{ instances: 2 }]);
});

test("an update that fails leaves the endpoint in service on what it had, with the reason", async () => {
  const hosting = await inService();
  const [old = ""] = hosting.keys();
  await hosting.configure("second");
  await hosting.call("UpdateEndpoint", { EndpointName: "digits", EndpointConfigName: "second" });
  await hosting.settle();
  await hosting.end(hosting.keys().find((key) => key !== old) ?? "", "exited");
  expect(await hosting.describe()).toMatchObject({
    EndpointStatus: "InService",
    EndpointConfigName: "first",
    FailureReason: expect.stringContaining("ping health check"),
  });
  await hosting.wait(seconds(5));
  expect(hosting.keys()).toEqual([old]);

  await hosting.call("UpdateEndpoint", { EndpointName: "digits", EndpointConfigName: "second" });
  await hosting.settle();
  await hosting.serveAll();
  const described = await hosting.describe();
  expect(described).toMatchObject({ EndpointStatus: "InService", EndpointConfigName: "second" });
  expect(described).not.toHaveProperty("FailureReason");
});

test("weights and counts change without new instances for those that stay", async () => {
  const hosting = await inService({ A: 1, B: 1 });
  const before = hosting.keys();
  const change = (DesiredWeight: number, DesiredInstanceCount: number) =>
    hosting.call("UpdateEndpointWeightsAndCapacities", {
      EndpointName: "digits",
      DesiredWeightsAndCapacities: [{ VariantName: "B", DesiredWeight, DesiredInstanceCount }],
    });
  await change(3, 2);
  expect(await hosting.describe()).toMatchObject({
    EndpointStatus: "Updating",
    ProductionVariants: [{}, { CurrentWeight: 1, DesiredWeight: 3, CurrentInstanceCount: 1, DesiredInstanceCount: 2 }],
  });
  await hosting.settle();
  expect(hosting.keys()).toEqual([...before, expect.anything()]);
  await hosting.serveAll();
  expect(await hosting.describe()).toMatchObject({
    EndpointStatus: "InService",
    ProductionVariants: [{}, { CurrentWeight: 3, CurrentInstanceCount: 2 }],
  });
  await change(0, 1);
  await hosting.settle();
  expect(hosting.tasks.stopped.size).toBe(0);
  await hosting.wait(seconds(2));
  expect(hosting.tasks.stopped.size).toBe(1);
  expect(before).not.toContain([...hosting.tasks.stopped][0]);
  await expect(
    hosting.call("UpdateEndpointWeightsAndCapacities", {
      EndpointName: "digits",
      DesiredWeightsAndCapacities: [{ VariantName: "C", DesiredWeight: 1 }],
    }),
  ).rejects.toThrow('Could not find variant "C".');
});

test("an update may retain counts and weights", async () => {
  const hosting = await inService({ AllTraffic: 2 });
  await hosting.configure("second", { AllTraffic: 1 });
  await hosting.call("UpdateEndpoint", {
    EndpointName: "digits",
    EndpointConfigName: "second",
    RetainAllVariantProperties: true,
  });
  await hosting.settle();
  await hosting.serveAll();
  expect(await hosting.describe()).toMatchObject({
    EndpointConfigName: "second",
    ProductionVariants: [{ CurrentInstanceCount: 2 }],
  });
});

test("a deleted endpoint is Deleting until its instances are gone, and leaves nothing", async () => {
  const hosting = await inService({ AllTraffic: 2 });
  await hosting.call("DeleteEndpoint", { EndpointName: "digits" });
  expect((await hosting.describe()).EndpointStatus).toBe("Deleting");
  await hosting.settle();
  expect(hosting.tasks.stopped.size).toBe(2);
  await expect(hosting.call("CreateEndpoint", { EndpointName: "digits", EndpointConfigName: "first" })).rejects.toThrow(
    `Cannot create already existing endpoint "${arn}".`,
  );
  for (const key of hosting.keys()) await hosting.end(key, "stopped");
  await hosting.wait(seconds(1));
  await expect(hosting.describe()).rejects.toThrow(`Could not find endpoint "${arn}".`);
  expect(hosting.keys()).toEqual([]);
  expect(await ours(hosting)).toEqual({ tasks: 0, reservations: [], pins: 0 });

  await hosting.call("CreateEndpoint", { EndpointName: "digits", EndpointConfigName: "first" });
  await hosting.settle();
  await hosting.serveAll();
  expect((await hosting.describe()).EndpointStatus).toBe("InService");
});

test("an instance that ignores SIGTERM is killed after its grace", async () => {
  const hosting = await inService();
  await hosting.call("DeleteEndpoint", { EndpointName: "digits" });
  for (let second = 0; second < 41; second++) await hosting.wait(seconds(1));
  expect(hosting.keys()).toEqual([]);
  await expect(hosting.describe()).rejects.toThrow("Could not find endpoint");
});

test("deleting the configuration of an endpoint does it no harm", async () => {
  const hosting = await inService();
  await hosting.call("DeleteEndpointConfig", { EndpointConfigName: "first" });
  const [lost = ""] = hosting.keys();
  hosting.tasks.running.delete(lost);
  await hosting.wait(seconds(5));
  await hosting.wait(seconds(2));
  await hosting.serveAll();
  expect(await hosting.describe()).toMatchObject({
    EndpointStatus: "InService",
    ProductionVariants: [{ CurrentInstanceCount: 1 }],
  });
});

test("endpoints are listed by state, newest first", async () => {
  const hosting = await inService();
  await hosting.clock.advance(10);
  await hosting.call("CreateEndpoint", { EndpointName: "second", EndpointConfigName: "first" });
  await hosting.settle();
  const names = async (input: object) =>
    (await hosting.call("ListEndpoints", input)).Endpoints.map((endpoint) => endpoint.EndpointName);
  expect(await names({})).toEqual(["second", "digits"]);
  expect(await names({ StatusEquals: "InService" })).toEqual(["digits"]);
  expect(await names({ StatusEquals: "Creating" })).toEqual(["second"]);
});
