"""Strings of strangers that would run if they were markup: stored ones, and in every string that an answer may hold."""

import json
import re
from typing import Any

from tests.api.live import Live
from tests.console.conftest import Visit, playground

from linocut.accounts import organizations
from linocut.api.discovery import OPERATIONS
from linocut.api.openapi import describe
from linocut.ids import new_id
from linocut.samples import PICTURES

PAYLOAD = "<img src=x onerror=pwned=1>'\"><svg onload=pwned=1>"


def named(what: str) -> str:
    """A name of at most 64 characters that nobody else has."""
    return f"{new_id()[:6]}{what[:3]} {PAYLOAD}"


def unharmed(visit: Visit) -> None:
    """Nothing ran, and nothing became an element that would."""
    assert visit.page.evaluate("window.pwned") is None
    assert visit.page.locator("[onerror], [onload]").count() == 0


def nothing_runs(visit: Visit, address: str, *, shown: bool = True) -> None:
    """A page shows the string, as text, where it has it at all."""
    page = visit.settled(address)
    if shown:
        page.wait_for_function("text => document.querySelector('main').innerText.includes(text)", arg=PAYLOAD)
    unharmed(visit)


def test_no_stored_string_runs(browser: Any, live: Live) -> None:
    """Through the API, as somebody would who wants to: what it takes is stored and shown as it was sent."""
    owner = live.account(named("owner"), named("organisation"))
    with live.runtime.db.transaction() as tx:
        stranger = organizations.ensure_user(tx, named("stranger"))
        organizations.add_member(tx, owner.organization_id, stranger, "MEMBER")
    dataset = owner.http.post("/datasets", json={"name": PAYLOAD}).json()["dataset_id"]
    files = [
        ("files", (f"{i}{PAYLOAD.replace('/', '')}.png", path.read_bytes()))
        for i, path in enumerate(sorted(PICTURES.glob("*.png"))[:4])
    ]
    assert owner.http.post(f"/datasets/{dataset}/upload_assets", files=files).json()["success_count"] == 4
    for asset in owner.http.get(f"/datasets/{dataset}/assets").json()["assets"]:
        path = f"/datasets/{dataset}/assets/{asset['asset_id']}/caption"
        assert owner.http.put(path, json={"caption": PAYLOAD}).status_code == 200
    query = f"organization_id={owner.organization_id}"
    assert owner.http.post(f"/manage/api/api_keys_v2?{query}", json={"label": PAYLOAD}).status_code == 200
    drawn = {"prompt": PAYLOAD, "negative_prompt": PAYLOAD, "magic_prompt": "ON"}
    assert owner.http.post("/v1/ideogram-v3/generate", json=drawn).status_code == 200
    body = {"dataset_id": dataset, "model_name": "Posters"}
    begun = owner.http.post("/v1/ideogram-v3/train-model", json=body)
    assert begun.status_code == 200, begun.text
    model = begun.json()["model_id"]
    visit = Visit(browser, live.url, owner.token)
    for address in (
        "/",
        "/account",
        "/datasets",
        f"/datasets/{dataset}",
        "/train",
        "/team",
        "/keys",
        "/audit",
    ):
        nothing_runs(visit, address)
    for address in ("/runs", f"/runs/{model}", "/models", f"/models/{model}", "/usage", "/gallery", "/status"):
        nothing_runs(visit, address, shown=False)
    visit.open("/gallery").locator(".cell button").first.click()
    visit.page.locator(".dialog dl").wait_for()
    assert PAYLOAD in visit.page.locator(".dialog").inner_text()
    unharmed(visit)
    visit.close()


