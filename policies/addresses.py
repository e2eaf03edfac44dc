"""One spelling for each address: in lower case, and with its domain in ASCII.

A domain has two spellings where it is not ASCII alone: `bücher.example`, which people write, and
`xn--bcher-kva.example`, which directories tell (RFC 5890).
"""


def spelled(address: str) -> str:
    """An address, or a pattern of some, in the spelling in which they are compared."""
    lower = address.lower()
    if lower.isascii():
        return lower
    local, at, domain = lower.rpartition("@")
    return f"{local}{at}{spelled_domain(domain)}" if at else lower


def spelled_domain(domain: str) -> str:
    """The same of a domain. What is no name of a domain stays as it is."""
    lower = domain.lower()
    return lower if lower.isascii() else ".".join(map(_label, lower.split(".")))


def _label(label: str) -> str:
    try:
        return label if "*" in label else label.encode("idna").decode("ascii")
    except UnicodeError:
        return label
