"""Reading a picture: every cell says which element it belongs to and what that is, and cells that agree are one.

Convolutions over what the frozen drawing network sees (looking.py). Legend: _bchw = batch, channel, rows and columns of
cells; k = what a cell is asked for. Boxes are x0, y0, x1, y1 in pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from linocut.prompting.lexicon import COLOURS, FACES, hex_to_rgb
from pretrain.data import TOKEN
from pretrain.draw import CLASS_OF, CLASSES
from pretrain.scene import GROUNDS, NAMES, Colour, Ground, Item, Scene

LONGEST_WORD = 6
SIZES = {
    "class": len(CLASSES), "box": 4, "index": LONGEST_WORD, "length": LONGEST_WORD, "face": len(FACES),
    "colour": len(NAMES), "second": len(NAMES) + 1, "outlined": 2, "tilted": 2,
}  # fmt: skip
"""Numbers that each cell gives: logits, and for its element's box the distances to the sides (see ``SCALE``)."""
WHOLE = {"kind": len(GROUNDS), "first": len(NAMES), "other": len(NAMES), "border": len(NAMES) + 1}
"""Logits for the ground, from all cells together."""
REACH = (2, 4, 1)
"""Cells between the taps of each further convolution: a letter sees its word's ends."""
SCALE = 4.0
"""Cells to a unit of a box's distances."""
SURE = 0.5
"""How likely a cell must belong to some element to be asked for it."""
ALIKE = 0.5
"""IoU from which two cells speak of the same element."""
FEWEST = 1.0
"""Cells' worth of certainty that an element needs."""


class Reader(nn.Module):
    def __init__(self, channels: int, width: int) -> None:
        """`channels`: of a cell, see looking.py."""
        super().__init__()
        self.first = nn.Conv2d(channels, width, 3, padding=1)
        self.further = nn.ModuleList(nn.Conv2d(width, width, 3, padding=step, dilation=step) for step in REACH)
        self.cell = nn.Conv2d(width, sum(SIZES.values()), 1)
        self.whole = nn.Linear(2 * width, sum(WHOLE.values()))

    def forward(self, seen_bchw: torch.Tensor) -> dict[str, torch.Tensor]:
        """Of each name in ``SIZES`` batch x k x rows x columns, of each in ``WHOLE`` batch x k."""
        x_bchw = functional.gelu(self.first(seen_bchw))
        for layer in self.further:
            x_bchw = x_bchw + functional.gelu(layer(x_bchw))
        cells = torch.split(self.cell(x_bchw), list(SIZES.values()), 1)
        pooled = torch.cat((x_bchw.mean((2, 3)), x_bchw.amax((2, 3))), 1)
        wholes = torch.split(self.whole(pooled), list(WHOLE.values()), 1)
        return dict(zip(SIZES, cells, strict=True)) | dict(zip(WHOLE, wholes, strict=True))


def labels(scene: Scene) -> dict[str, np.ndarray]:
    """What a perfect reader says of a painted scene: classes as numbers, rows x columns (box: 4 x rows x columns).

    A cell belongs to the element whose box (a letter: whose own cell) covers most of it, and at least a fifth of it.
    """
    rows, cols = scene.height // TOKEN, scene.width // TOKEN
    out = {name: np.zeros((4, rows, cols) if name == "box" else (rows, cols), np.float32) for name in SIZES}
    most = np.full((rows, cols), 0.2)
    x, y = np.arange(cols), np.arange(rows)
    for item in scene.items:
        for index, own in enumerate(item.cells if item.text else (item.box,)):
            x0, y0, x1, y1 = (v / TOKEN for v in own)
            across = np.clip(np.minimum(x + 1, x1) - np.maximum(x, x0), 0, None)
            down = np.clip(np.minimum(y + 1, y1) - np.maximum(y, y0), 0, None)
            here = down[:, None] * across > most
            most = np.maximum(most, down[:, None] * across)
            said = {
                "class": CLASS_OF[item.text[index] if item.text else item.name], "index": min(index, LONGEST_WORD - 1),
                "length": min(max(len(item.text), 1), LONGEST_WORD) - 1,
                "face": FACES.index(item.face) if item.text else 0, "colour": NAMES.index(item.colour.name),
                "second": NAMES.index(item.second.name) + 1 if item.named_second else 0,
                "outlined": item.outlined, "tilted": bool(item.tilt),
            }  # fmt: skip
            for name, value in said.items():
                out[name][here] = value
            bx0, by0, bx1, by1 = (v / TOKEN for v in item.box)
            to_sides = np.broadcast_arrays(x + 0.5 - bx0, (y + 0.5 - by0)[:, None], bx1 - x - 0.5,
                                           (by1 - y - 0.5)[:, None])  # fmt: skip
            out["box"][:, here] = np.stack(to_sides)[:, here] / SCALE
    ground = scene.ground
    out |= {
        "kind": np.array(GROUNDS.index(ground.kind)), "first": np.array(NAMES.index(ground.first.name)),
        "other": np.array(NAMES.index(ground.second.name)),
        "border": np.array(0 if ground.border is None else NAMES.index(ground.border.name) + 1),
    }  # fmt: skip
    return out


