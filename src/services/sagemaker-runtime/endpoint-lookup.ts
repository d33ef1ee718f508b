// Finds where an endpoint's requests go: one indexed read of its row, parsed again only when the row has changed.
import type { Scope } from "../../database/resources.ts";
import type { Store } from "../../database/store.ts";
import type { EndpointRoutes } from "./endpoint-routes.ts";

export interface FoundEndpoint {
  readonly name: string;
  readonly scope: Scope;
  readonly routes: EndpointRoutes;
}

interface Remembered {
  readonly status: string;
  readonly intent: string;
  readonly routes: EndpointRoutes | undefined;
}

/** What the router needs of a row that services/sagemaker writes. */
interface StoredStatus {
  readonly EndpointStatus?: string;
  readonly routes?: EndpointRoutes;
}

const maxRemembered = 10_000;
const kind = "sagemaker/endpoint";

function readRoutes(status: string, intent: string): EndpointRoutes | undefined {
  const { EndpointStatus: state, routes } = JSON.parse(status) as StoredStatus;
  const isInService = state === "InService" || state === "Updating";
  const isDeleted = "deleteRequestedAt" in (JSON.parse(intent) as object);
  return isInService && !isDeleted ? routes : undefined;
}

/** Undefined when no such endpoint is in service. */
export type EndpointLookup = (scope: Scope, name: string) => Promise<FoundEndpoint | undefined>;

export function endpointLookup(store: Store): EndpointLookup {
  const remembered = new Map<string, Remembered>();
  return async (scope, name) => {
    const row = await store.read
      .selectFrom("resources")
      .select(["uid", "status", "intent"])
      .where("kind", "=", kind)
      .where("account", "=", scope.account)
      .where("region", "=", scope.region)
      .where("name", "=", name)
      .executeTakeFirst();
    if (!row) return undefined;
    const known = remembered.get(row.uid);
    const isFresh = known?.status === row.status && known.intent === row.intent;
    const routes = isFresh ? known.routes : readRoutes(row.status, row.intent);
    if (!isFresh) {
      if (remembered.size >= maxRemembered) remembered.clear();
      remembered.set(row.uid, { status: row.status, intent: row.intent, routes });
    }
    return routes && { name, scope, routes };
  };
}
