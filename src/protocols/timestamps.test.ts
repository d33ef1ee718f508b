import * as fc from "fast-check";
import { expect, test } from "vitest";
import { formatTimestamp, fromEpochSeconds, parseTimestamp } from "./timestamps.ts";

// From the year 1000: HTTP's form reads two-digit years as ours.
const dates = fc.date({
  min: new Date("1000-01-01T00:00:00Z"),
  max: new Date("9999-12-31T23:59:59.999Z"),
  noInvalidDate: true,
});

test("what is written is read back: exactly, or to the second in HTTP's form", () => {
  fc.assert(
    fc.property(dates, (date) => {
      expect(parseTimestamp(formatTimestamp(date, "iso8601"))).toEqual(date);
      const whole = new Date(Math.floor(date.getTime() / 1000) * 1000);
      expect(parseTimestamp(formatTimestamp(whole, "rfc822"))).toEqual(whole);
      expect(fromEpochSeconds(date.getTime() / 1000)).toEqual(date);
    }),
  );
});

test("the forms that clients send are all read, in UTC where nothing else is said", () => {
  const expected = new Date("2026-01-02T03:04:05Z");
  for (const text of [
    "2026-01-02T03:04:05Z",
    "2026-01-02T03:04:05",
    "2026-01-02T04:04:05+01:00",
    "1767323045",
    "Fri, 02 Jan 2026 03:04:05 GMT",
  ]) {
    expect(parseTimestamp(text), text).toEqual(expected);
  }
  expect(parseTimestamp("2026-01-02")).toEqual(new Date("2026-01-02T00:00:00Z"));
});

test.each(["", "now", "2026-13-01T00:00:00Z", "99999999999999", "2026-01-02T03:04:05Zjunk", "Infinity", "0x10"])(
  "%j is no timestamp, or one beyond the year 9999",
  (text) => {
    expect(parseTimestamp(text)).toBeUndefined();
  },
);
