// Front door of ECR: the API's operations, docker's registry on /v2/, and how the rest of Salvia finds images.
// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_Operations.html
import { settingOrMade } from "../../database/settings.ts";
import type { Store } from "../../database/store.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Log } from "../../lib/log.ts";
import type { Random } from "../../lib/random.ts";
import type { Models } from "../../models/index.ts";
import type { BlobStorage } from "../../storage/storage.ts";
import { defineService, type HttpRoute, type Operation, type Service } from "../service.ts";
import type { EcrContext } from "./context.ts";
import { collectLayers } from "./core/garbage.ts";
import { Layers } from "./core/layers.ts";
import { Tickets } from "./core/tickets.ts";
import { createImages, type Images, type ImagesParts } from "./images.ts";
import { imageOperations } from "./operations/images.ts";
import { sweepLifecycle } from "./lifecycle/sweep-lifecycle.ts";
import { layerOperations } from "./operations/layers.ts";
import { lifecyclePreviewOperations } from "./operations/lifecycle-preview.ts";
import { registryOperations } from "./operations/registry.ts";
import { repositoryOperations } from "./operations/repositories.ts";
import { repositorySettingOperations } from "./operations/repository-settings.ts";
import type { CallersParts } from "./registry/callers.ts";
import { registryRoute } from "./registry/registry.ts";

export type { FoundImage, Images } from "./images.ts";
export { repositoryPolicyOf } from "./core/repositories.ts";

const operations: readonly Operation<EcrContext>[] = [
  ...repositoryOperations,
  ...repositorySettingOperations,
  ...lifecyclePreviewOperations,
  ...imageOperations,
  ...layerOperations,
  ...registryOperations,
];

export interface EcrParts {
  readonly store: Store;
  readonly storage: BlobStorage;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly models: Models;
  readonly authorise: CallersParts["authorise"];
  readonly roles: ImagesParts["roles"];
  /** http://HOST:PORT, once the server listens. */
  readonly serverUrl: () => string;
}

export interface Ecr {
  readonly service: Service;
  readonly routes: readonly HttpRoute[];
  readonly images: Images;
  /** Ends uploads that stopped and lets go of layers that nobody needs; S3's collector removes their bytes. Every minute or so. */
  collectGarbage(now: Date): Promise<void>;
  /** Deletes what the lifecycle policies of repositories want gone. Hourly. */
  sweepLifecycle(now: Date): Promise<void>;
}

/** Resolves once the key of logins is there. */
export async function createEcr(parts: EcrParts): Promise<Ecr> {
  const { store, clock, random, log, serverUrl } = parts;
  const key = await settingOrMade(store, "ecr/ticket-key", () => random.bytes(32).toString("base64"));
  const tickets = new Tickets(Buffer.from(key, "base64"), { clock, random });
  const layers = new Layers(parts);
  const { operations: models } = parts.models.serviceModel("ecr");
  return {
    service: defineService<EcrContext>("ecr", operations, { layers, tickets, serverUrl }),
    routes: [registryRoute({ ...parts, layers, tickets, operations: models })],
    images: createImages({ store, tickets, serverUrl, roles: parts.roles }),
    collectGarbage: async (now) => {
      const count = await collectLayers(store, now);
      if (count > 0) log.debug("layers without a repository let go", { count });
    },
    sweepLifecycle: async (now) => {
      const count = await sweepLifecycle(store, now);
      if (count > 0) log.info("images removed by lifecycle policies", { count });
    },
  };
}
