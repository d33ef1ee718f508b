// Checks an operation's typed input against the model's constraints, in AWS's own words. Each shape is compiled once into a
// closure; shapes without constraints cost nothing.
import { AwsError } from "../lib/aws-error.ts";
import { constraintsOf, notNull, type Constraint } from "./constraints.ts";
import { decapitalize, javaText } from "./java-text.ts";
import type { ListShape, MapShape, Member, OperationModel, Shape, StructureShape } from "./model.ts";
import { validationCodes } from "./overlay.ts";

export interface Validator {
  /**
   * Throws one AwsError that names every failure: ValidationException, or what the service answers instead.
   * `input` has the types that the protocols make; a null in a list or map is one of the failures.
   */
  validate(operation: OperationModel, input: unknown): void;
}

/** More are counted, but not listed. */
const maxListed = 10;

interface Failures {
  count: number;
  /** The top-level member of the first failure. */
  first: Member | undefined;
  readonly messages: string[];
}

/** `path` ends with the value's own place, e.g. "vpcConfig.subnets". */
type Check = (value: unknown, path: string, failures: Failures) => void;

export function createValidator(): Validator {
  const compiler = new Compiler();
  return {
    validate: (operation, input) => {
      const failures: Failures = { count: 0, first: undefined, messages: [] };
      compiler.checkOf(operation.input)?.(input ?? {}, "", failures);
      if (failures.count > 0) throw errorFor(operation, failures);
    },
  };
}

function errorFor(operation: OperationModel, { count, first, messages }: Failures): AwsError {
  const { service, input } = operation;
  const detected = `${count} validation error${count === 1 ? "" : "s"} detected: ${messages.join("; ")}`;
  if (!service.protocols.includes("rest-xml")) return new AwsError(validationCode(operation), detected);
  if (first && first === input.payload) {
    return new AwsError(
      "MalformedXML",
      "The XML you provided was not well-formed or did not validate against our published schema",
    );
  }
  const isStorageClass = first?.shape.name === "StorageClass";
  return isStorageClass
    ? new AwsError("InvalidStorageClass", "The storage class you specified is not valid")
    : new AwsError("InvalidArgument", detected, first ? { fields: { ArgumentName: first.wireName } } : {});
}

function validationCode({ service, errorNames }: OperationModel): string {
  const own = validationCodes[service.name];
  if (own !== undefined) return own;
  if (errorNames.includes("ValidationException")) return "ValidationException";
  const isQuery = service.protocols.includes("query");
  return isQuery || errorNames.includes("ValidationError") ? "ValidationError" : "ValidationException";
}

function fail(failures: Failures, message: () => string): void {
  failures.count += 1;
  if (failures.messages.length < maxListed) failures.messages.push(message());
}

function describe(shape: Shape, value: unknown, path: string, constraint: string): string {
  if (value === null || value === undefined)
    return `Value null at '${path}' failed to satisfy constraint: ${constraint}`;
  const isHidden = shape.isSensitive || shape.type === "blob";
  const printed = isHidden ? "" : ` '${javaText(shape, value)}'`;
  return `Value${printed} at '${path}' failed to satisfy constraint: ${constraint}`;
}

const isScalar = ({ type }: Shape): boolean => type !== "structure" && type !== "list" && type !== "map";

class Compiler {
  readonly #checks = new Map<Shape, Check | undefined>();

  /** Undefined where nothing in the shape is constrained. */
  checkOf(shape: Shape): Check | undefined {
    if (this.#checks.has(shape)) return this.#checks.get(shape);
    let built: Check | undefined;
    // A shape that contains itself meets this forwarder while it is being built.
    this.#checks.set(shape, (value, path, failures) => built?.(value, path, failures));
    built = this.#build(shape);
    this.#checks.set(shape, built);
    return built;
  }

  #build(shape: Shape): Check | undefined {
    if (shape.type === "structure") return shape.isEventStream ? undefined : this.#structure(shape);
    const own = ownCheck(shape, constraintsOf(shape));
    const inner = shape.type === "list" ? this.#list(shape) : shape.type === "map" ? this.#map(shape) : undefined;
    if (!own || !inner) return own ?? inner;
    return (value, path, failures) => {
      own(value, path, failures);
      inner(value, path, failures);
    };
  }

