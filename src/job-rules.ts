// What the operator's flags say about jobs, read at start: when spot capacity is taken back, what instances cost, which folders are file systems.
import { statSync } from "node:fs";
import { parsePrices, PricesError, readPrices, type Prices } from "./compute/prices.ts";
import { readSpotPolicy, SpotPolicyError, type SpotPolicy } from "./compute/spot-policy.ts";
import type { Config } from "./config.ts";
import { FolderProblemError } from "./data-folder.ts";
import { findSetting, saveSetting } from "./database/settings.ts";
import type { Store } from "./database/store.ts";
import { namedFolder } from "./lib/named-folder.ts";

const pricesSetting = "prices";

function spotPolicyOf(file: string): SpotPolicy {
  try {
    return readSpotPolicy(file);
  } catch (error) {
    if (error instanceof SpotPolicyError) throw new FolderProblemError(error.message);
    throw error;
  }
}

/** Folder by id. Throws for folders that are none. */
function fileSystemsOf(settings: readonly string[]): ReadonlyMap<string, string> {
  const fileSystems = new Map(settings.map(namedFolder).map(({ name, folder }) => [name, folder]));
  for (const [id, folder] of fileSystems)
    if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
      throw new FolderProblemError(`--file-system ${id}=${folder}: there is no such folder`);
  return fileSystems;
}

function ownPricesOf(file: string): Prices {
  try {
    return readPrices(file);
  } catch (error) {
    if (error instanceof PricesError) throw new FolderProblemError(error.message);
    throw error;
  }
}

/** `salvia cost` has no flag of the server's: it uses the prices that the server was started with. */
const rememberPrices = (store: Store, { own }: Prices): Promise<void> =>
  store.write((tx) => saveSetting(tx, pricesSetting, JSON.stringify(own)));

/** Of a command: its own flag's, or the server's. */
export const pricesFor = async (config: Config, store: Store): Promise<Prices> =>
  config.prices === ""
    ? parsePrices((await findSetting(store.read, pricesSetting)) ?? "{}")
    : ownPricesOf(config.prices);

export async function jobRulesOf(config: Config, store: Store) {
  const prices = ownPricesOf(config.prices);
  await rememberPrices(store, prices);
  return {
    prices,
    isFrameworkStrict: config.isFrameworkStrict,
    spot: spotPolicyOf(config.spotInterruptions),
    fileSystems: fileSystemsOf(config.fileSystems),
  };
}