class Poison:
    """Answers of the server with the payload behind every string that its own description leaves free: no word of a
    list, no time, no id, no code and no link."""

    def __init__(self) -> None:
        described: dict[str, Any] = json.loads(json.dumps(describe(OPERATIONS), default=str))
        self.schemas: dict[str, Any] = described["components"]["schemas"]
        self.answers: list[tuple[re.Pattern[str], str, dict[str, Any]]] = []
        self.touched: set[str] = set()
        for path, methods in described["paths"].items():
            pattern = re.compile("/".join("[^/]+" if "{" in part else re.escape(part) for part in path.split("/")))
            for method, said in methods.items():
                content = said["responses"].get("200", {}).get("content", {}).get("application/json")
                if content:
                    self.answers.append((pattern, method.upper(), content["schema"]))

    def handle(self, route: Any) -> None:
        """For ``page.route``."""
        request = route.request
        path = re.sub(r"^https?://[^/]+|[?#].*$", "", request.url)
        for pattern, method, schema in self.answers:
            if method == request.method and pattern.fullmatch(path) and path != "/openapi.json":
                answer = route.fetch()
                if answer.ok and "json" in answer.headers.get("content-type", ""):
                    route.fulfill(response=answer, json=self.poisoned(answer.json(), [schema], path))
                else:
                    route.fulfill(response=answer)
                return
        route.continue_()

    def branches(self, schemas: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """What a value may be, references followed."""
        found = []
        for schema in schemas:
            if "$ref" in schema:
                schema = self.schemas[schema["$ref"].rsplit("/", 1)[-1]]
            inner = [one for word in ("anyOf", "oneOf", "allOf") for one in schema.get(word, ())]
            found += self.branches(inner) if inner else [schema]
        return found

    def poisoned(self, value: Any, schemas: list[dict[str, Any]], name: str) -> Any:
        may_be = self.branches(schemas)
        if isinstance(value, list):
            return [self.poisoned(one, [b["items"] for b in may_be if "items" in b], name) for one in value]
        if isinstance(value, dict):
            told = {}
            for key, one in value.items():
                of_key = [b["properties"][key] for b in may_be if key in b.get("properties", {})]
                of_any = [b["additionalProperties"] for b in may_be if isinstance(b.get("additionalProperties"), dict)]
                told[key] = self.poisoned(one, of_key or of_any, f"{name} {key}")
            return told
        fixed = any(word in one for one in may_be for word in ("enum", "const", "format"))
        key = name.rsplit(" ", 1)[-1]
        if (
            not isinstance(value, str)
            or fixed
            or key.endswith(("_id", "url", "cursor", "_code"))
            or value.startswith("http")
        ):
            return value
        self.touched.add(name)
        return value + PAYLOAD


def test_no_string_of_any_answer_runs(browser: Any, live: Live) -> None:
    """What nobody could store today too: notes, errors, details, names of bases."""
    account = live.account()
    dataset = account.http.post("/datasets", json={"name": "posters"}).json()["dataset_id"]
    files = [("files", (path.name, path.read_bytes())) for path in sorted(PICTURES.glob("*.png"))[:4]]
    account.http.post(f"/datasets/{dataset}/upload_assets", files=files)
    assert account.http.post("/v1/ideogram-v3/generate", json={"prompt": "tea"}).status_code == 200
    account.http.post(f"/manage/api/api_keys_v2?organization_id={account.organization_id}", json={"label": "website"})
    body = {"dataset_id": dataset, "model_name": "Posters"}
    model = account.http.post("/v1/ideogram-v3/train-model", json=body).json()["model_id"]
    visit, poison = Visit(browser, live.url, account.token), Poison()
    visit.open(f"/runs/{model}").get_by_role("link", name="The model").wait_for()
    visit.page.route("**/*", poison.handle)
    visit.page.reload()
    for address in (
        "/", "/account", "/datasets", f"/datasets/{dataset}", "/train", "/runs", f"/runs/{model}", "/models",
        f"/models/{model}", "/gallery", "/team", "/keys", "/usage", "/audit",
    ):  # fmt: skip
        nothing_runs(visit, address)
    nothing_runs(visit, "/status", shown=False)
    page = playground(visit, "/v1/ideogram-v3/generate")
    page.get_by_label("Prompt *").fill("tea")
    page.get_by_role("button", name="Draw", exact=True).click()
    page.locator(".results .card").first.wait_for()
    unharmed(visit)
    visit.page.unroute("**/*")
    print(f"{len(poison.touched)} strings: {sorted(poison.touched)}")
    assert len(poison.touched) > 25
    visit.close()
