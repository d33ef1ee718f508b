// Logs: constant message, facts in fields. JSON lines to a pipe, one readable line each on a terminal.
import type { Clock } from "./clock.ts";

export type LogFields = Readonly<Record<string, unknown>>;

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** The same log with these fields on every line. */
  with(fields: LogFields): Log;
}

const levels = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof levels)[number];

export interface LogOptions {
  readonly clock: Clock;
  readonly level: LogLevel;
  readonly pretty: boolean;
  write(line: string): void;
}

const plain = (value: unknown): unknown =>
  value instanceof Error ? { name: value.name, message: value.message, stack: value.stack } : value;

const prettyLine = (at: Date, level: LogLevel, message: string, fields: LogFields): string => {
  const facts = Object.entries(fields).map(([key, value]) =>
    value instanceof Error
      ? `${key}=${value.stack ?? value.message}`
      : `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  return `${at.toISOString().slice(11, 23)} ${level.padEnd(5)} ${message}${facts.length > 0 ? `  ${facts.join(" ")}` : ""}\n`;
};

export function createLog(options: LogOptions, bound: LogFields = {}): Log {
  const emit = (level: LogLevel, message: string, fields: LogFields = {}): void => {
    if (levels.indexOf(level) < levels.indexOf(options.level)) return;
    const all = { ...bound, ...fields };
    const at = options.clock.now();
    if (options.pretty) {
      options.write(prettyLine(at, level, message, all));
      return;
    }
    const entries = Object.fromEntries(Object.entries(all).map(([key, value]) => [key, plain(value)]));
    options.write(`${JSON.stringify({ at: at.toISOString(), level, message, ...entries })}\n`);
  };
  return {
    debug: (message, fields) => emit("debug", message, fields),
    info: (message, fields) => emit("info", message, fields),
    warn: (message, fields) => emit("warn", message, fields),
    error: (message, fields) => emit("error", message, fields),
    with: (fields) => createLog(options, { ...bound, ...fields }),
  };
}

/**
 * Lines to a stream such as stderr. What cannot be written there (its disk is full, its reader has gone) is lost: a log must
 * not end the program that keeps it.
 */
export function lineWriter(stream: NodeJS.WritableStream): (line: string) => void {
  stream.on("error", nothing);
  return (line) => {
    try {
      stream.write(line);
    } catch {
      // A file is written at once, and fails at once. There is no place left where this could be told.
    }
  };
}

const nothing = (): void => {};
export const silentLog: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing, with: () => silentLog };
