// V8 runs a fresh WebAssembly module in its baseline compiler at first, and a kernel that runs for seconds never leaves it.
import { setFlagsFromString } from "node:v8";

/** Makes V8 compile WebAssembly with the optimising compiler at once. Call before any module is compiled. */
export function optimiseWasm(): void {
  setFlagsFromString("--no-liftoff");
}
