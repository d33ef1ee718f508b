// What STS's operations are given, and the form in which credentials travel.
import type { StsOperations } from "../../models/generated/sts.ts";
import type { Identity, SessionCredentials } from "../iam/index.ts";
import { operationsOf, type RequestContext } from "../service.ts";

export interface StsContext extends RequestContext {
  readonly identity: Identity;
}

export const operation = operationsOf<StsOperations, StsContext>();

export const wireCredentials = ({ accessKeyId, secretAccessKey, sessionToken, expiration }: SessionCredentials) => ({
  AccessKeyId: accessKeyId,
  SecretAccessKey: secretAccessKey,
  SessionToken: sessionToken,
  Expiration: expiration,
});
