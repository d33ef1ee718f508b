// Where SDKs in containers take credentials from. They ask loopback, which is the container's own, or the address that ECS has for this
// (botocore's ContainerMetadataFetcher, the HTTP provider of AWS's SDK for JavaScript), and refuse any other, such as the network's gateway.
import { execFile } from "node:child_process";
import { networkInterfaces } from "node:os";
import { promisify } from "node:util";
import { findSystemProgram } from "../../lib/probe-namespaces.ts";
import { isRoot } from "../../lib/root-errand.ts";

/** Containers reach every address of their host through the gateway of their network. */
export const credentialsAddress = "169.254.170.2";

const isThere = (): boolean =>
  Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === credentialsAddress));

/** Makes it an address of this machine, where that may be done: with `ip`, as root or by `asOther`. Answers whether it is one. */
export async function ensureCredentialsAddress(asOther: () => Promise<void>): Promise<boolean> {
  if (isThere()) return true;
  const ip = findSystemProgram("ip");
  if (ip === undefined) return false;
  // Another agent may have been faster: what counts is what there is in the end.
  if (isRoot())
    await promisify(execFile)(ip, ["address", "add", `${credentialsAddress}/32`, "dev", "lo"]).catch(() => undefined);
  else await asOther();
  return isThere();
}
