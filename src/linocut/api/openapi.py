"""The operations as OpenAPI 3.1, with the schemas of the wire's structs under their published names."""

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any

import msgspec

from linocut import __version__
from linocut.accounts.idempotency import LONGEST_KEY
from linocut.api.body import JSON
from linocut.api.examples import answer_of, request_of
from linocut.api.operation import Draws, Operation, Places
from linocut.wire import ErrorBody, GenerateImageSafetyError, MessagesError, RejectError, V4JsonPrompt

Json = dict[str, Any]
_REFERENCE = "#/components/schemas/{name}"
_REFUSALS: dict[int, type[msgspec.Struct]] = {402: RejectError, 422: GenerateImageSafetyError, 429: RejectError}


def describe(operations: Sequence[Operation]) -> Json:
    """The whole document."""
    schemas = _components(operations)
    paths: Json = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "linocut",
            "version": __version__,
            "description": "Train custom image models on your own pictures and generate with them.",
        },
        "security": [{"ApiKeyAuth": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "ApiKeyAuth": {"type": "apiKey", "in": "header", "name": "Api-Key"},
                "BearerAuth": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def _operation(operation: Operation, schemas: Json) -> Json:
    described: Json = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
        "security": [{"ApiKeyAuth": []}, {"BearerAuth": []}] if operation.key_needed else [],
        "parameters": [*_path_parameters(operation), *_query_parameters(operation), *_header_parameters(operation)],
        "responses": _responses(operation, schemas),
    }
    if operation.ours:
        described["x-linocut"] = True
    if operation.body is not None:
        schema = {"$ref": _REFERENCE.format(name=operation.body.__name__)}
        content = {"schema": schema, "example": request_of(schema, schemas)}
        described["requestBody"] = {
            "required": not operation.may_say_nothing,
            "content": dict.fromkeys(operation.encodings, content),
        }
    return described


def _path_parameters(operation: Operation) -> list[Json]:
    names = [part.partition("}")[0] for part in operation.path.split("{")[1:]]
    told = {"in": "path", "required": True, "schema": {"type": "string"}, "style": "simple", "explode": False}
    return [{"name": name, **told} for name in names]


def _query_parameters(operation: Operation) -> Iterable[Json]:
    if operation.query is None:
        return
    schema = msgspec.json.schema(operation.query, ref_template=_REFERENCE)["$defs"][operation.query.__name__]
    for name, field in schema["properties"].items():
        required = {"name": name, "in": "query", "required": name in schema["required"]}
        yield {**required, "schema": typed(field), "style": "form", "explode": True}


def _header_parameters(operation: Operation) -> Iterable[Json]:
    for name, meaning in operation.headers.items():
        yield {"name": name, "in": "header", "required": False, "description": meaning, "schema": {"type": "string"}}
    if operation.has_etag:
        about = "The ETag of a copy that you have: 304 if it is still good."
        yield {
            "name": "If-None-Match",
            "in": "header",
            "required": False,
            "description": about,
            "schema": {"type": "string"},
        }
    if operation.takes_idempotency_key:
        yield {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "description": "A repeated call with the same key and body has one effect and one answer (24 h).",
            "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY},
        }


def _responses(operation: Operation, schemas: Json) -> Json:
    if operation.answer is None:
        responses: Json = {"204": {"description": HTTPStatus(204).phrase}}
    elif isinstance(operation.answer, str):
        responses = {"200": {"description": "OK", "content": {one: {} for one in operation.answer.split(", ")}}}
    else:
        responses = {"200": _json_response("OK", operation.answer)}
        content = responses["200"]["content"][JSON]
        content["example"] = answer_of(content["schema"], schemas)
    if operation.has_etag:
        responses["304"] = {"description": HTTPStatus(304).phrase}
    if operation.redirects:
        responses["303"] = {"description": HTTPStatus(303).phrase}
    told = _REFUSALS | ({400: MessagesError} if operation.tells_messages else {})
    for status in refusals_of(operation):
        responses[str(status)] = _json_response(HTTPStatus(status).phrase, told.get(status, ErrorBody))
    return responses


def refusals_of(operation: Operation) -> list[int]:
    """Every status above 299 with which the operation may answer: its own, and those of what stands before it."""
    statuses = {*operation.refusals, 500, 503}  # a fault of ours; a database that is busy, a server that stops
    if operation.key_needed:
        statuses |= {401} if operation.is_console else {401, 429}  # a key over its requests a minute
    if operation.takes_idempotency_key:
        statuses.add(400)
    if operation.query is not None:
        statuses.add(400)
    if operation.body is not None:
        statuses |= {400, 408, 413, 415}
    if isinstance(operation.does, Draws | Places):
        statuses |= {402, 404, 422, 429}
    return sorted(statuses)


def _json_response(description: str, struct: type[msgspec.Struct]) -> Json:
    reference = {"$ref": _REFERENCE.format(name=struct.__name__)}
    return {"description": description, "content": {JSON: {"schema": reference}}}


def _components(operations: Sequence[Operation]) -> Json:
    structs: list[type[msgspec.Struct]] = [
        ErrorBody, MessagesError, RejectError, GenerateImageSafetyError, V4JsonPrompt,
    ]  # fmt: skip
    for operation in operations:
        structs += [one for one in (operation.body, operation.answer) if one is not None and not isinstance(one, str)]
    _, components = msgspec.json.schema_components(structs, ref_template=_REFERENCE)
    for operation in operations:
        if operation.may_say_nothing and operation.body is not None:
            components[operation.body.__name__]["type"] = ["object", "null"]
    return {name: typed(schema) for name, schema in sorted(components.items())}


def typed(schema: Any) -> Any:
    """The schema with the type of each value set written out, which generators of clients rely on."""
    if isinstance(schema, list):
        return [typed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    written = {key: typed(value) for key, value in schema.items()}
    values = schema.get("enum")
    if isinstance(values, list) and "type" not in schema:
        written["type"] = "integer" if all(isinstance(value, int) for value in values) else "string"
    return written
