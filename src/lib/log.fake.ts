// A log that keeps its errors, so that a test can say that there were none.
import { silentLog, type Log, type LogFields } from "./log.ts";

export function collectingLog(errors: LogFields[]): Log {
  const log: Log = {
    ...silentLog,
    error: (message, fields) => void errors.push({ message, ...fields }),
    with: () => log,
  };
  return log;
}
