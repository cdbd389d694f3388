from __future__ import annotations

import email
import email.message
import importlib
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from configparser import ConfigParser
from pathlib import Path

import pytest

import pytest_crmseed

PROJECT = Path(__file__).parent.parent
PROVIDERS = ("hubspot", "salesforce", "pipedrive", "odoo")
PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # hatchling builds in place: no isolated environment, hence no network.
    directory = tmp_path_factory.mktemp("dist")
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(directory)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    (built,) = directory.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def names(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> email.message.Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return email.message_from_bytes(archive.read(name))


@pytest.fixture(scope="module")
def entry_points(wheel: Path) -> ConfigParser:
    parser = ConfigParser(delimiters=["="])
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/entry_points.txt"))
        parser.read_string(archive.read(name).decode())
    return parser


def test_every_module_and_data_file_of_the_package_is_in_the_wheel(names: list[str]) -> None:
    package = PROJECT / "pytest_crmseed"
    expected = {
        file.relative_to(PROJECT).as_posix()
        for file in package.rglob("*")
        if file.is_file() and file.suffix not in {".pyc", ".pyo"}
    }
    assert {
        "pytest_crmseed/py.typed",
        *(f"pytest_crmseed/providers/{name}/schema.json" for name in PROVIDERS),
    } <= expected
    assert expected == {name for name in names if name.startswith("pytest_crmseed/")}


def test_nothing_but_the_package_and_its_metadata_is_in_the_wheel(names: list[str]) -> None:
    version = pytest_crmseed.__version__
    assert {name.partition("/")[0] for name in names} == {
        "pytest_crmseed",
        f"pytest_crmseed-{version}.dist-info",
    }
    assert f"pytest_crmseed-{version}.dist-info/licenses/LICENSE" in names


def test_the_version_is_single_sourced(metadata: email.message.Message, wheel: Path) -> None:
    assert "version" in PYPROJECT["project"]["dynamic"]
    assert metadata["Version"] == pytest_crmseed.__version__
    assert wheel.name == f"pytest_crmseed-{pytest_crmseed.__version__}-py3-none-any.whl"
    assert re.fullmatch(r"\d+\.\d+\.\d+", pytest_crmseed.__version__)


def test_metadata_that_an_index_shows(metadata: email.message.Message) -> None:
    assert metadata["Name"] == "pytest-crmseed"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License-Expression"] == "MIT"
    assert metadata["Summary"]
    assert str(metadata.get_payload()).startswith("# pytest-crmseed")
    classifiers = metadata.get_all("Classifier") or []
    assert {"Framework :: Pytest", "Typing :: Typed"} <= set(classifiers)


def test_each_supported_python_has_its_classifier_and_its_tox_run(metadata: email.message.Message) -> None:
    classified = {
        found[1]
        for classifier in metadata.get_all("Classifier") or []
        if (found := re.fullmatch(r"Programming Language :: Python :: 3\.(\d+)", classifier))
    }
    tox = (PROJECT / "tox.ini").read_text(encoding="utf-8").partition("[testenv]")[0]
    assert classified == {"11", "12", "13"}
    assert all(re.search(rf"py(3{minor}|{{.*\b3{minor}\b.*}})", tox) for minor in classified)


def test_what_is_needed_at_run_time(metadata: email.message.Message) -> None:
    requirements = metadata.get_all("Requires-Dist") or []
    needed = {re.split(r"[^\w-]", line)[0]: line for line in requirements if "extra ==" not in line}
    assert set(needed) == {
        "click",
        "factory-boy",
        "faker",
        "filelock",
        "lark",
        "pytest",
        "python-dotenv",
        "requests",
        "responses",
        "tenacity",
        "urllib3",
        "werkzeug",
    }
    assert needed["pytest"] == "pytest>=8.4"
    assert all(">=" in line for line in needed.values())


def test_the_oldest_libraries_are_the_ones_that_tox_runs() -> None:
    tox = (PROJECT / "tox.ini").read_text(encoding="utf-8")
    oldest = dict(re.findall(r"oldest: ([\w-]+)==([\d.]+)\n", tox))
    dependencies = "\n".join(PYPROJECT["project"]["dependencies"])
    assert len(oldest) == len(dependencies.splitlines())
    assert oldest == dict(re.findall(r"^([\w-]+)>=([\d.]+)$", dependencies, re.MULTILINE))


@pytest.mark.parametrize(
    ("group", "name", "target"),
    [
        ("pytest11", "crmseed", "pytest_crmseed.plugin"),
        ("console_scripts", "crmseed", "pytest_crmseed.cli:main"),
    ],
)
def test_entry_points_lead_somewhere(entry_points: ConfigParser, group: str, name: str, target: str) -> None:
    assert dict(entry_points[group]) == {name: target}
    _leads_somewhere(target)


@pytest.mark.parametrize("name", PROVIDERS)
def test_the_providers(entry_points: ConfigParser, name: str) -> None:
    given = dict(entry_points["pytest_crmseed.providers"])
    assert set(given) == set(PROVIDERS)
    _leads_somewhere(given[name])


def _leads_somewhere(target: str) -> None:
    module, _, attribute = target.partition(":")
    found = importlib.import_module(module)
    assert not attribute or callable(getattr(found, attribute))


def test_nothing_else_is_an_entry_point(entry_points: ConfigParser) -> None:
    assert set(entry_points.sections()) == {"console_scripts", "pytest11", "pytest_crmseed.providers"}


def test_public_names_are_listed_in_order_and_all_there() -> None:
    assert list(pytest_crmseed.__all__) == sorted(pytest_crmseed.__all__)
    for name in pytest_crmseed.__all__:
        assert getattr(pytest_crmseed, name) is not None


def test_no_registry_address_is_written_down() -> None:
    texts = {
        name: (PROJECT / name).read_text(encoding="utf-8")
        for name in ("pyproject.toml", "tox.ini", ".ci/run", ".ci/wheel.py")
    }
    asked = re.compile(r"index-url|extra-index|find-links|https?://[^\s\"']*(pypi|simple)", re.IGNORECASE)
    assert [name for name, text in texts.items() if asked.search(text)] == []


def test_the_check_can_be_run() -> None:
    assert os.access(PROJECT / ".ci" / "run", os.X_OK)
    done = subprocess.run(["bash", "-n", str(PROJECT / ".ci" / "run")], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
