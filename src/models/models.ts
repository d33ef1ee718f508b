// The registry of service models: each table is read and linked when it is first asked for, once per registry.
import { existsSync, readFileSync } from "node:fs";
import { services } from "./generated/services.ts";
import { linkService, type ServiceTable } from "./link.ts";
import type { ServiceModel, ServiceName } from "./model.ts";

export interface Models {
  /** Every service that Salvia has a model of. */
  readonly names: readonly ServiceName[];
  /** The service's linked model; the same object on every call. Throws if the generated table cannot be read. */
  serviceModel(name: ServiceName): ServiceModel;
}

/** `folder` holds the generated <service>.json files; by default the one beside this file or beside the bundle. */
export function createModels({ folder = defaultFolder() }: { readonly folder?: URL } = {}): Models {
  const loaded = new Map<ServiceName, ServiceModel>();
  return {
    names: Object.keys(services).filter(isServiceName),
    serviceModel: (name) => {
      const known = loaded.get(name);
      if (known) return known;
      // Our own generated file: its form is checked by `npm run check`.
      const table = JSON.parse(readFileSync(new URL(`${name}.json`, folder), "utf8")) as ServiceTable;
      const model = linkService(name, table);
      loaded.set(name, model);
      return model;
    },
  };
}

const isServiceName = (name: string): name is ServiceName => Object.hasOwn(services, name);

function defaultFolder(): URL {
  const besideSources = new URL("./generated/", import.meta.url);
  return existsSync(besideSources) ? besideSources : new URL("./models/", import.meta.url);
}
