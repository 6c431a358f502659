"""What work costs, and how often one may ask."""

from pydantic import Field
from pydantic_settings import BaseSettings


class MoneySettings(BaseSettings):
    """What work costs, and how often one may ask."""

    prices: str = Field(
        default="free", description="What work costs: free, published (the hosted service's), or a TOML file of yours."
    )
    credit: str = Field(
        default="prepaid",
        pattern="^(prepaid|invoiced)$",
        description="prepaid (credit must cover what is asked), or invoiced (a balance may go below 0).",
    )
    requests_per_minute: int = Field(
        default=0, ge=0, le=100_000, description="Requests that a key may send within a minute; 0: any number."
    )
