// Turns a service's table (C2J, as generated) into linked shapes. Shapes refer to each other, also in circles, so each is
// registered before its parts are linked; an operation is linked when it is first asked for.
import type {
  ErrorShape,
  HttpChecksum,
  ListShape,
  MapShape,
  Member,
  MemberLocation,
  OperationModel,
  ProtocolName,
  ServiceModel,
  ServiceName,
  Shape,
  StructureShape,
  TimestampFormat,
  XmlNamespace,
} from "./model.ts";
import { extraEnumValues, openEnums, patternCorrections } from "./overlay.ts";

interface MemberTable {
  readonly shape: string;
  readonly location?: MemberLocation;
  readonly locationName?: string;
  readonly streaming?: boolean;
  readonly flattened?: boolean;
  readonly xmlAttribute?: boolean;
  readonly eventpayload?: boolean;
  readonly idempotencyToken?: boolean;
  readonly xmlNamespace?: XmlNamespace;
}

interface ShapeTable {
  readonly type: string;
  readonly members?: Readonly<Record<string, MemberTable>>;
  readonly required?: readonly string[];
  readonly member?: MemberTable;
  readonly key?: MemberTable;
  readonly value?: MemberTable;
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: string;
  readonly enum?: readonly string[];
  readonly payload?: string;
  readonly flattened?: boolean;
  readonly sensitive?: boolean;
  readonly streaming?: boolean;
  readonly union?: boolean;
  readonly eventstream?: boolean;
  readonly event?: boolean;
  readonly document?: boolean;
  readonly exception?: boolean;
  readonly fault?: boolean;
  readonly error?: { readonly code?: string; readonly httpStatusCode?: number };
  readonly timestampFormat?: TimestampFormat;
  readonly locationName?: string;
  readonly xmlNamespace?: XmlNamespace;
}

interface OperationTable {
  readonly name: string;
  readonly http: { readonly method: string; readonly requestUri: string; readonly responseCode?: number };
  readonly input?: { readonly shape: string; readonly locationName?: string };
  readonly output?: { readonly shape: string; readonly resultWrapper?: string };
  readonly errors?: readonly { readonly shape: string }[];
  readonly authtype?: string;
  readonly httpChecksum?: HttpChecksum;
  readonly requestcompression?: { readonly encodings: readonly string[] };
}

export interface ServiceTable {
  readonly metadata: {
    readonly apiVersion: string;
    readonly endpointPrefix: string;
    readonly protocol: ProtocolName;
    readonly protocols?: readonly ProtocolName[];
    readonly jsonVersion?: string;
    readonly targetPrefix?: string;
    readonly signingName?: string;
    readonly awsQueryCompatible?: object;
    readonly xmlNamespace?: string;
  };
  readonly operations: Readonly<Record<string, OperationTable>>;
  readonly shapes: Readonly<Record<string, ShapeTable>>;
}

export function linkService(name: ServiceName, table: ServiceTable): ServiceModel {
  const { metadata } = table;
  const linker = new Linker(name, new Map(Object.entries(table.shapes)));
  const operations = new Map<string, OperationModel>();
  const model: ServiceModel = {
    name,
    apiVersion: metadata.apiVersion,
    protocols: metadata.protocols ?? [metadata.protocol],
    jsonVersion: metadata.jsonVersion,
    targetPrefix: metadata.targetPrefix,
    signingName: metadata.signingName ?? metadata.endpointPrefix,
    isQueryCompatible: metadata.awsQueryCompatible !== undefined,
    xmlNamespace: metadata.xmlNamespace,
    operations,
    errors: linker.errors(),
  };
  for (const operation of Object.values(table.operations)) {
    operations.set(operation.name, linkOperation(model, operation, linker));
  }
  return model;
}

