// The job's own log on standard output: time, level, host. The platform sends it to CloudWatch Logs and scans it for metrics.
import type { Clock } from "../lib/clock.ts";

export interface JobLog {
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
  /** A line of the form that the algorithm's declared metric regexes find. */
  metric(name: string, value: number): void;
}

export function createJobLog(clock: Clock, host: string, write: (text: string) => void): JobLog {
  const line = (level: string, message: string): void =>
    write(`[${clock.now().toISOString()} ${level} ${host}] ${message.replaceAll("\n", " ")}\n`);
  return {
    info: (message) => line("INFO", message),
    warn: (message) => line("WARNING", message),
    error: (message) => line("ERROR", message),
    metric: (name, value) => line("INFO", `#quality_metric: host=${host}, ${name} <loss>=${value}`),
  };
}
