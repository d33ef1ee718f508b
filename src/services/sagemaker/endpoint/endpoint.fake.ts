// What tests of endpoints share: a model, a configuration, and agents that come to serve.
import type { SagemakerOperations } from "../../../models/generated/sagemaker.ts";
import { fakeSagemaker, kmeansImage, roleArn, type FakeOptions, type FakeSagemaker } from "../sagemaker.fake.ts";

type ConfigInput = SagemakerOperations["CreateEndpointConfig"]["input"];
type DescribedEndpoint = SagemakerOperations["DescribeEndpoint"]["output"];

export const addressOf = (key: string): string => `http://127.1.1.1/${key}`;

export interface FakeHosting extends FakeSagemaker {
  /** Variant name → instance count. */
  configure(name: string, variants?: Readonly<Record<string, number>>): Promise<void>;
  describe(name?: string): Promise<DescribedEndpoint>;
  /** Keys of the tasks that run, oldest first. */
  keys(): string[];
  /** Every running task that does not serve yet comes to serve. */
  serveAll(address?: (key: string) => string): Promise<void>;
  /** Time passes, and whatever becomes due runs. */
  wait(ms: number): Promise<void>;
  /** A task ends as its agent would tell. */
  end(key: string, how: "exited" | "stopped" | "setup-failed" | "lost", failure?: string): Promise<void>;
}

const config = (name: string, variants: Readonly<Record<string, number>>): ConfigInput => ({
  EndpointConfigName: name,
  ProductionVariants: Object.entries(variants).map(([VariantName, InitialInstanceCount]) => ({
    VariantName,
    ModelName: "digits",
    InstanceType: "ml.m5.xlarge",
    InitialInstanceCount,
    VolumeSizeInGB: 20,
  })),
});

export async function fakeHosting(options?: FakeOptions): Promise<FakeHosting> {
  const fake = await fakeSagemaker(options);
  const { clock, tasks } = fake;
  await fake.putObject("job/output/model.tar.gz", "an archive");
  await fake.call("CreateModel", {
    ModelName: "digits",
    ExecutionRoleArn: roleArn,
    PrimaryContainer: { Image: kmeansImage, ModelDataUrl: "s3://bucket/job/output/model.tar.gz" },
  });
  const keys = (): string[] => [...tasks.running.keys()];
  const at = (): number => clock.now().getTime();
  const serving = new Set<string>();
  return {
    ...fake,
    keys,
    configure: async (name, variants = { AllTraffic: 1 }) => {
      await fake.call("CreateEndpointConfig", config(name, variants));
    },
    describe: (name = "digits") => fake.call("DescribeEndpoint", { EndpointName: name }),
    serveAll: async (address = addressOf) => {
      for (const key of keys().filter((one) => !serving.has(one) && !tasks.stopped.has(one))) {
        serving.add(key);
        await fake.agent(key).report([{ type: "serving", at: at(), ready: true, address: address(key) }]);
      }
      await fake.settle();
    },
    wait: async (ms) => {
      await clock.advance(ms);
      await fake.settle();
    },
    end: async (key, how, failure) => {
      const end = { how, endedAt: at(), ...(how === "exited" ? { exitCode: 1 } : {}), ...(failure && { failure }) };
      await fake.agent(key).report([{ type: "end", at: at(), end }]);
      await fake.settle();
    },
  };
}
