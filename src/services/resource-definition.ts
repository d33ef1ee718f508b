// A resource kind: what the generic operations (create, describe, list, delete, tags) need to know about it.
import type { AwsError } from "../lib/aws-error.ts";

export interface ResourceIdentity {
  readonly account: string;
  readonly region: string;
  readonly name: string;
}

export interface Tag {
  readonly Key: string;
  readonly Value: string;
}

/** A stored resource as handlers see it. */
export interface Resource<Spec, Intent, Status> {
  readonly uid: string;
  readonly arn: string;
  readonly account: string;
  readonly region: string;
  readonly name: string;
  /** The create (or latest update) request. */
  readonly spec: Spec;
  /** What later requests want; handlers write it. */
  readonly intent: Intent;
  /** Progress; reconcilers write it. */
  readonly status: Status;
  readonly tags: readonly Tag[];
  readonly createdAt: Date;
  readonly modifiedAt: Date;
}

export interface ResourceDefinition<Spec, Intent = object, Status = object> {
  readonly service: string;
  /** e.g. "training-job"; also the row's kind, prefixed by the service. */
  readonly kind: string;
  /** The member of the requests that names it, e.g. "TrainingJobName". */
  readonly nameMember: string;
  arn(identity: ResourceIdentity): string;
  readonly initialStatus: Status;
  readonly initialIntent: Intent;
  /** The member for filters and sorting; "" where the kind has none. */
  stateOf(status: Status, intent: Intent): string;
  /** Absent optional members are left out, never `{}`. */
  describe(resource: Resource<Spec, Intent, Status>): object;
  summary(resource: Resource<Spec, Intent, Status>): object;
  /** True where a reconciler works on it: creation and changes wake it. */
  readonly isReconciled: boolean;
  notFound(identity: ResourceIdentity & { readonly arn: string }): AwsError;
  alreadyExists(identity: ResourceIdentity & { readonly arn: string }): AwsError;
}

export const defineResource = <Spec, Intent extends object, Status extends object>(
  definition: ResourceDefinition<Spec, Intent, Status>,
): ResourceDefinition<Spec, Intent, Status> => definition;

/** `sagemaker/training-job`: the kind as the table stores it. */
export const rowKind = (definition: { readonly service: string; readonly kind: string }): string =>
  `${definition.service}/${definition.kind}`;

/** Members on the wire are PascalCase; ours are camelCase and stay here. */
export function wireFields(status: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(status).filter(([name, value]) => /^[A-Z]/.test(name) && value !== undefined),
  );
}
