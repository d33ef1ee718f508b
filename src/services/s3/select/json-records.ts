// JSON values that follow one another, on lines or not; memory holds one value and one chunk.
import type { Step } from "./expression.ts";
import { jsonRecord, stepInto, type SelectRecord, type Value } from "./record.ts";
import { overMaxRecord, selectError } from "./select-errors.ts";

const maxRecordLength = 1_048_576;

function parsed(text: string): Value {
  try {
    // What JSON.parse yields is a value by definition.
    return JSON.parse(text) as Value;
  } catch {
    // The only failure there is: a SyntaxError.
    throw selectError("JSONParsingError", "Encountered an error parsing the JSON file. Check the file and try again.");
  }
}

async function* lines(chunks: AsyncIterable<string>): AsyncGenerator<Value> {
  let held = "";
  for await (const chunk of chunks) {
    const whole = (held + chunk).split("\n");
    held = whole.pop() ?? "";
    if (held.length > maxRecordLength) throw overMaxRecord();
    for (const line of whole) if (line.trim() !== "") yield parsed(line);
  }
  if (held.trim() !== "") yield parsed(held);
}

/** Finds where top-level objects and arrays end; each character is looked at once. */
class ValueScanner {
  #depth = 0;
  #isInText = false;
  #isEscaped = false;

  /** True for the character that ends a value. */
  ends(character: string): boolean {
    if (this.#isInText) {
      if (this.#isEscaped) this.#isEscaped = false;
      else if (character === "\\") this.#isEscaped = true;
      else if (character === '"') this.#isInText = false;
      return false;
    }
    if (character === '"') this.#isInText = true;
    else if (character === "{" || character === "[") this.#depth++;
    else if (character === "}" || character === "]") return --this.#depth === 0;
    return false;
  }
}

async function* documents(chunks: AsyncIterable<string>): AsyncGenerator<Value> {
  const scanner = new ValueScanner();
  let held = "";
  for await (const chunk of chunks) {
    let start = 0;
    for (let at = 0; at < chunk.length; at++) {
      if (!scanner.ends(chunk[at] ?? "")) continue;
      yield parsed(held + chunk.slice(start, at + 1));
      held = "";
      start = at + 1;
    }
    held += chunk.slice(start);
    if (held.length > maxRecordLength) throw overMaxRecord();
  }
  if (held.trim() !== "") yield parsed(held);
}

/** The values that FROM S3Object[*].a[*] names in one document. */
function* valuesAt(value: Value, [step, ...more]: readonly (Step | "*")[]): Generator<Value> {
  if (step === undefined) {
    if (value !== undefined) yield value;
  } else if (step === "*") {
    if (Array.isArray(value)) for (const element of value as readonly Value[]) yield* valuesAt(element, more);
  } else {
    yield* valuesAt(stepInto(value, step), more);
  }
}

export async function* jsonRecords(
  chunks: AsyncIterable<string>,
  type: "DOCUMENT" | "LINES",
  from: readonly (Step | "*")[],
): AsyncGenerator<SelectRecord> {
  // The first [*] stands for the values of the file; of an array at the top it walks the elements.
  const [first, ...behind] = from;
  const steps = first === "*" ? behind : from;
  for await (const value of type === "LINES" ? lines(chunks) : documents(chunks)) {
    const walked = first === "*" && Array.isArray(value) ? ["*" as const, ...steps] : steps;
    for (const found of valuesAt(value, walked)) yield jsonRecord(found);
  }
}
