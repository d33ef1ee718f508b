import * as fc from "fast-check";
import { expect, test } from "vitest";
import { FormatError } from "./format-error.ts";
import { decodeNdArrays, encodeNdArrays } from "./mxnet-ndarray.ts";

/** Written by mxnet 1.9.1: mx.nd.save(path, [mx.nd.array([[1, 2, 3], [4, 5, 6.5]])]). */
const savedList =
  "EgEAAAAAAAAAAAAAAAAAAAEAAAAAAAAAyfqT+QAAAAACAAAAAgAAAAAAAAADAAAAAAAAAAEAAAAAAAAAAAAAAAAAgD8AAABAAABAQAAAgEAAAKBAAADQQAAAAAAAAAAA";

const matrix = { shape: [2, 3], values: Float32Array.from([1, 2, 3, 4, 5, 6.5]) };

test("the bytes are those of mx.nd.save", () => {
  expect(Buffer.from(encodeNdArrays([matrix])).toString("base64")).toBe(savedList);
});

test("arrays and names survive a round trip", () => {
  const array = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }).chain((shape) => {
    const count = shape.reduce((product, side) => product * side, 1);
    return fc.float32Array({ minLength: count, maxLength: count }).map((values) => ({ shape, values }));
  });
  fc.assert(
    fc.property(fc.array(array, { maxLength: 3 }), fc.array(fc.string(), { maxLength: 3 }), (arrays, names) => {
      expect(decodeNdArrays(encodeNdArrays(arrays, names), "m")).toEqual({ arrays, names });
    }),
  );
});

test("arbitrary and damaged bytes end in arrays or a FormatError", () => {
  const damaged = fc.tuple(fc.nat(), fc.nat(255)).map(([at, byte]) => {
    const bytes = encodeNdArrays([matrix], ["a"]);
    bytes[at % bytes.length] = byte;
    return bytes;
  });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 80 }), damaged), (bytes) => {
      try {
        decodeNdArrays(bytes, "m");
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError);
      }
    }),
  );
});