function linkOperation(service: ServiceModel, table: OperationTable, linker: Linker): OperationModel {
  // Links on first use: a client touches a few of a service's hundreds of operations.
  const input = once(() => linker.structure(table.input?.shape, `${table.name}Input`));
  const output = once(() => linker.structure(table.output?.shape, `${table.name}Output`));
  return {
    name: table.name,
    service,
    http: { responseCode: 200, ...table.http },
    get input() {
      return input();
    },
    get output() {
      return output();
    },
    inputWrapper: table.input?.locationName,
    resultWrapper: table.output?.resultWrapper,
    errorNames: (table.errors ?? []).map(({ shape }) => shape),
    isSigned: table.authtype !== "none",
    httpChecksum: table.httpChecksum,
    requestEncodings: table.requestcompression?.encodings ?? [],
    get inputStream() {
      return streamOf(input());
    },
    get outputStream() {
      return streamOf(output());
    },
  };
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

const streamOf = ({ payload }: StructureShape): Member | undefined => (payload?.isStreaming ? payload : undefined);

class Linker {
  readonly #service: ServiceName;
  readonly #tables: ReadonlyMap<string, ShapeTable>;
  readonly #linked = new Map<string, Shape>();

  constructor(service: ServiceName, tables: ReadonlyMap<string, ShapeTable>) {
    this.#service = service;
    this.#tables = tables;
  }

  /** A shape that must be a structure; an operation without input or output has an empty one. */
  structure(name: string | undefined, emptyName: string): StructureShape {
    if (name === undefined) return this.#structure(emptyName, { type: "structure" });
    const shape = this.#shape(name);
    if (shape.type !== "structure") throw new Error(`${this.#service}: ${name} is a ${shape.type}, not a structure`);
    return shape;
  }

  errors(): ReadonlyMap<string, ErrorShape> {
    const errors = new Map<string, ErrorShape>();
    for (const [name, table] of this.#tables) {
      if (!table.exception) continue;
      const error: ErrorShape = {
        ...this.structure(name, name),
        code: table.error?.code ?? name,
        httpStatus: table.error?.httpStatusCode,
        isFault: table.fault === true,
      };
      errors.set(name, error);
      if (!errors.has(error.code)) errors.set(error.code, error);
    }
    return errors;
  }

  #shape(name: string): Shape {
    const known = this.#linked.get(name);
    if (known) return known;
    const table = this.#tables.get(name);
    if (!table) throw new Error(`${this.#service}: the model has no shape ${name}`);
    switch (table.type) {
      case "structure":
        return table.document
          ? this.#keep(name, { type: "document", name, isSensitive: false })
          : this.#structure(name, table);
      case "list":
        return this.#list(name, table);
      case "map":
        return this.#map(name, table);
      default:
        return this.#keep(name, this.#simple(name, table));
    }
  }

  #keep<T extends Shape>(name: string, shape: T): T {
    this.#linked.set(name, shape);
    return shape;
  }

  #structure(name: string, table: ShapeTable): StructureShape {
    const members = new Map<string, Member>();
    let payload: Member | undefined;
    const shape: StructureShape = {
      type: "structure",
      name,
      isSensitive: table.sensitive === true,
      members,
      isUnion: table.union === true,
      isEventStream: table.eventstream === true,
      isEvent: table.event === true,
      isException: table.exception === true,
      get payload() {
        return payload;
      },
      locationName: table.locationName,
      xmlNamespace: table.xmlNamespace,
    };
    this.#keep(name, shape);
    for (const [memberName, member] of Object.entries(table.members ?? {})) {
      members.set(memberName, this.#member(memberName, member, table.required?.includes(memberName) === true));
    }
    if (table.payload !== undefined) payload = members.get(table.payload);
    return shape;
  }

  #list(name: string, table: ShapeTable): ListShape {
    const { min, max } = table;
    const member = this.#later(table.member, "member");
    const shape: ListShape = {
      type: "list",
      name,
      isSensitive: table.sensitive === true,
      get member() {
        return member();
      },
      min,
      max,
      isFlattened: table.flattened === true,
    };
    return this.#keep(name, shape);
  }

  #map(name: string, table: ShapeTable): MapShape {
    const { min, max } = table;
    const key = this.#later(table.key, "key");
    const value = this.#later(table.value, "value");
    const shape: MapShape = {
      type: "map",
      name,
      isSensitive: table.sensitive === true,
      get key() {
        return key();
      },
      get value() {
        return value();
      },
      min,
      max,
      isFlattened: table.flattened === true,
    };
    return this.#keep(name, shape);
  }

  #later(table: MemberTable | undefined, name: string): () => Member {
    if (!table) throw new Error(`${this.#service}: a list or map without its ${name}`);
    return once(() => this.#member(name, table, false));
  }

  #simple(name: string, table: ShapeTable): Shape {
    const isSensitive = table.sensitive === true;
    const { min, max } = table;
    switch (table.type) {
      case "string":
      case "character":
        return this.#string(name, table);
      case "integer":
      case "long":
      case "float":
      case "double":
        return { type: table.type, name, isSensitive, min, max };
      case "blob":
        return { type: "blob", name, isSensitive, min, max, isStreaming: table.streaming === true };
      case "timestamp":
        return { type: "timestamp", name, isSensitive, timestampFormat: table.timestampFormat };
      case "boolean":
        return { type: "boolean", name, isSensitive };
      default:
        throw new Error(`${this.#service}: ${name} has the unknown type ${table.type}`);
    }
  }

  #string(name: string, { sensitive, min, max, pattern, ...table }: ShapeTable): Shape {
    const isClosed = openEnums[this.#service]?.includes(name) !== true;
    const values =
      isClosed && table.enum ? [...table.enum, ...(extraEnumValues[this.#service]?.[name] ?? [])] : undefined;
    const matchedPattern = patternCorrections[this.#service]?.[name] ?? pattern;
    return { type: "string", name, isSensitive: sensitive === true, min, max, pattern, matchedPattern, enum: values };
  }

  #member(name: string, table: MemberTable, isRequired: boolean): Member {
    const shape = this.#shape(table.shape);
    return {
      name,
      wireName: table.locationName ?? name,
      hasWireName: table.locationName !== undefined,
      location: table.location ?? "body",
      shape,
      isRequired,
      isStreaming: table.streaming === true || (shape.type === "blob" && shape.isStreaming),
      isFlattened: table.flattened === true || ((shape.type === "list" || shape.type === "map") && shape.isFlattened),
      isXmlAttribute: table.xmlAttribute === true,
      isEventPayload: table.eventpayload === true,
      isIdempotencyToken: table.idempotencyToken === true,
      xmlNamespace: table.xmlNamespace,
    };
  }
}
