// k-means' hyperparameters, checked and typed: what kmeans.algorithm.ts declares.

export interface KMeansValues {
  readonly k: number;
  readonly feature_dim: number;
  readonly mini_batch_size: number;
  readonly epochs: number;
  readonly init_method: "random" | "kmeans++";
  readonly extra_center_factor: number | "auto";
  readonly half_life_time_size: number;
  readonly local_lloyd_init_method: "random" | "kmeans++";
  readonly local_lloyd_max_iter: number;
  readonly local_lloyd_num_trials: number | "auto";
  readonly local_lloyd_tol: number;
  readonly eval_metrics: readonly ("msd" | "ssd")[];
  readonly force_dense: boolean;
}
