// The one error of every reader here: it says which file, which record, and what is wrong.

/** Input that is not in the format it claims. Never thrown for I/O trouble. */
export class FormatError extends Error {
  /** The file, channel or "request body" the bytes came from. */
  readonly source: string;
  /** 1-based record or line; undefined where the file as a whole is wrong. */
  readonly recordNumber: number | undefined;
  readonly problem: string;
  /** Where in the (unpacked) stream the record begins, or the trouble is; undefined where the reader does not count. */
  readonly byteOffset: number | undefined;

  constructor(
    source: string,
    recordNumber: number | undefined,
    problem: string,
    unit: "record" | "line" = "record",
    byteOffset?: number,
  ) {
    const where = byteOffset === undefined ? "" : ` (at byte ${byteOffset})`;
    super(`${source}: ${recordNumber === undefined ? "" : `${unit} ${recordNumber}: `}${problem}${where}`);
    this.name = "FormatError";
    this.source = source;
    this.recordNumber = recordNumber;
    this.problem = problem;
    this.byteOffset = byteOffset;
  }
}
