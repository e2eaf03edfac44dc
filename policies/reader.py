"""Policy files as text → typed values, or every problem at once, each at its place.

Types come from the fields of `policies.document` and `policies.provider`, never from YAML's guesses. Any text gives
a value or a PolicyError. Reading the file is left to the callers; `decoded` turns its bytes into text.
"""

from typing import Final

from policies.cross_checks import check_company, check_provider
from policies.defaults import with_defaults
from policies.document import Kinds, Policy
from policies.errors import PolicyError
from policies.files import company_file, provider_file
from policies.nodes import compose
from policies.provider import Provider
from policies.reading import Reading

NO_KINDS: Final = Kinds()
"""Nothing installed: for a file without directories, and tests of it."""


def read_policy(text: str, file: str, kinds: Kinds = NO_KINDS, provider: Provider | None = None) -> Policy:
    """One company's policy; what it does not say is the provider's default, then the built-in one.

    Raises PolicyError with every problem of the file. Without a provider, credentials by name are taken on trust.
    """
    reading = Reading(file, text)
    root = compose(reading)
    policy = None
    if root is not None:
        policy = company_file(kinds).read(root, reading, "")
        check_company(root, reading, kinds, provider)
    if reading.problems or not isinstance(policy, Policy):
        raise PolicyError(reading.problems)
    return policy if provider is None else with_defaults(policy, provider)


def read_provider(text: str, file: str, kinds: Kinds = NO_KINDS) -> Provider:
    """The provider's file. Raises PolicyError with every problem in it."""
    reading = Reading(file, text)
    root = compose(reading)
    provider = None
    if root is not None:
        provider = provider_file(kinds).read(root, reading, "")
        check_provider(reading)
    if reading.problems or not isinstance(provider, Provider):
        raise PolicyError(reading.problems)
    return provider


def decoded(raw: bytes, file: str) -> str:
    """The text of a policy file. Raises PolicyError where it is not UTF-8."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        reading = Reading(file, raw.decode("utf-8", "surrogateescape"))
        compose(reading)
        raise PolicyError(reading.problems) from None
