// The resources of one caller: every method works inside one account and region.
import {
  changeResource,
  deleteResource,
  findResource,
  insertResource,
  listResources,
  ResourceExistsError,
  type ResourcePage,
  type ResourceRow,
  type Scope,
} from "../database/resources.ts";
import type { Store, Writer } from "../database/store.ts";
import type { Clock } from "../lib/clock.ts";
import { timeOrderedUuid, type Random } from "../lib/random.ts";
import { pack, unpack } from "../lib/stored-json.ts";
import { rowKind, type Resource, type ResourceDefinition, type Tag } from "./resource-definition.ts";

export function resourceOf<Spec, Intent, Status>(
  definition: ResourceDefinition<Spec, Intent, Status>,
  row: ResourceRow,
): Resource<Spec, Intent, Status> {
  return {
    uid: row.uid,
    arn: definition.arn(row),
    account: row.account,
    region: row.region,
    name: row.name,
    spec: unpack(row.spec) as Spec,
    intent: unpack(row.intent) as Intent,
    status: unpack(row.status) as Status,
    tags: JSON.parse(row.tags) as Tag[],
    createdAt: new Date(row.created_at),
    modifiedAt: new Date(row.modified_at),
  };
}

export interface ResourcesOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly scope: Scope;
  /** Tells the engine that a row has become due. */
  readonly nudge: () => void;
}

export interface Creation<Intent, Status> {
  readonly tags?: readonly Tag[] | undefined;
  readonly intent?: Intent;
  readonly status?: Status;
  /** Runs in the same transaction, after the row is in. */
  readonly alongside?: (tx: Writer, uid: string) => Promise<void>;
}

export interface Change<Spec, Intent> {
  readonly spec?: Spec;
  readonly intent?: Intent;
  readonly tags?: readonly Tag[];
}

export class Resources {
  readonly #options: ResourcesOptions;

  constructor(options: ResourcesOptions) {
    this.#options = options;
  }

  #identity(definition: { arn(identity: Scope & { name: string }): string }, name: string) {
    const identity = { ...this.#options.scope, name };
    return { ...identity, arn: definition.arn(identity) };
  }

  /** Answers once the row is durable; throws the kind's "already exists". */
  async create<Spec, Intent, Status>(
    definition: ResourceDefinition<Spec, Intent, Status>,
    name: string,
    spec: Spec,
    creation: Creation<Intent, Status> = {},
  ): Promise<Resource<Spec, Intent, Status>> {
    const { store, clock, random, scope, nudge } = this.#options;
    const now = clock.now().getTime();
    const status = creation.status ?? definition.initialStatus;
    const intent = creation.intent ?? definition.initialIntent;
    const row: ResourceRow = {
      uid: timeOrderedUuid(random, now),
      kind: rowKind(definition),
      ...scope,
      name,
      spec: pack(spec),
      intent: pack(intent),
      status: pack(status),
      tags: JSON.stringify(creation.tags ?? []),
      state: definition.stateOf(status, intent),
      created_at: now,
      modified_at: now,
      generation: 1,
      wake_at: definition.isReconciled ? now : null,
      lease_token: null,
      lease_until: null,
      failures: 0,
    };
    try {
      await store.write(async (tx) => {
        await insertResource(tx, row);
        await creation.alongside?.(tx, row.uid);
      });
    } catch (error) {
      if (error instanceof ResourceExistsError) throw definition.alreadyExists(this.#identity(definition, name));
      throw error;
    }
    if (definition.isReconciled) nudge();
    return resourceOf(definition, row);
  }

  async find<Spec, Intent, Status>(
    definition: ResourceDefinition<Spec, Intent, Status>,
    name: string,
  ): Promise<Resource<Spec, Intent, Status> | undefined> {
    const row = await findResource(this.#options.store.read, rowKind(definition), this.#options.scope, name);
    return row && resourceOf(definition, row);
  }

  /** Throws the kind's "not found". */
  async get<Spec, Intent, Status>(
    definition: ResourceDefinition<Spec, Intent, Status>,
    name: string,
  ): Promise<Resource<Spec, Intent, Status>> {
    const found = await this.find(definition, name);
    if (!found) throw definition.notFound(this.#identity(definition, name));
    return found;
  }

  /** Reads, decides and writes in one transaction. `decide` may throw, or return undefined to change nothing. */
  async change<Spec, Intent, Status>(
    definition: ResourceDefinition<Spec, Intent, Status>,
    name: string,
    decide: (resource: Resource<Spec, Intent, Status>) => Change<Spec, Intent> | undefined,
  ): Promise<Resource<Spec, Intent, Status>> {
    const { store, clock, scope, nudge } = this.#options;
    const changed = await store.write(async (tx) => {
      const row = await findResource(tx, rowKind(definition), scope, name);
      if (!row) throw definition.notFound(this.#identity(definition, name));
      const resource = resourceOf(definition, row);
      const change = decide(resource);
      if (!change) return resource;
      const now = clock.now().getTime();
      await changeResource(tx, row.uid, {
        ...(change.spec === undefined ? {} : { spec: pack(change.spec) }),
        ...(change.intent === undefined ? {} : { intent: pack(change.intent) }),
        ...(change.tags === undefined ? {} : { tags: JSON.stringify(change.tags) }),
        now,
        wake: definition.isReconciled,
      });
      return { ...resource, ...change, modifiedAt: new Date(now) };
    });
    if (definition.isReconciled) nudge();
    return changed;
  }

  /** Deletes the row at once, for kinds that no reconciler must end. `check` may throw. */
  async delete<Spec, Intent, Status>(
    definition: ResourceDefinition<Spec, Intent, Status>,
    name: string,
    check: (resource: Resource<Spec, Intent, Status>) => void = () => undefined,
  ): Promise<void> {
    const { store, scope } = this.#options;
    await store.write(async (tx) => {
      const row = await findResource(tx, rowKind(definition), scope, name);
      if (!row) throw definition.notFound(this.#identity(definition, name));
      check(resourceOf(definition, row));
      await deleteResource(tx, row.uid);
    });
  }

  async page<Spec, Intent, Status>(
    definition: ResourceDefinition<Spec, Intent, Status>,
    page: ResourcePage,
  ): Promise<Resource<Spec, Intent, Status>[]> {
    const rows = await listResources(this.#options.store.read, rowKind(definition), this.#options.scope, page);
    return rows.map((row) => resourceOf(definition, row));
  }
}
