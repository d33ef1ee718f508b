// Every operation of every service through the whole server: inputs at the edges of the model, spoiled ones, and requests
// that reach deep into a handler with one member changed. What an answer tells (names, tokens, ids) goes into later requests,
// as in RESTler (Atlidakis, Godefroid, Polishchuk: "RESTler: Stateful REST API Fuzzing", ICSE 2019).
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { furnishSalvia, type Furniture } from "./furnish.fake.ts";
import { chooser, spoiledValue, spoilings, validValue, type Choose } from "./models/arbitrary.fake.ts";
import { createModels, type OperationModel, type ProtocolName, type Shape } from "./models/index.ts";
import { encodeRequest } from "./protocols/client.fake.ts";
import { decodeAnswer, decodeError, type DecodedError, type ReceivedAnswer } from "./protocols/decode-answer.fake.ts";
import { createRouter } from "./protocols/index.ts";
import { s3Superseded } from "./protocols/s3-names.ts";
import { startFakeSalvia, type FakeSalvia } from "./salvia.fake.ts";

const models = createModels();
const router = createRouter(models);

/** SALVIA_TEST_RUNS multiplies the requests per operation. */
const scale = Number(process.env["SALVIA_TEST_RUNS"] ?? 1);
const runsWithHandler = Math.ceil(32 * scale);
const runsWithoutHandler = 2;
/** Of the first requests, each known value of a member once. */
const sweepRuns = 11;
/** Of one service; a hang costs five seconds. */
const enoughProblems = 6;
const furnishEvery = 8;

/** What any operation may answer to a wrong request: https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html */
const commonErrors: ReadonlySet<string> = new Set([
  "AccessDenied",
  "AccessDeniedException",
  "MalformedInput",
  "MalformedQueryString",
  "RequestEntityTooLarge",
  "SerializationException",
  "UnknownOperationException",
  "ValidationError",
  "ValidationException",
]);

/** What all operations of a service may answer, though its model does not say so. */
const serviceErrors: Readonly<Record<string, ReadonlySet<string>>> = {
  logs: new Set(["InvalidParameterException"]),
  // https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
  s3: new Set([
    "AccessControlListNotSupported",
    "AccessDenied",
    "BadDigest",
    "BucketAlreadyExists",
    "BucketAlreadyOwnedByYou",
    "BucketNotEmpty",
    "EntityTooLarge",
    "EntityTooSmall",
    "IllegalLocationConstraintException",
    "InvalidArgument",
    "InvalidBucketAclWithBlockPublicAccessError",
    "InvalidBucketAclWithObjectOwnership",
    "InvalidBucketName",
    "InvalidDigest",
    "InvalidPart",
    "InvalidPartOrder",
    "InvalidRange",
    "InvalidRequest",
    "InvalidStorageClass",
    "InvalidTag",
    "InvalidURI",
    "KeyTooLongError",
    "MalformedACLError",
    "MalformedXML",
    "MalformedPolicy",
    "MetadataTooLarge",
    "MethodNotAllowed",
    "MissingContentLength",
    "MissingSecurityHeader",
    "NoSuchBucket",
    "NoSuchBucketPolicy",
    "NoSuchCORSConfiguration",
    "NoSuchConfiguration",
    "NoSuchLifecycleConfiguration",
    "NoSuchPublicAccessBlockConfiguration",
    "NoSuchWebsiteConfiguration",
    "NoSuchKey",
    "NoSuchTagSet",
    "NoSuchUpload",
    "NoSuchVersion",
    "ObjectLockConfigurationNotFoundError",
    "OwnershipControlsNotFoundError",
    "PreconditionFailed",
    "ReplicationConfigurationNotFoundError",
    "ServerSideEncryptionConfigurationNotFoundError",
    "UnexpectedContent",
    "UnresolvableGrantByEmailAddress",
    "XAmzContentSHA256Mismatch",
  ]),
};

