"""Measure how fast records are generated: ``python benchmarks/factories.py``.

Each round times three factories one after the other, so that whatever else the machine does meets
all of them:

- *textbook*: ``factory.DictFactory`` with a ``factory.Faker`` declaration for each of ten fields;
- *ours*: a subclass of the stock ``ContactFactory`` with the same ten fields, and what the textbook
  cannot do: unique e-mail addresses that fit the name, addresses that agree, phone numbers that
  nobody has, the same values on every run;
- *stock*: ``ContactFactory`` as it is, with twelve fields.

The records that were timed are checked after each round, and must be right for the exit code to be
0. Speed is printed and never fails: it is the machine's as much as ours. Speed is in records per
second of processor time of this process, which runs on one core.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import factory

from pytest_crmseed.factories import UNSET, ContactFactory, Generation
from pytest_crmseed.factories.places import region

Records = list[dict[str, Any]]

GENERATION = Generation(random_seed=1, node="benchmarks/factories.py", unique_tag="k3x9")
STAGES = ["subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity", "customer"]


class TextbookFactory(factory.DictFactory):
    """Ten fields of a contact as the documentation of factory_boy declares such."""

    first_name = factory.Faker("first_name")
    last_name = factory.Faker("last_name")
    email = factory.Faker("email")
    phone = factory.Faker("phone_number")
    job_title = factory.Faker("job")
    city = factory.Faker("city")
    state = factory.Faker("state")
    postal_code = factory.Faker("postcode")
    country = factory.Faker("country")
    lifecycle_stage = factory.Faker("random_element", elements=STAGES)


class TenFieldFactory(ContactFactory):
    """The same ten fields."""

    mobile_phone = UNSET
    street = UNSET


def main() -> int:
    """Measure, print, and return the exit code."""
    parser = argparse.ArgumentParser(description="Measure how fast records are generated.")
    parser.add_argument("--rounds", type=int, default=9, metavar="N")
    parser.add_argument("--records", type=int, default=10_000, metavar="N", help="of ours, in each round")
    parser.add_argument("--textbook-records", type=int, default=1_000, metavar="N", help="in each round")
    asked = parser.parse_args()

    makers: dict[str, tuple[int, Callable[[int], Records]]] = {
        "textbook": (asked.textbook_records, TextbookFactory.build_batch),
        "ours": (asked.records, lambda count: TenFieldFactory.generate(GENERATION, count)),
        "stock": (asked.records, lambda count: ContactFactory.generate(GENERATION, count)),
    }
    speeds: dict[str, list[float]] = {name: [] for name in makers}
    # The pools of names are drawn, and Faker's providers loaded, once per process.
    for _, make in makers.values():
        make(10)
    for number in range(1, asked.rounds + 1):
        for name, (count, make) in makers.items():
            start = time.process_time()
            records = make(count)
            speeds[name].append(count / (time.process_time() - start))
            check(name, records, count)
        print(f"round {number}: " + ", ".join(f"{name} {made[-1]:,.0f}/s" for name, made in speeds.items()))

    medians = {name: statistics.median(made) for name, made in speeds.items()}
    ratios = [ours / textbook for ours, textbook in zip(speeds["ours"], speeds["textbook"], strict=True)]
    print()
    print(machine())
    for name, (count, _) in makers.items():
        made = speeds[name]
        print(
            f"{name:8} {medians[name]:>9,.0f} records/s (median of {len(made)} rounds of {count:,}; "
            f"{min(made):,.0f} to {max(made):,.0f})"
        )
    print(
        f"ours / textbook, in the same round: {statistics.median(ratios):.0f} times "
        f"(median; {min(ratios):.0f} to {max(ratios):.0f})"
    )
    return 0


def check(name: str, records: Records, count: int) -> None:
    """Raise ``AssertionError`` where the records that were timed are not what they should be."""
    expect(len(records) == count, f"{name}: {len(records)} records instead of {count}")
    ten = set(TextbookFactory._meta.pre_declarations)
    fields = ten | {"mobile_phone", "street"} if name == "stock" else ten
    for record in records:
        expect(
            type(record) is dict and record.keys() == fields, f"{name}: not the fields of a contact: {record}"
        )
        expect(all(record.values()), f"{name}: an empty value in {record}")
    if name == "textbook":
        return
    expect(len({record["email"] for record in records}) == count, f"{name}: an e-mail address came twice")
    known = {
        (place.city, place.state, place.postal_code, place.country)
        for places in region(GENERATION.locale).cities
        for place in places
    }
    for index, record in enumerate(records):
        address = tuple(record[part] for part in ("city", "state", "postal_code", "country"))
        expect(address in known, f"{name}: parts that do not belong together: {record}")
        names = f"{record['first_name']}.{record['last_name']}".lower()
        email = f"{names}{index}@{GENERATION.tagged_domain}"
        expect(record["email"] == email, f"{name}: an e-mail address that is not {email}: {record}")
        expect(" 555 01" in record["phone"], f"{name}: a phone number that may be somebody's: {record}")
        expect(record["lifecycle_stage"] in STAGES, f"{name}: an unknown stage: {record}")
    made = TenFieldFactory if name == "ours" else ContactFactory
    middle = count // 2
    again = made.generate(GENERATION, 10, start=middle)
    expect(again == records[middle : middle + 10], f"{name}: other values when made again")


def expect(right: bool, message: str) -> None:
    """Raise ``AssertionError`` with the message unless something is right; ``python -O`` keeps it."""
    if not right:
        raise AssertionError(message)


def machine() -> str:
    """Return what the figures were measured on, in one line."""
    return (
        f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} cores, "
        f"{platform.machine()}, {platform.system()}; factory_boy {factory.__version__}"
    )


if __name__ == "__main__":
    sys.exit(main())
