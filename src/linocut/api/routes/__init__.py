"""The URL tree as folders: the file of a route is where its address says, parameters left out."""

from linocut.api.operation import Operation
from linocut.api.routes import datasets, docs, healthz, metrics, models, openapi, readyz
from linocut.api.routes.api import images
from linocut.api.routes.datasets import assets, report
from linocut.api.routes.models import cancel, events, share, weights
from linocut.api.routes.v1.ideogram_v3 import generate as generate_v3
from linocut.api.routes.v1.ideogram_v3 import train_model as train_model_v3
from linocut.api.routes.v1.ideogram_v4 import generate as generate_v4
from linocut.api.routes.v1.ideogram_v4 import magic_prompt as magic_prompt_v4
from linocut.api.routes.v1.ideogram_v4 import train_model as train_model_v4

MODULES = (
    datasets,
    report,
    assets,
    train_model_v3,
    train_model_v4,
    models,
    cancel,
    share,
    events,
    weights,
    generate_v3,
    generate_v4,
    magic_prompt_v4,
    images,
    healthz,
    readyz,
    metrics,
    docs,
    openapi,
)
"""In the order of the reference."""

OPERATIONS: tuple[Operation, ...] = tuple(operation for module in MODULES for operation in module.OPERATIONS)