/** https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#SelectObjectContentErrorCodeList */
const selectErrors: ReadonlySet<string> = new Set([
  "CSVUnescapedQuote",
  "CastFailed",
  "EvaluatorInvalidArguments",
  "EvaluatorNegativeLimit",
  "InvalidCompressionFormat",
  "InvalidDataSource",
  "InvalidExpressionType",
  "InvalidRequestParameter",
  "InvalidTableAlias",
  "JSONParsingError",
  "LexerInvalidChar",
  "LexerInvalidLiteral",
  "OverMaxRecordSize",
  "ParseAsteriskIsNotAloneInSelectList",
  "ParseExpectedIdentForAlias",
  "ParseExpectedKeyword",
  "ParseExpectedNumber",
  "ParseExpectedTypeName",
  "ParseSelectMissingFrom",
  "ParseUnexpectedToken",
  "ParseUnsupportedCallWithStar",
  "ParseUnsupportedSelect",
  "ParseUnsupportedSyntax",
  "UnsupportedFunction",
]);

/** Of what Salvia never has: the handler says so in S3's words, and no request succeeds. */
const alwaysRefused: ReadonlySet<string> = new Set([
  "s3.GetBucketEncryption",
  "s3.PutBucketEncryption",
  "s3.GetBucketReplication",
  "s3.GetObjectLockConfiguration",
]);

function isModelled({ service, errorNames }: OperationModel, code: string): boolean {
  return errorNames.some((name) => name === code || service.errors.get(name)?.code === code);
}

const isKnownError = (operation: OperationModel, code: string): boolean =>
  (operation.name === "SelectObjectContent" && selectErrors.has(code)) ||
  commonErrors.has(code) ||
  isModelled(operation, code) ||
  serviceErrors[operation.service.name]?.has(code) === true;

/** What is wrong with an answer, or undefined. */
function problemOf(operation: OperationModel, protocol: ProtocolName, answer: ReceivedAnswer): string | undefined {
  const isHandled = salvia.handles(operation);
  // More header than the server reads: Node answers before anyone knows what was asked.
  if (answer.status === 431) return undefined;
  if (answer.status >= 300)
    return isHandled ? errorProblem(operation, answer) : refusalProblem(operation, decodeError(answer));
  if (!isHandled) return "an operation without a handler succeeded";
  decodeAnswer(operation, protocol, answer);
  return undefined;
}

const fullName = ({ service, name }: OperationModel): string => `${service.name}.${name}`;

function refusalProblem(operation: OperationModel, { status, code, message }: DecodedError): string | undefined {
  const isBare = operation.http.method === "HEAD";
  const isNamed = isBare || (code === "NotImplementedException" && message.includes(fullName(operation)));
  return status === 501 && isNamed ? undefined : "an operation without a handler must answer 501 and name itself";
}

function errorProblem(operation: OperationModel, answer: ReceivedAnswer): string | undefined {
  const { status, code, message } = decodeError(answer);
  const isMissingFeature = status === 501;
  if (status >= 500 && !isMissingFeature && code !== "ServiceUnavailable") return "the server's fault";
  if (code === undefined) return operation.http.method === "HEAD" ? undefined : "an error without a body";
  if (message === "") return "an error without a message";
  // A feature that is missing says which; the operation itself is there.
  if (isMissingFeature)
    return code.startsWith("NotImplemented") && !message.includes(fullName(operation)) ? undefined : "a wrong 501";
  return isKnownError(operation, code) ? undefined : "an error that the operation does not have";
}

/** The value with members that tests know replaced, each with a chance of one half. */
function withKnown(shape: Shape, value: unknown, known: Furniture["known"], choose: Choose): unknown {
  if (shape.type === "list" && Array.isArray(value)) {
    return value.map((item: unknown) => withKnown(shape.member.shape, item, known, choose));
  }
  if (shape.type !== "structure" || !isFields(value)) return value;
  const entries = Object.entries(value).map(([name, item]): [string, unknown] => {
    const values = known.get(name.toLowerCase()) ?? [];
    if (values.length > 0 && choose(2) === 0) return [name, values[choose(values.length)]];
    const member = shape.members.get(name);
    return [name, member ? withKnown(member.shape, item, known, choose) : item];
  });
  return Object.fromEntries(entries);
}

const isFields = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" &&
  value !== null &&
  Object.getPrototypeOf(value) !== Date.prototype &&
  !ArrayBuffer.isView(value);

/** Strings of an answer, by lower-cased member name; the latest few. */
function remember(value: unknown, seen: Map<string, readonly unknown[]>, depth = 0): void {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value) || depth > 8) return;
  for (const [name, item] of Object.entries(value)) {
    if (typeof item === "string" && !Array.isArray(value)) {
      const key = name.toLowerCase();
      seen.set(key, [item, ...(seen.get(key) ?? [])].slice(0, 4));
    } else remember(item, seen, depth + 1);
  }
}

