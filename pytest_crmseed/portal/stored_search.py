"""Search in the store: what an index would answer, which may trail behind the records.

A property is indexed when it is searched for the first time; from then on SQLite keeps the index.
A record that search sees late is kept twice: as it is, and in ``outdated`` as search still sees it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pytest_crmseed.portal.searching import folded, stems_of_pattern, stems_of_query
from pytest_crmseed.portal.stored_records import RecordTables, StoredRecord

Form = Literal["folded", "exact", "number", "id", "created", "updated"]
Operator = Literal["=", "<", "<=", ">", ">=", "between", "in", "set", "token", "linked"]


@dataclass(frozen=True, slots=True)
class Column:
    """What is compared or sorted by: a property as text in any case, as it is, or as a number.

    ``id``, ``created`` and ``updated`` are the record's own.
    """

    name: str
    form: Form


@dataclass(frozen=True, slots=True)
class Term:
    """One condition. ``linked`` compares the ids of linked records of the type that the column names.

    ``negated`` turns it round for records that have a value; with ``or_empty`` for all.
    """

    column: Column
    operator: Operator
    values: tuple[str | float, ...] = ()
    negated: bool = False
    or_empty: bool = False


@dataclass(frozen=True, slots=True)
class Search:
    """What is searched: records for which all terms of any group hold, and ``text`` in any of ``fields``.

    ``keep`` judges what the terms cannot. Without ``order`` records come as they were made; those
    without a value come last.
    """

    groups: Sequence[Sequence[Term]] = ()
    text: str = ""
    fields: Sequence[str] = ()
    order: Column | None = None
    descending: bool = False
    keep: Callable[[StoredRecord], bool] | None = None


class SearchTables(RecordTables):
    """The part of the store that searches."""

    def trail(self, provider: str, object_type: str, ids: Iterable[int], until: float) -> None:
        """Let search see records as they are now, though they are about to change, until a moment."""
        with self._lock:
            for id in ids:
                key = (provider, object_type, id)
                self._db.execute(
                    "INSERT INTO outdated SELECT ?, ?, ?, ?, held.properties, held.created, held.updated"
                    " FROM (SELECT 1) LEFT JOIN records AS held ON held.provider = ? AND held.object_type = ?"
                    " AND held.id = ? AND held.archived IS NULL",
                    (*key, until, *key),
                )

    def settle(self, now: float) -> None:
        """Let search see what it should see by now."""
        with self._lock:
            self._db.execute("DELETE FROM outdated WHERE until <= ?", (now,))

    def search(
        self, provider: str, object_type: str, wanted: Search, *, offset: int, limit: int
    ) -> tuple[int, list[StoredRecord]]:
        """Return how many records match, and those of them from ``offset`` on."""
        with self.transaction():
            statement, values = self._statement(provider, object_type, wanted)
            direction = "DESC" if wanted.descending else "ASC"
            ordered = f"SELECT id FROM ({statement}) ORDER BY position IS NULL, position {direction}, id"
            if wanted.keep is not None:
                ids = [row[0] for row in self._db.execute(ordered, values)]
                found = self._as_seen(provider, object_type, ids)
                kept = [found[id] for id in ids if wanted.keep(found[id])]
                return len(kept), kept[offset : offset + limit]
            [total] = self._db.execute(f"SELECT count(*) FROM ({statement})", values).fetchone()
            page = self._db.execute(f"{ordered} LIMIT ? OFFSET ?", [*values, limit, offset])
            ids = [row[0] for row in page]
            found = self._as_seen(provider, object_type, ids)
            return total, [found[id] for id in ids]

    def first_with(self, provider: str, object_type: str, name: str, value: str) -> int | None:
        """Return the id of the oldest live record whose property ``name`` is ``value``, in any case."""
        column = Column(name, "folded")
        with self.transaction():
            index = self._indexed(provider, object_type, column)
            row = self._db.execute(
                f"SELECT id FROM records INDEXED BY {index} WHERE {_live(provider, object_type)}"
                f" AND {_expression(column)} = ? ORDER BY id LIMIT 1",
                (folded(value),),
            ).fetchone()
            return row[0] if row else None

    def live_with(
        self, provider: str, object_type: str, name: str, values: Sequence[str], *, limit: int
    ) -> list[int]:
        """Return the ids of live records whose property ``name`` is one of ``values``, oldest first."""
        marks = ",".join("?" * len(values))
        with self._lock:
            rows = self._db.execute(
                "SELECT id FROM records WHERE provider = ? AND object_type = ? AND archived IS NULL"
                f" AND json_extract(properties, {_path(name)}) IN ({marks}) ORDER BY id LIMIT ?",
                (provider, object_type, *values, limit),
            )
            return [row[0] for row in rows]

    def _statement(self, provider: str, object_type: str, wanted: Search) -> tuple[str, list[str | float]]:
        """Return a SELECT of the matching records' ``id`` and ``position``, and its variables."""
        scope = f"provider = {_quoted(provider)} AND object_type = {_quoted(object_type)}"
        row = self._db.execute(f"SELECT 1 FROM outdated WHERE {scope} LIMIT 1").fetchone()
        position = "NULL" if wanted.order is None else _expression(wanted.order)
        selects: list[str] = []
        values: list[str | float] = []
        for terms in wanted.groups or [()]:
            where, bound = _where(provider, object_type, terms, wanted)
            driver = next((term.column for term in sorted(terms, key=_rank) if _rank(term) < _NO_INDEX), None)
            index = "" if driver is None else f" INDEXED BY {self._indexed(provider, object_type, driver)}"
            narrow, words = ("", []) if driver else self._narrowed(provider, object_type, terms, wanted)
            current = f"SELECT id, {position} AS position FROM records{index}"
            current += f" WHERE {_live(provider, object_type)}{narrow}{where}"
            if row is not None:
                current += f" AND id NOT IN (SELECT id FROM outdated WHERE {scope})"
            selects.append(current)
            values += [*words, *bound]
            if row is not None:
                selects.append(
                    f"SELECT id, {position} AS position FROM outdated AS seen WHERE {scope}"
                    f" AND properties IS NOT NULL AND rowid = {_first_outdated(scope)}{where}"
                )
                values += bound
        return " UNION ".join(selects), values

    def _as_seen(self, provider: str, object_type: str, ids: Sequence[int]) -> dict[int, StoredRecord]:
        found = self.get(provider, object_type, ids)
        scope = "provider = ? AND object_type = ?"
        for id, text, created, updated in self._db.execute(
            f"SELECT id, properties, created, updated FROM outdated AS seen WHERE {scope}"
            " AND properties IS NOT NULL AND rowid = (SELECT rowid FROM outdated AS each"
            " WHERE each.provider = seen.provider AND each.object_type = seen.object_type"
            " AND each.id = seen.id ORDER BY until, rowid LIMIT 1)",
            (provider, object_type),
        ):
            record = found.get(id) or StoredRecord(id, {}, created, updated)
            found[id] = replace(
                record, properties=json.loads(text), created=created, updated=updated, archived=None
            )
        return found

    def _narrowed(
        self, provider: str, object_type: str, terms: Sequence[Term], wanted: Search
    ) -> tuple[str, list[str | float]]:
        """Return a condition that leaves the records with a word that all matches have, if one is sure."""
        stems = stems_of_query(wanted.text)
        fields = _quoted(json.dumps(list(wanted.fields)))
        name, words = f"fields {fields}", f"words_in({{}}properties, {fields})"
        if not stems:
            token = next((term for term in terms if term.operator == "token" and not term.negated), None)
            if token is not None:
                name, stems = token.column.name, stems_of_pattern(str(token.values[0]))
                words = f"words_of(json_extract({{}}properties, {_path(name)}))"
        if not stems:
            return "", []
        self._index_words(provider, object_type, name, words)
        found = (
            f"SELECT id FROM words WHERE provider = {_quoted(provider)}"
            f" AND object_type = {_quoted(object_type)} AND property = {_quoted(name)}"
        )
        conditions: list[tuple[str, list[str | float]]] = [
            (f"{found} AND word >= ? AND word < ?", [stem.word, stem.word + chr(0x10FFFF)])
            if stem.open
            else (f"{found} AND word = ?", [stem.word])
            for stem in stems
        ]

        def common(condition: tuple[str, list[str | float]]) -> int:
            sql, values = condition
            row = self._db.execute(f"SELECT count(*) FROM ({sql} LIMIT {_PROBE})", values).fetchone()
            return int(row[0])

        # The rarest word leaves the fewest records; how rare, a look at the first ones tells.
        sql, values = min(conditions, key=common) if len(conditions) > 1 else conditions[0]
        return f" AND id IN ({sql})", values

    def _index_words(self, provider: str, object_type: str, name: str, words: str) -> None:
        """Keep the words of live records from now on; ``words`` is SQL with ``{}`` before its columns."""
        trigger = f"words {provider} {object_type} {name}"
        known = "SELECT 1 FROM sqlite_master WHERE type = 'trigger' AND name = ?"
        if self._db.execute(known, (f"{trigger} insert",)).fetchone():
            return
        key = f"{_quoted(provider)}, {_quoted(object_type)}, {_quoted(name)}"
        add = f"INSERT OR IGNORE INTO words SELECT {key}, value, new.id"
        add += f" FROM json_each({words.format('new.')}) WHERE new.archived IS NULL;"
        drop = f"DELETE FROM words WHERE (provider, object_type, property) = ({key}) AND id = old.id"
        drop += f" AND word IN (SELECT value FROM json_each({words.format('old.')}));"
        for event, row, steps in (
            ("insert", "new.", add),
            ("update", "new.", drop + add),
            ("delete", "old.", drop),
        ):
            self._db.execute(
                f"CREATE TRIGGER {_name(f'{trigger} {event}')} AFTER {event} ON records"
                f" WHEN {row}provider = {_quoted(provider)} AND {row}object_type = {_quoted(object_type)}"
                f" BEGIN {steps} END"
            )
        self._db.execute(
            f"INSERT OR IGNORE INTO words SELECT {key}, value, records.id"
            f" FROM records, json_each({words.format('records.')}) WHERE {_live(provider, object_type)}"
        )

    def _indexed(self, provider: str, object_type: str, column: Column) -> str:
        """Make sure that there is an index on a column of live records, and return its quoted name."""
        name = _name(f"search {provider} {object_type} {column.form} {column.name}")
        self._db.execute(
            f"CREATE INDEX IF NOT EXISTS {name} ON records ({_expression(column)})"
            f" WHERE {_live(provider, object_type)}"
        )
        return name


