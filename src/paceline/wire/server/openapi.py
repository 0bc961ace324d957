"""The OpenAPI description of a server, made from its operations and their structs."""

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from paceline.wire.frames import PROTOCOL
from paceline.wire.operation import Operation

_PATH_NAMES = re.compile(r"{(\w+)}")

ERROR_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["name", "number", "outcome", "message", "request_id"],
            "properties": {
                "name": {"type": "string"},
                "number": {"type": "integer"},
                "outcome": {"enum": ["not_done", "unknown"]},
                "field": {"type": "string"},
                "message": {"type": "string"},
                "retry_after_s": {"type": "number"},
                "request_id": {"type": "string"},
            },
        }
    },
}


def describe(title: str, operations: Iterable[Operation]) -> dict[str, Any]:
    """The OpenAPI 3.1 document of all operations that have an HTTP route."""
    routed = [o for o in operations if o.http is not None and o.http.method != "WS"]
    kinds = [kind for o in routed for kind in (o.request, o.answer)]
    _, components = msgspec.json.schema_components(
        kinds, ref_template="#/components/schemas/{name}"
    )
    paths: dict[str, dict[str, Any]] = {}
    for operation in routed:
        route = operation.http
        if route is not None:
            paths.setdefault(route.path, {})[route.method.lower()] = _operation(
                operation, components
            )
    return {
        "openapi": "3.1.0",
        "info": {"title": f"Paceline {title}", "version": PROTOCOL},
        "paths": paths,
        "components": {
            "schemas": {**components, "Error": ERROR_SCHEMA},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}],
    }


def _operation(operation: Operation, components: dict[str, Any]) -> dict[str, Any]:
    route = operation.http
    if route is None:
        raise ValueError(f"{operation.name} has no route")
    names = _PATH_NAMES.findall(route.path)
    properties: dict[str, Any] = components[operation.request.__name__].get("properties", {})
    parameters = [
        _parameter(name, "path", properties.get(name, {"type": "string"})) for name in names
    ]
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "parameters": parameters,
        "responses": {
            str(route.status): _content(
                {"$ref": f"#/components/schemas/{operation.answer.__name__}"}
            ),
            "default": _content({"$ref": "#/components/schemas/Error"}),
        },
    }
    rest = {name: schema for name, schema in properties.items() if name not in names}
    if route.method in ("GET", "DELETE"):
        parameters.extend(_parameter(name, "query", schema) for name, schema in rest.items())
    elif rest:
        required = [
            n for n in components[operation.request.__name__].get("required", ()) if n in rest
        ]
        body = {
            "type": "object",
            "properties": rest,
            "required": required,
            "additionalProperties": False,  # a server refuses what it does not know
        }
        described["requestBody"] = {"required": bool(required), **_content(body)}
    if operation.right is None:
        described["security"] = []
    return described


def _parameter(name: str, place: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": place, "required": place == "path", "schema": schema}


def _content(schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": "", "content": {"application/json": {"schema": schema}}}
