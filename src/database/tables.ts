// Every table, by the file that owns it. Times are milliseconds since 1970 (INTEGER); JSON is TEXT.
import type { ResourcesTable, ReservationsTable, ServersTable, SettingsTable, TasksTable } from "./tables/core.ts";
import type { ChargesTable } from "./tables/charges.ts";
import type { ObjectTables } from "./tables/objects.ts";
import type { LogTables } from "./tables/logs.ts";
import type { MetricTables } from "./tables/metrics.ts";
import type { IdentityTables } from "./tables/identity.ts";
import type { ImageTables } from "./tables/images.ts";

export interface Tables extends ObjectTables, LogTables, MetricTables, IdentityTables, ImageTables {
  resources: ResourcesTable;
  reservations: ReservationsTable;
  servers: ServersTable;
  settings: SettingsTable;
  tasks: TasksTable;
  charges: ChargesTable;
}
