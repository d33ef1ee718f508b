"""Handlers as users write them for SageMaker's TensorFlow images: kilometres come in, metres are asked for."""
import json


def input_handler(data, context):
    if context.request_content_type != "text/plain":
        raise ValueError(f"unsupported content type {context.request_content_type or 'unknown'}")
    kilometres = [float(word) for word in data.read().decode("utf-8").split()]
    return json.dumps({"instances": [[value * 1000, 0.0, 0.0] for value in kilometres]})


def output_handler(response, context):
    if response.status_code != 200:
        raise ValueError(response.content.decode("utf-8"))
    values = [row[0] for row in response.json()["predictions"]]
    return f"{context.model_name} v{context.model_version}: {' '.join(f'{value:.0f}' for value in values)}", "text/plain"
