// Finds what a request asks for. Services share one port, so nothing but the request tells: the smithy-protocol header, then
// X-Amz-Target, then the service that the signature is scoped to with the form's Action or the REST path; S3 has the rest.
import { AwsError } from "../lib/aws-error.ts";
import {
  services,
  type Models,
  type OperationModel,
  type ProtocolName,
  type ServiceModel,
  type ServiceName,
} from "../models/index.ts";
import { createAwsJson } from "./aws-json.ts";
import type { Protocol, WireRequest } from "./protocol.ts";
import { actionOf, createQuery, formPairs, versionOf } from "./query.ts";
import { createRestJson } from "./rest-json.ts";
import { restRoutes, type FindRestOperation } from "./rest-routes.ts";
import { createRestXml } from "./rest-xml.ts";
import { createRpcV2Cbor } from "./rpc-v2-cbor.ts";
import { s3Superseded } from "./s3-names.ts";
import { parseQuery } from "./wire-text.ts";

export interface FoundRoute {
  readonly operation: OperationModel;
  readonly protocol: Protocol;
  /** The request to parse: as given, but in path style where the bucket stood in the host name. */
  readonly request: WireRequest;
}

export interface LostRoute {
  readonly operation: undefined;
  /** Renders the error as the caller would expect it. */
  readonly protocol: Protocol;
  readonly error: AwsError;
}

export interface Router {
  /** Never throws. `bucket` is the bucket that the Host header names, in virtual-hosted style. */
  route(request: WireRequest, bucket?: string): FoundRoute | LostRoute;
  /** True where the body must be read before `route`: a form names its operation. Otherwise route first, then read. */
  needsBody(request: Omit<WireRequest, "body">): boolean;
}

interface Protocols {
  readonly json: Protocol;
  readonly query: Protocol;
  readonly restJson: Protocol;
  readonly restXml: Protocol;
  readonly cbor: Protocol;
}

export function createRouter(models: Models): Router {
  const routing = new Routing(models, {
    json: createAwsJson(),
    query: createQuery(),
    restJson: createRestJson(),
    restXml: createRestXml(),
    cbor: createRpcV2Cbor(),
  });
  return {
    route: (request, bucket) => routing.route(request, bucket),
    needsBody: ({ headers, rawPath, rawQuery }) => {
      if (!isForm(headers)) return false;
      const scope = signingService(headers, rawQuery);
      return scope === undefined ? rawPath === "/" : scope !== "s3";
    },
  };
}

const cborPath = /^\/service\/([^/]+)\/operation\/([^/]+)$/;

class Routing {
  readonly #models: Models;
  readonly #protocols: Protocols;
  readonly #byTarget = new Map<string, ServiceName>();
  readonly #bySigningName = new Map<string, ServiceName[]>();
  readonly #restRoutes = new Map<string, FindRestOperation>();

  constructor(models: Models, protocols: Protocols) {
    this.#models = models;
    this.#protocols = protocols;
    for (const name of models.names) {
      const metadata = services[name];
      if ("targetPrefix" in metadata) this.#byTarget.set(metadata.targetPrefix, name);
      const signingName = "signingName" in metadata ? metadata.signingName : metadata.endpointPrefix;
      this.#bySigningName.set(signingName, [...(this.#bySigningName.get(signingName) ?? []), name]);
    }
  }

