"""What the API does for webhooks: looks where one would lead before the work is taken on."""

from dataclasses import dataclass

from linocut.api.call import Call
from linocut.api.writing import with_caption
from linocut.errors import InvalidRequest
from linocut.generation.types import GenerateAsk
from linocut.webhooks.targets import Refused, addresses_of, target_of
from linocut.wire.queries import AsyncGenerateQuery

LOOK_UP_SECONDS = 5.0
"""The longest that a request waits until the host of its webhook is found."""


@dataclass(frozen=True)
class AsyncAsk:
    """What is to be drawn, and whom to tell. ``refusal``: why nobody can be told there."""

    generate: GenerateAsk
    webhook_url: str
    refusal: InvalidRequest | None


async def look_ahead(call: Call, ask: GenerateAsk) -> AsyncAsk:
    """The ask with its webhook. ``InvalidRequest`` for a URL that is none; what its host leads to is told later."""
    url = call.query(AsyncGenerateQuery).webhook_url
    target, hosts = target_of(url), call.runtime.settings.allowed_webhook_hosts
    refusal = None
    if target.host.lower() not in hosts.names:
        try:
            await addresses_of(target, hosts, LOOK_UP_SECONDS)
        except Refused as refused:
            refusal = InvalidRequest(f"webhook_url: {refused}.", field="webhook_url")
    if refusal is None:
        ask = await with_caption(call, ask)
    return AsyncAsk(ask, url, refusal)
