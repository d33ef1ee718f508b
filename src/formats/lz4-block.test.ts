import * as fc from "fast-check";
import { expect, test } from "vitest";
import { unpackLz4Block } from "./lz4-block.ts";

interface Sequence {
  readonly literals: Uint8Array;
  /** Back from where it is written. */
  readonly offset: number;
  readonly length: number;
}

const extra = (length: number): number[] => {
  const bytes = [];
  let left = length - 15;
  for (; left >= 255; left -= 255) bytes.push(255);
  return left < 0 ? [] : [...bytes, left];
};

/** The block of these sequences and a last one of literals alone, and what it stands for. */
function blockOf(sequences: readonly Sequence[], tail: Uint8Array): { block: Uint8Array; content: Uint8Array } {
  const block: number[] = [];
  const content: number[] = [];
  for (const { literals, offset, length } of sequences) {
    content.push(...literals);
    if (content.length === 0) continue;
    const back = (offset % Math.min(content.length, 65_535)) + 1;
    const rest = length - 4;
    block.push((Math.min(literals.length, 15) << 4) | Math.min(rest, 15), ...extra(literals.length), ...literals);
    block.push(back & 255, back >> 8, ...extra(rest));
    for (let copied = 0; copied < length; copied++) content.push(content[content.length - back]!);
  }
  block.push(Math.min(tail.length, 15) << 4, ...extra(tail.length), ...tail);
  content.push(...tail);
  return { block: Uint8Array.from(block), content: Uint8Array.from(content) };
}

const sequence = fc.record({
  literals: fc.uint8Array({ maxLength: 600 }),
  offset: fc.nat(70_000),
  length: fc.oneof(fc.integer({ min: 4, max: 30 }), fc.integer({ min: 4, max: 2_000 })),
});
const blocks = fc
  .tuple(fc.array(sequence, { maxLength: 8 }), fc.uint8Array({ maxLength: 300 }))
  .map(([sequences, tail]) => blockOf(sequences, tail));

test("a block becomes what its literals and matches stand for", () => {
  fc.assert(
    fc.property(blocks, ({ block, content }) => {
      expect(unpackLz4Block(block, content.length)).toEqual(content);
    }),
  );
});

test("a block of another length is refused", () => {
  fc.assert(
    fc.property(blocks, fc.constantFrom(-1, 1), ({ block, content }, more) => {
      fc.pre(content.length > 0);
      expect(() => unpackLz4Block(block, content.length + more)).toThrow(RangeError);
    }),
  );
});

test("cut, damaged and arbitrary bytes end in bytes or a RangeError", () => {
  const damaged = fc.tuple(blocks, fc.nat(), fc.nat(255)).map(([{ block }, at, value]) => {
    const bytes = block.slice();
    bytes[at % bytes.length] = value;
    return bytes;
  });
  const cut = fc.tuple(blocks, fc.nat()).map(([{ block }, at]) => block.subarray(0, at % block.length));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 60 }), damaged, cut), fc.nat(5_000), (bytes, length) => {
      try {
        expect(unpackLz4Block(bytes, length)).toHaveLength(length);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }),
  );
});
