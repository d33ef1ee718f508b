// Compiles a shape into a closure that turns typed output into what JSON.stringify or a CBOR encoder takes.
import type { Shape, StructureShape, TimestampShape } from "../models/index.ts";

/** Undefined means: leave it out. Throws if the value is not of the shape's type: a bug of ours, never the caller's. */
export type WriteValue = (value: unknown) => unknown;

export interface ScalarWriteFormat {
  timestamp(value: Date, shape: TimestampShape): unknown;
  blob(value: Uint8Array): unknown;
  /** NaN and the infinities; everything else is a number as it is. */
  oddFloat(value: number): unknown;
}

/** A compiler with its own memory, as `valueReaders`. */
export function valueWriters(format: ScalarWriteFormat): (shape: Shape) => WriteValue {
  const made = new Map<Shape, WriteValue>();
  const writerOf = (shape: Shape): WriteValue => {
    const known = made.get(shape);
    if (known) return known;
    let build: WriteValue | undefined;
    made.set(shape, (value) => build?.(value));
    build = compile(shape, writerOf, format);
    made.set(shape, build);
    return build;
  };
  return writerOf;
}

function compile(shape: Shape, writerOf: (shape: Shape) => WriteValue, format: ScalarWriteFormat): WriteValue {
  if (shape.type === "structure") return structureWriter(shape, writerOf);
  if (shape.type === "list") return listWriter(shape, writerOf(shape.member.shape));
  if (shape.type === "map") return mapWriter(shape, writerOf(shape.value.shape));
  if (shape.type === "timestamp") {
    return (value) => {
      if (!(value instanceof Date) || Number.isNaN(value.getTime())) throw wrongOutput(shape, value);
      return format.timestamp(value, shape);
    };
  }
  if (shape.type === "blob") {
    return (value) => {
      if (!(value instanceof Uint8Array)) throw wrongOutput(shape, value);
      return format.blob(value);
    };
  }
  if (shape.type === "document") return (value) => value;
  if (shape.type === "string" || shape.type === "boolean") return expecting(shape, shape.type);
  return (value) => {
    if (typeof value !== "number") throw wrongOutput(shape, value);
    return Number.isFinite(value) ? value : format.oddFloat(value);
  };
}

function listWriter(shape: Shape, write: WriteValue): WriteValue {
  return (value) => {
    if (!Array.isArray(value)) throw wrongOutput(shape, value);
    return value.map((element: unknown) => write(element));
  };
}

function structureWriter(shape: StructureShape, writerOf: (shape: Shape) => WriteValue): WriteValue {
  const members = [...shape.members.values()]
    .filter(({ location }) => location === "body")
    .map(({ name, wireName, shape: inner }) => ({ name, wireName, write: writerOf(inner) }));
  return (value) => {
    if (!isRecord(value)) throw wrongOutput(shape, value);
    const result: Record<string, unknown> = {};
    for (const { name, wireName, write } of members) {
      const member = value[name];
      if (member !== undefined && member !== null) result[wireName] = write(member);
    }
    return result;
  };
}

function mapWriter(shape: Shape, write: WriteValue): WriteValue {
  return (value) => {
    if (!isRecord(value)) throw wrongOutput(shape, value);
    const result: Record<string, unknown> = Object.create(null);
    for (const key of Object.keys(value)) {
      const element = value[key];
      if (element !== undefined && element !== null) result[key] = write(element);
    }
    return result;
  };
}

function expecting(shape: Shape, type: "string" | "boolean"): WriteValue {
  return (value) => {
    if (typeof value !== type) throw wrongOutput(shape, value);
    return value;
  };
}

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What a handler answered does not fit the model. The value itself stays out of the message: it may be sensitive. */
export const wrongOutput = (shape: Shape, value: unknown): Error =>
  new TypeError(`the answer holds a ${typeof value} where the model has ${shape.name} (${shape.type})`);