  #structure(shape: StructureShape): Check | undefined {
    const members: { readonly member: Member; readonly place: string; readonly check: Check | undefined }[] = [];
    for (const member of shape.members.values()) {
      const check = this.checkOf(member.shape);
      if (check || member.isRequired) members.push({ member, place: decapitalize(member.name), check });
    }
    if (members.length === 0) return undefined;
    return (value, path, failures) => {
      // Parsed by the model: a structure is an object.
      const record = value as Readonly<Record<string, unknown>>;
      const prefix = path === "" ? "" : `${path}.`;
      for (const { member, place, check } of members) {
        const given = record[member.name];
        if (given !== undefined && given !== null) check?.(given, prefix + place, failures);
        else if (member.isRequired) fail(failures, () => describe(member.shape, null, prefix + place, notNull));
        if (path === "" && failures.count > 0) failures.first ??= member;
      }
    };
  }

  #list(shape: ListShape): Check {
    const element = shape.member.shape;
    if (isScalar(element)) {
      const constraints = constraintsOf(element);
      const texts = constraints.map(({ text }) => text);
      return (value, path, failures) => {
        const items = value as readonly unknown[];
        if (items.every((item) => acceptsAll(constraints, item))) return;
        const all = items.some(isMissing) ? [...texts, notNull] : texts;
        const hidden = element.isSensitive ? element : shape;
        fail(failures, () => describe(hidden, value, path, `Member must satisfy constraint: [${all.join(", ")}]`));
      };
    }
    const check = this.checkOf(element);
    return (value, path, failures) => {
      for (const [index, item] of (value as readonly unknown[]).entries()) {
        const place = `${path}.${index + 1}.member`;
        if (isMissing(item)) fail(failures, () => describe(element, null, place, notNull));
        else check?.(item, place, failures);
      }
    };
  }

  #map(shape: MapShape): Check {
    const { shape: element } = shape.value;
    const keys = constraintsOf(shape.key.shape);
    const values = isScalar(element) ? constraintsOf(element) : [];
    const check = isScalar(element) ? undefined : this.checkOf(element);
    const hidden = element.isSensitive || shape.key.shape.isSensitive ? { ...shape, isSensitive: true } : shape;
    const report = (
      failures: Failures,
      value: unknown,
      path: string,
      what: string,
      constraints: readonly Constraint[],
    ) =>
      fail(failures, () =>
        describe(
          hidden,
          value,
          path,
          `${what} must satisfy constraint: [${constraints.map(({ text }) => text).join(", ")}]`,
        ),
      );
    return (value, path, failures) => {
      const entries = Object.entries(value as Readonly<Record<string, unknown>>);
      if (!entries.every(([key]) => acceptsAll(keys, key))) report(failures, value, path, "Map keys", keys);
      if (isScalar(element)) {
        const areGood = entries.every(([, item]) => acceptsAll(values, item));
        if (!areGood)
          report(
            failures,
            value,
            path,
            "Map value",
            entries.some(([, item]) => isMissing(item)) ? [...values, present] : values,
          );
        return;
      }
      for (const [key, item] of entries) {
        const place = `${path}.${key}.member`;
        if (isMissing(item)) fail(failures, () => describe(element, null, place, notNull));
        else check?.(item, place, failures);
      }
    };
  }
}

const isMissing = (value: unknown): boolean => value === null || value === undefined;

const present: Constraint = { text: notNull, accepts: (value) => !isMissing(value) };

const acceptsAll = (constraints: readonly Constraint[], value: unknown): boolean =>
  present.accepts(value) && constraints.every((constraint) => constraint.accepts(value));

/** One message for each constraint that fails, as AWS counts. */
function ownCheck(shape: Shape, constraints: readonly Constraint[]): Check | undefined {
  if (constraints.length === 0) return undefined;
  return (value, path, failures) => {
    for (const { text, accepts } of constraints) {
      if (!accepts(value)) fail(failures, () => describe(shape, value, path, text));
    }
  };
}
