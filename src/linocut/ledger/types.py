"""What the other rooms say to the ledger, and what it says of an organisation."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Tool = Literal["GENERATE", "REMIX", "EDIT", "UPSCALE", "DESCRIBE", "OTHER"]
"""As published."""


@dataclass(frozen=True)
class Charge:
    """What work is sold as. ``name``: as usage and invoices call it; ``items``: the prices that may apply (the highest
    does), at ``speed`` ("" where there is none); ``quantity``: of images, pictures or runs. ``model_version``: the
    published name of what it asks for, None for a tool."""

    tool: Tool
    name: str
    items: tuple[str, ...]
    quantity: int
    speed: str = ""
    model_version: str | None = None


@dataclass(frozen=True)
class Wanted:
    """What a job reserves. ``is_stage``: it is an earlier job of a request, which is charged with the last one: what it
    reserves is held until that one is placed. ``device_us``: microseconds of the device that earlier jobs took."""

    charge: Charge
    model_id: str | None = None
    is_stage: bool = False
    device_us: int = 0


@dataclass(frozen=True)
class Standing:
    """How an organisation stands. ``balance``: what was granted less what was charged and has expired; ``reserved``:
    the price of what is in progress; ``expiring``: credit whose time is over and that nothing has used."""

    balance: int
    reserved: int
    expiring: int

    @property
    def available(self) -> int:
        """What new work may cost."""
        return self.balance - self.reserved - self.expiring


@dataclass(frozen=True)
class Grant:
    """Credit that was added. ``left`` of it is not used yet; ``expired``: used for nothing while it was good."""

    grant_id: str
    name: str
    amount: int
    left: int
    expired: int
    created_at: datetime
    expires_at: datetime | None

    @property
    def consumed(self) -> int:
        """What work was paid with."""
        return self.amount - self.left - self.expired
