// The environment of a command under `salvia exec`: the user's, with every way to other proxies, endpoints and credentials closed.
import { bundleVariables } from "../proxy/trust-bundle.ts";

export type Variables = Readonly<Record<string, string | undefined>>;

export interface ExecSurroundings {
  /** http://user:password@127.0.0.1:port of the proxy. */
  readonly proxyUrl: string;
  readonly bundleFile: string;
  /** An empty file in place of ~/.aws/config and ~/.aws/credentials. */
  readonly emptyFile: string;
  /** Where the docker shim lies; undefined where there is no docker. */
  readonly shimFolder: string | undefined;
  readonly region: string;
  /** The server's own address, for clients that know no proxies; undefined leaves the SDKs to AWS's names. */
  readonly endpointUrl: string | undefined;
  /** Keys, or where to fetch them. */
  readonly credentials: Variables;
}

const withheld = new Set([
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "AWS_SECURITY_TOKEN",
  "AWS_PROFILE",
  "AWS_DEFAULT_PROFILE",
  "AWS_ROLE_ARN",
  "AWS_ROLE_SESSION_NAME",
  "AWS_WEB_IDENTITY_TOKEN_FILE",
  "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
  "AWS_CONTAINER_CREDENTIALS_FULL_URI",
  "AWS_CONTAINER_AUTHORIZATION_TOKEN",
  "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
  "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
  "AWS_USE_FIPS_ENDPOINT",
  "AWS_USE_DUALSTACK_ENDPOINT",
]);

const isKept = (name: string): boolean => !withheld.has(name.toUpperCase()) && !/^AWS_ENDPOINT_URL/i.test(name);

const loopback = "localhost,.localhost,127.0.0.1,::1";

/** `user`: the environment that exec was called in. */
export function execEnvironment(user: Variables, surroundings: ExecSurroundings): NodeJS.ProcessEnv {
  const { proxyUrl, bundleFile, emptyFile, shimFolder, region, endpointUrl, credentials } = surroundings;
  const kept = Object.fromEntries(Object.entries(user).filter(([name]) => isKept(name)));
  const separator = process.platform === "win32" ? ";" : ":";
  return {
    ...kept,
    ...(shimFolder === undefined ? {} : { PATH: `${shimFolder}${separator}${user["PATH"] ?? ""}` }),
    HTTPS_PROXY: proxyUrl,
    HTTP_PROXY: proxyUrl,
    https_proxy: proxyUrl,
    http_proxy: proxyUrl,
    NO_PROXY: loopback,
    no_proxy: loopback,
    // Node's own fetch and http look at the variables above only when asked to.
    NODE_USE_ENV_PROXY: "1",
    ...Object.fromEntries(bundleVariables.map((name) => [name, bundleFile])),
    AWS_CONFIG_FILE: emptyFile,
    AWS_SHARED_CREDENTIALS_FILE: emptyFile,
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_REGION: user["AWS_REGION"] || region,
    AWS_DEFAULT_REGION: user["AWS_DEFAULT_REGION"] || user["AWS_REGION"] || region,
    ...(endpointUrl === undefined ? {} : { AWS_ENDPOINT_URL: endpointUrl }),
    ...credentials,
  };
}
