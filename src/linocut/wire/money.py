"""The console's messages about money: usage, credits, invoices, subscriptions, commits.

An amount is in minor units of its currency (cents), with a fraction where there is one.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from linocut.wire.people import OrganizationId
from linocut.wire.types import UNSET, Nothing, Time

SegmentBy = Literal["DAY", "HOUR"]
UsageSource = Literal["API", "APP"]
ToolType = Literal["GENERATE", "REMIX", "EDIT", "UPSCALE", "DESCRIBE", "OTHER"]
InvoiceStatus = Literal["DRAFT", "PENDING_PAYMENT", "PAID", "VOIDED"]
ModelVersion = Literal[
    "V_0_1", "V_0_2", "V_0_3", "V_1_1", "V_1_5", "V_2_1", "V_3_0", "V_3_1", "V_4_0", "V_4_D", "V_4_LAYOUT2IMAGE",
    "EXTERNAL_GOOGLE_VEO_3_0", "EXTERNAL_BYTEDANCE_SEEDANCE_1_0_PRO", "EXTERNAL_MINIMAX_HAILUO_02", "EXTERNAL_MODEL",
    "AUTO",
]  # fmt: skip
_Uri = Annotated[str, Meta(examples=["http://127.0.0.1:8731/console/usage"])]
_UserEmail = Annotated[str, Meta(examples=["ada@example.org"])]
_KeyId = Annotated[str, Meta(examples=["JRPVD7jWR1aTBYiJ0UFVOg"])]


class Price(msgspec.Struct, kw_only=True, frozen=True):
    """An amount in minor units: 6 of USD are six cents."""

    amount: Annotated[float, Meta(examples=[600])]
    currency_code: Annotated[str, Meta(examples=["USD"])]


class UsageExtras(msgspec.Struct, kw_only=True, frozen=True):
    """Ours on a usage: how many images, pictures or runs; how long they had the device; whose; with which custom
    model."""

    quantity: int
    device_seconds: float
    user_id: str | None
    display_handle: Annotated[str, Meta(examples=["ada"])] | None
    model_id: str | None


class ToolUsage(msgspec.Struct, kw_only=True, frozen=True):
    """What one tool was used for by one key (absent: with a session) of one member."""

    full_tool_name: Annotated[str, Meta(examples=["V3 generate, DEFAULT"])]
    amount: Price
    tool_type: ToolType
    api_key_id: _KeyId | Nothing = UNSET
    user_email_address: _UserEmail | Nothing = UNSET
    model_version: ModelVersion | Nothing = UNSET
    x_linocut: UsageExtras | Nothing = UNSET


class UsageSegment(msgspec.Struct, kw_only=True, frozen=True):
    """A day or an hour, in UTC; empty where nothing was used."""

    segment_start: Time
    segment_end: Time
    tool_usage: list[ToolUsage]


class UsageTotals(msgspec.Struct, kw_only=True, frozen=True):
    """Ours: the sums of all segments."""

    amount: Price
    quantity: int
    device_seconds: float


class GetUsageInfoResponse(msgspec.Struct, kw_only=True, frozen=True):
    """``GET /manage/api/usage``: every segment from start to end."""

    usage_segments: list[UsageSegment]
    x_linocut: UsageTotals | Nothing = UNSET


class UsageQuery(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Whose usage, when, and which part of it."""

    organization_id: OrganizationId
    segment_by: Annotated[SegmentBy, Meta(examples=["DAY"])]
    start_time: Time
    end_time: Time | Nothing = UNSET
    model_versions: list[ModelVersion] = []
    tools: list[ToolType] = []
    api_key_ids: list[str] = []
    user_emails: list[str] = []
    source: UsageSource = "API"


