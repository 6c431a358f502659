"""The reference as one page of HTML, made from the OpenAPI document: no script, no font, no file from elsewhere.

Its links are relative: it works under a path prefix of a proxy. A link to an operation or an object goes to an element
inside its row, so the browser opens the row.
"""

import json
import re
import shlex
from collections.abc import Sequence
from html import escape
from typing import Any

from linocut.api.operation import Operation

Json = dict[str, Any]

_STYLE = """
:root { color-scheme: light dark; --ink: #1c1a17; --paper: #fbf8f2; --line: #ddd5c5; --soft: #f1ebdd; --mark: #b3402a }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ece6da; --paper: #191714; --line: #3a352d; --soft: #24211c; --mark: #e8795f }
}
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 ui-sans-serif, system-ui, sans-serif }
main { max-width: 60rem; margin: 0 auto; padding: 2rem 1.25rem 6rem }
h1 { font-size: 2rem; margin: 0 } h2 { margin: 3rem 0 .5rem } h4 { margin: 1rem 0 .2rem }
a { color: inherit } code, pre { font: 13px/1.5 ui-monospace, monospace } code { overflow-wrap: anywhere }
pre { background: var(--soft); padding: .8rem 1rem; overflow: auto; max-height: 24rem; border-radius: 6px }
nav { columns: 2; column-gap: 2rem; margin: 1.5rem 0; font-size: 14px }
nav a, li { display: flex; text-decoration: none; padding: .1rem 0; break-inside: avoid } ul { padding: 0; margin: 0 }
details { border: 1px solid var(--line); border-radius: 8px; margin: .6rem 0; background: var(--paper) }
summary { cursor: pointer; padding: .6rem .9rem } details > div { padding: 0 .9rem .9rem; scroll-margin-top: 3.5rem }
details:has(> :target) { border-color: var(--mark) }
details:has(> :target)::details-content { content-visibility: visible; block-size: auto }
.verb { display: inline-block; flex: none; width: 4.2rem; font: 600 13px/1.6 ui-monospace, monospace }
.verb { color: var(--mark) }
.ours { border: 1px solid var(--line); border-radius: 99px; padding: 0 .5rem; margin-left: .4rem }
.ours { font-size: 12px; white-space: nowrap }
table { border-collapse: collapse; width: 100%; font-size: 14px; margin: .4rem 0 1rem }
td { border-top: 1px solid var(--line); text-align: left; padding: .35rem .6rem .35rem 0; vertical-align: top }
td:nth-child(2) { color: color-mix(in srgb, var(--ink) 75%, transparent) }
td details { border: 0; margin: 0 } td summary { padding: 0 }
@media (max-width: 44rem) {
  nav { columns: 1 } main { padding: 1.25rem .9rem 4rem } summary .verb { width: auto; margin-right: .6rem }
  tr { display: block; border-top: 1px solid var(--line); padding: .35rem 0 }
  td { display: inline-block; border: 0; padding: 0 .6rem 0 0 } td:last-child { display: block }
}
"""
_INTRO = """
<h1>linocut</h1>
<p>Train a custom model on your own pictures, then generate with it. Every call but image links and health checks
carries <code>Api-Key: &lt;key&gt;</code>; <code>linocut keys create</code> makes one. Refusals are JSON with one
sentence under <code>error</code>. This page is also <a href="openapi.json">OpenAPI</a>. In the examples
<code>$URL</code> is this server, <code>$KEY</code> your key.</p>
<pre>curl -H "Api-Key: $KEY" -d '{"name": "posters"}' -H "Content-Type: application/json" $URL/datasets
curl -H "Api-Key: $KEY" -F files=@one.png -F files=@captions.zip $URL/datasets/$DATASET_ID/upload_assets
curl -H "Api-Key: $KEY" -d "{\\"dataset_id\\": \\"$DATASET_ID\\", \\"model_name\\": \\"my posters\\"}" \\
     -H "Content-Type: application/json" $URL/v1/ideogram-v3/train-model
curl -H "Api-Key: $KEY" $URL/models/$MODEL_ID
curl -H "Api-Key: $KEY" -F prompt="a teapot" -F custom_model_uri=$URI $URL/v1/ideogram-v3/generate</pre>
"""
_MANY_VALUES = 12
"""A field with more values than this shows the first ones, and the rest on demand."""


def render(document: Json, not_built: Sequence[Operation] = ()) -> str:
    """The page."""
    schemas = document["components"]["schemas"]
    by_tag: dict[str, list[str]] = {}
    links = []
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            by_tag.setdefault(operation["tags"][0], []).append(_operation(method, path, operation, schemas))
            links.append(f'<a href="#{operation["operationId"]}">{_verb(method)}<code>{escape(path)}</code></a>')
    groups = "".join(f"<h2>{escape(tag.capitalize())}</h2>{''.join(rows)}" for tag, rows in by_tag.items())
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>linocut: API reference</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><main>{_INTRO}<nav>{''.join(links)}</nav>{groups}"
        f"{_not_built(not_built)}<h2>Objects</h2>{_objects(document)}</main></body></html>"
    )


def _verb(method: str) -> str:
    return f'<span class="verb">{method.upper()}</span>'


def _row_of(name: str, title: str, content: str) -> str:
    """A row that opens. The id is inside, not on the row: that is what makes a link to it open the row."""
    return f'<details><summary>{title}</summary><div id="{name}">{content}</div></details>'


