// A stored line as queries see it: its own fields, those of a JSON message, and what commands add.
import type { LogEventRow } from "../stream-events.ts";
import type { Row } from "./stages.ts";
import { Time, type Value } from "./values.ts";

export interface LineOrigin {
  readonly logGroup: string;
  readonly logStream: string;
  /** Names the line for GetLogRecord. */
  readonly pointer: string;
}

export class LogLine implements Row {
  readonly #row: LogEventRow;
  readonly #origin: () => LineOrigin;
  #made: Map<string, Value> | undefined;
  #json: unknown;
  #isParsed = false;

  constructor(row: LogEventRow, origin: () => LineOrigin) {
    this.#row = row;
    this.#origin = origin;
  }

  set(name: string, value: Value): void {
    (this.#made ??= new Map()).set(name, value);
  }

  get(name: string): Value {
    if (this.#made?.has(name) === true) return this.#made.get(name);
    switch (name) {
      case "@timestamp":
        return new Time(this.#row.at);
      case "@message":
        return this.#row.message;
      case "@ingestionTime":
        return new Time(this.#row.ingested_at);
      case "@logStream":
        return this.#origin().logStream;
      case "@log":
        return this.#origin().logGroup;
      case "@ptr":
        return this.#origin().pointer;
      default:
        return this.#discovered(name);
    }
  }

  #discovered(name: string): Value {
    if (!this.#isParsed) {
      this.#isParsed = true;
      this.#json = parsed(this.#row.message);
    }
    return this.#json === undefined ? undefined : valueAt(this.#json, name);
  }
}

function parsed(message: string): unknown {
  if (message.charCodeAt(0) !== 0x7b && !message.trimStart().startsWith("{")) return undefined;
  try {
    return JSON.parse(message);
  } catch {
    // Not JSON after all: then nothing is discovered.
    return undefined;
  }
}

/** `a.b.0` walks down; a key that contains dots itself is found too. */
function valueAt(json: unknown, name: string): Value {
  let at: unknown = json;
  if (isObject(at) && Object.hasOwn(at, name)) return shown(at[name]);
  for (const key of name.split(".")) {
    if (!isObject(at) || !Object.hasOwn(at, key)) return undefined;
    at = at[key];
  }
  return shown(at);
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;

function shown(value: unknown): Value {
  if (typeof value === "number" || typeof value === "string") return value;
  if (typeof value === "boolean") return String(value);
  return isObject(value) ? JSON.stringify(value) : undefined;
}
