"""Price lists: every published price, and every way in which a file can be wrong."""

from decimal import Decimal
from pathlib import Path

import pytest

from linocut.errors import InvalidRequest
from linocut.ledger import money
from linocut.ledger.prices import BY_SPEED, FLAT, PUBLISHED_FILE, prices_of
from linocut.ledger.types import Charge

PUBLISHED = PUBLISHED_FILE.read_text()

FACTS = {
    "v4": "0.03 0.06 0.10", "v3": "0.03 0.06 0.09", "v3-character": "0.10 0.15 0.20",
    "v3-transparent-x1": "0.04 0.07 0.10", "v3-transparent-x2": "0.16 0.19 0.22", "v3-transparent-x4": "0.20 0.23 0.26",
    "legacy-2": "0.05 0.08", "legacy-2a": "0.025 0.04", "legacy-1": "0.02 0.06",
    "v3-custom-model": "0.06 0.12 0.18", "v4-custom-model": "0.06 0.12 0.20",
}  # fmt: skip
EACH = {"edit": "0.20", "upscale": "0.06", "describe": "0.01", "remove-background": "0.01", "layerize-text": "0.09",
        "training": "40"}  # fmt: skip


def cost(*items: str, speed: str = "", prices: str = "published") -> int:
    return prices_of(prices).unit_price(Charge("OTHER", "x", items, 1, speed))


def test_the_published_prices_are_the_published_ones() -> None:
    assert FACTS.keys() == BY_SPEED.keys()
    assert EACH.keys() == set(FLAT)
    for item, told in FACTS.items():
        for speed, price in zip(("TURBO", "DEFAULT", "QUALITY"), told.split(), strict=False):
            assert cost(item, speed=speed) == Decimal(price) * 1_000_000, (item, speed)
    for item, price in EACH.items():
        assert cost(item) == Decimal(price) * 1_000_000
    assert cost("v3", speed="FLASH") == 30_000
    assert prices_of("published").currency == "USD"


def test_speeds_without_a_price_and_several_prices() -> None:
    assert cost("v3-character", speed="FLASH") == cost("v3-character", speed="TURBO")
    assert cost("v4", speed="BALANCED") == cost("v4", speed="DEFAULT")
    assert cost("v3", "v3-character", "v3-custom-model", speed="QUALITY") == 200_000
    assert cost("v3-custom-model", "v3", speed="QUALITY") == 180_000
    assert cost() == 0


def test_a_free_server_has_no_prices() -> None:
    assert cost("v3", "training", speed="QUALITY", prices="free") == 0


def own(tmp_path: Path, text: str) -> str:
    file = tmp_path / "prices.toml"
    file.write_text(text)
    return str(file)


def test_a_file_of_the_operator_s_own(tmp_path: Path) -> None:
    text = PUBLISHED.replace('"USD"', '"EUR"').replace("describe = 0.01 ", "describe = 0.000001 ")
    file = own(tmp_path, text.replace("[legacy-1]", "[legacy-1]\nFLASH = 7"))
    assert prices_of(file).currency == "EUR"
    assert cost("describe", prices=file) == 1
    assert cost("legacy-1", speed="FLASH", prices=file) == 7_000_000


WRONG = {
    "no currency": ('currency = "USD"', "", "currency is None"),
    "a currency that is none": ('"USD"', '"dollars"', "three capital letters"),
    "no item": ("training = 40 ", "", "training has no price; write 0"),
    "a negative price": ("edit = 0.20", "edit = -0.20", "edit is -0.20; a price is 0 to"),
    "no number": ("edit = 0.20", 'edit = "0.20"', "a price is a number"),
    "true": ("edit = 0.20", "edit = true", "a price is a number"),
    "not finite": ("edit = 0.20", "edit = nan", "a price is 0 to"),
    "infinite": ("edit = 0.20", "edit = inf", "a price is 0 to"),
    "too fine": ("edit = 0.20", "edit = 0.0000001", "six digits"),
    "too dear": ("edit = 0.20", "edit = 1000001", "0 to 1,000,000"),
    "a table for a flat price": ("edit = 0.20", "edit = {each = 1}", "a price is a number"),
    "a price for a table": ("[v4]", "v4 = 1\n[x]", "x is no item"),
    "a typo": ("describe = 0.01", "discribe = 0.01", "did you mean describe?"),
    "a speed that is none": ("[v4]", "[v4]\nSLOW = 1", "[v4] has SLOW, which is no speed of it"),
    "a speed that is missing": ("[v3-transparent-x2]\nTURBO = 0.16", "[v3-transparent-x2]",
                                "[v3-transparent-x2] has no price for TURBO"),
    "no TOML": ("[v4]", "[v4", "is no TOML"),
    "twice": ("edit = 0.20", "edit = 0.20\nedit = 0.20", "is no TOML"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_file_is_refused_with_a_sentence(tmp_path: Path, case: str) -> None:
    before, after, words = WRONG[case]
    assert before in PUBLISHED
    with pytest.raises(InvalidRequest) as refused:
        prices_of(own(tmp_path, PUBLISHED.replace(before, after, 1)))
    assert words in refused.value.message
    assert refused.value.message.startswith("LINOCUT_PRICES: prices.toml")
    assert str(tmp_path) not in refused.value.message
    assert refused.value.message.endswith(" `linocut credits prices` prints the whole list.") or words == "is no TOML"
    assert "?." not in refused.value.message


def test_a_file_that_is_not_there_and_one_that_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="which is no file; it takes free, published, or"):
        prices_of(str(tmp_path / "none.toml"))
    with pytest.raises(InvalidRequest, match="cannot be read"):
        prices_of(str(tmp_path))
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidRequest, match="no TOML"):
        prices_of(str(tmp_path / "binary"))


@pytest.mark.parametrize(("amount", "currency", "text", "minor"), [
    (0, "USD", "0.00 USD", 0.0), (60_000, "USD", "0.06 USD", 6.0), (25_000, "USD", "0.025 USD", 2.5),
    (-1_500_000, "USD", "-1.50 USD", -150.0), (1_234_567_890_000, "EUR", "1,234,567.89 EUR", 123_456_789.0),
    (1, "USD", "0.000001 USD", 0.0001), (40_000_000, "JPY", "40 JPY", 40.0), (500_000, "JPY", "0.5 JPY", 0.5),
    (1_000_000, "KWD", "1.000 KWD", 1000.0), (40_000_000, "XAF", "40 XAF", 40.0),
])  # fmt: skip
def test_amounts_as_they_are_shown_and_sent(amount: int, currency: str, text: str, minor: float) -> None:
    assert money.shown(amount, currency) == text
    assert money.minor(amount, currency) == minor
    if amount >= 0:
        assert money.from_minor(minor, currency, "amount") == amount


@pytest.mark.parametrize("text", ["", "x", "nan", "inf", "-1", "1e30", "0.0000001", "1,5"])
def test_what_is_no_amount(text: str) -> None:
    with pytest.raises(InvalidRequest, match="amount"):
        money.from_text(text, "amount")
