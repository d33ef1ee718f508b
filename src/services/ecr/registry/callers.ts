// Who asks the registry, and whether that caller may: Basic with the user name AWS and a sealed login for a password, as
// `aws ecr get-login-password` gives it; then the policies, by ECR's actions.
import type { OperationModel } from "../../../models/index.ts";
import type { Authorised, OperationRequest } from "../../iam/index.ts";
import type { RouteRequest } from "../../service.ts";
import type { RepositoryName } from "../core/image-name.ts";
import type { Login, Tickets } from "../core/tickets.ts";
import { RegistryError } from "./registry-error.ts";

/** ECR's actions that the registry asks for. */
export type RegistryAction =
  | "BatchGetImage"
  | "GetDownloadUrlForLayer"
  | "BatchCheckLayerAvailability"
  | "InitiateLayerUpload"
  | "UploadLayerPart"
  | "CompleteLayerUpload"
  | "PutImage"
  | "BatchDeleteImage"
  | "ListImages";

export interface CallersParts {
  readonly tickets: Tickets;
  readonly operations: ReadonlyMap<string, OperationModel>;
  /** Throws AwsError where the caller may not. */
  readonly authorise: (request: OperationRequest) => Promise<Authorised>;
}

const unauthorised = (host: string, message: string): RegistryError =>
  new RegistryError(401, "UNAUTHORIZED", message, {
    "www-authenticate": `Basic realm="http://${host.replaceAll(/["\\\s]/g, "")}/",service="ecr.amazonaws.com"`,
  });

/** Throws 401. */
export function loginOf({ tickets }: Pick<CallersParts, "tickets">, { headers }: RouteRequest): Login {
  const host = headers["host"] ?? "";
  const [, encoded] = /^basic +([A-Za-z0-9+/=_-]+) *$/i.exec(headers["authorization"] ?? "") ?? [];
  if (encoded === undefined) throw unauthorised(host, "Not Authorized");
  const [user, ...rest] = Buffer.from(encoded, "base64").toString("utf8").split(":");
  const login = user === "AWS" ? tickets.openLogin(rest.join(":")) : undefined;
  if (login === "expired")
    throw unauthorised(host, "Your authorization token has expired. Reauthenticate and try again.");
  if (!login) throw unauthorised(host, "Your authorization token is invalid. Log in again.");
  return login;
}

/** Throws AwsError AccessDeniedException. */
export async function requireAccess(
  { operations, authorise }: CallersParts,
  { caller }: Login,
  { account, region, name }: RepositoryName,
  action: RegistryAction,
  request: RouteRequest,
): Promise<void> {
  const operation = operations.get(action);
  if (!operation) throw new Error(`ECR has no operation ${action}`);
  const http = { isSecure: false, remoteAddress: request.remoteAddress, headers: request.headers };
  await authorise({ caller, region, operation, input: { registryId: account, repositoryName: name }, http });
}
