// One LZ4 block, as Parquet's LZ4_RAW has them: no frame, the unpacked length known beforehand.
// https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md

const minMatch = 4;

/** Throws RangeError for a block that is cut, damaged, or not of this length. */
export function unpackLz4Block(input: Uint8Array, outputBytes: number): Uint8Array {
  const output = new Uint8Array(outputBytes);
  let from = 0;
  let to = 0;
  const byte = (): number => {
    const value = input[from++];
    if (value === undefined) throw new RangeError("the LZ4 block is cut");
    return value;
  };
  /** 15 says that more bytes follow, the last of which is not 255. */
  const lengthOf = (nibble: number): number => {
    let length = nibble;
    if (nibble === 15) for (let more = 255; more === 255; length += more) more = byte();
    return length;
  };
  const fits = (length: number): void => {
    if (length > outputBytes - to) throw new RangeError(`the LZ4 block holds more than ${outputBytes} bytes`);
  };
  while (from < input.length) {
    const token = byte();
    const literals = lengthOf(token >> 4);
    fits(literals);
    if (literals > input.length - from) throw new RangeError("the LZ4 block is cut");
    output.set(input.subarray(from, from + literals), to);
    from += literals;
    to += literals;
    // The last sequence has no match.
    if (from === input.length) break;
    const offset = byte() | (byte() << 8);
    if (offset === 0 || offset > to) throw new RangeError("the LZ4 block refers to what is not there");
    const length = lengthOf(token & 15) + minMatch;
    fits(length);
    // One by one: what is copied may be what this copy writes.
    for (const end = to + length; to < end; to++) output[to] = output[to - offset]!;
  }
  if (to !== outputBytes) throw new RangeError(`the LZ4 block holds ${to} of ${outputBytes} bytes`);
  return output;
}
