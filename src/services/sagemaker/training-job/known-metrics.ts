// Metrics that AWS finds in the log of an image without being asked: of framework images in XGBoost's alone, which is a built-in
// algorithm, too; the others' scripts print what they like, and their jobs say which lines count. XGBoost's evaluation lines, which the image's script mode prints
// too: https://docs.aws.amazon.com/sagemaker/latest/dg/xgboost-tuning.html (the names), DescribeTrainingJob's answers (the pattern).
import { repositoryOf } from "../../../lib/image-name.ts";
import type { MetricDefinition } from "../../../models/generated/sagemaker.ts";

const xgboostNames = [
  "accuracy",
  "auc",
  "aucpr",
  "balanced_accuracy",
  "error",
  "f1",
  "f1_binary",
  "f1_macro",
  "logloss",
  "mae",
  "map",
  "merror",
  "mlogloss",
  "mse",
  "ndcg",
  "precision",
  "r2",
  "recall",
  "rmse",
  "rmsle",
];

/** `[7]#011train-rmse:1.2#011validation-rmse:1.5`, where #011 is what AWS's logs show for a TAB. */
const xgboostPattern = (series: string): string =>
  String.raw`.*\[[0-9]+\].*#011${series}:([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?).*`;

const xgboost: readonly MetricDefinition[] = ["train", "validation"].flatMap((part) =>
  xgboostNames.map((name) => ({ Name: `${part}:${name}`, Regex: xgboostPattern(`${part}-${name}`) })),
);

const ofRepository: Readonly<Record<string, readonly MetricDefinition[]>> = {
  xgboost,
  "sagemaker-xgboost": xgboost,
};

/** By the image's repository name, whatever its registry and tag. */
export function knownMetrics(image: string): readonly MetricDefinition[] {
  const repository = repositoryOf(image);
  return Object.hasOwn(ofRepository, repository) ? (ofRepository[repository] ?? []) : [];
}
