import { expect, test } from "vitest";
import { judge } from "./judge.ts";

/** "0": a datapoint below the threshold, "X": one above it, "-": none; the last character is the newest period. */
const judged = (points: string, N: number, M: number, TreatMissingData: string) =>
  judge(
    points.split("").flatMap((point, at) => (point === "-" ? [] : [{ at: at * 60_000, value: point === "X" ? 9 : 0 }])),
    {
      ComparisonOperator: "GreaterThanThreshold",
      Threshold: 5,
      EvaluationPeriods: N,
      DatapointsToAlarm: M,
      TreatMissingData,
    },
  );

// The tables of "How alarm state is evaluated when data is missing", CloudWatch user guide: 3 of 3, then 2 of 3.
test.each<[string, number, number, (string | undefined)[]]>([
  // missing, ignore, breaching, notBreaching
  ["0-X-X", 3, 3, ["OK", "OK", "OK", "OK"]],
  ["0----", 3, 3, ["OK", "OK", "OK", "OK"]],
  ["-----", 3, 3, ["INSUFFICIENT_DATA", undefined, "ALARM", "OK"]],
  ["0XX-X", 3, 3, ["ALARM", "ALARM", "ALARM", "ALARM"]],
  ["--X--", 3, 3, ["ALARM", undefined, "ALARM", "OK"]],
  ["0-X-X", 3, 2, ["ALARM", "ALARM", "ALARM", "ALARM"]],
  ["00X0X", 3, 2, ["ALARM", "ALARM", "ALARM", "ALARM"]],
  ["0-X--", 3, 2, ["OK", undefined, "ALARM", "OK"]],
  ["-----", 3, 2, ["INSUFFICIENT_DATA", undefined, "ALARM", "OK"]],
  ["0000X", 3, 2, ["OK", "OK", "OK", "OK"]],
])("%s with %d periods, %d to alarm", (points, N, M, expected) => {
  const treatments = ["missing", "ignore", "breaching", "notBreaching"];
  expect(treatments.map((treatment) => judged(points, N, M, treatment)?.StateValue)).toEqual(expected);
});

test.each([
  ["GreaterThanOrEqualToThreshold", [0, 1, 1]],
  ["GreaterThanThreshold", [0, 0, 1]],
  ["LessThanThreshold", [1, 0, 0]],
  ["LessThanOrEqualToThreshold", [1, 1, 0]],
] as const)("%s", (ComparisonOperator, expected) => {
  const states = [4, 5, 6].map(
    (value) => judge([{ at: 0, value }], { ComparisonOperator, Threshold: 5, EvaluationPeriods: 1 })?.StateValue,
  );
  expect(states).toEqual(expected.map((isAlarm) => (isAlarm === 1 ? "ALARM" : "OK")));
});

test("reasons read as CloudWatch's", () => {
  expect(judged("X", 1, 1, "missing")?.StateReason).toBe(
    "Threshold Crossed: 1 out of the last 1 datapoint [9.0 (01/01/70 00:00:00)] was greater than the threshold (5.0) (minimum 1 datapoint for OK -> ALARM transition).",
  );
  expect(judged("00", 2, 2, "missing")?.StateReason).toBe(
    "Threshold Crossed: 2 out of the last 2 datapoints [0.0 (01/01/70 00:01:00), 0.0 (01/01/70 00:00:00)] were not greater than the threshold (5.0) (minimum 1 datapoint for ALARM -> OK transition).",
  );
  expect(judged("--", 2, 2, "missing")?.StateReason).toBe("Insufficient Data: 2 datapoints were unknown.");
  expect(judged("--", 2, 2, "breaching")?.StateReason).toBe(
    "Threshold Crossed: no datapoints were received for 2 periods and 2 missing datapoints were treated as [Breaching].",
  );
});