_NO_INDEX = 2
_PROBE = 1_000


def _rank(term: Term) -> int:
    """Return how well an index narrows a search by a term: the lower, the better."""
    if term.negated or term.operator in ("set", "token", "linked") or term.column.form == "id":
        return _NO_INDEX
    return 0 if term.operator in ("=", "in") else 1


def _where(
    provider: str, object_type: str, terms: Sequence[Term], wanted: Search
) -> tuple[str, list[str | float]]:
    parts: list[str] = []
    values: list[str | float] = []
    for term in terms:
        condition, bound = _condition(provider, object_type, term)
        parts.append(condition)
        values += bound
    if wanted.text:
        parts.append("has_words(properties, ?, ?)")
        values += [json.dumps(list(wanted.fields)), wanted.text]
    return "".join(f" AND {part}" for part in parts), values


def _condition(provider: str, object_type: str, term: Term) -> tuple[str, list[str | float]]:
    expression = _expression(term.column)
    bound = list(term.values)
    if term.operator == "linked":
        linked = (
            f"SELECT from_id FROM links WHERE provider = {_quoted(provider)}"
            f" AND from_type = {_quoted(object_type)} AND to_type = {_quoted(term.column.name)}"
        )
        if bound:
            linked += " AND to_id IN (SELECT value FROM json_each(?))"
            bound = [json.dumps(bound)]
        return f"id {'NOT ' if term.negated else ''}IN ({linked})", bound
    match term.operator:
        case "set":
            return f"{expression} IS {'' if term.negated else 'NOT '}NULL", []
        case "between":
            condition = f"{expression} BETWEEN ? AND ?"
        case "in":
            condition, bound = f"{expression} IN (SELECT value FROM json_each(?))", [json.dumps(bound)]
        case "token":
            condition = f"has_token({expression}, ?)"
        case _:
            condition = f"{expression} {term.operator} ?"
    if not term.negated:
        return condition, bound
    if term.or_empty:
        return f"({expression} IS NULL OR NOT {condition})", bound
    return f"({expression} IS NOT NULL AND NOT {condition})", bound


def _expression(column: Column) -> str:
    if column.form in ("id", "created", "updated"):
        return column.form
    value = f"json_extract(properties, {_path(column.name)})"
    match column.form:
        case "folded":
            return f"folded({value})"
        case "number":
            return f"CAST({value} AS REAL)"
        case _:
            return value


def _path(name: str) -> str:
    return _quoted(f'$."{name}"')


def _live(provider: str, object_type: str) -> str:
    # Written out, not bound: SQLite uses a partial index only where it sees that its condition holds.
    return f"provider = {_quoted(provider)} AND object_type = {_quoted(object_type)} AND archived IS NULL"


def _first_outdated(scope: str) -> str:
    return (
        f"(SELECT rowid FROM outdated AS each WHERE {scope} AND each.id = seen.id"
        " ORDER BY until, rowid LIMIT 1)"
    )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
