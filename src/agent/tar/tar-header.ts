// One 512-byte header block of POSIX tar (pax(1), "ustar Interchange Format"), read and written.

export const blockBytes = 512;

export interface TarHeader {
  readonly name: string;
  readonly sizeBytes: number;
  readonly mode: number;
  /** Seconds since 1970. */
  readonly modifiedAtSeconds: number;
  /** "0" file, "1" hard link, "2" symbolic link, "3" "4" devices, "5" folder, "6" FIFO, "L" "K" GNU long name and link, "x" "g" pax. */
  readonly type: string;
  readonly linkName: string;
}

export class TarError extends Error {}

const text = (block: Buffer, start: number, length: number): string => {
  const field = block.subarray(start, start + length);
  const end = field.indexOf(0);
  return field.toString("utf8", 0, end < 0 ? length : end);
};

const number = (block: Buffer, start: number, length: number): number => {
  // GNU base 256: sizes from 8 GiB on.
  if ((block[start]! & 0x80) !== 0) {
    let value = BigInt(block[start]! & 0x7f);
    for (let at = start + 1; at < start + length; at++) value = (value << 8n) | BigInt(block[at]!);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new TarError("a size is out of range");
    return Number(value);
  }
  const digits = text(block, start, length).trim();
  if (!/^[0-7]*$/.test(digits)) throw new TarError("a number is not octal");
  return digits === "" ? 0 : parseInt(digits, 8);
};

function checksum(block: Buffer): number {
  let sum = 8 * 0x20;
  for (let at = 0; at < blockBytes; at++) if (at < 148 || at >= 156) sum += block[at]!;
  return sum;
}

/** Undefined for the zero block that ends an archive. Throws TarError for what is no header. */
export function readTarHeader(block: Buffer): TarHeader | undefined {
  if (block.every((byte) => byte === 0)) return undefined;
  if (number(block, 148, 8) !== checksum(block)) throw new TarError("a header's checksum is wrong");
  const prefix = text(block, 257, 6) === "ustar" ? text(block, 345, 155) : "";
  const name = text(block, 0, 100);
  return {
    name: prefix === "" ? name : `${prefix}/${name}`,
    sizeBytes: number(block, 124, 12),
    mode: number(block, 100, 8),
    modifiedAtSeconds: number(block, 136, 12),
    type: block[156] === 0 ? "0" : String.fromCharCode(block[156]!),
    linkName: text(block, 157, 100),
  };
}

const largestOctal = 0o77777777777;

/** The header's blocks, with a pax header before them where a name or a size needs one. */
export function writeTarHeader(header: TarHeader): Buffer {
  const records: string[] = [];
  if (Buffer.byteLength(header.name) > 100) records.push(paxRecord("path", header.name));
  if (Buffer.byteLength(header.linkName) > 100) records.push(paxRecord("linkpath", header.linkName));
  if (header.sizeBytes > largestOctal) records.push(paxRecord("size", String(header.sizeBytes)));
  if (records.length === 0) return block(header);
  const body = Buffer.from(records.join(""));
  const pax = block({
    ...header,
    name: "././@PaxHeader",
    sizeBytes: body.length,
    mode: 0o644,
    type: "x",
    linkName: "",
  });
  const padded = Buffer.alloc(paddedSize(body.length));
  body.copy(padded);
  return Buffer.concat([pax, padded, block({ ...header, sizeBytes: Math.min(header.sizeBytes, largestOctal) })]);
}

export const paddedSize = (bytes: number): number => Math.ceil(bytes / blockBytes) * blockBytes;

/** "<length> <key>=<value>\n", where the length counts its own digits. */
function paxRecord(key: string, value: string): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + String(rest).length;
  if (String(length).length !== String(rest).length) length = rest + String(length).length;
  return `${length} ${key}=${value}\n`;
}

export function readPaxRecords(body: Buffer): Map<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < body.length && body[at] !== 0;) {
    const space = body.indexOf(0x20, at);
    const length = Number(body.toString("latin1", at, space < 0 ? at : space));
    const record = body.toString("utf8", space + 1, at + length - 1);
    const equals = record.indexOf("=");
    if (space < 0 || !Number.isInteger(length) || length <= 0 || at + length > body.length || equals < 0)
      throw new TarError("a pax record is broken");
    records.set(record.slice(0, equals), record.slice(equals + 1));
    at += length;
  }
  return records;
}

function block(header: TarHeader): Buffer {
  const out = Buffer.alloc(blockBytes);
  const octal = (value: number, start: number, length: number): void => {
    out.write(`${value.toString(8).padStart(length - 1, "0")}\0`, start, "latin1");
  };
  Buffer.from(header.name).copy(out, 0, 0, 100);
  octal(header.mode & 0o7777, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(header.sizeBytes, 124, 12);
  octal(Math.max(0, Math.min(Math.floor(header.modifiedAtSeconds), largestOctal)), 136, 12);
  out.write(header.type, 156, "latin1");
  Buffer.from(header.linkName).copy(out, 157, 0, 100);
  out.write("ustar\u000000", 257, "latin1");
  out.write(`${checksum(out).toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return out;
}