  route(request: WireRequest, bucket: string | undefined): FoundRoute | LostRoute {
    const { headers, rawPath } = request;
    if (bucket !== undefined) return this.#s3({ ...request, rawPath: `/${bucket}${rawPath}` });
    const cbor = headers["smithy-protocol"] === "rpc-v2-cbor" ? cborPath.exec(rawPath) : null;
    if (cbor) return this.#named(request, this.#protocols.cbor, "smithy-rpc-v2-cbor", cbor[1], cbor[2]);
    const target = headers["x-amz-target"];
    if (target !== undefined) {
      const dot = target.lastIndexOf(".");
      return this.#named(
        request,
        this.#protocols.json,
        "json",
        target.slice(0, Math.max(dot, 0)),
        target.slice(dot + 1),
      );
    }
    return this.#scoped(request);
  }

  #named(
    request: WireRequest,
    protocol: Protocol,
    spoken: ProtocolName,
    prefix: string | undefined,
    name: string | undefined,
  ): FoundRoute | LostRoute {
    const service = this.#byTarget.get(prefix ?? "");
    const model = service && this.#models.serviceModel(service);
    const operation = model?.protocols.includes(spoken) ? model.operations.get(name ?? "") : undefined;
    if (operation) return { operation, protocol, request };
    return lost(protocol, "UnknownOperationException", `The operation ${name} of ${prefix} is not known.`);
  }

  /** Neither header: the signature's scope decides, and without a signature the form or the path. */
  #scoped(request: WireRequest): FoundRoute | LostRoute {
    const { headers, rawQuery } = request;
    const scope = signingService(headers, rawQuery);
    if (scope === "s3") return this.#s3(request);
    if (scope === undefined) return this.#unsigned(request);
    const names = this.#bySigningName.get(scope);
    if (!names) return this.#unknownService(request, scope);
    const group = names.map((name) => this.#models.serviceModel(name));
    const queryService = group.find(({ protocols }) => protocols.includes("query"));
    if (queryService) return this.#query(request, queryService);
    return this.#restJson(request, scope, group);
  }

  #unsigned(request: WireRequest): FoundRoute | LostRoute {
    const hasForm = isForm(request.headers) || request.rawQuery.includes("Action=");
    if (!hasForm || request.rawPath !== "/") return this.#s3(request);
    const pairs = readForm(request);
    if (pairs instanceof AwsError) return { operation: undefined, protocol: this.#protocols.query, error: pairs };
    const version = versionOf(pairs);
    const service = this.#models.names.find((name) => {
      const { protocols, apiVersion }: { readonly protocols?: readonly string[]; readonly apiVersion: string } =
        services[name];
      return protocols?.includes("query") && apiVersion === version;
    });
    return service ? this.#query(request, this.#models.serviceModel(service)) : this.#s3(request);
  }

  #query(request: WireRequest, service: ServiceModel): FoundRoute | LostRoute {
    const protocol = this.#protocols.query;
    const pairs = readForm(request);
    if (pairs instanceof AwsError) return { operation: undefined, protocol, error: pairs };
    const action = actionOf(pairs);
    if (action === undefined) return lost(protocol, "MissingAction", "The request must contain the parameter Action.");
    const operation = service.operations.get(action);
    if (operation) return { operation, protocol, request };
    const version = versionOf(pairs) ?? service.apiVersion;
    return lost(protocol, "InvalidAction", `Could not find operation ${action} for version ${version}`);
  }

  #restJson(request: WireRequest, scope: string, group: readonly ServiceModel[]): FoundRoute | LostRoute {
    const protocol = this.#protocols.restJson;
    const operations = group
      .filter(({ protocols }) => protocols.includes("rest-json"))
      .flatMap((model) => [...model.operations.values()]);
    const operation = this.#find(scope, operations, request);
    if (operation) return { operation, protocol, request };
    return lost(
      operations.length === 0 ? this.#protocols.json : protocol,
      "UnknownOperationException",
      `${request.method} ${request.rawPath} is no operation of ${scope}.`,
    );
  }

  #s3(request: WireRequest): FoundRoute | LostRoute {
    const protocol = this.#protocols.restXml;
    if (parseQuery(request.rawQuery) === undefined)
      return lost(protocol, "InvalidURI", "Couldn't parse the specified URI.");
    const all = [...this.#models.serviceModel("s3").operations.values()];
    const current = all.filter(({ name }) => !s3Superseded.has(name));
    const operation = this.#find("s3", current, request);
    if (operation) return { operation, protocol, request };
    if (request.method === "OPTIONS") return { operation: undefined, protocol, error: preflightRefusal(request) };
    const error = new AwsError("MethodNotAllowed", "The specified method is not allowed against this resource.", {
      httpStatus: 405,
      fields: { Method: request.method },
    });
    return { operation: undefined, protocol, error };
  }

  #find(group: string, operations: readonly OperationModel[], request: WireRequest): OperationModel | undefined {
    const find = this.#restRoutes.get(group) ?? restRoutes(operations);
    this.#restRoutes.set(group, find);
    const { method, rawPath, headers } = request;
    return find({ method, rawPath, headers, query: parseQuery(request.rawQuery) ?? [] });
  }

  #unknownService({ headers }: WireRequest, scope: string): LostRoute {
    const protocol = isForm(headers) ? this.#protocols.query : this.#protocols.restJson;
    return lost(protocol, "UnknownOperationException", `No service here is called ${scope}.`);
  }
}

const lost = (protocol: Protocol, code: string, message: string): LostRoute => ({
  operation: undefined,
  protocol,
  error: new AwsError(code, message),
});

/** No bucket answers to other origins. https://docs.aws.amazon.com/AmazonS3/latest/API/RESTOPTIONSobject.html */
const preflightRefusal = ({ headers }: WireRequest): AwsError =>
  headers["origin"] === undefined
    ? new AwsError("BadRequest", "Insufficient information. Origin request header needed.", { httpStatus: 400 })
    : new AwsError("AccessForbidden", "CORSResponse: CORS is not enabled for this bucket.", { httpStatus: 403 });

function readForm(request: WireRequest): ReturnType<typeof formPairs> | AwsError {
  try {
    return formPairs(request);
  } catch (error) {
    if (error instanceof AwsError) return error;
    throw error;
  }
}

const isForm = (headers: Readonly<Record<string, string>>): boolean =>
  headers["content-type"]?.startsWith("application/x-www-form-urlencoded") === true;

/** The service in the signature's credential scope; S3 for the older signatures that only S3 still takes; else undefined. */
function signingService(headers: Readonly<Record<string, string>>, rawQuery: string): string | undefined {
  const { authorization } = headers;
  if (authorization?.startsWith("AWS ")) return "s3";
  const credential =
    authorization === undefined ? queryCredential(rawQuery) : /Credential=([^,\s]+)/.exec(authorization)?.[1];
  // key/date/region/service/aws4_request; version 4a has no region.
  return credential?.split("/").at(-2);
}

function queryCredential(rawQuery: string): string | undefined {
  if (rawQuery.includes("AWSAccessKeyId=")) return "AWSAccessKeyId/s3/";
  if (!/x-amz-credential=/i.test(rawQuery)) return undefined;
  return parseQuery(rawQuery)?.find(([name]) => name.toLowerCase() === "x-amz-credential")?.[1];
}
