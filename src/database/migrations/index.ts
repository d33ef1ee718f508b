// Every migration in order; a released one is never edited.
import type { Kysely } from "kysely";
import type { Tables } from "../tables.ts";
import { core } from "./0001-core.ts";
import { objects } from "./0002-objects.ts";
import { logs } from "./0003-logs.ts";
import { metrics } from "./0004-metrics.ts";
import { identity } from "./0005-identity.ts";
import { objectVersions } from "./0006-object-versions.ts";
import { smallBlobs } from "./0007-small-blobs.ts";
import { servers } from "./0008-servers.ts";
import { principals } from "./0009-principals.ts";
import { listing } from "./0010-listing.ts";
import { objectEvents } from "./0011-object-events.ts";
import { images } from "./0012-images.ts";
import { alarms } from "./0013-alarms.ts";
import { accessLists } from "./0014-access-lists.ts";
import { warmPools } from "./0016-warm-pools.ts";
import { charges } from "./0017-charges.ts";
import { chargesOfPools } from "./0018-charges-of-pools.ts";

export interface Migration {
  readonly name: string;
  up(db: Kysely<Tables>): Promise<void>;
}

export const migrations: readonly Migration[] = [
  core,
  objects,
  logs,
  metrics,
  identity,
  objectVersions,
  smallBlobs,
  servers,
  principals,
  listing,
  objectEvents,
  images,
  alarms,
  accessLists,
  warmPools,
  charges,
  chargesOfPools,
];
