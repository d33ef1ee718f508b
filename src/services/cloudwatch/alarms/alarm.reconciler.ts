// Evaluates an alarm once a period. Its new state, the history of it and what its actions send are one transaction.
import type { Store } from "../../../database/store.ts";
import {
  anyReconciler,
  lookAgain,
  next,
  type AnyReconciler,
  type Observed,
  type Outcome,
} from "../../../engine/reconciler.ts";
import { AwsError } from "../../../lib/aws-error.ts";
import type { Clock } from "../../../lib/clock.ts";
import { timeOrderedUuid, type Random } from "../../../lib/random.ts";
import type { StateValue } from "../../../models/generated/cloudwatch.ts";
import { answerQueries, checkQueries } from "../metric-queries.ts";
import { saveTransition, type Announce } from "./save-transition.ts";
import type { AlarmIntent, AlarmSpec, AlarmStatus } from "./alarm.resource.ts";
import { periodOf, queriesOf } from "./check-alarm.ts";
import { extraPeriods, judge, type Judgement } from "./judge.ts";

export interface AlarmParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly announce: Announce;
}

type ObservedAlarm = Observed<AlarmSpec, AlarmIntent, AlarmStatus>;

/** Data of a period is on its way when the period ends. */
const settlingMs = 2_000;
const minuteMs = 60_000;

export function alarmReconciler(parts: AlarmParts): AnyReconciler {
  return anyReconciler<AlarmSpec, AlarmIntent, AlarmStatus>({
    kind: "cloudwatch/alarm",
    steps: [async (observed) => applyForce(observed, parts), (observed) => evaluate(observed, parts)],
    stateOf: ({ StateValue }) => StateValue,
    alsoSave: (tx, observed) => saveTransition(tx, observed, parts.announce),
  });
}

/** How long until the next period has ended. */
function untilNextMs({ spec }: ObservedAlarm, clock: Clock): number {
  const stepMs = Math.min(periodOf(spec) * 1_000, minuteMs);
  return stepMs - ((clock.now().getTime() - settlingMs) % stepMs);
}

function applyForce(observed: ObservedAlarm, { clock }: AlarmParts): Outcome<AlarmStatus> {
  const { forced } = observed.intent;
  if (!forced || forced.id === observed.status.appliedForce) return next();
  const { id, at, StateValue, StateReason, StateReasonData } = forced;
  const changed = { ...changeTo(observed, StateValue, at, id), StateReason, StateReasonData };
  return lookAgain(untilNextMs(observed, clock), { ...changed, appliedForce: id });
}

/** What changes with the state; no transition where it stays the same. */
function changeTo({ status }: ObservedAlarm, StateValue: StateValue, at: number, id: string): Partial<AlarmStatus> {
  if (StateValue === status.StateValue) return { updatedAt: at, transition: undefined };
  return { StateValue, updatedAt: at, transitionedAt: at, transition: { id, at, from: status.StateValue } };
}

async function evaluate(observed: ObservedAlarm, { store, clock, random }: AlarmParts): Promise<Outcome<AlarmStatus>> {
  const { spec, status } = observed;
  const now = clock.now().getTime();
  const periodMs = periodOf(spec) * 1_000;
  const endMs = now - (now % periodMs);
  const startMs = endMs - ((spec.EvaluationPeriods ?? 1) + extraPeriods) * periodMs;
  const times = { start: new Date(startMs), end: new Date(endMs) };
  const queries = checkQueries(queriesOf(spec), "Metrics");
  const [result] = await answerQueries(store.read, observed, queries, times).catch((error: unknown) => {
    // An expression that gives no time series gives no data.
    if (error instanceof AwsError) return [];
    throw error;
  });
  const judgement = judge(result?.points ?? [], spec);
  const afterMs = untilNextMs(observed, clock);
  if (!judgement || judgement.StateValue === status.StateValue)
    return lookAgain(afterMs, status.transition && { transition: undefined });
  const changed = changeTo(observed, judgement.StateValue, now, timeOrderedUuid(random, now));
  const { StateReason } = judgement;
  const StateReasonData = JSON.stringify(reasonData(spec, judgement, times.start, now));
  return lookAgain(afterMs, { ...changed, StateReason, StateReasonData });
}

const reasonData = (spec: AlarmSpec, { judged }: Judgement, start: Date, now: number): object => ({
  version: "1.0",
  queryDate: new Date(now).toISOString(),
  startDate: start.toISOString(),
  ...(spec.Statistic !== undefined && { statistic: spec.Statistic }),
  ...(spec.ExtendedStatistic !== undefined && { statistic: spec.ExtendedStatistic }),
  period: periodOf(spec),
  recentDatapoints: judged.map(({ value }) => value).toReversed(),
  threshold: spec.Threshold,
  evaluatedDatapoints: judged.map(({ at, value }) => ({ timestamp: new Date(at).toISOString(), value })),
});
