// What an agent brings in before it releases the task. The server plans (as the execution role); the agent copies.

export interface PlannedObject {
  /** Path under the channel's (or model's) folder, "/"-separated, never absolute, never with ".." — the agent checks again. */
  readonly path: string;
  readonly sizeBytes: number;
  /**
   * Readable file with exactly these bytes, never to be changed; a URL under the task's server that answers them (same bearer token); or
   * the bytes themselves, as UTF-8 (values of augmented manifests).
   */
  readonly source: { readonly file: string } | { readonly url: string } | { readonly text: string };
  /** Decompress while copying (CompressionType Gzip). */
  readonly isGzip: boolean;
}

export interface PlannedChannel {
  readonly name: string;
  /**
   * FastFile: as File, and without a copy where that can be. Mount: a folder of the machine. Stream: not brought in, but read object by
   * object (batch transform). Pipe: through a FIFO per epoch, while the program runs.
   */
  readonly mode: "File" | "FastFile" | "Mount" | "Stream" | "Pipe";
  /** Mount: the folder. */
  readonly mount?: { readonly from: string; readonly isReadOnly: boolean };
  /** Pipe: each epoch has an order of its own. */
  readonly shuffleSeed?: number;
  /** Pipe: so many objects belong together and are never torn apart by shuffling (attributes of a manifest's line). Default: 1. */
  readonly groupSize?: number;
  /** Pipe: each object becomes a RecordIO record. */
  readonly isWrapped?: boolean;
  /** Where its objects go, below the task's root; default: "input/data/<name>". */
  readonly folder?: string;
  readonly objects: readonly PlannedObject[];
}

export interface ChannelPlan {
  readonly channels: readonly PlannedChannel[];
  /** tar.gz archives to unpack into /opt/ml/model (hosting). */
  readonly modelArchives: readonly PlannedObject[];
}

/** Server → agent when a plan cannot be made: the text becomes the FailureReason. */
export interface PlanFailure {
  readonly failureReason: string;
}
