// What the agent of a batch transform does with each object: CreateTransformJob's members, with their defaults filled in.

export interface TransformWork {
  readonly contentType?: string | undefined;
  readonly accept?: string | undefined;
  readonly splitType: "None" | "Line" | "RecordIO" | "TFRecord";
  readonly assembleWith: "None" | "Line";
  /** Undefined: the container's own wish, else MultiRecord. */
  readonly strategy?: "MultiRecord" | "SingleRecord" | undefined;
  /** Undefined: the container's own wish, else 1. */
  readonly maxConcurrent?: number | undefined;
  /** Undefined: the container's own wish, else 6. 0: no limit. */
  readonly maxPayloadMegabytes?: number | undefined;
  readonly timeoutSeconds: number;
  readonly maxRetries: number;
  /** JSONPath over a record; "$" is all of it. */
  readonly inputFilter: string;
  /** JSONPath over what is answered, joined or not. */
  readonly outputFilter: string;
  readonly join: "None" | "Input";
}

export const hasDataProcessing = ({ inputFilter, outputFilter, join }: TransformWork): boolean =>
  inputFilter !== "$" || outputFilter !== "$" || join === "Input";
