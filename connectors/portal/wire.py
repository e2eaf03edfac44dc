"""What stands in a portal's requests and answers."""

from datetime import UTC, date, datetime

import msgspec

from connectors.asking import Unreadable
from connectors.base import Order, Receipt
from connectors.verdicts import Dialect

_LONGEST = 200
_NO_REFERENCES = ("", ".", "..")


class Asked(msgspec.Struct, frozen=True):
    """An order as it is sent."""

    company: str
    license: str
    seats: int
    term: str
    note: str


class Answered(msgspec.Struct, frozen=True):
    """An order as it comes back."""

    id: str | int
    state: str
    seats: int | None = None
    expires: str | None = None
    license_key: str | None = None


class _No(msgspec.Struct, frozen=True):
    refused: str


_answer = msgspec.json.Decoder(Answered)
_answers = msgspec.json.Decoder(list[Answered])
_no = msgspec.json.Decoder(_No)


def body_of(order: Order) -> bytes:
    """The body that orders these seats; the same order has the same body."""
    return msgspec.json.encode(Asked(order.company, order.license, order.seats, order.term, order.note))


def read_order(body: bytes) -> Receipt:
    """One order. Raises Unreadable for what is none."""
    try:
        return _receipt(_answer.decode(body))
    except msgspec.DecodeError:
        raise Unreadable("the answer is no order") from None


def read_orders(body: bytes) -> tuple[Receipt, ...]:
    """A list of orders, each once. Raises Unreadable for what is none."""
    try:
        return tuple(dict.fromkeys(map(_receipt, _answers.decode(body))))
    except msgspec.DecodeError:
        raise Unreadable("the answer is no list of orders") from None


def refusals(body: bytes) -> tuple[str, ...]:
    """The word with which a body refuses an order for good; none where it does not."""
    try:
        said = _no.decode(body).refused
    except msgspec.DecodeError:
        return ()
    why = "".join(filter(str.isprintable, said)).strip()[:_LONGEST]
    return (why,) if why else ()


DIALECT = Dialect(codes=refusals)


def _receipt(answered: Answered) -> Receipt:
    ref = str(answered.id)
    if ref in _NO_REFERENCES or len(ref) > _LONGEST or not ref.isprintable():
        raise Unreadable("the order in the answer has no usable id")
    if answered.state not in ("placed", "fulfilled"):
        raise Unreadable(f"the order in the answer is neither placed nor fulfilled but {answered.state[:20]!r}")
    return Receipt(ref, answered.state, max(0, answered.seats or 0), _day(answered.expires), answered.license_key)


def _day(said: str | None) -> date | None:
    """The day that a date, or an instant with its offset, stands for in UTC (P5)."""
    if said is None:
        return None
    try:
        if len(said) == len("2026-11-02"):
            return date.fromisoformat(said)
        at = datetime.fromisoformat(said)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise Unreadable("the order in the answer ends on no day that can be read") from None
    return at.astimezone(UTC).date()
