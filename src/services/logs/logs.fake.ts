// A whole Logs service for tests: database in memory, a clock that stands still; operations called by name.
import { onTestFinished } from "vitest";
import { openTestStore } from "../../database/store.fake.ts";
import type { Store } from "../../database/store.ts";
import { FakeClock } from "../../lib/clock.fake.ts";
import { seededRandom } from "../../lib/random.ts";
import type { LogsOperations } from "../../models/generated/logs.ts";
import { requestContext } from "../request-context.fake.ts";
import { createLogs, type Logs } from "./index.ts";

type Output<Name extends keyof LogsOperations> = Exclude<LogsOperations[Name]["output"], void>;

export const scope = { account: "000000000000", region: "us-west-2" };

export interface FakeLogs extends Logs {
  readonly store: Store;
  readonly clock: FakeClock;
  call<Name extends keyof LogsOperations>(
    name: Name,
    input: LogsOperations[Name]["input"],
    as?: { readonly account?: string; readonly region?: string },
  ): Promise<Output<Name>>;
  /** Lines through the front door, as a task's report brings them. */
  append(group: string, stream: string, events: readonly { timestamp: number; message: string }[]): Promise<void>;
}

export async function createFakeLogs(): Promise<FakeLogs> {
  const clock = new FakeClock();
  const store = await openTestStore({ clock });
  onTestFinished(() => store.close());
  const random = seededRandom(7);
  const logs = createLogs({ store, clock, random });
  return {
    ...logs,
    store,
    clock,
    call: async (name, input, as = {}) => {
      const request = { service: "logs", operation: name, ...scope, ...as, store, clock, random } as const;
      const output = await logs.service.handle(name, input, requestContext(request));
      return output as Output<typeof name>;
    },
    append: (group, stream, events) => store.write((tx) => logs.lines.append(tx, scope, group, stream, events)),
  };
}
