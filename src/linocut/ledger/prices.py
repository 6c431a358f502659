"""Price lists: none, the published one, or a file of the operator's. Pure but for files.

A list has a price for each item: one for those of ``FLAT``, one a speed for the others. Prices are exact decimals with
at most six digits behind the point.
"""

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from linocut.errors import InvalidRequest
from linocut.ledger.money import CURRENCY, MILLION
from linocut.ledger.types import Charge

FREE, PUBLISHED = "free", "published"
PUBLISHED_FILE = Path(__file__).with_name("published.toml")

FLAT = ("edit", "upscale", "describe", "remove-background", "layerize-text", "training")
_ALL_SPEEDS, _TWO_SPEEDS = ("TURBO", "DEFAULT", "QUALITY"), ("TURBO", "DEFAULT")
BY_SPEED: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("v4", "v4-custom-model", "v3", "v3-custom-model", "v3-character"), _ALL_SPEEDS),
    **{f"v3-transparent-x{factor}": _ALL_SPEEDS for factor in (1, 2, 4)},
    **dict.fromkeys(("legacy-2", "legacy-2a", "legacy-1"), _TWO_SPEEDS),
}
"""The speeds that each must have a price for."""
_LIKE = {"FLASH": "TURBO", "BALANCED": "DEFAULT"}
"""What costs the same where it has no price of its own."""
DEAREST = 1_000_000


@dataclass(frozen=True)
class Prices:
    """A price list: millionths of ``currency`` by item and speed ("" for those of ``FLAT``). Empty: all is free."""

    currency: str
    prices: Mapping[str, Mapping[str, int]]

    def unit_price(self, charge: Charge) -> int:
        """What one image, picture or run costs: the highest of the prices that apply."""
        return max((self._price(item, charge.speed) for item in charge.items), default=0)

    def _price(self, item: str, speed: str) -> int:
        by_speed = self.prices.get(item, {})
        return by_speed.get(speed, by_speed.get(_LIKE.get(speed, ""), by_speed.get("", 0)))


def prices_of(setting: str) -> Prices:
    """The list that the setting names. ``InvalidRequest`` with a sentence for a file that is none."""
    if setting == FREE:
        return Prices("USD", {})
    return _read(PUBLISHED_FILE if setting == PUBLISHED else Path(setting).absolute())


@lru_cache
def _read(file: Path) -> Prices:
    try:
        told = tomllib.loads(file.read_text(encoding="utf-8"), parse_float=Decimal)
    except FileNotFoundError:
        raise InvalidRequest(
            f"LINOCUT_PRICES is {file.name!r}, which is no file; it takes free, published, or a TOML file "
            "(docs/usage.md)."
        ) from None
    except OSError as fault:
        raise InvalidRequest(f"LINOCUT_PRICES: {file.name} cannot be read: {fault.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise InvalidRequest(f"LINOCUT_PRICES: {file.name} is no TOML: {wrong}.") from None
    return _Reader(file.name).prices(told)


class _Reader:
    """Checks one file; each fault is a sentence that names the file, the entry and the way out."""

    def __init__(self, name: str) -> None:
        self._name = name

    def prices(self, told: dict[str, Any]) -> Prices:
        """The whole file."""
        currency = told.pop("currency", None)
        if not isinstance(currency, str) or not CURRENCY.fullmatch(currency):
            raise self._wrong(f"currency is {currency!r}; it takes three capital letters, such as USD")
        known = [*FLAT, *BY_SPEED]
        for item in told:
            if item not in known:
                raise self._wrong(f"{item} is no item{_near(item, known)}")
        if missing := [item for item in known if item not in told]:
            raise self._wrong(f"{', '.join(missing)} has no price; write 0 for what is free")
        flat = {item: {"": self._price(item, told[item])} for item in FLAT}
        return Prices(currency, flat | {item: self._by_speed(item, told[item]) for item in BY_SPEED})

    def _by_speed(self, item: str, told: Any) -> dict[str, int]:
        if not isinstance(told, dict):
            raise self._wrong(f"{item} is {str(told)!r}; it is a table with a price a speed, under [{item}]")
        known = [*BY_SPEED[item], *_LIKE]
        for speed in told:
            if speed not in known:
                raise self._wrong(f"[{item}] has {speed}, which is no speed of it{_near(speed, known)}")
        if missing := [speed for speed in BY_SPEED[item] if speed not in told]:
            raise self._wrong(f"[{item}] has no price for {', '.join(missing)}")
        return {speed: self._price(f"[{item}] {speed}", price) for speed, price in told.items()}

    def _price(self, where: str, told: Any) -> int:
        if isinstance(told, bool) or not isinstance(told, int | Decimal):
            raise self._wrong(f"{where} is {str(told)!r}; a price is a number such as 0.06")
        exact = Decimal(told) * MILLION
        if not exact.is_finite() or not 0 <= exact <= DEAREST * MILLION:
            raise self._wrong(f"{where} is {told}; a price is 0 to {DEAREST:,}")
        if exact != exact.to_integral_value():
            raise self._wrong(f"{where} is {told}; a price has at most six digits behind the point")
        return int(exact)

    def _wrong(self, what: str) -> InvalidRequest:
        end = "" if what.endswith("?") else "."
        return InvalidRequest(
            f"LINOCUT_PRICES: {self._name}: {what}{end} `linocut credits prices` prints the whole list."
        )


def _near(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]}?" if near else f"; there are {', '.join(known)}"
