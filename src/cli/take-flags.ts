// Flags that a command has besides those of `salvia serve` (config.ts): taken out of its arguments before the rest is read.
import { ConfigError } from "../config.ts";

/** Takes `--name VALUE` or `--name=VALUE` out of the arguments. Throws ConfigError where the value is missing. */
export function takeValue(args: string[], name: string): string | undefined {
  const at = args.findIndex((arg) => arg === name || arg.startsWith(`${name}=`));
  const word = args[at];
  if (word === undefined) return undefined;
  if (word !== name) return args.splice(at, 1)[0]?.slice(name.length + 1);
  const value = args.splice(at, 2)[1];
  if (value === undefined) throw new ConfigError(`${name} needs a value`);
  return value;
}

export function takeSwitch(args: string[], name: string): boolean {
  const at = args.indexOf(name);
  if (at >= 0) args.splice(at, 1);
  return at >= 0;
}
