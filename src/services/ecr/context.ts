// What ECR's handlers are given besides the request.
import type { EcrOperations } from "../../models/generated/ecr.ts";
import { operationsOf, type RequestContext } from "../service.ts";
import type { RepositoryName } from "./core/image-name.ts";
import type { Layers } from "./core/layers.ts";
import { registryHost } from "./core/repositories.ts";
import type { Tickets } from "./core/tickets.ts";

export interface EcrContext extends RequestContext {
  readonly layers: Layers;
  readonly tickets: Tickets;
  /** http://HOST:PORT, once the server listens. */
  readonly serverUrl: () => string;
}

export const operation = operationsOf<EcrOperations, EcrContext>();

/** In the registry that the request works on: registryId was looked at when it was authorised. */
export const repositoryIn = ({ account, region }: EcrContext, name: string): RepositoryName => ({
  account,
  region,
  name,
});

/** The host and port before repositories' names. */
export const hostOf = ({ http, serverUrl }: EcrContext): string => registryHost(http.host, serverUrl());
