"""Fault files for `simulate microsoft365 --faults FILE`: a list of Graph's faults, as `fault_files` reads it."""

from connectors.simulators import fault_files
from connectors.simulators.fault_files import FaultFileError as FaultFileError
from connectors.simulators.microsoft365.faults import Fault


def read_faults(text: str, file: str) -> tuple[Fault, ...]:
    """The faults of a file's text. Raises FaultFileError with every problem."""
    return fault_files.read_faults(text, file, Fault)
