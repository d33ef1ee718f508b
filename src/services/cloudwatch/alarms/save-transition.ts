// History and actions of a change of state. The history's key makes a second run of the same pass write nothing twice.
import type { Writer } from "../../../database/store.ts";
import type { Observed } from "../../../engine/reconciler.ts";
import type { StateValue } from "../../../models/generated/cloudwatch.ts";
import { alarm, type AlarmIntent, type AlarmSpec, type AlarmStatus, type Transition } from "./alarm.resource.ts";
import { saveHistory } from "./history.ts";

/** Hands a message to whatever stands behind an action's ARN, in the caller's transaction; false where nothing does. */
export type Announce = (
  tx: Writer,
  message: { readonly destination: string; readonly subject: string; readonly body: object; readonly at: Date },
) => Promise<boolean>;

type ObservedAlarm = Observed<AlarmSpec, AlarmIntent, AlarmStatus>;

export async function saveTransition(tx: Writer, observed: ObservedAlarm, announce: Announce): Promise<void> {
  const { spec, status } = observed;
  const { transition } = status;
  if (!transition) return;
  const { id, at, from } = transition;
  const isNew = await saveHistory(tx, observed, {
    id,
    at,
    type: "StateUpdate",
    summary: `Alarm updated from ${from} to ${status.StateValue}`,
    data: stateChange(transition, status),
  });
  if (!isNew || spec.ActionsEnabled === false) return;
  for (const [index, destination] of actionsOf(spec, status.StateValue).entries()) {
    const body = messageOf(observed, transition);
    const isSent = await announce(tx, { destination, subject: alarm.arn(observed), body, at: new Date(at) });
    await saveHistory(tx, observed, {
      id: `${id}-${index}`,
      at,
      type: "Action",
      summary: isSent
        ? `Successfully executed action ${destination}`
        : `Failed to execute action ${destination}: no webhook is set for it`,
      data: {
        actionState: isSent ? "Succeeded" : "Failed",
        notificationResource: destination,
        stateUpdateTimestamp: at,
      },
    });
  }
}

function actionsOf(spec: AlarmSpec, state: StateValue): readonly string[] {
  if (state === "ALARM") return spec.AlarmActions ?? [];
  return (state === "OK" ? spec.OKActions : spec.InsufficientDataActions) ?? [];
}

const stateChange = ({ from }: Transition, { StateValue, StateReason, StateReasonData }: AlarmStatus): object => ({
  version: "1.0",
  oldState: { stateValue: from },
  newState: {
    stateValue: StateValue,
    stateReason: StateReason,
    ...(StateReasonData !== undefined && { stateReasonData: JSON.parse(StateReasonData) as unknown }),
  },
});

/** What CloudWatch publishes to a topic. */
function messageOf(observed: ObservedAlarm, { at, from }: Transition): object {
  const { spec, status, account, region, name } = observed;
  return {
    AlarmName: name,
    AlarmDescription: spec.AlarmDescription ?? null,
    AWSAccountId: account,
    AlarmConfigurationUpdatedTimestamp: observed.createdAt.toISOString(),
    NewStateValue: status.StateValue,
    NewStateReason: status.StateReason,
    StateChangeTime: new Date(at).toISOString(),
    Region: region,
    AlarmArn: alarm.arn(observed),
    OldStateValue: from,
    OKActions: spec.OKActions ?? [],
    AlarmActions: spec.AlarmActions ?? [],
    InsufficientDataActions: spec.InsufficientDataActions ?? [],
    Trigger: triggerOf(spec),
  };
}

const triggerOf = (spec: AlarmSpec): object => ({
  ...(spec.Metrics ? { Metrics: spec.Metrics } : metricOf(spec)),
  EvaluationPeriods: spec.EvaluationPeriods,
  DatapointsToAlarm: spec.DatapointsToAlarm ?? spec.EvaluationPeriods,
  ComparisonOperator: spec.ComparisonOperator,
  Threshold: spec.Threshold,
  TreatMissingData: spec.TreatMissingData ?? "",
});

const metricOf = (spec: AlarmSpec): object => ({
  MetricName: spec.MetricName,
  Namespace: spec.Namespace,
  StatisticType: spec.Statistic === undefined ? "ExtendedStatistic" : "Statistic",
  Statistic: (spec.Statistic ?? spec.ExtendedStatistic ?? "").toUpperCase(),
  Unit: spec.Unit ?? null,
  Dimensions: (spec.Dimensions ?? []).map(({ Name, Value }) => ({ name: Name, value: Value })),
  Period: spec.Period,
});
