// A command run in the foreground as if it were ourselves: signals go on to it, and its end is ours.
import type { ChildProcess } from "node:child_process";
import { constants } from "node:os";
import { errorCode } from "../lib/error-code.ts";

const passedOn = ["SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGCONT"] as const;

/** From a terminal these reach the whole group: the command has them already. */
const fromTerminal: ReadonlySet<string> = new Set(["SIGINT", "SIGQUIT", "SIGWINCH"]);

/**
 * Resolves with the command's exit code once it has ended: 128 and the signal's number where a signal ended it, 127 where there is no
 * such program, 126 where it cannot be run. `start` starts it: a signal that comes while it does waits for it.
 */
export function follow(start: () => ChildProcess): Promise<number> {
  const isTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  // Listening first: until somebody does, a signal ends us and leaves the command behind.
  const passOn = (signal: NodeJS.Signals): void => {
    if (!(isTerminal && fromTerminal.has(signal))) child.kill(signal);
  };
  const signals = process.platform === "win32" ? (["SIGINT", "SIGTERM"] as const) : passedOn;
  for (const signal of signals) process.on(signal, passOn);
  const child = start();
  return new Promise<number>((resolve) => {
    child.once("error", (error) => {
      process.stderr.write(`salvia: ${error.message}\n`);
      resolve(errorCode(error) === "ENOENT" ? 127 : 126);
    });
    child.once("exit", (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  }).finally(() => {
    for (const signal of signals) process.off(signal, passOn);
  });
}