interface Memory {
  readonly furniture: Furniture;
  readonly seen: ReadonlyMap<string, readonly unknown[]>;
}

type Change = (shape: Shape, value: unknown) => unknown;

/** The recipe with one member made anew, and, where it creates something, often under a new name. */
function variedRecipe(operation: OperationModel, recipe: object, choose: Choose, change: Change): object {
  const members = [...operation.input.members.values()];
  const changed = members[choose(members.length)];
  const input: Record<string, unknown> = { ...recipe };
  if (changed && choose(4) > 0) {
    const made = { [changed.name]: validValue(changed.shape, choose) };
    Object.assign(input, change(operation.input, made));
  }
  const naming = members.find(({ name }) => name in recipe && (/name$/i.test(name) || name === "Key"));
  const isMaker = /^(?:Create|Put)/.test(operation.name);
  if (naming && isMaker && choose(2) === 0) input[naming.name] = `fresh-${choose(2 ** 31)}`;
  return input;
}

/** Every other time, most optional members are left out: many ask for what is not done yet, and end a request early. */
function thinned({ input: shape }: OperationModel, value: unknown, choose: Choose): unknown {
  if (!isFields(value) || choose(2) === 0) return value;
  const entries = Object.entries(value);
  return Object.fromEntries(entries.filter(([name]) => shape.members.get(name)?.isRequired || choose(4) === 0));
}

const longestInHead = 6_000;

/** What a URL or a header can hold: an empty label would make another operation, a huge text no request at all. */
function fitForHead({ input: shape }: OperationModel, input: unknown): unknown {
  if (!isFields(input)) return input;
  const fit: Record<string, unknown> = { ...input };
  for (const { name, location } of shape.members.values()) {
    const value = input[name];
    if (typeof value !== "string" || location === "body") continue;
    fit[name] = location === "uri" && value === "" ? "a" : value.slice(0, longestInHead);
  }
  return fit;
}

/** A request that should get far: the first is the recipe itself, the others try each known value of one member. */
function sweptInput(operation: OperationModel, run: number, furniture: Furniture): unknown {
  const { input: shape } = operation;
  const { known } = furniture;
  const required = [...shape.members.values()].filter(({ isRequired }) => isRequired);
  const made = Object.fromEntries(
    required.map(({ name, shape }) => [name, known.get(name.toLowerCase())?.[0] ?? validValue(shape, chooser(run))]),
  );
  const base: Record<string, unknown> = { ...(furniture.recipe(operation) ?? made) };
  const valuesOf = (name: string): readonly unknown[] => known.get(name.toLowerCase()) ?? [];
  const [swept] = Object.keys(base).sort((one, other) => valuesOf(other).length - valuesOf(one).length);
  if (swept === undefined || valuesOf(swept).length < 2 || run === 0) return base;
  return { ...base, [swept]: valuesOf(swept)[run % valuesOf(swept).length] };
}

function inputOf(operation: OperationModel, seed: number, { furniture, seen }: Memory): unknown {
  const choose = chooser(seed);
  const source = choose(3) === 0 ? seen : furniture.known;
  const change: Change = (shape, value) => withKnown(shape, value, source, choose);
  const recipe = furniture.recipe(operation);
  const base =
    recipe && choose(3) > 0
      ? variedRecipe(operation, recipe, choose, change)
      : change(operation.input, thinned(operation, validValue(operation.input, choose), choose));
  const spoiling = choose(3) === 0 ? spoilings[choose(spoilings.length)] : undefined;
  return fitForHead(operation, spoiling ? spoiledValue(base, spoiling, choose) : base);
}

const operationsOf = (name: (typeof models.names)[number]): OperationModel[] =>
  [...models.serviceModel(name).operations.values()].filter(
    (operation) => name !== "s3" || !s3Superseded.has(operation.name),
  );

const shown = (input: unknown): string =>
  JSON.stringify(input, (_, value: unknown) =>
    typeof value === "string" && value.length > 200 ? `${value.slice(0, 50)}… (${value.length} characters)` : value,
  );

/** Spells a seed per operation, so that a failure can be run again alone. */
const seedOf = (name: string, run: number): number =>
  Buffer.from(name).reduce((sum, byte) => (Math.imul(sum, 31) + byte) | 0, 7) + run * 7_919;

