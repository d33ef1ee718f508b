// What every bench answers: rows of a figure beside its peer's, in the same run, and the ratio that was asked for.

export interface BenchRow {
  readonly what: string;
  /** e.g. "6,812 /s" */
  readonly ours: string;
  /** e.g. "209 /s (moto_server 5.2.1)"; empty where the figure stands alone. */
  readonly peer: string;
  /** e.g. "32.6×" */
  readonly ratio: string;
  /** The bar, e.g. "≥ 30×". */
  readonly goal: string;
  readonly isMet: boolean | undefined;
}

export function printTable(title: string, rows: readonly BenchRow[]): void {
  const cells = [
    ["what", "Salvia", "peer", "ratio", "goal", ""],
    ...rows.map((row) => [row.what, row.ours, row.peer, row.ratio, row.goal, verdict(row.isMet)]),
  ];
  const widths = cells[0]?.map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0))) ?? [];
  process.stdout.write(`\n${title}\n`);
  for (const line of cells) {
    process.stdout.write(
      `  ${line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd()}\n`,
    );
  }
}

const verdict = (isMet: boolean | undefined): string => (isMet === undefined ? "" : isMet ? "met" : "MISSED");

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? Number.NaN)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
};
