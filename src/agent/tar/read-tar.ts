// Reads a tar stream entry by entry in constant memory; long names by GNU ("L", "K") and pax ("x", "g") extensions.
import { blockBytes, paddedSize, readPaxRecords, readTarHeader, TarError, type TarHeader } from "./tar-header.ts";

export interface TarEntry {
  readonly header: TarHeader;
  /** The entry's bytes; what the consumer leaves is skipped. */
  readonly body: AsyncIterable<Buffer>;
}

const mostExtensionBytes = 1_048_576;

class ByteSource {
  readonly #chunks: AsyncIterator<Buffer>;
  #held: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.#chunks = source[Symbol.asyncIterator]();
  }

  /** Between 1 and `most` bytes, or undefined at the end. */
  async some(most: number): Promise<Buffer | undefined> {
    while (this.#held.length === 0) {
      const { value, done } = await this.#chunks.next();
      if (done) return undefined;
      this.#held = value;
    }
    const taken = this.#held.subarray(0, most);
    this.#held = this.#held.subarray(taken.length);
    return taken;
  }

  /** Exactly `count` bytes; undefined at the end of the source before the first. */
  async exactly(count: number): Promise<Buffer | undefined> {
    const parts: Buffer[] = [];
    for (let missing = count; missing > 0;) {
      const part = await this.some(missing);
      if (!part) {
        if (parts.length === 0) return undefined;
        throw new TarError("the archive ends in the middle");
      }
      parts.push(part);
      missing -= part.length;
    }
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  }
}

interface Extensions {
  name?: string;
  linkName?: string;
  size?: number;
}

/** Throws TarError when the bytes are no tar archive, or end early. */
export async function* readTar(source: AsyncIterable<Buffer>): AsyncGenerator<TarEntry> {
  const bytes = new ByteSource(source);
  let next: Extensions = {};
  for (let block = await bytes.exactly(blockBytes); block; block = await bytes.exactly(blockBytes)) {
    const header = readTarHeader(block);
    if (!header) continue;
    if ("LKxg".includes(header.type)) {
      next = { ...next, ...(await readExtension(header, bytes)) };
      continue;
    }
    const sizeBytes = next.size ?? header.sizeBytes;
    const full = { ...header, sizeBytes, name: next.name ?? header.name, linkName: next.linkName ?? header.linkName };
    next = {};
    const body = readBody(bytes, holdsBytes(full.type) ? sizeBytes : 0);
    yield { header: full, body };
    for await (const _ of body);
  }
}

const holdsBytes = (type: string): boolean => !"123456".includes(type);

async function* readBody(bytes: ByteSource, sizeBytes: number): AsyncGenerator<Buffer, void, undefined> {
  const left = { bytes: sizeBytes, padding: paddedSize(sizeBytes) - sizeBytes };
  while (left.bytes > 0) {
    const part = await bytes.some(left.bytes);
    if (!part) throw new TarError("the archive ends in the middle");
    left.bytes -= part.length;
    yield part;
  }
  if (left.padding > 0 && !(await bytes.exactly(left.padding))) throw new TarError("the archive ends in the middle");
}

async function readExtension(header: TarHeader, bytes: ByteSource): Promise<Extensions> {
  if (header.sizeBytes > mostExtensionBytes) throw new TarError("a name is too long");
  const padded = await bytes.exactly(paddedSize(header.sizeBytes));
  if (!padded) return {};
  const body = padded.subarray(0, header.sizeBytes);
  if (header.type === "L") return { name: body.toString("utf8").replace(/\0.*$/s, "") };
  if (header.type === "K") return { linkName: body.toString("utf8").replace(/\0.*$/s, "") };
  if (header.type === "g") return {};
  const records = readPaxRecords(body);
  const size = records.get("size");
  if (size !== undefined && !/^\d{1,15}$/.test(size)) throw new TarError("a size is out of range");
  const [path, link] = [records.get("path"), records.get("linkpath")];
  return {
    ...(path === undefined ? {} : { name: path }),
    ...(link === undefined ? {} : { linkName: link }),
    ...(size === undefined ? {} : { size: Number(size) }),
  };
}
