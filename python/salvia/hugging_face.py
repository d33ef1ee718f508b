"""Serves a Transformers model without a script: a pipeline for HF_TASK, or for what the model's architecture is for
(sagemaker-huggingface-inference-toolkit)."""
import csv
import io
import json
import os

from salvia.content import CSV, JSON, UnsupportedType, plain
from salvia.errors import BadRequest, UserError

# By the end of the architecture's name in config.json; the first that fits.
TASKS = (
    ("TapasForQuestionAnswering", "table-question-answering"),
    ("ForQuestionAnswering", "question-answering"),
    ("ForTokenClassification", "token-classification"),
    ("ForSequenceClassification", "text-classification"),
    ("ForMaskedLM", "fill-mask"),
    ("ForCausalLM", "text-generation"),
    ("LMHeadModel", "text-generation"),
    ("ForConditionalGeneration", "text2text-generation"),
    ("MTModel", "text2text-generation"),
    ("EncoderDecoderModel", "text2text-generation"),
)
QUESTION_COLUMNS = ("question", "context")


def _task_of(folder):
    if os.environ.get("HF_TASK"):
        return os.environ["HF_TASK"]
    try:
        with open(os.path.join(folder, "config.json"), encoding="utf8") as file:
            architectures = json.load(file).get("architectures") or []
    except FileNotFoundError as error:
        raise UserError("There is no config.json in the model, HF_TASK is not set, and the script has no model_fn.") from error
    for architecture in architectures:
        for ending, task in TASKS:
            if architecture.endswith(ending):
                return task
    raise UserError(f"The task of a model of the architecture {', '.join(architectures) or '(none)'} is not known: set HF_TASK.")


def load(folder):
    """The pipeline of the model in the folder, or of HF_MODEL_ID where there is none."""
    from transformers import pipeline

    has_model = any(name.endswith((".bin", ".safetensors", "config.json")) for name in os.listdir(folder))
    name = os.environ.get("HF_MODEL_ID")
    if not has_model and name:
        task = os.environ.get("HF_TASK")
        return pipeline(task=task, model=name) if task else pipeline(model=name)
    return pipeline(task=_task_of(folder), model=folder, tokenizer=folder)


def _rows_of(text):
    """CSV with a header: `inputs`, or `question` and `context`."""
    rows = list(csv.DictReader(io.StringIO(text)))
    names = set(rows[0]) if rows else set()
    if names == {"inputs"}:
        return {"inputs": [row["inputs"] for row in rows]}
    if names == set(QUESTION_COLUMNS):
        return {"inputs": rows}
    raise BadRequest("A CSV body has a header with the column inputs, or with question and context.")


def decode(body, content_type):
    """The request as a dict with `inputs` and, perhaps, `parameters`. Raises BadRequest, UnsupportedType."""
    kind = plain(content_type)
    text = body if isinstance(body, str) else body.decode("utf8")
    if kind == CSV:
        return _rows_of(text)
    if kind != JSON:
        raise UnsupportedType(f"content type {content_type or '(none)'} is not supported: {JSON} and {CSV} are")
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise BadRequest(f"The body is not JSON: {error}") from error


def predict(data, pipeline):
    if not isinstance(data, dict) or "inputs" not in data:
        raise BadRequest('Body needs to provide a inputs key: {"inputs": …}')
    inputs, parameters = data["inputs"], data.get("parameters") or {}
    # Pipelines of two named inputs take them as keywords.
    if isinstance(inputs, dict):
        return pipeline(**inputs, **parameters)
    return pipeline(inputs, **parameters)
