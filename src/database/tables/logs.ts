// Log groups, streams and their lines (services/logs). Identifiers are random 52-bit numbers, so that a stream that is
// deleted and made again shares nothing with the old one.

export interface LogGroupsTable {
  id: number;
  account: string;
  region: string;
  name: string;
  created_at: number;
  retention_days: number | null;
  log_group_class: string;
  is_protected: number;
  /** {key: value}, JSON. */
  tags: string;
}

export interface LogStreamsTable {
  id: number;
  group_id: number;
  name: string;
  created_at: number;
  /** null until the first line. */
  first_event_at: number | null;
  /** 0 until the first line, so that streams sort by it. */
  last_event_at: number;
  ingested_at: number | null;
  stored_bytes: number;
  /** Of the next line: 1, 2, 3 … per stream. */
  next_sequence: number;
}

/** One row a line. A line's place is (at, stream_id, sequence): time first, then the order of arrival. */
export interface LogEventsTable {
  group_id: number;
  stream_id: number;
  at: number;
  sequence: number;
  ingested_at: number;
  message: string;
}

/** Streams that are gone and whose lines the sweeper still removes. */
export interface LogGarbageTable {
  stream_id: number;
}

export interface LogTables {
  log_groups: LogGroupsTable;
  log_streams: LogStreamsTable;
  log_events: LogEventsTable;
  log_garbage: LogGarbageTable;
}