class UsageFileQuery(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Ours: as ``UsageQuery``, with both sources where none is named."""

    organization_id: OrganizationId
    start_time: Time
    segment_by: SegmentBy = "DAY"
    end_time: Time | Nothing = UNSET
    model_versions: list[ModelVersion] = []
    tools: list[ToolType] = []
    api_key_ids: list[str] = []
    user_emails: list[str] = []
    source: UsageSource | Nothing = UNSET


class CreditsQuery(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Whose credit, and the time that spending is told of."""

    organization_id: OrganizationId
    start_time: Time
    end_time: Time | Nothing = UNSET


class CreditsExtras(msgspec.Struct, kw_only=True, frozen=True):
    """Ours: what work in progress costs, which is not available; whether credit must cover what is asked; what may be
    spent in a day and in a month (null: any amount), and was spent today and this month (UTC)."""

    reserved: Price
    is_prepaid: bool
    daily_limit: Price | None
    monthly_limit: Price | None
    spent_today: Price
    spent_this_month: Price


class GetUserCreditsResponse(msgspec.Struct, kw_only=True, frozen=True):
    """``GET /manage/api/credits``."""

    available_credits: Price | Nothing = UNSET
    total_spend: Price
    average_daily_spend: Price
    x_linocut: CreditsExtras | Nothing = UNSET


class CreditGrant(msgspec.Struct, kw_only=True, frozen=True):
    """Credit that was added."""

    grant_id: str
    name: Annotated[str, Meta(examples=["November"])]
    amount_issued: Price
    amount_consumed: Price
    amount_available: Price
    effective_at: Annotated[str, Meta(examples=["2000-01-23T04:56:07+00:00"])]
    expires_at: Annotated[str, Meta(examples=["2001-01-23T04:56:07+00:00"])] | Nothing = UNSET


class ManageApiCreditSummaryResponse(msgspec.Struct, kw_only=True, frozen=True):
    """``GET /manage/api/credit_summary``."""

    total_issued: Price
    total_consumed: Price
    total_expired: Price
    credit_grants: list[CreditGrant]


class AddCreditsExtras(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Ours on a top-up: its name, and when it expires (absent: never)."""

    name: Annotated[str, Meta(max_length=64, examples=["November"])] | Nothing = UNSET
    expires_at: Time | Nothing = UNSET


class PostAddCreditsRequest(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """``POST /manage/api/add_credits``: by an administrator of the server."""

    amount: Price
    x_linocut: AddCreditsExtras | Nothing = UNSET


class PostAddCreditsResponse(msgspec.Struct, kw_only=True, frozen=True):
    """What was added."""

    amount: Price


class SpendCommitInfo(msgspec.Struct, kw_only=True, frozen=True):
    """What is to be spent in a time, and was spent of it."""

    commit_amount: Price
    commit_amount_spent: Price
    commit_start_time: Time
    commit_end_time: Time
    is_postpaid_commit: bool


class SpendCommitInfoResponse(msgspec.Struct, kw_only=True, frozen=True):
    """``GET /manage/api/spend_commit``: empty unless an administrator has entered some."""

    commits: list[SpendCommitInfo]


class SpendCommitQuery(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Whose, and whether only those that are paid for afterwards."""

    organization_id: OrganizationId
    postpaid_only: bool | Nothing = UNSET


class InvoiceLineItem(msgspec.Struct, kw_only=True, frozen=True):
    """``quantity`` times ``unit_price`` is ``total``. ``api_key_id`` null: with a session."""

    charge_name: Annotated[str, Meta(examples=["V3 generate, DEFAULT"])]
    api_key_id: _KeyId | Nothing | None = UNSET
    quantity: int
    unit_price: Price
    total: Price


class Invoice(msgspec.Struct, kw_only=True, frozen=True):
    """A month's charges, in UTC; the lines' totals add up to ``total_spend``."""

    invoice_id: Annotated[str, Meta(examples=["2026-10"])] | Nothing | None = UNSET
    start_time: Time
    end_time: Time
    issued_time: Time | Nothing | None = UNSET
    paid_date: Time | Nothing | None = UNSET
    total_spend: Price
    invoice_status: InvoiceStatus
    line_items: list[InvoiceLineItem]


class ListOrganizationInvoicesResponse(msgspec.Struct, kw_only=True, frozen=True):
    """``GET /manage/api/organization/list_invoices``."""

    invoices: list[Invoice]


class GetOrganizationBillingPortalResponse(msgspec.Struct, kw_only=True, frozen=True):
    """``GET /manage/api/organization/billing_portal``: the page of this server that shows usage."""

    has_stripe_setup: bool
    stripe_billing_url: _Uri | Nothing = UNSET


class RechargeSettings(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """The balance is to be ``top_up_balance`` again when it is below ``minimum_balance_threshold``."""

    top_up_balance: Price
    minimum_balance_threshold: Price


class RechargeSettingsResponse(msgspec.Struct, kw_only=True, frozen=True):
    """The same, and whether it is wanted now."""

    top_up_balance: Price
    minimum_balance_threshold: Price
    is_active: bool


class MetronomeLinks(msgspec.Struct, kw_only=True, frozen=True):
    """The vendor's frames; this server's pages of the same things, where there are any."""

    invoices_iframe_url: _Uri | Nothing = UNSET
    invoices_iframe_dark_mode_url: _Uri | Nothing = UNSET
    credits_iframe_url: _Uri | Nothing = UNSET
    credits_iframe_dark_mode_url: _Uri | Nothing = UNSET
    usage_iframe_url: _Uri | Nothing = UNSET
    usage_iframe_dark_mode_url: _Uri | Nothing = UNSET


class MoneyNotes(msgspec.Struct, kw_only=True, frozen=True):
    """Ours: what is to be said of an answer, a sentence each."""

    notes: Annotated[list[str], Meta(examples=[["Nothing is paid by itself here."]])] | Nothing = UNSET


class ManageApiSubscriptionResponse(msgspec.Struct, kw_only=True, frozen=True):
    """``GET /manage/api/subscription``."""

    current_balance: Price
    has_accepted_terms: bool
    has_stripe_setup: bool
    recharge_settings: RechargeSettingsResponse | Nothing = UNSET
    stripe_billing_url: _Uri | Nothing = UNSET
    metronome_dashboard_url: _Uri | Nothing = UNSET
    metronome_dashboard_dark_mode_url: _Uri | Nothing = UNSET
    metronome_links: MetronomeLinks | Nothing = UNSET
    x_linocut: MoneyNotes | Nothing = UNSET


class PostApiSubscriptionRequest(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """``POST /manage/api/subscription``: what is absent stays as it is."""

    recharge_settings: RechargeSettings | Nothing = UNSET
    is_active: bool | Nothing = UNSET


class PostApiSubscriptionResponse(msgspec.Struct, kw_only=True, frozen=True):
    """As it is now."""

    recharge_settings: RechargeSettingsResponse | Nothing = UNSET
    x_linocut: MoneyNotes | Nothing = UNSET
