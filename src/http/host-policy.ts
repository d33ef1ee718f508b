// Which Host headers are answered, and which bucket they name. Unknown names are refused: a web page that points its own
// name at 127.0.0.1 (DNS rebinding) must not reach the API.

import { isIPv4, isIPv6 } from "node:net";

interface HostAnswer {
  readonly isAllowed: boolean;
  /** Virtual-hosted style: the bucket in front of the name. Means something only where the request is S3's. */
  readonly bucket: string | undefined;
}

export type HostPolicy = (hostHeader: string) => HostAnswer;

const awsSuffixes = [".amazonaws.com", ".amazonaws.com.cn", ".api.aws"];

const refused: HostAnswer = { isAllowed: false, bucket: undefined };
const plain: HostAnswer = { isAllowed: true, bucket: undefined };
const named = (bucket: string): HostAnswer => ({ isAllowed: true, bucket: bucket === "" ? undefined : bucket });

/** bucket.s3.REGION.amazonaws.com, bucket.s3-REGION.…, bucket.s3.dualstack.REGION.…; names of other services carry no bucket. */
const awsBucket = /^(?:(.+)\.)?s3(?:[.-](?:dualstack\.)?[a-z0-9-]+)?$/;

function awsHost(name: string): HostAnswer | undefined {
  const suffix = awsSuffixes.find((candidate) => name.endsWith(candidate));
  if (suffix === undefined) return undefined;
  return named(awsBucket.exec(name.slice(0, -suffix.length))?.[1] ?? "");
}

/** bucket.NAME or bucket.s3.NAME; "s3.NAME" itself has no bucket. */
function below(name: string, parent: string): HostAnswer | undefined {
  if (!name.endsWith(`.${parent}`)) return undefined;
  const label = name.slice(0, -parent.length - 1);
  return named(label === "s3" ? "" : label.replace(/\.s3$/, ""));
}

/** The name without its port; IPv6 addresses keep their brackets. */
const withoutPort = (host: string): string => host.replace(/:\d*$/, "");

/** Nobody can point an address of his own at this server, as he can a name: containers come with that of their network's gateway. */
const isAddress = (name: string): boolean => isIPv4(name) || isIPv6(name.replace(/^\[(.*)\]$/, "$1"));

/** `allowedHosts`: further names and addresses of this server, without port. Answers are kept, a bounded number of them. */
export function hostPolicy(allowedHosts: readonly string[], maxKept = 1_000): HostPolicy {
  const own = new Set(allowedHosts.map((host) => withoutPort(host.toLowerCase())));
  const kept = new Map<string, HostAnswer>();
  const decide = (host: string): HostAnswer => {
    const name = withoutPort(host.toLowerCase()).replace(/\.$/, "");
    if (name === "localhost" || isAddress(name) || own.has(name)) return plain;
    for (const parent of ["localhost", ...own]) {
      const answer = below(name, parent);
      if (answer) return answer;
    }
    return awsHost(name) ?? refused;
  };
  return (host) => {
    const known = kept.get(host);
    if (known) return known;
    const answer = decide(host);
    if (kept.size >= maxKept) kept.clear();
    kept.set(host, answer);
    return answer;
  };
}
