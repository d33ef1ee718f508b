// Resources of all kinds, capacity, settings, and the tasks that agents report for.

export interface ResourcesTable {
  uid: string;
  kind: string;
  account: string;
  region: string;
  name: string;
  /** The create (or latest update) request, JSON. */
  spec: string;
  /** What later requests want (stopRequestedAt, …), JSON; written by handlers only, as `status` is by reconcilers only. */
  intent: string;
  /** Progress, JSON: PascalCase members are on the wire, camelCase ours. */
  status: string;
  /** [{Key, Value}], JSON. */
  tags: string;
  /** The status member (e.g. "InProgress") for filters and sorting; "" for kinds without one. */
  state: string;
  created_at: number;
  modified_at: number;
  /** Counts requests; a pass that saw an older one looks again. */
  generation: number;
  /** When a reconciler is due; null: nothing to do. */
  wake_at: number | null;
  lease_token: string | null;
  lease_until: number | null;
  /** Consecutive failed passes, for back-off. */
  failures: number;
}

export interface ReservationsTable {
  owner_uid: string;
  pool: string;
  instances: number;
  queued_at: number;
  /** null while waiting in line. */
  granted_at: number | null;
  /** Of instances that nobody uses: who may have them, as a key that the owner chose. null: they are in use. */
  retained_for: string | null;
}

/** The servers that share this database and are alive (src/engine/membership.ts). */
export interface ServersTable {
  id: string;
  /** Where it answers. */
  url: string;
  /** Grows while it is alive. */
  beats: number;
  started_at: number;
}

export interface SettingsTable {
  key: string;
  value: string;
}

export interface TasksTable {
  key: string;
  owner_uid: string;
  account: string;
  region: string;
  token: string;
  /** Highest report sequence stored. */
  sequence: number;
  /** Observed state from reports, JSON (services/sagemaker/task-reports). */
  observed: string;
  stop_requested: number;
  created_at: number;
  /** Of an endpoint's instance, which is paid for by its own time; null: its job is. */
  instance_type: string | null;
}
