import { expect, test } from "vitest";
import { verdictOf } from "./verdict.ts";

const failed = (reason: string): object => ({ state: "Failed", reason });

test("results that could not be stored are the client's to mend, however the program ended", () => {
  const uploadProblem = "The specified bucket does not exist: s3://gone/x";
  const reason = "ClientError: Artifact upload failed: The specified bucket does not exist: s3://gone/x";
  expect(verdictOf([{ how: "exited", exitCode: 0, uploadProblem }])).toEqual(failed(reason));
  expect(verdictOf([{ how: "stopped", uploadProblem }])).toEqual(failed(reason));
  const own = verdictOf([{ how: "exited", exitCode: 3, uploadProblem, failure: "no rows" }]);
  expect(own).toEqual(failed("AlgorithmError: no rows, exit code: 3"));
});

test("a program that never ran is the client's to mend, a machine that went is not", () => {
  const cannotStart = "CannotStartContainerError. Please make sure";
  expect(verdictOf([{ how: "setup-failed", failure: cannotStart }])).toEqual(failed(`ClientError: ${cannotStart}`));
  expect(verdictOf([{ how: "lost" }])).toEqual(failed("InternalServerError: The instance was lost. Please try again."));
});