def _operation(method: str, path: str, operation: Json, schemas: Json) -> str:
    ours = '<span class="ours">linocut only</span>' if operation.get("x-linocut") else ""
    parts = [f"<p>{escape(operation['summary'])}.</p>"]
    if operation["parameters"]:
        rows = "".join(_row(p["name"], p["schema"], p["in"], required=p["required"]) for p in operation["parameters"])
        parts.append(f"<table>{rows}</table>")
    if body := operation.get("requestBody"):
        encodings = " or ".join(f"<code>{escape(encoding)}</code>" for encoding in body["content"])
        schema = next(iter(body["content"].values()))["schema"]
        parts.append(f"<h4>Body: {encodings}</h4>{_object(schemas[schema['$ref'].rpartition('/')[2]])}")
    parts.append(f"<h4>Example</h4><pre>{escape(curl(method, path, operation, schemas))}</pre>")
    answer = operation["responses"].get("200", {}).get("content", {}).get("application/json", {}).get("example")
    if answer is not None:
        parts.append(f"<pre>{escape(json.dumps(answer, indent=1, ensure_ascii=False))}</pre>")
    answers = "".join(
        f"<tr><td><code>{status}</code></td><td>{escape(answer['description'])}</td><td>{_content(answer)}</td></tr>"
        for status, answer in operation["responses"].items()
    )
    parts.append(f"<h4>Answers</h4><table>{answers}</table>")
    return _row_of(operation["operationId"], f"{_verb(method)}<code>{escape(path)}</code>{ours}", "".join(parts))


def curl(method: str, path: str, operation: Json, schemas: Json) -> str:
    """The example of a request as a command: ``$KEY``, ``$URL`` and the ids in the address are the reader's."""
    words = ["curl"]
    if method not in ("get", "post") or (method == "post" and "requestBody" not in operation):
        words.append(f"-X {method.upper()}")
    if operation["security"]:
        words.append('-H "Api-Key: $KEY"')
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" in content:
        words.append('-H "Content-Type: application/json"')
        words.append(f"-d {shlex.quote(json.dumps(content['application/json']['example'], ensure_ascii=False))}")
    elif content:
        [form] = content.values()
        fields = schemas[form["schema"]["$ref"].rpartition("/")[2]]["properties"]
        for name, value in form["example"].items():
            is_file = "contentMediaType" in {**fields[name], **fields[name].get("items", {})}
            words.append(f"-F {name}=@picture.png" if is_file else f"-F {shlex.quote(f'{name}={value}')}")
    needed = [one["name"] for one in operation["parameters"] if one["in"] == "query" and one["required"]]
    query = "?" + "&".join(f"{name}=${name.upper()}" for name in needed) if needed else ""
    address = re.sub(r"\{(\w+)\}", lambda name: f"${name[1].upper()}", path)
    words.append(f'"$URL{address}{query}"')
    return " ".join(words)


def _content(answer: Json) -> str:
    return ", ".join(
        _type(content["schema"]) if "schema" in content else f"<code>{escape(media)}</code>"
        for media, content in answer.get("content", {}).items()
    )


def _objects(document: Json) -> str:
    """Every object that something on the page leads to; a request's own is shown with its operation."""
    schemas, shown = document["components"]["schemas"], json.dumps(_shown(document))
    linked = {name for name in schemas if f'"#/components/schemas/{name}"' in shown}
    return "".join(_row_of(name, f"<code>{name}</code>", _object(schemas[name])) for name in schemas if name in linked)


def _shown(document: Json) -> Json:
    operations = [one for methods in document["paths"].values() for one in methods.values()]
    return {"answers": [one["responses"] for one in operations], "objects": document["components"]["schemas"]}


def _not_built(operations: Sequence[Operation]) -> str:
    if not operations:
        return ""
    rows = "".join(f"<li>{_verb(one.method)}<code>{escape(one.path)}</code></li>" for one in operations)
    about = "<p>These are published, and this server cannot do them yet: it answers 501 and says so.</p>"
    return f"<h2>Not built yet</h2>{about}{_row_of('not_built', f'{len(operations)} operations', f'<ul>{rows}</ul>')}"


def _object(schema: Json) -> str:
    required, fields = schema.get("required", []), schema["properties"]
    about = f"<p>{escape(schema.get('description', '').replace('``', ''))}</p>"
    rows = "".join(
        _row(name, field, "", required=name in required)
        for name, field in fields.items()
        if "x-not-supported-yet" not in field
    )
    later = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{escape(field['x-not-supported-yet']['sentence'])}</td></tr>"
        for name, field in fields.items()
        if "x-not-supported-yet" in field
    )
    more = f"<h4>Not supported yet</h4><table>{later}</table>" if later else ""
    return f"{about}<table>{rows}</table>{more}"


def _row(name: str, schema: Json, where: str, *, required: bool) -> str:
    notes = " ".join(note for note in (where, "" if required else "optional") if note)
    return f"<tr><td><code>{escape(name)}</code></td><td>{escape(notes)}</td><td>{_type(schema)}</td></tr>"


def _type(schema: Json) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f'<a href="#{name}"><code>{name}</code></a>'
    if "anyOf" in schema:
        return " or ".join(_type(option) for option in schema["anyOf"])
    if "enum" in schema:
        values = [escape(str(value)) for value in schema["enum"]]
        default = f"; default <code>{escape(str(schema['default']))}</code>" if "default" in schema else ""
        if len(values) <= _MANY_VALUES:
            return ", ".join(f"<code>{value}</code>" for value in values) + default
        many = f"<code>{', '.join(values)}</code>"  # one element for all: the page holds such lists many times
        return f"<details><summary>one of {len(values)} values{default}</summary>{many}</details>"
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    limits = " ".join(f"{key} {escape(str(schema[key]))}" for key in _LIMITS if key in schema)
    about = escape(str(schema.get("description", "")))
    return " ".join(part for part in (escape(str(schema.get("type", "any"))), limits, about) if part)


_LIMITS = (
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "pattern",
    "minItems", "maxItems", "default",
)  # fmt: skip
