// Which periods and start times CloudWatch takes, and how it rounds them.

const minuteMs = 60_000;
const dayMs = 86_400_000;
const shortSeconds = [1, 5, 10, 20, 30];

export const isPeriod = (seconds: number): boolean =>
  Number.isInteger(seconds) && (shortSeconds.includes(seconds) || (seconds >= 60 && seconds % 60 === 0));

const roundDown = (time: number, stepMs: number): number => time - (time % stepMs);

/** To the period for those below a minute; else to a minute, five minutes (after 15 days) or an hour (after 63 days). */
export function roundedStart(start: Date, periodSeconds: number, now: Date): number {
  if (periodSeconds < 60) return roundDown(start.getTime(), periodSeconds * 1_000);
  const ageMs = now.getTime() - start.getTime();
  const stepMs = ageMs < 15 * dayMs ? minuteMs : ageMs < 63 * dayMs ? 5 * minuteMs : 60 * minuteMs;
  return roundDown(start.getTime(), stepMs);
}

/** The period's own boundary at or before the time. */
export const alignedStart = (start: Date, periodSeconds: number): number =>
  roundDown(start.getTime(), periodSeconds * 1_000);
