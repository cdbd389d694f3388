"""Did-you-mean: the sentence that follows an unknown name."""

from __future__ import annotations

from collections.abc import Iterable

# A list longer than this helps nobody in a terminal; the text says how many more there are.
LISTED = 12

# How like two names are that may be meant for each other, from 0 to 1; difflib's own measure.
LIKE = 0.6


def nearest(name: str, known: Iterable[str], *, cutoff: float = LIKE) -> str | None:
    """Return the known name most like ``name``, or None when none is near.

    ``cutoff`` runs from 0 to 1 (the same).

    Case, spaces, dashes and underscores do not count, so that a label ("Deal Stage") finds its
    internal name (``deal_stage``).
    """
    import difflib

    folded: dict[str, str] = {}
    for candidate in known:
        folded.setdefault(_fold(candidate), candidate)
    wanted = _fold(name)
    match = difflib.get_close_matches(wanted, folded, n=1, cutoff=cutoff)
    if match:
        return folded[match[0]]
    if cutoff > LIKE:
        return None
    # "won" is too short to be like "closed_won" by its letters, and yet it is meant.
    parts = [known_name for fold, known_name in folded.items() if len(wanted) > 2 and wanted in fold]
    return parts[0] if len(parts) == 1 else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the end of a sentence about an unknown name: the nearest name, then the valid ones.

    Starts with its own punctuation, so it is appended to the name as it is.
    """
    names = list(dict.fromkeys(known))
    near = nearest(name, names)
    hint = f"; did you mean {near!r}?" if near else "."
    return hint + valid_names(names)


def valid_names(names: Iterable[str], kind: str = "Valid") -> str:
    """Return a sentence listing ``names``, cut after twelve."""
    listed = list(names)
    if not listed:
        return ""
    more = f" and {len(listed) - LISTED} more" if len(listed) > LISTED else ""
    return f" {kind}: {', '.join(listed[:LISTED])}{more}."


def _fold(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())
