"""Records of an open portal: made from results, read again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pytest_crmseed.errors import PortalError
from pytest_crmseed.ingest.reading import found_by
from pytest_crmseed.records import Record, RecordResult, SeededRecords
from pytest_crmseed.seeder.target import Target


class Reader:
    """Makes records that decode and reload themselves."""

    def __init__(self, target: Target) -> None:
        self._target = target

    def records(self, object_types: Iterable[str], results: Sequence[RecordResult]) -> SeededRecords:
        """Return the records that results stand for; ``object_types`` may have none."""
        by_type: dict[str, list[Record]] = {name: [] for name in object_types}
        ids = {(r.draft.object_type, r.draft.index): r.id for r in results}
        for result in results:
            draft = result.draft
            links = tuple(
                link
                if link.id is not None
                else replace(link, index=None, id=ids[(link.object_type, link.index or 0)])
                for link in draft.links
            )
            assert result.id is not None
            by_type[draft.object_type].append(
                self.record(
                    draft.object_type,
                    draft.index,
                    result.id,
                    key=draft.key,
                    native=result.native,
                    url=result.url,
                    links=links,
                )
            )
        for records in by_type.values():
            records.sort(key=lambda record: record.index)
        return SeededRecords(by_type, aliases=self._target.translator.aliases())

    def record(self, object_type: str, index: int, record_id: str, **more: Any) -> Record:
        """Return a record of this portal, which decodes and reloads itself."""
        return Record(
            object_type=object_type,
            index=index,
            id=record_id,
            decode=self._target.translator.to_neutral,
            reload=self._reload,
            **more,
        )

    def _reload(self, record: Record) -> tuple[Mapping[str, Any], str | None]:
        found = self.read(record.object_type, [record.id])
        if record.id not in found:
            raise PortalError(
                f"{record.object_type}[{record.index}] (id {record.id}) is gone from the portal.",
                remedy="Did the application delete or merge it?",
                status=404,
            )
        return found[record.id]

    def read(
        self, object_type: str, ids: Sequence[str], fields: Sequence[str] | None = None
    ) -> dict[str, tuple[Mapping[str, Any], str | None]]:
        """Return native values and page by id, for those of ``ids`` that exist; by default of all fields."""
        provider = self._target.provider
        if fields is None:
            fields = list(self._target.translator.object_type(object_type).fields)
        out: dict[str, tuple[Mapping[str, Any], str | None]] = {}
        most = provider.capabilities.read_at_once(object_type)
        for start in range(0, len(ids), most):
            request = provider.read(object_type, ids[start : start + most], fields)
            for found in found_by(request, provider, self._target.connection.send):
                out[found.id] = (found.native, found.url)
        return out
