// Strips a botocore service model (the "C2J" form) down to what a server needs: no documentation, no client-side traits,
// no shape that no operation reaches. Key names stay botocore's, so the tables can be read beside the source.

export interface BotocoreMember {
  readonly shape: string;
  readonly [trait: string]: unknown;
}

export interface BotocoreShape {
  readonly type: string;
  readonly members?: Readonly<Record<string, BotocoreMember>>;
  readonly required?: readonly string[];
  readonly member?: BotocoreMember;
  readonly key?: BotocoreMember;
  readonly value?: BotocoreMember;
  readonly enum?: readonly string[];
  readonly exception?: boolean;
  readonly streaming?: boolean;
  readonly eventstream?: boolean;
  readonly document?: boolean;
  readonly [trait: string]: unknown;
}

export interface BotocoreOperation {
  readonly name: string;
  readonly input?: BotocoreMember;
  readonly output?: BotocoreMember;
  readonly errors?: readonly BotocoreMember[];
  readonly [trait: string]: unknown;
}

export interface BotocoreModel {
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly operations: Readonly<Record<string, BotocoreOperation>>;
  readonly shapes: Readonly<Record<string, BotocoreShape>>;
}

const droppedEverywhere = [
  "documentation",
  "deprecated",
  "deprecatedMessage",
  "deprecatedSince",
  "box",
  "contextParam",
  "hostLabel",
  "xmlOrder",
  "synthetic",
  "retryable",
  "endpoint",
  "staticContextParams",
  "readonly",
  "idempotent",
];
const keptMetadata = [
  "apiVersion",
  "awsQueryCompatible",
  "endpointPrefix",
  "jsonVersion",
  "protocol",
  "protocols",
  "serviceId",
  "signingName",
  "targetPrefix",
  "xmlNamespace",
];

export function compactModel(source: BotocoreModel): BotocoreModel {
  const operations = mapValues(source.operations, (operation) => {
    const { name: _name, errors, ...rest } = strip(operation);
    return { name: operation.name, ...rest, ...(errors ? { errors: operation.errors?.map(onlyShape) } : {}) };
  });
  const reached = reachable(source);
  const shapes: Record<string, BotocoreShape> = {};
  for (const name of Object.keys(source.shapes).sort()) {
    const shape = source.shapes[name];
    if (shape && reached.has(name)) shapes[name] = compactShape(shape);
  }
  const metadata = Object.fromEntries(Object.entries(source.metadata).filter(([key]) => keptMetadata.includes(key)));
  return { metadata, operations: operations as BotocoreModel["operations"], shapes };
}

function compactShape(shape: BotocoreShape): BotocoreShape {
  const result: Record<string, unknown> = { ...strip(shape) };
  if (shape.members) result["members"] = mapValues(shape.members, strip);
  for (const key of ["member", "key", "value"] as const) {
    if (shape[key]) result[key] = strip(shape[key]);
  }
  return result as BotocoreShape;
}

function strip<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([key]) => !droppedEverywhere.includes(key))) as T;
}

const onlyShape = ({ shape }: BotocoreMember): BotocoreMember => ({ shape });

function mapValues<T, U>(record: Readonly<Record<string, T>>, change: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}

/** Names of the shapes that operations reach; every exception counts, also one that no operation declares. */
function reachable(source: BotocoreModel): Set<string> {
  const seen = new Set<string>();
  const waiting = Object.keys(source.shapes).filter((name) => source.shapes[name]?.exception);
  for (const { input, output, errors } of Object.values(source.operations)) {
    for (const member of [input, output, ...(errors ?? [])]) if (member) waiting.push(member.shape);
  }
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const shape = source.shapes[name];
    if (seen.has(name) || !shape) continue;
    seen.add(name);
    for (const member of [...Object.values(shape.members ?? {}), shape.member, shape.key, shape.value]) {
      if (member) waiting.push(member.shape);
    }
  }
  return seen;
}
