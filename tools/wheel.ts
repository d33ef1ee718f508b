// Reads single files out of a Python wheel (a zip archive without encryption or zip64), so that no unzip package is needed.
// Format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, sections 4.3.7, 4.3.12 and 4.3.16.
import { inflateRawSync } from "node:zlib";

const endOfDirectory = 0x06054b50;
const directoryEntry = 0x02014b50;
const deflated = 8;

/** Names of all files in the archive, each with a function that inflates it. */
export function readWheel(archive: Buffer): Map<string, () => Buffer> {
  const files = new Map<string, () => Buffer>();
  const end = findEndOfDirectory(archive);
  const count = archive.readUInt16LE(end + 10);
  let at = archive.readUInt32LE(end + 16);
  for (let i = 0; i < count; i += 1) {
    if (archive.readUInt32LE(at) !== directoryEntry) throw new Error("the wheel's directory is damaged");
    const method = archive.readUInt16LE(at + 10);
    const size = archive.readUInt32LE(at + 20);
    const nameLength = archive.readUInt16LE(at + 28);
    const extraLength = archive.readUInt16LE(at + 30);
    const commentLength = archive.readUInt16LE(at + 32);
    const header = archive.readUInt32LE(at + 42);
    const name = archive.toString("utf8", at + 46, at + 46 + nameLength);
    files.set(name, () => {
      const start = header + 30 + archive.readUInt16LE(header + 26) + archive.readUInt16LE(header + 28);
      const bytes = archive.subarray(start, start + size);
      return method === deflated ? inflateRawSync(bytes) : Buffer.from(bytes);
    });
    at += 46 + nameLength + extraLength + commentLength;
  }
  return files;
}

function findEndOfDirectory(archive: Buffer): number {
  for (let at = archive.length - 22; at >= 0; at -= 1) {
    if (archive.readUInt32LE(at) === endOfDirectory) return at;
  }
  throw new Error("the wheel is not a zip archive");
}
