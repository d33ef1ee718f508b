import { sql } from "kysely";
import type { Migration } from "./index.ts";

const statements = [
  `create table metric_series (
    id bigint primary key, account text not null, region text not null, namespace text not null, name text not null,
    dimensions text not null, last_put_at bigint not null)`,
  `create unique index metric_series_by_name on metric_series (account, region, namespace, name, dimensions)`,
  `create table metric_points (
    series_id bigint not null, at bigint not null, unit text not null, sample_count double precision not null,
    sum double precision not null, minimum double precision not null, maximum double precision not null)`,
  `create index metric_points_by_time on metric_points (series_id, at)`,
];

export const metrics: Migration = {
  name: "0004-metrics",
  up: async (db) => {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};
