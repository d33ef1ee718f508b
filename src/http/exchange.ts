// One request on its way through the pipeline: each stage adds what it found out.
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import type { Random } from "../lib/random.ts";
import type { Models } from "../models/index.ts";
import type { FoundRoute, Protocol } from "../protocols/index.ts";
import type { SignatureClaim, SignatureProblem, VerifiedSignature } from "../protocols/signature-v4.ts";
import type { ActionRequest, Authorised, Identity, OperationRequest } from "../services/iam/index.ts";
import type { Caller, HttpRoute, RequestContext, Service } from "../services/service.ts";
import type { HttpAnswer, HttpRequest } from "./http-request.ts";

export interface Exchange {
  readonly http: HttpRequest;
  readonly requestId: string;
  /** What the request says about its signature. */
  readonly claim: SignatureClaim | SignatureProblem;
  /** Read before anything else, except for S3, whose bodies stream. */
  body?: Uint8Array;
  /** Renders errors; known as soon as the service is. */
  protocol?: Protocol;
  route?: FoundRoute;
  verified?: VerifiedSignature;
  caller?: Caller;
  authorised?: Authorised;
  input?: unknown;
  trailers?: NonNullable<RequestContext["http"]["trailers"]>;
}

/** Answers, or leaves the request to the next stage. Throws AwsError for the caller; anything else is a bug. */
export type Stage = (exchange: Exchange) => Promise<HttpAnswer | undefined>;

export interface PipelineOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly store: RequestContext["store"];
  readonly models: Models;
  readonly services: readonly Service[];
  /** HTTP beside the AWS APIs; /health is there already. */
  readonly routes: readonly HttpRoute[];
  readonly identity: Pick<Identity, "resolve" | "noteUse">;
  /** Tells the engine that a row has become due. */
  readonly nudge: () => void;
  /** Throws AwsError where the caller may not. Without it a caller may do everything in its own account. */
  readonly authorise?: (request: OperationRequest) => Promise<Authorised>;
  /** The same for what is no operation of a service's. */
  readonly authoriseAction?: (request: ActionRequest) => Promise<void>;
}
