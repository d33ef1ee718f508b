// A resource kind without a service, for tests of what all kinds share; and resources of it on a database in memory.
import { onTestFinished } from "vitest";
import { openTestStore } from "../database/store.fake.ts";
import type { Store } from "../database/store.ts";
import { AwsError } from "../lib/aws-error.ts";
import { FakeClock } from "../lib/clock.fake.ts";
import { seededRandom } from "../lib/random.ts";
import { defineResource } from "./resource-definition.ts";
import { Resources } from "./resources.ts";

export interface NumberedSpec {
  readonly size?: number;
}
export interface NumberedStatus {
  readonly state: string;
}
export interface NumberedIntent {
  readonly isStopped?: boolean;
}

const definition = (kind: string, isReconciled: boolean) =>
  defineResource<NumberedSpec, NumberedIntent, NumberedStatus>({
    service: "test",
    kind,
    nameMember: "Name",
    arn: ({ region, account, name }) => `arn:aws:test:${region}:${account}:${kind}/${name}`,
    initialStatus: { state: "New" },
    initialIntent: {},
    stateOf: ({ state }, { isStopped }) => (isStopped ? "Stopping" : state),
    describe: ({ spec, name }) => ({ Name: name, ...spec }),
    summary: ({ name }) => ({ Name: name }),
    isReconciled,
    notFound: ({ arn }) => new AwsError("ResourceNotFound", `no ${arn}`),
    alreadyExists: ({ arn }) => new AwsError("ResourceInUse", `${arn} exists`),
  });

/** Its rows change only when asked. */
export const numbered = definition("numbered", false);
/** Creation and changes wake its reconciler. */
export const reconciled = definition("reconciled", true);

export interface FakeResources {
  readonly clock: FakeClock;
  readonly store: Store;
  readonly resources: Resources;
  /** How often the engine was told to look. */
  readonly nudges: () => number;
  /** Of another account or region, on the same database. */
  readonly of: (account: string, region?: string) => Resources;
}

export async function fakeResources(): Promise<FakeResources> {
  const clock = new FakeClock();
  const store = await openTestStore({ clock });
  onTestFinished(() => store.close());
  const random = seededRandom(3);
  let nudges = 0;
  const nudge = (): void => void (nudges += 1);
  const of = (account: string, region = "us-west-2"): Resources =>
    new Resources({ store, clock, random, nudge, scope: { account, region } });
  return { clock, store, resources: of("000000000000"), nudges: () => nudges, of };
}
