"""The hyperparameters of XGBoost in its algorithm mode: which there are and what values they take. XGBoost's own rules come on top."""
from salvia.errors import UserError

INF = float("inf")
# name: (type, lowest, highest). "(" and ")" stand for a bound that is not itself allowed.
_numbers = {
    "num_round": (int, "[", 1, INF, "]"),
    "csv_weights": (int, "[", 0, 1, "]"),
    "early_stopping_rounds": (int, "[", 1, INF, "]"),
    "verbosity": (int, "[", 0, 3, "]"),
    "nthread": (int, "[", 1, INF, "]"),
    "eta": (float, "[", 0, 1, "]"),
    "gamma": (float, "[", 0, INF, "]"),
    "max_depth": (int, "[", 0, INF, "]"),
    "min_child_weight": (float, "[", 0, INF, "]"),
    "max_delta_step": (float, "[", 0, INF, "]"),
    "subsample": (float, "(", 0, 1, "]"),
    "colsample_bytree": (float, "(", 0, 1, "]"),
    "colsample_bylevel": (float, "(", 0, 1, "]"),
    "colsample_bynode": (float, "(", 0, 1, "]"),
    "lambda": (float, "[", 0, INF, "]"),
    "alpha": (float, "[", 0, INF, "]"),
    "sketch_eps": (float, "(", 0, 1, ")"),
    "scale_pos_weight": (float, "(", 0, INF, "]"),
    "refresh_leaf": (int, "[", 0, 1, "]"),
    "max_leaves": (int, "[", 0, INF, "]"),
    "max_bin": (int, "[", 0, INF, "]"),
    "rate_drop": (float, "[", 0, 1, "]"),
    "one_drop": (int, "[", 0, 1, "]"),
    "skip_drop": (float, "[", 0, 1, "]"),
    "lambda_bias": (float, "[", 0, 1, "]"),
    "tweedie_variance_power": (float, "(", 1, 2, ")"),
    "num_class": (int, "[", 2, INF, "]"),
    "base_score": (float, "[", 0, INF, "]"),
    "seed": (int, "(", -(2**31), 2**31 - 1, ")"),
    "num_parallel_tree": (int, "[", 1, INF, "]"),
    "aft_loss_distribution_scale": (float, "(", 0, INF, "]"),
    "huber_slope": (float, "(", 0, INF, "]"),
    "max_cat_to_onehot": (int, "[", 1, INF, "]"),
    "max_cat_threshold": (int, "[", 1, INF, "]"),
}

_choices = {
    "booster": ("gbtree", "gblinear", "dart"),
    "tree_method": ("auto", "exact", "approx", "hist", "gpu_hist"),
    "dsplit": ("row", "col"),
    "process_type": ("default", "update"),
    "grow_policy": ("depthwise", "lossguide"),
    "predictor": ("auto", "cpu_predictor", "gpu_predictor"),
    "sample_type": ("uniform", "weighted"),
    "normalize_type": ("tree", "forest"),
    "aft_loss_distribution": ("normal", "logistic", "extreme"),
    "save_model_on_termination": ("true", "false"),
    "deterministic_histogram": ("true", "false"),
    "single_precision_histogram": ("true", "false"),
    "sampling_method": ("uniform", "gradient_based"),
    "device": ("cpu", "cuda", "gpu"),
    "objective": (
        "binary:logistic", "binary:logitraw", "binary:hinge", "count:poisson", "multi:softmax", "multi:softprob",
        "rank:pairwise", "rank:ndcg", "rank:map", "reg:linear", "reg:squarederror", "reg:logistic", "reg:gamma",
        "reg:pseudohubererror", "reg:squaredlogerror", "reg:absoluteerror", "reg:tweedie", "survival:aft", "survival:cox",
    ),
}

_texts = ("eval_metric", "updater", "monotone_constraints", "interaction_constraints")
# Of old releases, without effect since; and what is not done here.
_ignored = ("silent", "use_dask_gpu_training")
_dropped = ("dsplit", "sketch_eps", "lambda_bias")
_missing = ("_kfold", "_num_cv_round")


def _number(name, value):
    kind, opening, low, high, closing = _numbers[name]
    said = "an integer" if kind is int else "a number"
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if not abs(number) < INF or (kind is int and number != int(number)):
        raise UserError(f"ClientError: Hyperparameter {name}: {value} is not {said}")
    too_low = number < low or (opening == "(" and number == low)
    too_high = number > high or (closing == ")" and number == high)
    if too_low or too_high:
        raise UserError(f"ClientError: Hyperparameter {name}: {value} is not in {opening}{low}, {high}{closing}")
    return kind(number)


def _choice(name, value):
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if text not in _choices[name]:
        raise UserError(f"ClientError: Hyperparameter {name}: {value} is none of {', '.join(_choices[name])}")
    return text


def _plain_text(value):
    if isinstance(value, list):
        return str(value) if any(isinstance(part, list) for part in value) else ",".join(map(str, value))
    return str(value)


def _checked(name, value):
    if name in _numbers:
        return _number(name, value)
    if name in _choices:
        return _choice(name, value)
    if name in _missing:
        raise UserError(f"ClientError: Hyperparameter {name}: cross validation inside of a job is not implemented")
    if name in _texts:
        return _plain_text(value)
    raise UserError(f"ClientError: Extraneous hyperparameter found: {name}")


def check(given):
    """Name → value of its type, for xgboost.train and the runner of this mode. Raises UserError for what cannot be used."""
    used = {name: value for name, value in given.items() if name not in _ignored}
    found = {name: _checked(name, value) for name, value in used.items() if value != ""}
    if "num_round" not in found:
        raise UserError("ClientError: The hyperparameter num_round is required")
    if found.get("objective") in ("multi:softmax", "multi:softprob") and "num_class" not in found:
        raise UserError("ClientError: Require input for parameter 'num_class' for multi-classification")
    if found.get("objective") == "reg:linear":
        found["objective"] = "reg:squarederror"
    return {name: value for name, value in found.items() if name not in _dropped}
