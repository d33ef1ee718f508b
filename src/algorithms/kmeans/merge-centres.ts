// Several hosts, one model: each streams its own data into weighted centres, the first host takes them all together.
import type { DataRecord, Tensor } from "../../formats/record-protobuf.ts";
import type { TrainingContext } from "../algorithm.ts";
import { joinLeader, leaderOf, openLeader } from "../peers.ts";
import type { Points } from "./points.ts";

export interface Streamed {
  /** Rows read, each epoch counted. */
  readonly rowCount: number;
  readonly points: Points;
}

const float64 = (values: Float64Array): Tensor => ({ type: "float64", values });

function encodeStreamed({ rowCount, points }: Streamed): Pick<DataRecord, "features"> {
  return {
    features: new Map<string, Tensor>([
      ["values", { type: "float64", values: Float64Array.from(points.values), shape: [points.count, points.width] }],
      ["weights", float64(points.weights)],
      ["rows", float64(Float64Array.of(rowCount))],
    ]),
  };
}

function numbersOf(record: DataRecord, name: string): Float64Array {
  const tensor = record.features.get(name);
  if (tensor?.type !== "float64") throw new Error(`a peer's result lacks '${name}'`);
  return tensor.values;
}

function decodeStreamed(record: DataRecord, width: number): Streamed {
  const values = numbersOf(record, "values");
  const weights = numbersOf(record, "weights");
  if (values.length !== weights.length * width) throw new Error("a peer's centres have another width");
  return { rowCount: numbersOf(record, "rows")[0] ?? 0, points: { width, count: weights.length, values, weights } };
}

function merge(parts: readonly Streamed[], width: number): Streamed {
  const count = parts.reduce((sum, part) => sum + part.points.count, 0);
  const points = { width, count, values: new Float64Array(count * width), weights: new Float64Array(count) };
  let at = 0;
  for (const part of parts) {
    points.values.set(part.points.values, at * width);
    points.weights.set(part.points.weights, at);
    at += part.points.count;
  }
  return { rowCount: parts.reduce((sum, part) => sum + part.rowCount, 0), points };
}

/** How this host takes part in the job. */
export interface Exchange {
  /** On the first host: all hosts' centres, in the order of the hosts. Elsewhere: undefined, once the first host has this host's. */
  merged(own: Streamed): Promise<Streamed | undefined>;
  close(): void;
}

/** Starts talking at once, so that a host that dies while others still read is noticed. */
export async function openExchange(
  { hosts, environment, clock, log, stop }: TrainingContext,
  width: number,
): Promise<Exchange> {
  if (hosts.all.length === 1) return { merged: async (own) => own, close: () => undefined };
  const options = { hosts, environment, clock, log, stop };
  if (hosts.current !== leaderOf(hosts)) {
    const follower = joinLeader(options);
    return {
      async merged(own) {
        const isSent = await follower.send(encodeStreamed(own));
        if (isSent) log.info(`sent ${own.points.count} centres to ${leaderOf(hosts)}`);
        else log.warn(`asked to stop, and ${leaderOf(hosts)} is not there: the centres of this host are lost`);
        return undefined;
      },
      close: () => follower.close(),
    };
  }
  const leader = await openLeader(options);
  return {
    async merged(own) {
      const results = await leader.gather();
      const others = hosts.all
        .flatMap((host) => results.get(host) ?? [])
        .map((record) => decodeStreamed(record, width));
      const all = merge([own, ...others], width);
      log.info(`merged ${all.points.count} centres of ${hosts.all.length} hosts, from ${all.rowCount} records`);
      return all;
    },
    close: () => leader.close(),
  };
}