def losses(said: dict[str, torch.Tensor], true: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """One loss a name. What an element is like is asked of its cells only, the second ground colour of two-coloured
    grounds only."""
    owned = (true["class"] > 0).float()
    count = owned.sum().clamp(min=1.0)
    out = {"class": functional.cross_entropy(said["class"], true["class"].long())}
    off = functional.smooth_l1_loss(said["box"], true["box"], reduction="none", beta=0.1).mean(1)
    out["box"] = (off * owned).sum() / count
    for name in ("index", "length", "face", "colour", "second", "outlined", "tilted"):
        each = functional.cross_entropy(said[name], true[name].long(), reduction="none")
        out[name] = (each * owned).sum() / count
    for name in ("kind", "first", "border"):
        out[name] = functional.cross_entropy(said[name], true[name].long())
    two = (true["kind"] > 0).float()
    each = functional.cross_entropy(said["other"], true["other"].long(), reduction="none")
    out["other"] = (each * two).sum() / two.sum().clamp(min=1.0)
    return out


@dataclass
class Votes:
    """What the cells of one element say, summed by how sure each is that it is one."""

    weight: np.ndarray  # cells
    said: dict[str, np.ndarray]  # cells x k, probabilities; box: x0, y0, x1, y1 in pixels

    def of(self, name: str) -> int:
        return int((self.said[name] * self.weight[:, None]).sum(0).argmax())


def scene_of(said: dict[str, torch.Tensor], size: tuple[int, int]) -> Scene:
    """The scene that a reader's answer for one picture (batch of one) tells of; `size` is (width, height)."""
    flat = {name: said[name][0].flatten(1).T for name in SIZES}
    chances = {name: value.softmax(-1).numpy() for name, value in flat.items() if name != "box"}
    rows, cols = said["class"].shape[2:]
    y, x = (part.flatten() + 0.5 for part in np.mgrid[0:rows, 0:cols])
    left, up, right, down = (flat["box"].numpy() * SCALE).T
    chances["box"] = np.stack((x - left, y - up, x + right, y + down), -1) * TOKEN
    sure = 1 - chances["class"][:, 0]
    waiting = [int(i) for i in np.argsort(-sure) if sure[i] > SURE]
    items = []
    while waiting:
        alike = overlaps(chances["box"][waiting[0]], chances["box"][waiting]) > ALIKE
        alike[0] = True
        mine = [i for i, same in zip(waiting, alike, strict=True) if same]
        waiting = [i for i, same in zip(waiting, alike, strict=True) if not same]
        if sure[mine].sum() >= FEWEST:
            items.append(_item(Votes(sure[mine], {name: value[mine] for name, value in chances.items()})))
    whole = {name: int(said[name][0].argmax()) for name in WHOLE}
    border = None if whole["border"] == 0 else _colour(whole["border"] - 1)
    ground = Ground(GROUNDS[whole["kind"]], _colour(whole["first"]), _colour(whole["other"]), 16.0, border)
    return Scene(*size, ground, tuple(sorted(items, key=lambda item: (item.box[1], item.box[0]))))


def _item(votes: Votes) -> Item:
    box: Any = tuple(float(v) for v in np.median(votes.said["box"], axis=0))
    colour = _colour(votes.of("colour"))
    letters = CLASS_OF["A"]
    if (votes.said["class"][:, letters:].sum(1) * votes.weight).sum() > 0.5 * votes.weight.sum():
        text = ""
        for index in range(votes.of("length") + 1):
            of_it = votes.said["class"] * (votes.said["index"][:, index] * votes.weight)[:, None]
            text += CLASSES[letters + int(of_it.sum(0)[letters:].argmax())]
        return Item("", colour, colour, False, box, text=text, face=FACES[votes.of("face")])
    named = (votes.said["class"] * votes.weight[:, None]).sum(0)[1:letters]
    second = votes.of("second")
    return Item(
        CLASSES[1 + int(named.argmax())], colour, colour if second == 0 else _colour(second - 1), second > 0, box,
        outlined=votes.of("outlined") == 1, tilt=20.0 * votes.of("tilted"),
    )  # fmt: skip


def _colour(index: int) -> Colour:
    return Colour(NAMES[index], hex_to_rgb(COLOURS[NAMES[index]]))


@torch.no_grad()
def read(reader: Reader, seen_bnc: torch.Tensor, grid: tuple[int, int]) -> Scene:
    """What one picture shows, of ``looking.look`` (a batch of one); `grid` are its rows and columns of cells."""
    said = reader(seen_bnc.mT.reshape(1, -1, *grid))
    return scene_of(said, (grid[1] * TOKEN, grid[0] * TOKEN))


def overlaps(box: np.ndarray, boxes_n4: np.ndarray) -> np.ndarray:
    """IoU of a box with each of many."""
    inner = np.clip(np.minimum(box[2:], boxes_n4[:, 2:]) - np.maximum(box[:2], boxes_n4[:, :2]), 0, None).prod(-1)
    areas = np.clip(boxes_n4[:, 2:] - boxes_n4[:, :2], 0, None).prod(-1)
    whole = areas + np.clip(box[2:] - box[:2], 0, None).prod() - inner
    return np.asarray(inner / np.maximum(whole, 1e-6))
