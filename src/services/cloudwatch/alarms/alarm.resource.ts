// A metric alarm: the request that made it, and the state its last evaluation found.
import { AwsError } from "../../../lib/aws-error.ts";
import type { MetricAlarm, PutMetricAlarmInput, StateValue } from "../../../models/generated/cloudwatch.ts";
import { defineResource, type Resource } from "../../resource-definition.ts";

export type AlarmSpec = Omit<PutMetricAlarmInput, "Tags">;

/** What SetAlarmState asked for; the reconciler carries it out once. */
export interface AlarmIntent {
  readonly forced?: {
    readonly id: string;
    readonly at: number;
    readonly StateValue: StateValue;
    readonly StateReason: string;
    readonly StateReasonData?: string | undefined;
  };
}

/** One change of state: what its history and its actions are made from. */
export interface Transition {
  readonly id: string;
  /** ms since 1970 */
  readonly at: number;
  readonly from: StateValue;
}

export interface AlarmStatus {
  readonly StateValue: StateValue;
  readonly StateReason: string;
  readonly StateReasonData?: string | undefined;
  /** ms since 1970 */
  readonly updatedAt: number;
  readonly transitionedAt: number;
  readonly appliedForce?: string;
  readonly transition?: Transition | undefined;
}

export type Alarm = Resource<AlarmSpec, AlarmIntent, AlarmStatus>;

/** The state as callers see it: what SetAlarmState asked for holds at once. */
function stateOf({ status, intent: { forced } }: Pick<Alarm, "status" | "intent">): AlarmStatus {
  if (!forced || forced.id === status.appliedForce) return status;
  const { at, StateValue, StateReason, StateReasonData } = forced;
  const transitionedAt = StateValue === status.StateValue ? status.transitionedAt : at;
  return { StateValue, StateReason, StateReasonData, updatedAt: at, transitionedAt };
}

export function describeAlarm(alarm: Alarm): MetricAlarm {
  const { spec, name, arn, modifiedAt } = alarm;
  const { StateValue, StateReason, StateReasonData, updatedAt, transitionedAt } = stateOf(alarm);
  return {
    ActionsEnabled: true,
    OKActions: [],
    AlarmActions: [],
    InsufficientDataActions: [],
    ...(spec.Metrics === undefined && { Dimensions: [] }),
    ...spec,
    AlarmName: name,
    AlarmArn: arn,
    AlarmConfigurationUpdatedTimestamp: modifiedAt,
    StateValue,
    StateReason,
    ...(StateReasonData !== undefined && { StateReasonData }),
    StateUpdatedTimestamp: new Date(updatedAt),
    StateTransitionedTimestamp: new Date(transitionedAt),
  };
}

export const alarm = defineResource<AlarmSpec, AlarmIntent, AlarmStatus>({
  service: "cloudwatch",
  kind: "alarm",
  nameMember: "AlarmName",
  arn: ({ region, account, name }) => `arn:aws:cloudwatch:${region}:${account}:alarm:${name}`,
  initialStatus: {
    StateValue: "INSUFFICIENT_DATA",
    StateReason: "Unchecked: Initial alarm creation",
    updatedAt: 0,
    transitionedAt: 0,
  },
  initialIntent: {},
  stateOf: (status) => status.StateValue,
  describe: describeAlarm,
  summary: describeAlarm,
  isReconciled: true,
  notFound: () => new AwsError("ResourceNotFound", "The specified alarm does not exist."),
  alreadyExists: ({ name }) => new AwsError("ValidationError", `The alarm ${name} exists already.`),
});
