"""The benchmark runs, and fails where the records that it timed are wrong."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "factories.py"


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    spec = importlib.util.spec_from_file_location("benchmark_of_factories", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_measures_both_and_states_the_ratio() -> None:
    sizes = ["--rounds", "2", "--records", "50", "--textbook-records", "5"]
    done = subprocess.run([sys.executable, SCRIPT, *sizes], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert [line.split(":")[0] for line in lines[:2]] == ["round 1", "round 2"]
    assert [line.split()[0] for line in lines[-4:-1]] == ["textbook", "ours", "stock"]
    assert lines[-1].startswith("ours / textbook, in the same round: ")


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("email", None, "ours: an empty value in "),
        ("email", "ann.lee0@k3x9.example.com", "ours: an e-mail address that is not "),
        ("postal_code", "00000", "ours: parts that do not belong together: "),
        ("phone", "+1 212 867 5309", "ours: a phone number that may be somebody's: "),
        ("lifecycle_stage", "friend", "ours: an unknown stage: "),
        ("street", "1 Main Street", "ours: not the fields of a contact: "),
        ("job_title", "Pilot", "ours: other values when made again"),
    ],
)
def test_wrong_records_are_found(benchmark: ModuleType, field: str, value: str, text: str) -> None:
    records = benchmark.TenFieldFactory.generate(benchmark.GENERATION, 20)
    benchmark.check("ours", records, 20)
    records[12][field] = value
    with pytest.raises(AssertionError) as caught:
        benchmark.check("ours", records, 20)
    assert str(caught.value).startswith(text)


def test_repeated_addresses_and_missing_records_are_found(benchmark: ModuleType) -> None:
    records = benchmark.TenFieldFactory.generate(benchmark.GENERATION, 20)
    with pytest.raises(AssertionError, match=r"^ours: an e-mail address came twice$"):
        benchmark.check("ours", [*records, records[0]], 21)
    with pytest.raises(AssertionError, match=r"^ours: 19 records instead of 20$"):
        benchmark.check("ours", records[1:], 20)
