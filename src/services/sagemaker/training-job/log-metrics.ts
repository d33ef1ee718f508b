// Metrics from a job's output: its MetricDefinitions held against every line (developer guide, "Define metrics").
// Patterns are strangers' and run beside all other requests. RE2 takes time linear in the line, but the factor is the pattern's
// size: so sizes, characters per match, time per turn of the event loop and processor's time per report are all bounded.
import { setImmediate as turnOfTheLoop } from "node:timers/promises";
import type { Clock } from "../../../lib/clock.ts";
import { linearRegex, RegexProblem, type LinearRegex } from "../../../lib/linear-regex.ts";
import type { Log } from "../../../lib/log.ts";
import type { MetricDefinition } from "../../../models/generated/sagemaker.ts";
import type { MetricPoint, OutputLine } from "../tasks/task-owner.ts";
import { badMetricDefinition } from "./errors.ts";

/** 500 characters, which is AWS's limit, make fewer steps unless they count (`.{1000}`). */
const maxSteps = 1_000;
/** Steps times characters of one match, 30 to 80 ms at worst: of a longer line its beginning is looked at. */
const maxMatchWork = 2_000_000;
/** Then others have their turn. */
const turnMs = 10;
/** Of one report's lines, of the processor's time, shared evenly by the definitions; an ordinary pattern takes 10 ms for 10,000 lines. */
const reportMs = 3_000;
/** What others took beyond their share is not taken from a definition: it has this much at least. */
const leastShareMs = 50;

/** What AWS's logs show for a TAB, and so what patterns made for AWS ask for. */
const escapedTab = "#011";

function compile(pattern: string): LinearRegex {
  const regex = linearRegex(pattern);
  if (regex.steps > maxSteps)
    throw new RegexProblem(`it has ${regex.steps} steps with its repeats written out, and ${maxSteps} is the limit`);
  return regex;
}

/** Throws what the caller should hear of the first definition that cannot be used. */
export async function checkMetricDefinitions(definitions: readonly MetricDefinition[]): Promise<void> {
  for (const { Name, Regex } of definitions) {
    try {
      compile(Regex);
    } catch (error) {
      if (error instanceof RegexProblem) throw badMetricDefinition(Name, Regex, error.message);
      throw error;
    }
    await turnOfTheLoop();
  }
}

/** Undefined for a line that does not match, or whose first group is no finite number. */
function valueReader(pattern: string): (line: string) => number | undefined {
  const regex = compile(pattern);
  const maxLength = Math.floor(maxMatchWork / regex.steps);
  const hasEscapedTab = pattern.includes(escapedTab);
  return (line) => {
    const beginning = line.slice(0, maxLength);
    const text = hasEscapedTab ? beginning.replaceAll("\t", escapedTab).slice(0, maxLength) : beginning;
    const value = Number.parseFloat(regex.match(text)?.groups[1] ?? "");
    return Number.isFinite(value) ? value : undefined;
  };
}

/** Measures the processor's time in its own turns only: what others do, in theirs or beside it, takes nothing away from a definition. */
class Turns {
  readonly #clock: Clock;
  #startedAtMs = 0;
  #startedCpuMs = 0;
  #spentBeforeMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#start();
  }

  #start(): void {
    this.#startedAtMs = this.#clock.monotonicMs();
    this.#startedCpuMs = this.#clock.threadCpuMs();
  }

  isOver(): boolean {
    return this.#clock.monotonicMs() - this.#startedAtMs >= turnMs;
  }

  spentMs(): number {
    return this.#spentBeforeMs + this.#clock.threadCpuMs() - this.#startedCpuMs;
  }

  async next(): Promise<void> {
    this.#spentBeforeMs = this.spentMs();
    await turnOfTheLoop();
    this.#start();
  }
}

interface Hit extends MetricPoint {
  readonly line: number;
  /** Of its definition. */
  readonly number: number;
}

/** A definition on its way through the lines. */
interface Scan {
  readonly name: string;
  readonly number: number;
  readonly valueIn: (line: string) => number | undefined;
  /** The next one to be looked at. */
  line: number;
}

function scansOf(definitions: readonly MetricDefinition[], log: Log): Scan[] {
  return definitions.flatMap(({ Name: name, Regex }, number) => {
    try {
      return [{ name, number, valueIn: valueReader(Regex), line: 0 }];
    } catch (error) {
      // Taken at the job's creation, perhaps by another version: reports must go on.
      if (!(error instanceof RegexProblem)) throw error;
      log.warn("a metric's pattern cannot be used", { metric: name, error });
      return [];
    }
  });
}

/** On through the lines until `untilMs` are spent. */
async function advance(scan: Scan, lines: readonly OutputLine[], turns: Turns, untilMs: number): Promise<Hit[]> {
  const { name, number, valueIn } = scan;
  const hits: Hit[] = [];
  for (; scan.line < lines.length; scan.line++) {
    const { at, text } = lines[scan.line]!;
    if (turns.isOver()) {
      if (turns.spentMs() >= untilMs) break;
      await turns.next();
    }
    const value = valueIn(text);
    if (value !== undefined) hits.push({ name, value, at, line: scan.line, number });
  }
  return hits;
}

/**
 * In the order of the lines. The definitions share the time of a report evenly, and what some leave goes to those that want more, round
 * by round; a pattern too slow even so misses the rest of these lines, which the log says.
 */
export async function metricsInLines(
  definitions: readonly MetricDefinition[],
  lines: readonly OutputLine[],
  clock: Clock,
  log: Log,
): Promise<MetricPoint[]> {
  const turns = new Turns(clock);
  const all: Hit[] = [];
  let unfinished = scansOf(definitions, log);
  for (let round = 0; unfinished.length > 0 && (round === 0 || turns.spentMs() < reportMs); round++) {
    for (const [number, scan] of unfinished.entries()) {
      if (turns.isOver()) await turns.next();
      const spentMs = turns.spentMs();
      const shareMs = (reportMs - spentMs) / (unfinished.length - number);
      const hits = await advance(scan, lines, turns, spentMs + Math.max(leastShareMs, shareMs));
      for (const hit of hits) all.push(hit);
    }
    unfinished = unfinished.filter(({ line }) => line < lines.length);
  }
  for (const { name: metric, line } of unfinished)
    log.warn("a metric's pattern is too slow for its lines", { metric, linesLeft: lines.length - line });
  return all.sort((a, b) => a.line - b.line || a.number - b.number).map(({ name, value, at }) => ({ name, value, at }));
}

/** At most `max` points: metrics with few keep them all, of the others their last ones stay, as many of each. */
export function thinned(points: readonly MetricPoint[], max: number): readonly MetricPoint[] {
  if (points.length <= max) return points;
  const byName = Map.groupBy(points, ({ name }) => name);
  const rarestFirst = [...byName.values()].sort((a, b) => a.length - b.length);
  const kept: MetricPoint[] = [];
  for (const [number, ofOne] of rarestFirst.entries()) {
    const share = Math.floor((max - kept.length) / (rarestFirst.length - number));
    if (share > 0) kept.push(...ofOne.slice(-share));
  }
  return kept;
}
