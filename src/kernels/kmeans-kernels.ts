// The type that k-means' fast kernels and their plain reference share.

/** Columns of centroids that the kernels take at once: three vectors of four float32. */
export const panelWidth = 12;

export const panelsFor = (centroidCount: number): number => Math.ceil(centroidCount / panelWidth);

/**
 * Every address is a byte offset into one memory, every count a number of elements.
 *
 * panels: centroids packed for streaming, panel after panel, each `width` × 12 float32 (feature-major).
 * norms: |c|² of each packed column, +Infinity for columns beyond the last centroid.
 * nearest: uint32 per row. scores: float32 per row, the least |c|² − 2 x·c; adding |x|² gives the squared distance.
 * Sparse rows: row r's values and its uint32 indices stand from element starts[r], lengths[r] of them.
 */
export interface KMeansKernels {
  nearestDense(
    rows: number,
    rowCount: number,
    width: number,
    panels: number,
    norms: number,
    panelCount: number,
    nearest: number,
    scores: number,
  ): void;
  nearestSparse(
    values: number,
    indices: number,
    starts: number,
    lengths: number,
    rowCount: number,
    width: number,
    panels: number,
    norms: number,
    panelCount: number,
    nearest: number,
    scores: number,
  ): void;
  /** sums[c] += row and members[c] += 1 for each row's nearest c; sums are float32, `width` per centroid. */
  sumDense(rows: number, rowCount: number, width: number, nearest: number, sums: number, members: number): void;
  sumSparse(
    values: number,
    indices: number,
    starts: number,
    lengths: number,
    rowCount: number,
    width: number,
    nearest: number,
    sums: number,
    members: number,
  ): void;
  /**
   * Packs the non-zero values of dense rows, in place and row after row from element `to` on, with their indices, starts
   * and lengths; returns where the next row goes. `to` may not lie beyond the first row's own place.
   */
  compressRows(
    rows: number,
    indices: number,
    starts: number,
    lengths: number,
    firstRow: number,
    rowCount: number,
    width: number,
    to: number,
  ): number;
}
