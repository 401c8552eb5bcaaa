"""The service described as OpenAPI 3.1, made from the network itself, and its page for people."""

from __future__ import annotations

import html
import json
import math
from typing import Any

import numpy as np

from chainrule.network import Network
from chainrule.serving.answers import decides_each, names_of_classes
from chainrule.serving.samples import MOST_SAMPLES, Reader
from chainrule.tabular.column import Column

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


def openapi(reader: Reader, name: str) -> Schema:
    """The document of the service called `name`."""
    return {
        "openapi": "3.1.0",
        "info": {"title": name, "version": "1", "description": "Answers of a network trained with Chainrule."},
        "paths": {
            "/predict": {"post": _predict(reader)},
            "/health": {
                "get": {
                    "summary": "Whether the service answers",
                    "operationId": "health",
                    "responses": {"200": _reply("It does.", {"type": "object", "required": ["status"]})},
                }
            },
        },
    }


def _predict(reader: Reader) -> Schema:
    return {
        "summary": "Ask the network about samples",
        "operationId": "predict",
        "requestBody": {"required": True, "content": {"application/json": {"schema": request_schema(reader)}}},
        "responses": {
            "200": _reply("One answer for each sample, in their order.", reply_schema(reader.network)),
            **{status: _reply(why, ERROR) for status, why in REFUSALS.items()},
        },
    }


def _reply(description: str, schema: Schema) -> Schema:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def request_schema(reader: Reader) -> Schema:
    """What a request's body must be: {"inputs": [sample, …]} or {"rows": [row, …]}."""
    one = _row_schema(reader.columns) if reader.columns else _sample_schema(reader.network)
    samples = {"type": "array", "items": one, "minItems": 1, "maxItems": MOST_SAMPLES}
    return {
        "type": "object",
        "properties": {reader.key: samples},
        "required": [reader.key],
        "additionalProperties": False,
    }


def _sample_schema(network: Network) -> Schema:
    """Nested arrays of numbers, of the network's input shape."""
    below = network.body.inputs_below
    sample: Schema = {"type": "number"} if below is None else {"type": "integer", "minimum": 0, "maximum": below - 1}
    for length in reversed(network.input_shape or ()):
        sample = {"type": "array", "items": sample, "minItems": length, "maxItems": length}
    return sample


def _row_schema(columns: list[Column]) -> Schema:
    """An object with a cell for each column."""
    cells = {
        column.name: {
            "type": ["number", "null"] if column.kind == "number" else ["string", "number", "boolean", "null"],
            "description": f"{column.kind}: {column.report()}",
        }
        for column in columns
    }
    return {"type": "object", "properties": cells, "required": list(cells), "additionalProperties": False}


def reply_schema(network: Network) -> Schema:
    """What an answer is: {"predictions": [one for each sample]}."""
    names = names_of_classes(network)
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


def example(reader: Reader) -> str:
    """A request's body that could be sent as it is, where a sample has few numbers."""
    shape = reader.network.input_shape or ()
    if reader.columns:
        sample = json.dumps(dict.fromkeys(column.name for column in reader.columns), ensure_ascii=False)
    else:
        sample = json.dumps(np.zeros(shape, int).tolist()) if math.prod(shape) <= 16 else "[…]"
    return f'{{"{reader.key}": [{sample}]}}'


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
<p>Up to {most:,} samples in one request: {what}.</p>
<h2>Description</h2>
<p><a href="openapi.json">openapi.json</a>, for programs that make clients and tests from it:</p>
<pre>{document}</pre>
"""


def page(reader: Reader, name: str, address: str) -> str:
    """The page for people, as HTML that needs nothing else."""
    shape = reader.network.input_shape
    what = "a value for each column, null where there is none" if reader.columns else f"an array of shape {shape} each"
    return PAGE.format(
        name=html.escape(name),
        summary=html.escape(str(reader.network.summary())),
        address=html.escape(address),
        example=html.escape(example(reader), quote=False),
        most=MOST_SAMPLES,
        what=what,
        document=html.escape(json.dumps(openapi(reader, name), indent=2, ensure_ascii=False)),
    )
