"""Amounts of money: whole millionths of a currency's unit, so that no sum is ever rounded. Pure."""

import re
from decimal import Decimal, InvalidOperation

from linocut.errors import InvalidRequest

MILLION = 1_000_000
MOST = 10**9 * MILLION
"""The largest amount that anybody may name: a thousand million of the currency."""
CURRENCY = re.compile(r"[A-Z]{3}")
_NONE, _THREE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF", "BHD IQD JOD KWD LYD OMR TND"
_DIGITS = dict.fromkeys(_NONE.split(), 0) | dict.fromkeys(_THREE.split(), 3)
"""Digits behind the point, of currencies (ISO 4217) that do not have two."""


def minor(amount: int, currency: str) -> float:
    """An amount as the wire has it: minor units (cents), with a fraction where there is one."""
    return amount / float(10 ** (6 - _DIGITS.get(currency, 2)))


def from_minor(value: float, currency: str, field: str) -> int:
    """The amount of so many minor units. ``InvalidRequest`` for none, or one below a millionth of the currency."""
    try:
        exact = Decimal(str(value)) * 10 ** (6 - _DIGITS.get(currency, 2))
    except InvalidOperation:
        exact = Decimal("NaN")
    return _whole(exact, field, f"{value!r}")


def from_text(text: str, field: str) -> int:
    """The amount that somebody wrote, such as ``25`` or ``0.025``. ``InvalidRequest``."""
    try:
        exact = Decimal(text.strip()) * MILLION
    except InvalidOperation:
        exact = Decimal("NaN")
    return _whole(exact, field, repr(text[:40]))


def shown(amount: int, currency: str) -> str:
    """``12.30 USD``: two digits behind the point at least, and as many as it has."""
    whole, rest = divmod(abs(amount), MILLION)
    digits = _DIGITS.get(currency, 2)
    fraction = f"{rest:06}".rstrip("0").ljust(digits, "0")
    return f"{'-' if amount < 0 else ''}{whole:,}{'.' if fraction else ''}{fraction} {currency}"


def _whole(exact: Decimal, field: str, given: str) -> int:
    if not exact.is_finite() or not 0 <= exact <= MOST:
        raise InvalidRequest(
            f"{field} is {given}; it takes an amount of 0 to {MOST // MILLION:,} of the currency.", field=field
        )
    if exact != exact.to_integral_value():
        raise InvalidRequest(
            f"{field} is {given}; an amount is a whole number of millionths of the currency.", field=field
        )
    return int(exact)
