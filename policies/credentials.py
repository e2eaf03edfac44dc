"""Where secrets lie, and the documented forms in which a directory's credential is written.

A secret never stands in a policy file: a value is `{env: NAME}` or `{file: PATH}`. Reading what is behind them is
left to the connectors, which also know what a credential is for.
"""

from dataclasses import dataclass
from typing import Annotated

from policies.key import Key
from policies.shape import alone

_NEVER = "a secret never stands in a policy file; write {env: NAME} or {file: PATH}"
_ONLY_A_FILE = "it never stands in a policy file itself; write {file: PATH}"
CredentialName = Annotated[str, Key(pattern=r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", expected="the name of a credential")]


@dataclass(frozen=True, slots=True)
class EnvRef:
    """A secret in an environment variable of the process."""

    name: Annotated[
        str,
        Key(
            "The variable's name; never one of Seatkeeper's own.",
            name="env",
            pattern=r"(?![Ss][Ee][Aa][Tt][Kk][Ee][Ee][Pp][Ee][Rr]_)[A-Za-z_][A-Za-z0-9_]{0,254}",
            expected="the name of an environment variable other than SEATKEEPER_…",
            secret=True,
        ),
    ]


@dataclass(frozen=True, slots=True)
class FileRef:
    """A secret in a file below the secrets directory."""

    path: Annotated[
        str,
        Key(
            "The file; relative to SEATKEEPER_SECRETS_DIR.",
            name="file",
            pattern=r"(?!(.*/)?\.\.(/|$))[^\\]*[^/\\]",
            expected="the path of a file in the secrets directory, without ..",
            secret=True,
        ),
    ]


SecretRef = Annotated[EnvRef | FileRef, Key(expected="{env: NAME} or {file: PATH}", instead=_NEVER, secret=True)]
SecretFile = Annotated[FileRef, Key(instead=_ONLY_A_FILE, secret=True)]


@dataclass(frozen=True, slots=True)
class MicrosoftSecret:
    """An app registration that signs in with a client secret."""

    client_id: Annotated[str, Key("The application (client) id of the app registration.")]
    secret: Annotated[SecretRef, Key("Its client secret.")]


@dataclass(frozen=True, slots=True)
class MicrosoftCertificate:
    """An app registration that signs in with a certificate."""

    client_id: Annotated[str, Key("The application (client) id of the app registration.")]
    certificate: Annotated[SecretFile, Key("The certificate with its private key, PEM or PKCS #12.")]


@dataclass(frozen=True, slots=True)
class MicrosoftFederated:
    """An app registration that trusts the token in a file (workload identity federation)."""

    client_id: Annotated[str, Key("The application (client) id of the app registration.")]
    federated: Annotated[SecretFile, Key("The file that the platform keeps a fresh token in.")]


@dataclass(frozen=True, slots=True)
class MicrosoftTrustedIdentity:
    """An app registration that trusts the identity that Azure gives to the machine (workload identity federation)."""

    client_id: Annotated[str, Key("The application (client) id of the app registration.")]
    managed_identity: Annotated[str, Key("`system`, or the client id of a user-assigned identity.")]


@dataclass(frozen=True, slots=True)
class MicrosoftManagedIdentity:
    """The identity that Azure gives to the machine Seatkeeper runs on."""

    managed_identity: Annotated[str, Key("`system`, or the client id of a user-assigned identity.")]


@dataclass(frozen=True, slots=True)
class GoogleKey:
    """A service account that signs in with its key."""

    key: Annotated[SecretRef, Key("The JSON key of the service account.")]


@dataclass(frozen=True, slots=True)
class GoogleFederated:
    """A service account that is impersonated with a token in a file (workload identity federation)."""

    federated: Annotated[SecretFile, Key("The credential configuration; its token lies in a file.")]
    impersonate: Annotated[
        str,
        Key(
            "The service account's address.",
            pattern=r"[^\s@]+@[^\s@]+",
            expected="the address of a service account",
        ),
    ]


@dataclass(frozen=True, slots=True)
class NamedCredential:
    """A credential that `provider.yaml` has under this name, so that one app serves a thousand companies."""

    name: Annotated[CredentialName, Key(secret=True)]


ByName = Annotated[NamedCredential, alone(NamedCredential)]
InlineMicrosoft = (
    MicrosoftSecret | MicrosoftCertificate | MicrosoftFederated | MicrosoftManagedIdentity | MicrosoftTrustedIdentity
)
InlineGoogle = GoogleKey | GoogleFederated
InlineCredential = InlineMicrosoft | InlineGoogle

MicrosoftCredential = Annotated[
    InlineMicrosoft | ByName,
    Key(
        expected="{client_id, secret}, {client_id, certificate}, {client_id, federated}, "
        "{client_id, managed_identity}, {managed_identity} or a name"
    ),
]
GoogleCredential = Annotated[InlineGoogle | ByName, Key(expected="{key}, {federated, impersonate} or a name")]
Credential = Annotated[
    InlineCredential,
    Key(
        expected="{client_id, secret}, {client_id, certificate}, {client_id, federated}, "
        "{client_id, managed_identity}, {managed_identity}, {key} or {federated, impersonate}"
    ),
]
