// Where an endpoint's requests go: written by the endpoint's reconciler as part of its status, read by the router.

/** One instance that answers /ping. */
export interface InstanceRoute {
  /** Key of its task. */
  readonly id: string;
  /** Base URL, e.g. "http://127.45.2.1:34567". */
  readonly address: string;
}

export interface VariantRoute {
  readonly name: string;
  /** Its share of the traffic is its weight over the sum of the weights. */
  readonly weight: number;
  /** Its instances take requests for one of their models each. */
  readonly isMultiModel?: true;
  readonly instances: readonly InstanceRoute[];
}

export interface EndpointRoutes {
  readonly variants: readonly VariantRoute[];
}
