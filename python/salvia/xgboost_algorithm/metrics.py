"""Evaluation metrics that SageMaker's XGBoost knows beside the library's own, from scikit-learn, and the line of each round."""
import numpy as np
import xgboost

from salvia.errors import UserError


def _classes(predicted):
    """Of probabilities: one column is the probability of class 1."""
    return predicted.argmax(axis=1) if predicted.ndim == 2 else np.rint(predicted)


def _scores():
    from sklearn import metrics as sk

    def of_classes(score, **more):
        return lambda labels, predicted: score(labels, _classes(predicted), **more)

    kinds = {f"{name}{end}": of_classes(score, average=average, zero_division=0)
             for name, score in (("precision", sk.precision_score), ("recall", sk.recall_score))
             for end, average in (("", "binary"), ("_macro", "macro"), ("_micro", "micro"))}
    return {
        **kinds,
        "accuracy": of_classes(sk.accuracy_score),
        "balanced_accuracy": of_classes(sk.balanced_accuracy_score),
        "f1": of_classes(sk.f1_score, average="macro"),
        "f1_binary": of_classes(sk.f1_score, average="binary"),
        "f1_macro": of_classes(sk.f1_score, average="macro"),
        "mse": sk.mean_squared_error,
        "r2": sk.r2_score,
    }


_of_library = (
    "rmse", "rmsle", "mae", "mape", "mphe", "logloss", "error", "merror", "mlogloss", "auc", "aucpr", "ndcg", "map", "pre",
    "poisson-nloglik", "gamma-nloglik", "cox-nloglik", "gamma-deviance", "tweedie-nloglik", "aft-nloglik",
    "interval-regression-accuracy",
)

_larger_is_better = ("accuracy", "auc", "aucpr", "f1", "map", "ndcg", "pre", "precision", "recall", "r2", "balanced_accuracy")


def is_larger_better(name):
    bare = name.partition("@")[0]
    return any(bare == known or bare.startswith(f"{known}_") for known in _larger_is_better)


class Metrics:
    """What is asked for: `library` for XGBoost's eval_metric, `own` for custom_metric."""

    def __init__(self, eval_metric, objective_metric):
        names = [name.strip() for name in (eval_metric or "").strip("[]").replace('"', "").replace("'", "").split(",") if name.strip()]
        tuned = str(objective_metric).partition(":")[2] if objective_metric else ""
        if tuned and tuned not in names:
            names.append(tuned)
        scores = _scores() if names else {}
        self.own = [name for name in names if name in scores]
        self.library = [name for name in names if name not in scores]
        self.last = names[-1] if names else None
        self._scores = {name: scores[name] for name in self.own}
        for name in self.library:
            if name.partition("@")[0].rstrip("-") not in _of_library and not name.startswith("tweedie-nloglik@"):
                raise UserError(f"ClientError: Hyperparameter eval_metric: {name} is no metric of XGBoost")

    def custom(self, predicted, matrix):
        """xgboost.train's custom_metric."""
        labels = matrix.get_label()
        return [(name, float(score(labels, predicted))) for name, score in self._scores.items()]


class InOrder(xgboost.callback.TrainingCallback):
    """Callbacks one after the other, all of them: XGBoost itself takes any order and leaves the rest out once one says stop."""

    def __init__(self, callbacks):
        super().__init__()
        self._callbacks = callbacks

    def before_training(self, model):
        for each in self._callbacks:
            model = each.before_training(model)
        return model

    def before_iteration(self, model, epoch, evals_log):
        return any([each.before_iteration(model, epoch, evals_log) for each in self._callbacks])

    def after_iteration(self, model, epoch, evals_log):
        return any([each.after_iteration(model, epoch, evals_log) for each in self._callbacks])

    def after_training(self, model):
        for each in self._callbacks:
            model = each.after_training(model)
        return model


class RoundLines(xgboost.callback.TrainingCallback):
    """`[7]\\ttrain-rmse:1.2\\tvalidation-rmse:1.5`, from which the platform reads the metrics."""

    def __init__(self, first_round):
        super().__init__()
        self._first_round = first_round

    def after_iteration(self, model, epoch, evals_log):
        parts = [f"{part}-{name}:{values[-1]:.5f}" for part, log in evals_log.items() for name, values in log.items()]
        print("\t".join([f"[{epoch + self._first_round}]", *parts]), flush=True)
        return False
