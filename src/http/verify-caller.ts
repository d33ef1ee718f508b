// Stages: who calls, proved by the signature, and whether that caller may.
import { withHoistedHeaders } from "../protocols/hoisted-headers.ts";
import { signatureError } from "../protocols/signature-errors.ts";
import { verifySignatureV2 } from "../protocols/signature-v2.ts";
import {
  verifySignature,
  type SignatureClaim,
  type SignatureProblem,
  type VerifiedSignature,
} from "../protocols/signature-v4.ts";
import type { SigningKeys } from "../protocols/signing-keys.ts";
import type { FoundRoute } from "../protocols/index.ts";
import type { Caller } from "../services/service.ts";
import type { Exchange, PipelineOptions, Stage } from "./exchange.ts";

/** Of requests that are not signed. */
export const defaultRegion = "us-east-1";

const regionName = /^[a-z0-9-]{1,32}$/;

/** Of the few operations that need no signature, and of what a bucket's policy opens to everyone. */
const anonymous: Caller = { account: "anonymous", arn: "anonymous", userId: "anonymous", accessKeyId: "" };

/** Whether it may, its bucket's policy says: without a judge of policies nobody may. */
const mayBeUnsigned = ({ operation }: FoundRoute, { authorise: decide }: PipelineOptions): boolean =>
  !operation.isSigned || (operation.service.name === "s3" && decide !== undefined);

/** The scope decides how the body was checked, so it must be the operation's own. */
function scopeProblem({ service, region }: SignatureClaim, { operation }: FoundRoute): SignatureProblem | undefined {
  const { signingName } = operation.service;
  if (service !== signingName) {
    return { kind: "wrong-scope", message: `Credential should be scoped to correct service: '${signingName}'.` };
  }
  if (regionName.test(region)) return undefined;
  return { kind: "wrong-scope", message: `Credential should be scoped to a valid region, not '${region}'.` };
}

type Proof = { readonly caller: Caller; readonly verified: VerifiedSignature } | SignatureProblem;

async function prove(
  { http, body }: Exchange,
  claim: SignatureClaim,
  { identity, clock }: PipelineOptions,
  keys: SigningKeys,
): Promise<Proof> {
  const { accessKeyId, sessionToken } = claim;
  const resolution = await identity.resolve(accessKeyId, sessionToken);
  if ("problem" in resolution) return { kind: resolution.problem, accessKeyId };
  const { caller, secretAccessKey } = resolution;
  const nowMs = clock.now().getTime();
  const verified =
    claim.version === 2
      ? verifySignatureV2({ request: http, claim, secretAccessKey, nowMs })
      : verifySignature({ request: http, claim, secretAccessKey, keys, nowMs, body });
  return verified.kind === "verified" ? { caller, verified } : verified;
}

export const verifyCaller =
  (options: PipelineOptions, keys: SigningKeys): Stage =>
  async (exchange) => {
    const { claim, route } = exchange;
    if (!route) throw new Error("the operation is found before its caller");
    if (claim.kind === "unsigned" && mayBeUnsigned(route, options)) {
      exchange.caller = anonymous;
      return undefined;
    }
    const problem = claim.kind === "claim" ? scopeProblem(claim, route) : claim;
    if (problem) throw signatureError(problem, route.protocol.name);
    if (claim.kind !== "claim") throw new Error("a claim without problem is a claim");
    const proof = await prove(exchange, claim, options, keys);
    if ("kind" in proof) throw signatureError(proof, route.protocol.name);
    exchange.caller = proof.caller;
    exchange.verified = proof.verified;
    options.identity.noteUse(proof.caller, claim.service, claim.region);
    if (claim.isPresigned && claim.service === "s3") {
      const { request } = route;
      const headers = withHoistedHeaders(request.headers, request.rawQuery);
      exchange.route = { ...route, request: { ...request, headers } };
    }
    return undefined;
  };

/** Who signed a request without a body that is no operation of a service's. Throws as a service does. */
export async function signer(
  exchange: Exchange,
  service: string,
  options: PipelineOptions,
  keys: SigningKeys,
): Promise<{ readonly caller: Caller; readonly region: string }> {
  const { claim } = exchange;
  const refuse = (problem: SignatureProblem): Error => signatureError(problem, "rest-json");
  if (claim.kind !== "claim") throw refuse(claim);
  if (claim.service !== service || !regionName.test(claim.region)) {
    const message = `Credential should be scoped to correct service: '${service}'.`;
    throw refuse({ kind: "wrong-scope", message });
  }
  const proof = await prove({ ...exchange, body: new Uint8Array() }, claim, options, keys);
  if ("kind" in proof) throw refuse(proof);
  return { caller: proof.caller, region: claim.region };
}

export const authorise =
  ({ authorise: decide }: PipelineOptions): Stage =>
  async (exchange) => {
    const { caller, route, http, input, verified } = exchange;
    if (!caller || !route) throw new Error("caller and operation are known before the caller is authorised");
    if (!decide || (!verified && !route.operation.isSigned)) return undefined;
    const region = verified?.claim.region ?? defaultRegion;
    exchange.authorised = await decide({ caller, region, operation: route.operation, input, http });
    return undefined;
  };
