"""Language models that describe pictures and write captions."""

from pathlib import Path

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings

from linocut.settings.times import MOST_SECONDS
from linocut.web_addresses import named


class SpeakerSettings(BaseSettings):
    """Language models that describe pictures and write captions."""

    describer_url: str = Field(
        default="", description="Chat completions endpoint of the describer, such as http://127.0.0.1:11434/v1."
    )
    describer_model: str = Field(default="", description="The model that the describer's endpoint is asked for.")
    describer_key: SecretStr = Field(default=SecretStr(""), description="The key for it; empty: none is sent.")
    describer_seconds: float = Field(
        default=30.0, gt=0, le=MOST_SECONDS, description="Longest wait for the describer's answer."
    )
    describer: str = Field(
        default="embedded",
        pattern="^(embedded|endpoint)$",
        description="Who describes pictures: embedded, or endpoint (a vision model of yours).",
    )
    writer_url: str = Field(
        default="", description="Chat completions endpoint of the writer, such as http://127.0.0.1:11434/v1."
    )
    writer_model: str = Field(default="", description="The model that the writer's endpoint is asked for.")
    writer_key: SecretStr = Field(default=SecretStr(""), description="The key for it; empty: none is sent.")
    writer_seconds: float = Field(
        default=30.0, gt=0, le=MOST_SECONDS, description="Longest wait for the writer's answer."
    )
    writer: str = Field(
        default="grammar",
        pattern="^(grammar|endpoint|base)$",
        description="Who writes captions of texts (magic prompt): grammar, endpoint (a language model of yours), or "
        "base (the resident base's own).",
    )
    writer_head: Path | None = Field(
        default=None, description="Folder of the head of the base's language model, for the writer base."
    )
    writer_tokens: int = Field(
        default=1000, ge=100, le=8000, description="The most tokens of a caption that the base's own model writes."
    )

    @field_validator("describer", "writer")
    @classmethod
    def _is_named(cls, value: str, info: ValidationInfo) -> str:
        """The endpoint's own fields stand before it, so that they are known here."""
        if value == "endpoint":
            named(info.data, str(info.field_name))
        return value
