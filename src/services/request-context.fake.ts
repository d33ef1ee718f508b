// The context of one request, as the pipeline would make it: for tests that call a service's operations by name.
import type { Store } from "../database/store.ts";
import type { Clock } from "../lib/clock.ts";
import { silentLog } from "../lib/log.ts";
import type { Random } from "../lib/random.ts";
import type { ServiceName } from "../models/index.ts";
import { Resources } from "./resources.ts";
import type { RequestContext } from "./service.ts";

export interface FakeRequest {
  readonly service: ServiceName;
  readonly operation: string;
  readonly account: string;
  /** Where the caller is of another account than the data. */
  readonly callerAccount?: string | undefined;
  readonly region: string;
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly http?: Partial<RequestContext["http"]>;
  readonly signal?: AbortSignal;
  readonly nudge?: () => void;
}

/** Signed by the account's root. */
export function requestContext(request: FakeRequest): RequestContext {
  const { service, operation, account, callerAccount: by = account, region, store, clock, random } = request;
  const { http, signal = new AbortController().signal, nudge = () => {} } = request;
  return {
    requestId: "request",
    account,
    region,
    caller: { account: by, arn: `arn:aws:iam::${by}:root`, userId: by, accessKeyId: "AKIA" },
    service,
    operation,
    http: { method: "POST", host: "localhost", isSecure: false, rawPath: "/", rawQuery: "", headers: {}, ...http },
    signal,
    clock,
    random,
    log: silentLog,
    store,
    resources: new Resources({ store, clock, random, scope: { account, region }, nudge }),
  };
}
