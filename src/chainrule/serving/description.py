"""The service described as OpenAPI 3.1, made from the network itself, and its page for people."""

from __future__ import annotations

import html
import json
import math
from typing import Any

import numpy as np

from chainrule.network import Network
from chainrule.serving.answers import class_names, decides_each
from chainrule.serving.samples import MOST_SAMPLES

Schema = dict[str, Any]

ERROR: Schema = {
    "type": "object",
    "properties": {"error": {"type": "string", "description": "What was expected, what came, what to do."}},
    "required": ["error"],
}
REFUSALS = {
    "400": "The body is not JSON.",
    "413": "The body is larger than 16 MiB.",
    "415": "The content type is not application/json.",
    "422": "The inputs do not fit the network.",
    "503": "Too many samples are waiting; try again in a second.",
}


def openapi(network: Network, name: str) -> Schema:
    """The document of the service of a network called `name`."""
    return {
        "openapi": "3.1.0",
        "info": {"title": name, "version": "1", "description": "Answers of a network trained with Chainrule."},
        "paths": {
            "/predict": {"post": _predict(network)},
            "/health": {
                "get": {
                    "summary": "Whether the service answers",
                    "operationId": "health",
                    "responses": {"200": _reply("It does.", {"type": "object", "required": ["status"]})},
                }
            },
        },
    }


def _predict(network: Network) -> Schema:
    return {
        "summary": "Ask the network about samples",
        "operationId": "predict",
        "requestBody": {"required": True, "content": {"application/json": {"schema": request_schema(network)}}},
        "responses": {
            "200": _reply("One answer for each sample, in their order.", reply_schema(network)),
            **{status: _reply(why, ERROR) for status, why in REFUSALS.items()},
        },
    }


def _reply(description: str, schema: Schema) -> Schema:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def request_schema(network: Network) -> Schema:
    """What a request's body must be: {"inputs": [sample, …]}, each of the network's input shape."""
    below = network.body.inputs_below
    sample: Schema = {"type": "number"} if below is None else {"type": "integer", "minimum": 0, "maximum": below - 1}
    for length in reversed(network.input_shape or ()):
        sample = {"type": "array", "items": sample, "minItems": length, "maxItems": length}
    inputs = {"type": "array", "items": sample, "minItems": 1, "maxItems": MOST_SAMPLES}
    return {"type": "object", "properties": {"inputs": inputs}, "required": ["inputs"], "additionalProperties": False}


def reply_schema(network: Network) -> Schema:
    """What an answer is: {"predictions": [one for each sample]}."""
    names = class_names(network)
    if names is None:
        found: Schema = {"value": {"type": "array"}}
    else:
        named: Schema = {"type": "string", "enum": names}
        decided = {"labels": {"type": "array", "items": named}} if decides_each(network) else {"class": named}
        found = {**decided, "scores": {"type": "object", "additionalProperties": {"type": "number"}}}
    one = {"type": "object", "properties": found, "required": list(found)}
    return {
        "type": "object",
        "properties": {"predictions": {"type": "array", "items": one}},
        "required": ["predictions"],
    }


def example(network: Network) -> str:
    """A request's body that could be sent as it is, where a sample has few numbers."""
    shape = network.input_shape or ()
    sample = json.dumps(np.zeros(shape, int).tolist()) if math.prod(shape) <= 16 else "[…]"
    return f'{{"inputs": [{sample}]}}'


PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{name}</title>
<style>
  body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 3rem auto; padding: 0 1rem }}
  pre {{ padding: 1rem; overflow-x: auto; background: #8881; border-radius: .3rem; font-size: 14px }}
  :root {{ color-scheme: light dark }}
</style>
<h1>{name}</h1>
<p>A network trained with Chainrule. It answers on this machine only.</p>
<pre>{summary}</pre>
<h2>Ask it</h2>
<pre>curl {address}predict --json '{example}'</pre>
<p>Up to {most:,} samples in one request. <code>inputs</code> holds one array per sample, of shape {shape}.</p>
<h2>Description</h2>
<p><a href="openapi.json">openapi.json</a>, for programs that make clients and tests from it:</p>
<pre>{document}</pre>
"""


def page(network: Network, name: str, address: str) -> str:
    """The page for people, as HTML that needs nothing else."""
    return PAGE.format(
        name=html.escape(name),
        summary=html.escape(str(network.summary())),
        address=html.escape(address),
        example=html.escape(example(network), quote=False),
        most=MOST_SAMPLES,
        shape=network.input_shape,
        document=html.escape(json.dumps(openapi(network, name), indent=2, ensure_ascii=False)),
    )
