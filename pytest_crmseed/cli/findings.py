"""What ``crmseed doctor`` finds: one line for each check, with what to do about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from textwrap import TextWrapper

import click


class State(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


COLORS = {State.OK: "green", State.WARN: "yellow", State.FAIL: "red"}


@dataclass(frozen=True)
class Finding:
    """What a check found; ``code`` is the exit code that a failure stands for."""

    check: str
    state: State
    text: str
    remedy: str = ""
    code: int = 1


def ok(check: str, text: str) -> Finding:
    """Return a finding that all is well."""
    return Finding(check, State.OK, text)


def warning(check: str, text: str, remedy: str = "") -> Finding:
    """Return a finding that something may go wrong."""
    return Finding(check, State.WARN, text, remedy)


def failure(check: str, text: str, remedy: str = "", *, code: int = 1) -> Finding:
    """Return a finding that seeding will fail."""
    return Finding(check, State.FAIL, text, remedy, code)


def exit_code_of(findings: Sequence[Finding]) -> int:
    """Return the exit code: 0, that of the failures where they are of one kind, else 1."""
    codes = {finding.code for finding in findings if finding.state is State.FAIL}
    if not codes:
        return 0
    return next(iter(codes)) if len(codes) == 1 else 1


def lines(findings: Sequence[Finding], width: int) -> Iterator[str]:
    """Yield findings as lines of at most so many columns; remedies stand below, after an arrow."""
    name = max(len(finding.check) for finding in findings)
    for finding in findings:
        state = click.style(f"{finding.state:<4}", fg=COLORS[finding.state], bold=True)
        margin = " " * (len("fail") + 2 + name + 2)
        head = f"{state}  {finding.check:<{name}}  "
        yield head + _wrapped(finding.text, width, margin, margin)[len(margin) :]
        if finding.remedy:
            yield _wrapped(finding.remedy, width, f"{margin}→ ", f"{margin}  ")


def _wrapped(text: str, width: int, first: str, next_: str) -> str:
    # Names and options stay in one piece, so that they can be copied.
    wrapper = TextWrapper(
        width, initial_indent=first, subsequent_indent=next_, break_long_words=False, break_on_hyphens=False
    )
    return wrapper.fill(text)
