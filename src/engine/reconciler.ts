// What a kind's reconciler is: steps that look, act a little, and return. Rules in conventions.md §5.
import type { Writer } from "../database/store.ts";

export type Outcome<Status> =
  | { readonly move: "next"; readonly status?: Partial<Status> }
  | { readonly move: "look-again"; readonly afterMs: number; readonly status?: Partial<Status> }
  | { readonly move: "settle"; readonly status?: Partial<Status> }
  /** The resource is gone: its row is deleted. */
  | { readonly move: "remove" };

/** A resource as a step sees it. `status` already holds what the steps before it said in this pass. */
export interface Observed<Spec, Intent, Status> {
  readonly uid: string;
  readonly account: string;
  readonly region: string;
  readonly name: string;
  readonly spec: Spec;
  readonly intent: Intent;
  readonly status: Status;
  readonly createdAt: Date;
}

export type Step<Spec, Intent, Status> = (
  resource: Observed<Spec, Intent, Status>,
  signal: AbortSignal,
) => Promise<Outcome<Status>>;

export interface Reconciler<Spec = never, Intent = never, Status = never> {
  readonly kind: string;
  readonly steps: readonly Step<Spec, Intent, Status>[];
  /** The member that filters and sorting use, e.g. TrainingJobStatus. */
  stateOf(status: Status): string;
  /** Runs in the transaction that saves the outcome: what must change together with it. */
  readonly alsoSave?: (tx: Writer, resource: Observed<Spec, Intent, Status>) => Promise<void>;
}

/** A reconciler whose types the engine does not need to know. */
export interface AnyReconciler {
  readonly kind: string;
  readonly steps: readonly Step<unknown, unknown, object>[];
  stateOf(status: object): string;
  readonly alsoSave?: (tx: Writer, resource: Observed<unknown, unknown, object>) => Promise<void>;
}

/** Forgets the types at the boundary to the engine, which hands every reconciler only rows of its own kind. */
export const anyReconciler = <Spec, Intent, Status extends object>(
  reconciler: Reconciler<Spec, Intent, Status>,
): AnyReconciler => reconciler as unknown as AnyReconciler;

export const next = <Status>(status?: Partial<Status>): Outcome<Status> => ({
  move: "next",
  ...(status && { status }),
});
export const lookAgain = <Status>(afterMs: number, status?: Partial<Status>): Outcome<Status> => ({
  move: "look-again",
  afterMs,
  ...(status && { status }),
});
export const settle = <Status>(status?: Partial<Status>): Outcome<Status> => ({
  move: "settle",
  ...(status && { status }),
});
export const remove = <Status>(): Outcome<Status> => ({ move: "remove" });
