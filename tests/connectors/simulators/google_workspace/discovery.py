"""Google's own descriptions of its APIs, as JSON schemas."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import jsonschema

_DOCUMENTS = {
    "directory": "admin.directory_v1.json",
    "admin": "admin.directory_v1.json",
    "reports": "admin.reports_v1.json",
    "sts": "sts.v1.json",
    "iamcredentials": "iamcredentials.v1.json",
}
_FORMATS = {
    "int64": {"pattern": r"^-?\d+$"},
    "uint64": {"pattern": r"^\d+$"},
    "date-time": {"pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"},
    "google-datetime": {"pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"},
}


@cache
def document(api: str) -> Any:
    """The discovery document of an API."""
    return json.loads(files("googleapiclient.discovery_cache.documents").joinpath(_DOCUMENTS[api]).read_text())


@cache
def methods(api: str) -> Mapping[str, Any]:
    """The methods of an API by their ids."""
    found: dict[str, Any] = {}

    def visit(resource: Any) -> None:
        for method in resource.get("methods", {}).values():
            found[method["id"]] = method
        for inner in resource.get("resources", {}).values():
            visit(inner)

    visit(document(api))
    return found


def check(api: str, schema: str, value: object) -> None:
    """Hold an object to the schema of this name; keys that it does not know are refused. Raises ValidationError."""
    _validator(api, schema).validate(value)


def check_response(api: str, method: str, value: object) -> None:
    """The same for what a method answers."""
    check(api, methods(api)[method]["response"]["$ref"], value)


@cache
def _validator(api: str, schema: str) -> Any:
    definitions = {name: _translated(each) for name, each in document(api)["schemas"].items()}
    return jsonschema.Draft202012Validator({"$ref": f"#/$defs/{schema}", "$defs": definitions})


def _translated(schema: Any) -> dict[str, Any]:
    """A schema of the discovery format as JSON Schema has it."""
    if "$ref" in schema:
        return {"$ref": f"#/$defs/{schema['$ref']}"}
    if schema.get("type") == "any":
        return {}
    result: dict[str, Any] = {"type": schema["type"], **_FORMATS.get(schema.get("format", ""), {})}
    if "enum" in schema:
        result["enum"] = schema["enum"]
    if "items" in schema:
        result["items"] = _translated(schema["items"])
    if schema["type"] == "object":
        result["properties"] = {name: _translated(each) for name, each in schema.get("properties", {}).items()}
        further = schema.get("additionalProperties")
        result["additionalProperties"] = _translated(further) if further else False
    return result
