// Where a line stands in its stream, and the tokens that point between lines. A place is a cut: the lines up to it, itself
// included, lie before, all others after. So a forward token never skips a line that is appended later, and a backward
// token made of the same cut reads what the forward one has read.
import { invalidToken } from "./errors.ts";

export interface Place {
  readonly at: number;
  readonly sequence: number;
}

/** Before every line: sequences start at 1. */
export const start: Place = { at: 0, sequence: 0 };
export const end: Place = { at: Number.MAX_SAFE_INTEGER, sequence: Number.MAX_SAFE_INTEGER };

export const justBefore = ({ at, sequence }: Place): Place => ({ at, sequence: sequence - 1 });

const digits = (value: number, length: number): string => String(value).padStart(length, "0");

const placeDigits = ({ at, sequence }: Place): string => digits(at, 28) + digits(sequence, 28);

/** As AWS's look: f/ or b/, 56 digits, /s. */
export const forwardToken = (place: Place): string => `f/${placeDigits(place)}/s`;
export const backwardToken = (place: Place): string => `b/${placeDigits(place)}/s`;

/** Throws InvalidParameterException for a token that is not ours. */
export function parseToken(token: string): { readonly isForward: boolean; readonly place: Place } {
  const [, direction, at, sequence] = /^([fb])\/(\d{28})(\d{28})\/s$/.exec(token) ?? [];
  const place = { at: Number(at), sequence: Number(sequence) };
  if (!Number.isSafeInteger(place.at) || !Number.isSafeInteger(place.sequence)) throw invalidToken();
  return { isForward: direction === "f", place };
}

/** AWS still hands these out, and takes any. */
export const sequenceToken = (nextSequence: number): string => digits(nextSequence, 56);

/** Unique in a region. */
export const eventId = (streamId: number, { at, sequence }: Place): string =>
  digits(at, 20) + digits(streamId, 16) + digits(sequence, 20);
