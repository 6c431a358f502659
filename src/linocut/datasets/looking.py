"""A dataset's report, with the measures that are still missing taken first. Slow only where some are.

Measures are taken when a picture is uploaded. Pictures stored before there was a report, or for another base, are
measured at the first question, outside of any transaction, one at a time, so that an upload waits for one picture at
most; what does not fit into ``PATIENCE_SECONDS`` is left to the next question.
"""

import time

from sqlalchemy import Connection

from linocut.datasets import repository
from linocut.datasets.decoder import Decoder
from linocut.datasets.doctor import Facts, Report, examine, unmeasured
from linocut.datasets.picture import CropRule
from linocut.datasets.refusal import Refused
from linocut.db.database import Database
from linocut.errors import Internal, Lost
from linocut.storage.store import Store

PATIENCE_SECONDS = 10.0


def report(
    db: Database,
    store: Store,
    decoder: Decoder,
    user_id: str,
    dataset_id: str,
    rule: CropRule,
    fewest_images: int,
    most_images: int,
) -> Report:
    """The report. ``NotFound`` when there is no such dataset of this user."""
    with db.read() as tx:
        facts = facts_of(tx, user_id, dataset_id)
    if unmeasured(facts, rule):
        _measure(db, store, decoder, dataset_id, facts, rule)
        with db.read() as tx:
            facts = facts_of(tx, user_id, dataset_id)
    return examine(facts, rule, fewest_images, most_images)


def facts_of(tx: Connection, user_id: str, dataset_id: str) -> Facts:
    """What the database knows of the dataset. ``NotFound``."""
    repository.dataset_of(tx, user_id, dataset_id)
    return Facts(
        files=repository.files_of(tx, dataset_id),
        measures=repository.measures_of(tx, dataset_id),
        waiting=repository.waiting_of(tx, dataset_id),
        unreadable=repository.unreadable_of(tx, dataset_id),
    )


def _measure(db: Database, store: Store, decoder: Decoder, dataset_id: str, facts: Facts, rule: CropRule) -> None:
    """Each stored picture once; one that cannot be read now stays without measures, and the report says so."""
    until = time.monotonic() + PATIENCE_SECONDS
    for image_sha256 in dict.fromkeys(file.image_sha256 for file in unmeasured(facts, rule)):
        if time.monotonic() > until:
            return
        try:
            measures = decoder.measure(store.get(image_sha256))
        except (Refused, Lost, Internal):
            continue
        with db.transaction() as tx:
            repository.set_measures(tx, dataset_id, image_sha256, measures)
