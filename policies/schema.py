"""A JSON Schema of the policy files for editors, from the same declarations that the reader uses."""

from policies.document import Kinds
from policies.files import company_file, provider_file
from policies.records import Record
from policies.scalars import Schema

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def policy_schema(kinds: Kinds) -> Schema:
    """The schema of a company's file, for the kinds of directories and sellers that are installed."""
    return _document(company_file(kinds), "Seatkeeper policy of one company")


def provider_schema(kinds: Kinds) -> Schema:
    """The schema of `provider.yaml`."""
    return _document(provider_file(kinds), "Seatkeeper provider.yaml")


def _document(record: Record, title: str) -> Schema:
    defs: Schema = {}
    root = record.schema(defs)
    return {"$schema": _DIALECT, "title": title, **root, "$defs": dict(sorted(defs.items()))}
