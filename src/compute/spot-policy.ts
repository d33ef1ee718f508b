// When spot instances are taken back: a file of the operator's, since one's own machines take nothing back by themselves. JSON:
// {"discountPercent": 70, "interruptions": {"ml.m5.large": {"afterSeconds": [30, 60]}, "*": {"ratePerHour": 0.2}}}
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { seededRandom } from "../lib/random.ts";

type Interruptions =
  /** The nth attempt is interrupted so many seconds after its program began; later ones run through. */
  | { readonly afterSeconds: readonly number[] }
  /** How often an hour brings one, on average: exponential, the same for the same job and attempt. */
  | { readonly ratePerHour: number };

export interface SpotPolicy {
  /** What spot capacity costs less, 0 to 100. */
  readonly discountPercent: number;
  /** ms after the program's start; undefined: never. */
  interruptedAfterMs(instanceType: string, jobUid: string, attempt: number): number | undefined;
}

/** The file is not what it should be; the message is for the operator. */
export class SpotPolicyError extends Error {}

export const noInterruptions: SpotPolicy = { discountPercent: 0, interruptedAfterMs: () => undefined };

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isAmount = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value) && value >= 0;

function readOne(instanceType: string, value: unknown): Interruptions {
  if (isObject(value) && Array.isArray(value["afterSeconds"]) && value["afterSeconds"].every(isAmount))
    return { afterSeconds: value["afterSeconds"] };
  if (isObject(value) && isAmount(value["ratePerHour"])) return { ratePerHour: value["ratePerHour"] };
  throw new SpotPolicyError(
    `the interruptions of "${instanceType}" must be {"afterSeconds": [seconds, …]} or {"ratePerHour": number}`,
  );
}

/** Throws SpotPolicyError. */
export function parseSpotPolicy(text: string): SpotPolicy {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch (error) {
    throw new SpotPolicyError(`it is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!isObject(given)) throw new SpotPolicyError('it must be an object: {"interruptions": {"ml.m5.large": …}}');
  const { discountPercent = 0, interruptions = {}, ...others } = given;
  const unknown = Object.keys(others)[0];
  if (unknown !== undefined)
    throw new SpotPolicyError(`it has "${unknown}", which is neither discountPercent nor interruptions`);
  if (!isAmount(discountPercent) || discountPercent > 100)
    throw new SpotPolicyError("discountPercent must be a number from 0 to 100");
  if (!isObject(interruptions)) throw new SpotPolicyError("interruptions must be an object by instance type");
  const byType = new Map(Object.entries(interruptions).map(([type, value]) => [type, readOne(type, value)]));
  return {
    discountPercent,
    interruptedAfterMs: (instanceType, jobUid, attempt) => {
      const found = byType.get(instanceType) ?? byType.get("*");
      return found && afterMs(found, jobUid, attempt);
    },
  };
}

function afterMs(found: Interruptions, jobUid: string, attempt: number): number | undefined {
  if ("afterSeconds" in found) {
    const seconds = found.afterSeconds[attempt];
    return seconds === undefined ? undefined : seconds * 1_000;
  }
  if (found.ratePerHour === 0) return undefined;
  const seed = createHash("sha256").update(`${jobUid} ${attempt}`).digest().readUInt32BE(0);
  return (-Math.log(1 - seededRandom(seed).fraction()) / found.ratePerHour) * 3_600_000;
}

/** Throws SpotPolicyError with the file's name. */
export function readSpotPolicy(path: string): SpotPolicy {
  if (path === "") return noInterruptions;
  try {
    return parseSpotPolicy(readFileSync(path, "utf8"));
  } catch (error) {
    throw new SpotPolicyError(
      `--spot-interruptions ${path}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
