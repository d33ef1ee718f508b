// Timestamps in the three forms that AWS protocols use: https://smithy.io/2.0/spec/protocol-traits.html#timestampformat-trait
import type { TimestampFormat } from "../models/index.ts";

// ECMAScript's Date holds no more; Java's printing of years beyond 9999 is nothing a client reads back.
const latestSeconds = 253_402_300_799.999;
const earliestSeconds = -62_167_219_200;

const isoDate = /^\d{4}-\d{2}-\d{2}(?:[Tt ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:[Zz]|[+-]\d{2}:?\d{2})?)?$/;
const httpDate = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} (?:GMT|UTC|[+-]0000)$/;
const number = /^-?\d{1,15}(?:\.\d{1,9})?(?:[eE]\+?\d{1,2})?$/;

/** Milliseconds are kept, finer digits cut. Undefined outside the years 0 to 9999. */
export function fromEpochSeconds(seconds: number): Date | undefined {
  if (!(seconds >= earliestSeconds && seconds <= latestSeconds)) return undefined;
  return new Date(Math.round(seconds * 1000));
}

/** Reads any of the three forms, as AWS services do whatever form the model names. Undefined if it is none of them. */
export function parseTimestamp(text: string): Date | undefined {
  if (number.test(text)) return fromEpochSeconds(Number(text));
  if (!isoDate.test(text) && !httpDate.test(text)) return undefined;
  // Without an offset, AWS means UTC, ECMAScript local time.
  const hasOffset = httpDate.test(text) || /[Zz]$|[+-]\d{2}:?\d{2}$/.test(text.slice(10));
  const time = Date.parse(text.length > 10 && !hasOffset ? `${text}Z` : text);
  return Number.isNaN(time) ? undefined : fromEpochSeconds(time / 1000);
}

/** ISO 8601 in UTC; milliseconds only where there are some. */
function iso8601(date: Date): string {
  const text = date.toISOString();
  return text.endsWith(".000Z") ? `${text.slice(0, -5)}Z` : text;
}

export function formatTimestamp(date: Date, format: TimestampFormat): string {
  if (format === "iso8601") return iso8601(date);
  return format === "rfc822" ? date.toUTCString() : String(date.getTime() / 1000);
}