let salvia: FakeSalvia;
let furniture: Furniture;
const seen = new Map<string, readonly unknown[]>();
const succeeded = new Set<string>();
const rejections: unknown[] = [];
const onRejection = (reason: unknown): void => void rejections.push(reason);

beforeAll(async () => {
  process.on("unhandledRejection", onRejection);
  salvia = await startFakeSalvia();
  furniture = await furnishSalvia(salvia);
});

afterAll(async () => {
  await furniture.close();
  await salvia.stop();
  process.off("unhandledRejection", onRejection);
});

/** Answers that end only after hours. */
const endless: ReadonlySet<string> = new Set(["logs.StartLiveTail"]);

/** Lets the hours pass that the answer takes. */
async function hurried<T>(answering: Promise<T>): Promise<T> {
  const waiting = Symbol("waiting");
  const shortWait = (): Promise<T | typeof waiting> =>
    Promise.race([answering, new Promise<typeof waiting>((resolve) => setTimeout(() => resolve(waiting), 50))]);
  for (;;) {
    const answer = await shortWait();
    if (answer !== waiting) return answer;
    await salvia.clock.advance(181 * 60_000);
  }
}

/** Sends one request and says what was wrong with its answer. */
async function attempt(operation: OperationModel, protocol: ProtocolName, input: unknown): Promise<string | undefined> {
  const request = encodeRequest(operation, protocol, input);
  // A spoiled request may be one for another operation.
  const meant = router.route(request).operation ?? operation;
  try {
    const answering = salvia.send(request, operation.service.signingName);
    const answer = endless.has(fullName(meant)) ? await hurried(answering) : await answering;
    const problem = problemOf(meant, protocol, answer);
    if (answer.status < 300) succeeded.add(fullName(meant));
    if (answer.status < 300) remember(decodeAnswer(meant, protocol, answer), seen);
    return (
      problem &&
      `${problem}: ${answer.status} ${Buffer.from(answer.body ?? "")
        .toString()
        .slice(0, 500)}`
    );
  } catch (error) {
    return `no answer that can be read: ${String(error)}`;
  }
}

/** Errors in the server's log, and rejections that nobody handled, since the last call. */
function faults(): string[] {
  const logged = salvia.errors.splice(0).map(({ message, error, ...facts }) => {
    const stack = error instanceof Error ? error.stack : String(error);
    return `logged: ${String(message)} ${JSON.stringify(facts)} ${stack}`;
  });
  return [...logged, ...rejections.splice(0).map((reason) => `unhandled rejection: ${String(reason)}`)];
}

async function drive(operation: OperationModel): Promise<string[]> {
  const isHandled = salvia.handles(operation);
  const { protocols, name: service } = operation.service;
  const problems: string[] = [];
  for (let run = 0; run < (isHandled ? runsWithHandler : runsWithoutHandler); run += 1) {
    if (isHandled && run % furnishEvery === 0) await furniture.furnish();
    const seed = seedOf(operation.name, run);
    const protocol = protocols[run % protocols.length];
    if (!protocol) throw new Error(`${service} speaks no protocol`);
    const sweep = isHandled && run < sweepRuns ? sweptInput(operation, run, furniture) : undefined;
    const input = sweep ?? inputOf(operation, seed, { furniture, seen });
    const found = [await attempt(operation, protocol, input), ...faults()].filter((problem) => problem !== undefined);
    problems.push(
      ...found.map((one) => `${service}.${operation.name} over ${protocol}, seed ${seed}: ${one}\n  ${shown(input)}`),
    );
  }
  if (isHandled) await furniture.work();
  return [...problems, ...faults().map((fault) => `after ${service}.${operation.name}: ${fault}`)];
}

describe.each(models.names)("%s", (name) => {
  test(
    "answers whatever is asked of any operation with success, one of its errors, or 501 where it has no handler",
    async () => {
      const problems: string[] = [];
      for (const operation of operationsOf(name)) {
        if (problems.length < enoughProblems) problems.push(...(await drive(operation)));
      }
      expect(problems.join("\n"), `${problems.length} problems`).toBe("");
    },
    Math.max(300_000, 60_000 * scale),
  );
});

test("every operation that has a handler also succeeded at least once", () => {
  const handled = models.names.flatMap(operationsOf).filter((operation) => salvia.handles(operation));
  const names = handled.map(({ service, name }) => `${service.name}.${name}`);
  expect(names.filter((name) => !succeeded.has(name) && !alwaysRefused.has(name))).toEqual([]);
});
