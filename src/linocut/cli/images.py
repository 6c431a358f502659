"""``linocut images``: what was drawn."""

from itertools import islice
from typing import Annotated, Any

import typer

from linocut.cli.connection import DEFAULT_URL, KEY_FILE, KeyFileOption, UrlOption, connect
from linocut.cli.say import JsonFlag, answer

app = typer.Typer(help="What was drawn.", no_args_is_help=True)
_PROMPT_SIGNS = 60
_PAGE = 200


@app.command("list")
def list_(
    search: Annotated[str | None, typer.Option("--search", help="Words that all occur in the prompt.")] = None,
    operation: Annotated[str | None, typer.Option("--operation", help="generate, remix, inpaint, upscale …")] = None,
    model: Annotated[str | None, typer.Option("--model", help="The uri of a custom model.")] = None,
    from_day: Annotated[str | None, typer.Option("--from", help="First day, as 2026-11-28 (UTC).")] = None,
    to_day: Annotated[str | None, typer.Option("--to", help="Last day, as 2026-11-28 (UTC).")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Most images.")] = 50,
    url: UrlOption = DEFAULT_URL,
    key_file: KeyFileOption = KEY_FILE,
    as_json: JsonFlag = False,
) -> None:
    """Images that you have asked for, newest first; those of the whole organisation for its admins."""
    asked = {
        "search": search,
        "operation": operation,
        "custom_model_uri": model,
        "from_day": from_day,
        "to_day": to_day,
        "limit": min(limit, _PAGE),
    }
    with connect(url, key_file) as client:
        found = list(islice(client.all_images(**asked), limit))
    answer(found, "\n".join(_line(image) for image in found) or "No images.", as_json=as_json)


@app.command("delete")
def delete(
    image_ids: Annotated[list[str], typer.Argument(help="The ids of the images: see linocut images list.")],
    url: UrlOption = DEFAULT_URL,
    key_file: KeyFileOption = KEY_FILE,
    as_json: JsonFlag = False,
) -> None:
    """Delete images for good."""
    with connect(url, key_file) as client:
        for image_id in image_ids:
            client.delete_image(image_id)
    count = f"{len(image_ids)} image{'' if len(image_ids) == 1 else 's'}"
    answer({"image_ids": image_ids, "deleted": True}, f"Deleted {count}.", as_json=as_json)


def _line(image: dict[str, Any]) -> str:
    prompt = " ".join(image["prompt"].split())
    short = prompt if len(prompt) <= _PROMPT_SIGNS else f"{prompt[: _PROMPT_SIGNS - 1]}…"
    seed = "" if image["seed"] is None else str(image["seed"])
    when = image["created"][:16].replace("T", " ")
    return f"{image['image_id']}  {when}  {image['operation'] or '-':<20}  {seed:>10}  {short}".rstrip()


def register(root: typer.Typer) -> None:
    """Put the verbs on the command line."""
    root.add_typer(app, name="images")
