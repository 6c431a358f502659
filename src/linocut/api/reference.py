"""The reference as one page of HTML, made from the OpenAPI document: no script, no font, no file from elsewhere."""

from html import escape
from typing import Any

Json = dict[str, Any]

_STYLE = """
:root { color-scheme: light dark; --ink: #1c1a17; --paper: #fbf8f2; --line: #ddd5c5; --soft: #f1ebdd; --mark: #b3402a }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ece6da; --paper: #191714; --line: #3a352d; --soft: #24211c; --mark: #e8795f }
}
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 ui-sans-serif, system-ui, sans-serif }
main { max-width: 60rem; margin: 0 auto; padding: 2rem 1.25rem 6rem }
h1 { font-size: 2rem; margin: 0 } h2 { margin: 3rem 0 .5rem; text-transform: capitalize }
a { color: inherit } code, pre { font: 13px/1.5 ui-monospace, monospace }
pre { background: var(--soft); padding: .8rem 1rem; overflow-x: auto; border-radius: 6px }
nav { columns: 2; margin: 1.5rem 0; font-size: 14px } nav a { display: block; text-decoration: none; padding: .1rem 0 }
details { border: 1px solid var(--line); border-radius: 8px; margin: .6rem 0; background: var(--paper) }
summary { cursor: pointer; padding: .6rem .9rem } details > div { padding: 0 .9rem .9rem }
.verb { display: inline-block; min-width: 4.2rem; font: 600 13px ui-monospace, monospace; color: var(--mark) }
.ours { border: 1px solid var(--line); border-radius: 99px; padding: 0 .5rem; font-size: 12px; margin-left: .4rem }
table { border-collapse: collapse; width: 100%; font-size: 14px; margin: .4rem 0 1rem }
td, th { border-top: 1px solid var(--line); text-align: left; padding: .35rem .6rem .35rem 0; vertical-align: top }
td:nth-child(2) { color: color-mix(in srgb, var(--ink) 75%, transparent) }
"""
_INTRO = """
<h1>linocut</h1>
<p>Train a custom model on your own pictures, then generate with it. Every call but image links and health checks
carries <code>Api-Key: &lt;key&gt;</code>; <code>linocut keys create</code> makes one. Refusals are JSON with one
sentence under <code>error</code>. This page is also <a href="openapi.json">OpenAPI</a>.</p>
<pre>curl -H "Api-Key: $KEY" -d '{"name": "posters"}' -H "Content-Type: application/json" $URL/datasets
curl -H "Api-Key: $KEY" -F files=@one.png -F files=@captions.zip $URL/datasets/$DATASET/upload_assets
curl -H "Api-Key: $KEY" -d "{\\"dataset_id\\": \\"$DATASET\\", \\"model_name\\": \\"my posters\\"}" \\
     -H "Content-Type: application/json" $URL/v1/ideogram-v3/train-model
curl -H "Api-Key: $KEY" $URL/models/$MODEL
curl -H "Api-Key: $KEY" -F prompt="a teapot" -F custom_model_uri=$URI $URL/v1/ideogram-v3/generate</pre>
"""


def render(document: Json) -> str:
    """The page."""
    schemas = document["components"]["schemas"]
    by_tag: dict[str, list[str]] = {}
    links = []
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            by_tag.setdefault(operation["tags"][0], []).append(_operation(method, path, operation, schemas))
            links.append(f'<a href="#{operation["operationId"]}">{_verb(method)}<code>{escape(path)}</code></a>')
    groups = "".join(f"<h2>{escape(tag)}</h2>{''.join(operations)}" for tag, operations in by_tag.items())
    objects = "".join(
        f'<details id="{name}"><summary><code>{name}</code></summary><div>{_object(schema)}</div></details>'
        for name, schema in schemas.items()
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>linocut: API reference</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><main>{_INTRO}<nav>{''.join(links)}</nav>{groups}"
        f"<h2>Objects</h2>{objects}</main></body></html>"
    )


def _verb(method: str) -> str:
    return f'<span class="verb">{method.upper()}</span>'


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
    answers = "".join(
        f"<tr><td><code>{status}</code></td><td>{escape(answer['description'])}</td><td>{_content(answer)}</td></tr>"
        for status, answer in operation["responses"].items()
    )
    parts.append(f"<h4>Answers</h4><table>{answers}</table>")
    return (
        f'<details id="{operation["operationId"]}"><summary>{_verb(method)}<code>{escape(path)}</code>{ours}</summary>'
        f"<div>{''.join(parts)}</div></details>"
    )


def _content(answer: Json) -> str:
    return ", ".join(
        _type(content["schema"]) if "schema" in content else f"<code>{escape(media)}</code>"
        for media, content in answer.get("content", {}).items()
    )


def _object(schema: Json) -> str:
    required = schema.get("required", [])
    rows = "".join(_row(name, field, "", required=name in required) for name, field in schema["properties"].items())
    about = f"<p>{escape(schema.get('description', '').replace('``', ''))}</p>"
    return f"{about}<table>{rows}</table>"


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
        return ", ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    limits = " ".join(f"{key} {escape(str(schema[key]))}" for key in _LIMITS if key in schema)
    about = escape(str(schema.get("description", "")))
    return " ".join(part for part in (escape(str(schema.get("type", "any"))), limits, about) if part)


_LIMITS = (
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "pattern",
    "minItems", "maxItems", "default",
)  # fmt: skip
