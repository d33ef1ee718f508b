// A container's output into the task's file. The engine's log is the truth: after a break it is read from its start again, and as
// many bytes are skipped as the file has, so that nothing is lost and nothing doubled. Frames: Engine API, "Attach", stream format.
import { appendFileSync, statSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import type { Clock } from "../../lib/clock.ts";
import type { DockerEngine } from "../../lib/docker-engine.ts";
import type { Log } from "../../lib/log.ts";

export interface OutputCopy {
  /** Everything of a container that has ended. Throws when the engine does not answer: ask again. */
  finish(): Promise<void>;
  close(): void;
}

export interface OutputCopyOptions {
  readonly engine: DockerEngine;
  /** "/containers/NAME" */
  readonly container: string;
  readonly file: string;
  readonly log: Log;
  readonly clock: Clock;
}

const againMs = 500;
const headerBytes = 8;

export function startOutputCopy(options: OutputCopyOptions): OutputCopy {
  const { log, clock } = options;
  const over = new AbortController();
  const follow = async (): Promise<void> => {
    while (!over.signal.aborted) {
      try {
        await copy(options, true, over.signal);
      } catch (error) {
        if (!over.signal.aborted) log.debug("a container's output broke off", { error });
      }
      await clock.sleep(againMs, over.signal).catch(() => undefined);
    }
  };
  const following = follow();
  return {
    finish: async () => {
      over.abort();
      await following;
      await copy(options, false, undefined);
    },
    close: () => over.abort(),
  };
}

const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;

async function copy({ engine, container, file }: OutputCopyOptions, isFollowing: boolean, signal?: AbortSignal) {
  const path = `${container}/logs?stdout=1&stderr=1&follow=${isFollowing ? 1 : 0}`;
  const stream = await engine.stream({
    method: "GET",
    path,
    timeoutMs: isFollowing ? 0 : 60_000,
    ...(signal && { signal }),
  });
  let toSkip = sizeOf(file);
  for await (const payload of payloads(stream)) {
    const fresh = payload.subarray(Math.min(toSkip, payload.length));
    toSkip -= payload.length - fresh.length;
    if (fresh.length > 0) appendFileSync(file, fresh, { mode: 0o600 });
  }
}

/** What the program wrote, without the frames. A frame cut short at the end of the stream is not passed on. */
export async function* payloads(stream: IncomingMessage | AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const part of stream) {
    rest = rest.length === 0 ? Buffer.from(part as Uint8Array) : Buffer.concat([rest, part as Uint8Array]);
    while (rest.length >= headerBytes) {
      const end = headerBytes + rest.readUInt32BE(4);
      if (rest.length < end) break;
      yield rest.subarray(headerBytes, end);
      rest = rest.subarray(end);
    }
  }
}
