"""Trains XGBoost on the channels train and validation, on one instance or on several together."""
import json
import os
import re
import signal
import warnings

import xgboost

from salvia.environment import base
from salvia.errors import UserError
from salvia.xgboost_algorithm.data import format_of, matrix_of_channel
from salvia.xgboost_algorithm.distributed import together
from salvia.xgboost_algorithm.hyperparameters import check
from salvia.xgboost_algorithm.metrics import InOrder, Metrics, RoundLines, is_larger_better

MODEL_NAME = "xgboost-model"
CHECKPOINTS_KEPT = 5
_own = ("num_round", "csv_weights", "early_stopping_rounds", "eval_metric", "save_model_on_termination")


def _channel(training, name):
    channel = training.channels.get(name)
    return None if channel is None else {"type": channel.get("ContentType"), "is_pipe": channel.get("TrainingInputMode") == "Pipe"}


def _matrices(training, hyperparameters):
    """(train, validation or None)."""
    train, validation = _channel(training, "train"), _channel(training, "validation")
    if train is None:
        raise UserError("ClientError: Missing required channels: train")
    has_weights = hyperparameters.get("csv_weights") == 1
    rows = matrix_of_channel("train", format_of(train["type"]), train["is_pipe"], has_weights)
    if rows is None:
        raise UserError(f"ClientError: No data in training channel path {base('input', 'data', 'train')}")
    if validation is None:
        return rows, None
    held_out = matrix_of_channel("validation", format_of(validation["type"]), validation["is_pipe"], has_weights)
    if held_out is None:
        raise UserError(f"ClientError: No data in validation channel path {base('input', 'data', 'validation')}")
    return rows, held_out


class _Stop(xgboost.callback.TrainingCallback):
    """SIGTERM ends the training after its round; the model is saved if the job asks for that."""

    def __init__(self):
        super().__init__()
        self.is_asked = False
        signal.signal(signal.SIGTERM, self._ask)

    def _ask(self, _number, _frame):
        self.is_asked = True

    def after_iteration(self, model, epoch, evals_log):
        return self.is_asked


def _rounds_in(name):
    found = re.fullmatch(r"xgboost-checkpoint\.(\d+)", name)
    return None if found is None else int(found.group(1))


class _Checkpoints(xgboost.callback.TrainingCallback):
    """`xgboost-checkpoint.N` after round N in the folder that the platform syncs; the newest few stay."""

    def __init__(self, folder, first_round):
        super().__init__()
        self._folder, self._first_round = folder, first_round

    def after_iteration(self, model, epoch, evals_log):
        at = epoch + self._first_round
        path = os.path.join(self._folder, f"xgboost-checkpoint.{at}")
        save(model, f"{path}.tmp")
        os.replace(f"{path}.tmp", path)
        old = os.path.join(self._folder, f"xgboost-checkpoint.{at - CHECKPOINTS_KEPT}")
        if os.path.exists(old):
            os.remove(old)
        return False


def _checkpoint_folder():
    try:
        with open(base("input", "config", "checkpointconfig.json"), encoding="utf8") as file:
            folder = json.load(file).get("LocalPath")
    except (OSError, ValueError):
        return None
    if folder:
        os.makedirs(folder, exist_ok=True)
    return folder


def _last_checkpoint(folder):
    """(path or None, rounds done)."""
    known = [(_rounds_in(name), name) for name in (os.listdir(folder) if folder else [])]
    done = max(((number, name) for number, name in known if number is not None), default=None)
    return (None, 0) if done is None else (os.path.join(folder, done[1]), done[0] + 1)


def save(model, path):
    with warnings.catch_warnings():
        # The name without an ending is SageMaker's; XGBoost says that it has to guess the format.
        warnings.simplefilter("ignore")
        model.save_model(path)


def _train(hyperparameters, objective_metric, rows, held_out, is_master):
    metrics = Metrics(hyperparameters.get("eval_metric"), objective_metric)
    parameters = {name: value for name, value in hyperparameters.items() if name not in _own}
    if metrics.library:
        parameters["eval_metric"] = metrics.library
    elif metrics.own:
        parameters["disable_default_eval_metric"] = 1
    folder = _checkpoint_folder()
    start, done = _last_checkpoint(folder)
    if start is not None:
        print(f"Checkpoint loaded from {start}; resuming from round {done}", flush=True)
    stop = _Stop()
    callbacks = [RoundLines(done), stop]
    if folder is not None and is_master:
        callbacks.append(_Checkpoints(folder, done))
    early = hyperparameters.get("early_stopping_rounds")
    if early is not None:
        callbacks.append(xgboost.callback.EarlyStopping(early, maximize=is_larger_better(metrics.last) if metrics.last else None))
    watched = [(rows, "train")] + ([] if held_out is None else [(held_out, "validation")])
    # XGBoost 1.5 has only feval, which is given margins: there the metrics from scikit-learn are of them.
    name = "feval" if xgboost.__version__.startswith("1.5.") else "custom_metric"
    custom = {name: metrics.custom} if metrics.own else {}
    try:
        model = xgboost.train(
            parameters, rows, max(hyperparameters["num_round"] - done, 0), evals=watched, callbacks=[InOrder(callbacks)],
            verbose_eval=False, xgb_model=start, **custom,
        )
    except (xgboost.core.XGBoostError, ValueError) as error:
        said = str(error).strip()
        said = re.sub(r"\nStack trace:.*", "", said, flags=re.DOTALL)
        raise UserError(f"ClientError: XGBoost cannot train: {said}") from error
    if stop.is_asked and hyperparameters.get("save_model_on_termination") != "true":
        print("Stopped; no model is saved (save_model_on_termination)", flush=True)
        return
    if is_master:
        os.makedirs(base("model"), exist_ok=True)
        save(model, base("model", MODEL_NAME))


def run(training):
    """Raises UserError for what the user has to change."""
    print(f"Running XGBoost {xgboost.__version__} in algorithm mode", flush=True)
    hyperparameters = check(training.hyperparameters)
    objective_metric = training.settings.get("_tuning_objective_metric")
    rows, held_out = _matrices(training, hyperparameters)
    print(f"Train matrix has {rows.num_row()} rows and {rows.num_col()} columns", flush=True)
    if held_out is not None:
        print(f"Validation matrix has {held_out.num_row()} rows", flush=True)
    with together(training.hosts, training.host):
        _train(hyperparameters, objective_metric, rows, held_out, training.host == training.hosts[0])
