// Counts invocations per variant in memory and writes them to CloudWatch (namespace AWS/SageMaker) at intervals.
// https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
import type { Scope } from "../../database/resources.ts";
import type { Store } from "../../database/store.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Metrics } from "../cloudwatch/index.ts";

export interface Invocation {
  readonly scope: Scope;
  readonly endpoint: string;
  readonly variant: string;
  /** Of the container; 0 when it gave no answer. */
  readonly status: number;
  readonly modelMs: number;
  readonly overheadMs: number;
}

interface Tally {
  readonly scope: Scope;
  readonly dimensions: Readonly<Record<string, string>>;
  invocations: number;
  clientErrors: number;
  modelErrors: number;
  modelMicroseconds: number[];
  overheadMicroseconds: number[];
}

const namespace = "AWS/SageMaker";
/** Beyond this a busy variant keeps an evenly thinned sample of its latencies. */
const maxLatencies = 512;

function keep(latencies: number[], microseconds: number, count: number): void {
  if (latencies.length < maxLatencies) latencies.push(microseconds);
  // Invocation `count` takes the place of an older one: deterministic, and every part of the interval stays seen.
  else latencies[count % maxLatencies] = microseconds;
}

const isServerError = (status: number): boolean => status === 0 || status >= 500;
const isClientError = (status: number): boolean => status >= 400 && status < 500;

export class InvocationMetrics {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #sink: Metrics;
  #tallies = new Map<string, Tally>();

  constructor(parts: { readonly store: Store; readonly clock: Clock; readonly metrics: Metrics }) {
    this.#store = parts.store;
    this.#clock = parts.clock;
    this.#sink = parts.metrics;
  }

  count({ scope, endpoint, variant, status, modelMs, overheadMs }: Invocation): void {
    const key = `${scope.account}/${scope.region}/${endpoint}/${variant}`;
    let tally = this.#tallies.get(key);
    if (!tally) {
      const dimensions = { EndpointName: endpoint, VariantName: variant };
      const counts = { invocations: 0, clientErrors: 0, modelErrors: 0 };
      tally = { scope, dimensions, ...counts, modelMicroseconds: [], overheadMicroseconds: [] };
      this.#tallies.set(key, tally);
    }
    tally.invocations++;
    if (isClientError(status)) tally.clientErrors++;
    if (isServerError(status)) tally.modelErrors++;
    keep(tally.modelMicroseconds, Math.round(modelMs * 1_000), tally.invocations);
    keep(tally.overheadMicroseconds, Math.round(overheadMs * 1_000), tally.invocations);
  }

  /** Writes what was counted since the last time; on failure it is counted on. */
  async flush(): Promise<void> {
    const tallies = this.#tallies;
    if (tallies.size === 0) return;
    this.#tallies = new Map();
    const timestamp = this.#clock.now().getTime();
    try {
      await this.#store.write(async (tx) => {
        for (const tally of tallies.values())
          await this.#sink.put(tx, tally.scope, namespace, dataOf(tally, timestamp));
      });
    } catch (error) {
      for (const [key, tally] of tallies) this.#tallies.set(key, add(tally, this.#tallies.get(key)));
      throw error;
    }
  }
}

const add = (one: Tally, other: Tally | undefined): Tally =>
  other
    ? {
        ...one,
        invocations: one.invocations + other.invocations,
        clientErrors: one.clientErrors + other.clientErrors,
        modelErrors: one.modelErrors + other.modelErrors,
        modelMicroseconds: [...one.modelMicroseconds, ...other.modelMicroseconds].slice(-maxLatencies),
        overheadMicroseconds: [...one.overheadMicroseconds, ...other.overheadMicroseconds].slice(-maxLatencies),
      }
    : one;

function dataOf(tally: Tally, timestamp: number) {
  const { dimensions } = tally;
  const count = (name: string, value: number) => ({ name, dimensions, value, unit: "Count", timestamp });
  const latencies = (name: string, values: readonly number[]) =>
    values.map((value) => ({ name, dimensions, value, unit: "Microseconds", timestamp }));
  return [
    count("Invocations", tally.invocations),
    count("Invocation4XXErrors", tally.clientErrors),
    count("Invocation5XXErrors", tally.modelErrors),
    count("InvocationModelErrors", tally.clientErrors + tally.modelErrors),
    ...latencies("ModelLatency", tally.modelMicroseconds),
    ...latencies("OverheadLatency", tally.overheadMicroseconds),
  ];
}
