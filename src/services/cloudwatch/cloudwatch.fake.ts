// A whole CloudWatch for tests: database in memory, a clock that stands still; operations called by name.
import { onTestFinished } from "vitest";
import { openTestStore } from "../../database/store.fake.ts";
import type { Store } from "../../database/store.ts";
import { FakeClock } from "../../lib/clock.fake.ts";
import { seededRandom } from "../../lib/random.ts";
import type { CloudwatchOperations } from "../../models/generated/cloudwatch.ts";
import { requestContext } from "../request-context.fake.ts";
import { createCloudWatch, type CloudWatch, type MetricData } from "./index.ts";

type Output<Name extends keyof CloudwatchOperations> = Exclude<CloudwatchOperations[Name]["output"], void>;

export const scope = { account: "000000000000", region: "us-west-2" };

export interface FakeCloudWatch extends CloudWatch {
  readonly store: Store;
  readonly clock: FakeClock;
  call<Name extends keyof CloudwatchOperations>(
    name: Name,
    input: CloudwatchOperations[Name]["input"],
    as?: { readonly account?: string; readonly region?: string },
  ): Promise<Output<Name>>;
  /** Data through the front door, as a task's report brings them. */
  put(namespace: string, data: readonly MetricData[]): Promise<void>;
}

export async function createFakeCloudWatch(): Promise<FakeCloudWatch> {
  const clock = new FakeClock();
  const store = await openTestStore({ clock });
  onTestFinished(() => store.close());
  const random = seededRandom(7);
  const cloudwatch = createCloudWatch({ store, clock, random });
  return {
    ...cloudwatch,
    store,
    clock,
    call: async (name, input, as = {}) => {
      const request = { service: "cloudwatch", operation: name, ...scope, ...as, store, clock, random } as const;
      const output = await cloudwatch.service.handle(name, input, requestContext(request));
      return output as Output<typeof name>;
    },
    put: (namespace, data) => store.write((tx) => cloudwatch.metrics.put(tx, scope, namespace, data)),
  };
}
