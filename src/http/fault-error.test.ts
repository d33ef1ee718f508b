import { expect, test } from "vitest";
import { faultError } from "./fault-error.ts";

const withCode = (code: string): Error => Object.assign(new Error("secret details"), { code });

test.each([
  ["a database that is not there", withCode("ECONNREFUSED")],
  ["a database that is shutting down", withCode("57P01")],
  ["a database without room for another connection", withCode("53300")],
  ["a connection that was lost", new Error("Connection terminated unexpectedly")],
  ["a database that does not answer in time", new Error("timeout exceeded when trying to connect")],
])("%s is a passing fault, said in words", (_, error) => {
  expect(faultError(error, "aws-json")).toMatchObject({
    code: "ServiceUnavailable",
    message: "The server's database does not answer.",
    httpStatus: 503,
  });
});

test("any other fault is told without its details", () => {
  const told = faultError(withCode("23505"), "aws-json");
  expect(told.message).not.toContain("secret");
  expect(told.httpStatus).toBe(500);
});
