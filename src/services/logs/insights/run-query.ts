// Runs a query over the lines of log groups, newest first, a slice at a time, so that everybody else gets their turn.
import { setImmediate as turnOfTheLoop } from "node:timers/promises";
import type { Reader } from "../../../database/store.ts";
import { eventId } from "../event-place.ts";
import { scanGroup } from "../event-scan.ts";
import type { LogGroupRow } from "../groups.ts";
import { retentionFloor } from "../groups.ts";
import type { LogEventRow, TimeWindow } from "../stream-events.ts";
import { LogLine } from "./log-line.ts";
import { mergeGroups } from "./merge-groups.ts";
import { maxRows, parseQuery, type Command } from "./parse-query.ts";
import { chain, type Row, type Stage } from "./stages.ts";
import { textOf } from "./values.ts";

const maxResultCharacters = 8_000_000;

export interface ResultField {
  readonly field: string;
  readonly value: string;
}

export interface QueryProgress {
  recordsMatched: number;
  recordsScanned: number;
  bytesScanned: number;
}

export interface QueryRun {
  readonly groups: readonly LogGroupRow[];
  readonly window: TimeWindow;
  readonly query: string;
  readonly limit: number;
  readonly now: Date;
  /** Updated while it runs. */
  readonly progress: QueryProgress;
  /** Asked now and then; true ends the run with what there is. */
  isStopped(): Promise<boolean>;
}

/** Resolves to the rows of the result. Throws QueryError before it reads anything. */
export async function runQuery(reader: Reader, run: QueryRun): Promise<readonly (readonly ResultField[])[]> {
  const commands = parseQuery(run.query);
  const rows: Row[] = [];
  const limit = commands.some(({ kind }) => kind === "limit") ? maxRows : run.limit;
  const first = counting(commands, collecting(rows, limit), run.progress);
  await feed(reader, run, first);
  first.end();
  const columns = columnsOf(commands);
  return shownRows(rows, columns);
}

function collecting(rows: Row[], limit: number): Stage {
  return {
    push: (row) => {
      if (rows.length < limit) rows.push(row);
      return rows.length < limit;
    },
    end: () => {},
  };
}

/** Lines that pass every filter before the first command that needs many of them count as matched. */
function counting(commands: readonly Command[], end: Stage, progress: QueryProgress): Stage {
  const many = commands.findIndex(({ kind }) => ["stats", "sort", "limit", "dedup"].includes(kind));
  const before = many < 0 ? commands : commands.slice(0, many);
  const filters = before.findLastIndex(({ kind }) => kind === "filter") + 1;
  const rest = chain(commands.slice(filters), end);
  const counted: Stage = {
    push: (row) => {
      progress.recordsMatched++;
      return rest.push(row);
    },
    end: () => rest.end(),
  };
  return chain(commands.slice(0, filters), counted);
}

/** Until the lines end, the stages have enough, or the run is stopped. */
async function feed(reader: Reader, run: QueryRun, stage: Stage): Promise<void> {
  const groups = new Map(run.groups.map((group) => [group.id, group]));
  const names = new Map<number, string>();
  const scans = run.groups.map((group) => {
    const window = { ...run.window, from: Math.max(run.window.from, retentionFloor(group, run.now)) };
    return scanGroup(reader, { groupId: group.id, window, cut: undefined, isForward: false });
  });
  for await (const slice of mergeGroups(scans)) {
    await nameStreams(reader, slice, names);
    for (const row of slice) {
      run.progress.recordsScanned++;
      run.progress.bytesScanned += row.message.length;
      const group = groups.get(row.group_id);
      const line = new LogLine(row, () => ({
        logGroup: group ? `${group.account}:${group.name}` : "",
        logStream: names.get(row.stream_id) ?? "",
        pointer: eventId(row.stream_id, row),
      }));
      if (!stage.push(line)) return;
    }
    await turnOfTheLoop();
    if (await run.isStopped()) return;
  }
}

async function nameStreams(reader: Reader, batch: readonly LogEventRow[], names: Map<number, string>): Promise<void> {
  const unknown = [...new Set(batch.map((row) => row.stream_id))].filter((id) => !names.has(id));
  if (unknown.length === 0) return;
  const rows = await reader.selectFrom("log_streams").select(["id", "name"]).where("id", "in", unknown).execute();
  for (const { id, name } of rows) names.set(id, name);
}

interface Columns {
  readonly names: readonly string[];
  /** A row that stats made stands for no single line. */
  readonly areLines: boolean;
}

/** What the last display names; else what stats, fields and parse made; else time and message. */
function columnsOf(commands: readonly Command[]): Columns {
  let names: string[] = [];
  let areLines = true;
  for (const command of commands) {
    if (command.kind === "stats") {
      names = [...command.by, ...command.columns].map(({ name }) => name);
      areLines = false;
    } else if (command.kind === "display") names = command.columns.map(({ name }) => name);
    else if (command.kind === "fields") names.push(...command.columns.map(({ name }) => name));
    else if (command.kind === "parse") names.push(...command.names);
  }
  if (names.length === 0) names = ["@timestamp", "@message"];
  return { names: [...new Set(names)], areLines };
}

/** A result is one value of a row in the database and one answer: what is beyond the bound is left out, as beyond the limit. */
function shownRows(rows: readonly Row[], columns: Columns): readonly (readonly ResultField[])[] {
  const shown: (readonly ResultField[])[] = [];
  let characters = 0;
  for (const row of rows) {
    const fields = shownRow(row, columns);
    characters += fields.reduce((sum, { field, value }) => sum + field.length + value.length, 0);
    if (characters > maxResultCharacters && shown.length > 0) break;
    shown.push(fields);
  }
  return shown;
}

function shownRow(row: Row, { names, areLines }: Columns): readonly ResultField[] {
  const shown = areLines && !names.includes("@ptr") ? [...names, "@ptr"] : names;
  return shown.flatMap((field) => {
    const value = textOf(row.get(field));
    return value === undefined ? [] : [{ field, value }];
  });
}
