// How many lines to read at a time: a line may be 26 bytes or 256 KB, and a batch of either must fit into memory.

/** As long as nothing is known of the lines: 16 MB at the worst. */
export const firstBatchRows = 64;

/** As many as have `targetBytes` together if they are like those of the last batch; at most twice as many as those. */
export function nextBatchRows(
  last: readonly { readonly message: string }[],
  targetBytes: number,
  most: number,
): number {
  const characters = last.reduce((sum, { message }) => sum + message.length, 0);
  const fitting = Math.floor((targetBytes * last.length) / Math.max(1, characters));
  return Math.max(1, Math.min(fitting, last.length * 2, most));
}
