"""A file: the CSV list of users that either vendor's admin center exports, read as a directory."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from connectors.base import Capabilities
from connectors.kinds import DirectoryConnector
from policies.key import Key
from policies.model import ATTRIBUTES


@dataclass(frozen=True, slots=True)
class Options:
    """An exported list of users."""

    path: Annotated[str, Key("The CSV file; relative to the policy file.")]


CAPABILITIES = Capabilities(org_units=True, absence_is_evidence=False, attributes=frozenset(ATTRIBUTES))
DIRECTORY = DirectoryConnector(
    options=Options,
    every=timedelta(hours=1),
    capabilities=CAPABILITIES,
    opens="connectors.file.directory:open_directory",
    examines="connectors.file.examining:examine",
)
