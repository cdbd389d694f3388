"""Drafts → batches, by count and by bytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pytest_crmseed.records import Batch, Draft


def in_batches(
    drafts: Sequence[Draft], *, most: int, most_bytes: int, size: Callable[[Draft], int]
) -> list[Batch]:
    """Return drafts of one object type as batches, in order, as few as the limits allow.

    ``most`` is the largest number of drafts in a batch, ``most_bytes`` its largest body by
    ``size``. A draft that is larger by itself gets a batch of its own: the portal decides.
    """
    groups: list[list[Draft]] = []
    room = 0
    for draft in drafts:
        weight = size(draft)
        if not groups or len(groups[-1]) >= most or weight > room:
            groups.append([])
            room = most_bytes
        groups[-1].append(draft)
        room -= weight
    return [
        Batch(group[0].object_type, number, len(groups), group)
        for number, group in enumerate(groups, start=1)
    ]


def batch_count(records: int, most: int) -> int:
    """Return the least number of batches for ``records``, by count alone."""
    return -(-records // most)
