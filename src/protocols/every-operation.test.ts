// Every operation of every service through every protocol that the service speaks, without a server: what goes in comes out
// typed, what comes out can be read again, and nothing that a client sends is answered by anything but an AWS error.
import { buffer } from "node:stream/consumers";
import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { AwsError } from "../lib/aws-error.ts";
import { chooser, spoiledValue, spoilings, validValue } from "../models/arbitrary.fake.ts";
import { createModels, createValidator, type OperationModel, type ServiceModel } from "../models/index.ts";
import { encodeRequest } from "./client.fake.ts";
import { decodeAnswer } from "./decode-answer.fake.ts";
import { eventStreamMember } from "./event-stream.ts";
import { createRouter } from "./index.ts";
import { s3Superseded } from "./s3-names.ts";

const models = createModels();
const router = createRouter(models);
const validator = createValidator();

const operationsOf = (service: ServiceModel): OperationModel[] =>
  [...service.operations.values()].filter(({ name }) => service.name !== "s3" || !s3Superseded.has(name));

/** What any operation may answer to wrong input, besides its modelled errors. */
const clientErrors: ReadonlySet<string> = new Set([
  "InvalidArgument",
  "InvalidParameterException",
  "InvalidStorageClass",
  "InvalidURI",
  "MalformedInput",
  "MalformedXML",
  "MethodNotAllowed",
  "NotImplementedException",
  "SerializationException",
  "UnknownOperationException",
  "ValidationError",
  "ValidationException",
]);

/** Parse and validate; the handler is missing. */
function answerOf(request: ReturnType<typeof encodeRequest>): { code: string; status: number; body: unknown } {
  const route = router.route(request);
  const answer = (error: AwsError) => {
    const { status, body } = route.protocol.serializeError(route.operation, error, "request-1");
    return { code: error.code, status, body };
  };
  if (!route.operation) return answer(route.error);
  try {
    validator.validate(route.operation, route.protocol.parse(route.operation, route.request));
    throw new AwsError("NotImplementedException", `${route.operation.name} is not implemented.`);
  } catch (error) {
    if (error instanceof AwsError) return answer(error);
    throw new Error(`${route.operation.name} threw ${String(error)}`, { cause: error });
  }
}

async function settled(value: unknown): Promise<unknown> {
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(async ([name, item]): Promise<[string, unknown]> => {
    return [name, item instanceof Readable ? new Uint8Array(await buffer(item)) : item];
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** Bytes as plain arrays; empty lists, maps and structures left out, since not every protocol can say them. */
function comparable(value: unknown): unknown {
  if (value instanceof Uint8Array) return [...value];
  if (value instanceof Date || typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(comparable).filter((item) => !isEmptyObject(item));
  const entries = Object.entries(value).map(([name, item]): [string, unknown] => [name, comparable(item)]);
  return Object.fromEntries(entries.filter(([, item]) => !isEmptyObject(item)));
}

const isEmptyObject = (value: unknown): boolean =>
  typeof value === "object" && value !== null && !(value instanceof Date) && Object.keys(value).length === 0;

/** The input without what HTTP cannot carry: empty labels and headers, commas inside a header's list. */
function fitForHttp(operation: OperationModel, input: Record<string, unknown>): Record<string, unknown> {
  const fit: Record<string, unknown> = {};
  for (const { name, location, shape } of operation.input.members.values()) {
    const value = input[name];
    if (value === undefined) continue;
    if (location === "headers") fit[name] = { note: "a b" };
    else if (location === "uri") fit[name] = value === "" ? "a" : value;
    else if (location === "header" && shape.type === "list") fit[name] = onlySimple(value);
    else if (shape.type !== "string" || value !== "" || location === "querystring") fit[name] = value;
  }
  return fit;
}

const onlySimple = (value: unknown): unknown =>
  Array.isArray(value) ? value.filter((item) => typeof item !== "string" || /^[\w-]+$/.test(item)) : value;

const isRest = (protocol: string): boolean => protocol.startsWith("rest-");

function inputOf(operation: OperationModel, protocol: string, seed: number): Record<string, unknown> {
  const input = validValue(operation.input, chooser(seed)) as Record<string, unknown>;
  return isRest(protocol) ? fitForHttp(operation, input) : input;
}

describe.each(models.names)("%s", (name) => {
  const service = models.serviceModel(name);

  test.each([...service.protocols])(
    "reads every operation's input over %s as the client meant it",
    async (protocol) => {
      for (const operation of operationsOf(service)) {
        for (let seed = 1; seed <= 2; seed += 1) {
          const input = inputOf(operation, protocol, seed);
          const route = router.route(encodeRequest(operation, protocol, input));
          const where = `${operation.name}, seed ${seed}`;
          expect(route.operation?.name, where).toBe(operation.name);
          if (!route.operation) continue;
          const parsed = await settled(route.protocol.parse(route.operation, route.request));
          expect(comparable(parsed), where).toEqual(comparable(input));
        }
      }
    },
  );

  test.each([...service.protocols])(
    "writes every operation's output over %s so that it can be read again",
    async (protocol) => {
      for (const operation of operationsOf(service)) {
        if (eventStreamMember(operation) || operation.http.method === "HEAD") continue;
        for (let seed = 1; seed <= 2; seed += 1) {
          const output = validValue(operation.output, chooser(seed)) as Record<string, unknown>;
          const route = router.route(encodeRequest(operation, protocol, inputOf(operation, protocol, seed)));
          const answer = route.protocol.serialize(operation, output, "request-1");
          const where = `${operation.name}, seed ${seed}`;
          expect(comparable(decodeAnswer(operation, protocol, answer)), where).toEqual(
            comparable(bodyPart(operation, output)),
          );
        }
      }
    },
  );

  test.each([...service.protocols])("answers whatever is sent over %s with a known AWS error", (protocol) => {
    for (const operation of operationsOf(service)) {
      for (const [index, spoiling] of spoilings.entries()) {
        const choose = chooser(index + 100);
        const input = spoiledValue(validValue(operation.input, choose), spoiling, choose);
        const { code, status } = answerOf(encodeRequest(operation, protocol, input));
        const where = `${operation.name}, ${spoiling}: ${code}`;
        expect(clientErrors.has(code) || service.errors.has(code), where).toBe(true);
        expect(status === 501 ? code === "NotImplementedException" : status >= 400 && status < 500, where).toBe(true);
      }
    }
  });
});

/** The output's members that travel in the body. */
function bodyPart({ output: shape }: OperationModel, output: Record<string, unknown>): Record<string, unknown> {
  const members = shape.payload
    ? [shape.payload]
    : [...shape.members.values()].filter(({ location }) => location === "body");
  return Object.fromEntries(members.map(({ name }) => [name, output[name]]).filter(([, value]) => value !== undefined));
}
