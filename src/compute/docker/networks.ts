// The networks of containers. Instances that know each other share a bridge of their own, with fixed addresses, so that all names
// resolve from the first moment. Everybody else shares two bridges on which containers do not reach each other (icc off).
import { EngineRefusalError, filterQuery, type DockerEngine } from "../../lib/docker-engine.ts";
import { installationLabel, type ContainerPlace } from "../../task/container-place.ts";
import type { TaskSpec } from "../../task/task.ts";

export interface Network {
  readonly name: string;
  /** e.g. "172.20.0.0/16" */
  readonly subnet: string;
  readonly gateway: string;
}

export interface Networks {
  /** Made where it is missing. Throws EngineAwayError, EngineRefusalError. */
  ensure(wish: NetworkWish): Promise<Network>;
  /** Those of this installation that are not named go, unless containers are on them. */
  removeUnused(used: ReadonlySet<string>): Promise<void>;
}

export interface NetworkWish {
  readonly name: string;
  /** No way out of this machine. */
  readonly isAlone: boolean;
  /** Members reach each other, at addresses that are given to them. */
  readonly isShared: boolean;
}

interface Inspected {
  readonly Name: string;
  readonly IPAM: { readonly Config: readonly { readonly Subnet?: string; readonly Gateway?: string }[] | null };
}

const isRefusal = (error: unknown, ...statuses: readonly number[]): boolean =>
  error instanceof EngineRefusalError && statuses.includes(error.status);

export function createNetworks(engine: DockerEngine, installation: string): Networks {
  const find = async (name: string): Promise<Network | undefined> => {
    try {
      const found = await engine.ask<Inspected>({ method: "GET", path: `/networks/${name}` });
      const [{ Subnet: subnet = "", Gateway: gateway = "" } = {}] = found.IPAM.Config ?? [];
      return { name, subnet, gateway: gateway || addressIn(subnet, 1) };
    } catch (error) {
      if (isRefusal(error, 404)) return undefined;
      throw error;
    }
  };
  const create = async ({ name, isAlone, isShared }: NetworkWish, subnet?: string): Promise<void> => {
    const body = {
      Name: name,
      CheckDuplicate: true,
      Driver: "bridge",
      Internal: isAlone,
      Labels: { [installationLabel]: installation },
      Options: isShared ? {} : { "com.docker.network.bridge.enable_icc": "false" },
      ...(subnet === undefined ? {} : { IPAM: { Config: [{ Subnet: subnet, Gateway: addressIn(subnet, 1) }] } }),
    };
    try {
      await engine.ask({ method: "POST", path: "/networks/create", body });
    } catch (error) {
      if (!isRefusal(error, 409)) throw error;
    }
  };
  const remove = async (name: string): Promise<void> => {
    try {
      await engine.ask({ method: "DELETE", path: `/networks/${name}` });
    } catch (error) {
      // Gone already, or a container of somebody is still on it: the next removal asks again.
      if (!isRefusal(error, 403, 404, 409)) throw error;
    }
  };
  return {
    ensure: async (wish) => {
      const there = await find(wish.name);
      if (there) return there;
      await create(wish);
      const made = await find(wish.name);
      if (!made) throw new Error(`the network ${wish.name} was made, and is not there`);
      if (!wish.isShared) return made;
      // Fixed addresses want a subnet that was asked for by name: the one that the engine has just found free.
      await remove(wish.name);
      await create(wish, made.subnet);
      return (await find(wish.name)) ?? made;
    },
    removeUnused: async (used) => {
      const path = `/networks?${filterQuery({ label: [`${installationLabel}=${installation}`] })}`;
      const all = await engine.ask<readonly Inspected[]>({ method: "GET", path });
      for (const { Name } of all) if (!used.has(Name)) await remove(Name);
    },
  };
}

/** The n-th address of an IPv4 subnet. */
export function addressIn(subnet: string, n: number): string {
  const parts = subnet.split("/", 1)[0]!.split(".").map(Number);
  const number = parts.reduce((sum, part) => sum * 256 + part, 0) + n;
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join(".");
}

/** First addresses of a subnet are left to the engine. */
const firstInstance = 10;

/** Where a task's container goes. */
export async function placeOf(
  { key, network }: TaskSpec,
  networks: Networks,
  installation: string,
): Promise<Pick<ContainerPlace, "network" | "gateway" | "address" | "peers">> {
  const names = Object.keys(network.addresses);
  const { isAlone } = network;
  const isShared = names.length > 1;
  const name = isShared
    ? `salvia-${key.replace(/-algo-\d+$/, "")}`
    : `salvia-${installation}-${isAlone ? "alone" : "single"}`;
  const { subnet, gateway, ...made } = await networks.ensure({ name, isAlone, isShared });
  if (!isShared) return { network: made.name, gateway, peers: {} };
  const peers = Object.fromEntries(names.map((peer, at) => [peer, addressIn(subnet, firstInstance + at)]));
  const address = peers[network.host];
  return { network: made.name, gateway, peers, ...(address === undefined ? {} : { address }) };
}
