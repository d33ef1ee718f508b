// Reads multipart/form-data (RFC 7578) as it comes: fields up to the file, then the file as a stream. Memory holds one chunk.
import { AwsError } from "../lib/aws-error.ts";

export interface UploadForm {
  /** By lower-cased name; the last of a name counts. */
  readonly fields: Map<string, string>;
  /** Without the folders that some browsers send. */
  readonly fileName: string;
  /** Ends at the part's boundary; fails where the body ends before it. What stands behind it is not read. */
  readonly file: AsyncIterable<Uint8Array>;
}

/** S3's own limit for all that stands before the file. */
const maxFieldBytes = 20 * 1_024;

const malformedPost = (): AwsError =>
  new AwsError("MalformedPOSTRequest", "The body of your POST request is not well-formed multipart/form-data.", {
    httpStatus: 400,
  });

const fieldsTooLarge = (): AwsError =>
  new AwsError("MaxPostPreDataLengthExceeded", "Your POST request fields preceding the upload file were too large.", {
    httpStatus: 400,
    fields: { MaxPostPreDataLengthExceeded: maxFieldBytes },
  });

const noFile = (): AwsError =>
  new AwsError("InvalidArgument", "POST requires exactly one file upload per request.", {
    httpStatus: 400,
    fields: { ArgumentName: "file", ArgumentValue: "0" },
  });

/** The boundary of a form that uploads a file, or undefined. */
export function formBoundary(contentType: string | undefined): string | undefined {
  if (contentType === undefined || !/^multipart\/form-data\b/i.test(contentType)) return undefined;
  const [, quoted, plain] = /;\s*boundary=(?:"([^"]{1,70})"|([^\s;]{1,70}))/i.exec(contentType) ?? [];
  return quoted ?? plain;
}

class Scanner {
  readonly #source: AsyncIterator<Uint8Array>;
  #held: Buffer = Buffer.from("\r\n");

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Throws where the body ends. */
  async #more(): Promise<void> {
    const { value, done } = await this.#source.next();
    if (done) throw malformedPost();
    this.#held = this.#held.length === 0 ? Buffer.from(value) : Buffer.concat([this.#held, value]);
  }

  async take(count: number): Promise<string> {
    while (this.#held.length < count) await this.#more();
    const text = this.#held.toString("latin1", 0, count);
    this.#held = this.#held.subarray(count);
    return text;
  }

  /** What stands before `delimiter`, which is taken as well. */
  async until(delimiter: Buffer, limitBytes: number): Promise<string> {
    let at = this.#held.indexOf(delimiter);
    while (at < 0) {
      if (this.#held.length > limitBytes) throw fieldsTooLarge();
      await this.#more();
      at = this.#held.indexOf(delimiter);
    }
    if (at > limitBytes) throw fieldsTooLarge();
    const text = this.#held.toString("utf8", 0, at);
    this.#held = this.#held.subarray(at + delimiter.length);
    return text;
  }

  async *bytesUntil(delimiter: Buffer): AsyncGenerator<Uint8Array> {
    for (;;) {
      const at = this.#held.indexOf(delimiter);
      // The end of what is here may be the start of the delimiter.
      const length = at >= 0 ? at : this.#held.length - delimiter.length + 1;
      if (length > 0) {
        const bytes = this.#held.subarray(0, length);
        this.#held = this.#held.subarray(length);
        yield bytes;
      }
      if (at >= 0) return;
      await this.#more();
    }
  }
}

interface PartName {
  readonly name: string;
  readonly fileName: string | undefined;
}

function partName(head: string): PartName {
  const line = /^content-disposition:\s*form-data\b(.*)$/im.exec(head)?.[1];
  const parameter = (name: string): string | undefined => {
    const [, quoted, plain] =
      new RegExp(`;\\s*${name}=(?:"((?:[^"\\\\]|\\\\.)*)"|([^;\\s]*))`, "i").exec(line ?? "") ?? [];
    return quoted?.replace(/\\(["\\])/g, "$1") ?? plain;
  };
  const name = parameter("name");
  if (name === undefined) throw malformedPost();
  return { name, fileName: parameter("filename") };
}

/** Throws AwsError: MalformedPOSTRequest, MaxPostPreDataLengthExceeded, or InvalidArgument for a form without file. */
export async function readUploadForm(body: AsyncIterable<Uint8Array>, boundary: string): Promise<UploadForm> {
  const scanner = new Scanner(body);
  const delimiter = Buffer.from(`\r\n--${boundary}`, "latin1");
  const fields = new Map<string, string>();
  let leftBytes = maxFieldBytes;
  const read = async (end: Buffer): Promise<string> => {
    const text = await scanner.until(end, leftBytes);
    leftBytes -= Buffer.byteLength(text);
    return text;
  };
  await read(delimiter);
  for (;;) {
    const after = await scanner.take(2);
    if (after === "--") throw noFile();
    if (after !== "\r\n") throw malformedPost();
    const { name, fileName } = partName(await read(Buffer.from("\r\n\r\n")));
    if (name.toLowerCase() === "file") {
      return { fields, fileName: (fileName ?? "").replace(/^.*[/\\]/s, ""), file: scanner.bytesUntil(delimiter) };
    }
    fields.set(name.toLowerCase(), await read(delimiter));
  }
}
