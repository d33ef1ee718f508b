// SageMaker's k-means: its hyperparameters, metrics and wire names.
// https://docs.aws.amazon.com/sagemaker/latest/dg/k-means-api-config.html
import { defineAlgorithm } from "../algorithm.ts";
import { boolean, choice, integer, integerOrAuto, jsonList, real } from "../hyperparameters.ts";
import { createPredictor, readModel } from "./kmeans-model.ts";
import { trainKMeans } from "./train-kmeans.ts";

const contentTypes = ["application/x-recordio-protobuf", "text/csv"];

export const kMeans = defineAlgorithm({
  name: "kmeans",
  title: "k-means",
  images: ["kmeans"],
  hyperparameters: {
    k: integer({ min: 1 }),
    feature_dim: integer({ min: 1 }),
    mini_batch_size: integer({ min: 1, fallback: 5_000 }),
    epochs: integer({ min: 1, fallback: 1 }),
    init_method: choice("random", "kmeans++"),
    extra_center_factor: integerOrAuto({ min: 1 }),
    half_life_time_size: integer({ min: 0, fallback: 0 }),
    local_lloyd_init_method: choice("kmeans++", "random"),
    local_lloyd_max_iter: integer({ min: 1, fallback: 300 }),
    local_lloyd_num_trials: integerOrAuto({ min: 1 }),
    local_lloyd_tol: real({ min: 0, max: 1, fallback: 0.0001 }),
    eval_metrics: jsonList(["msd", "ssd"], ["msd"]),
    force_dense: boolean(false),
  },
  metrics: [
    { Name: "test:msd", Regex: "#quality_metric: host=\\S+, test msd <loss>=(\\S+)" },
    { Name: "test:ssd", Regex: "#quality_metric: host=\\S+, test ssd <loss>=(\\S+)" },
  ],
  channels: [
    { name: "train", isRequired: true, contentTypes },
    { name: "test", isRequired: false, contentTypes },
  ],
  supportsSeveralInstances: true,
  answerKey: "predictions",
  train: trainKMeans,
  load: async (modelFolder) => createPredictor(await readModel(modelFolder)),
});
