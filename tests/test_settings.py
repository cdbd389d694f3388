from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_crmseed import parsers
from pytest_crmseed.errors import SettingsError, UnknownName
from pytest_crmseed.settings import (
    SETTINGS,
    Setting,
    Settings,
    Value,
    credentials,
    duration_text,
    header_line,
    ini_keys,
    pytest_options,
    read_dotenv,
    read_ini,
    unknown_variables,
)

EVERY = pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)

# A value each setting takes, other than its default: as text, and as what it becomes.
VALUES: dict[str, tuple[str, object]] = {
    "provider": ("pipedrive", "pipedrive"),
    "target": ("sandbox", "sandbox"),
    "base_url": ("http://127.0.0.1:8000/", "http://127.0.0.1:8000"),
    "portal": ("1234", "1234"),
    "allow_production": ("1234", "1234"),
    "dry_run": ("yes", True),
    "dry_run_full": ("on", True),
    "count": ("1", 1),
    "on_error": ("keep-good", "keep-good"),
    "verify": ("strict", "strict"),
    "empty_bin": ("true", True),
    "keep": ("true", True),
    "keep_for": ("90m", timedelta(minutes=90)),
    "expire": ("1d", timedelta(days=1)),
    "random_seed": ("0", 0),
    "base_date": ("2026-02-28", date(2026, 2, 28)),
    "errors": ("/tmp/e.jsonl", Path("/tmp/e.jsonl")),
    "report": ("/tmp/r.json", Path("/tmp/r.json")),
    "ledger": ("/tmp/l.sqlite", Path("/tmp/l.sqlite")),
    "max_records": ("0", 0),
    "schema": ("/tmp/s.json", Path("/tmp/s.json")),
    "refresh_schema": ("yes", True),
    "rate": ("50%", "50%"),
    "batch_size": ("10", 10),
    "locale": ("de_DE", "de_DE"),
    "email_domain": ("seed.example.org", "seed.example.org"),
    "api_version": ("v3", "v3"),
}


def load(
    options: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
    dotenv: Mapping[str, str] | None = None,
    ini: Mapping[str, object] | None = None,
    root: Path | None = None,
) -> Settings:
    return Settings.load(
        options or {}, environ or {}, dotenv or {}, ini or {}, ini_name="pytest.ini", root=root
    )


def refused(**sources: Mapping[str, object]) -> str:
    with pytest.raises(SettingsError) as caught:
        load(**sources)  # type: ignore[arg-type]
    return str(caught.value)


# -- the table ------------------------------------------------------------------------------------


def test_every_setting_of_the_table_has_a_value_in_this_test() -> None:
    assert list(VALUES) == list(SETTINGS)


@EVERY
def test_names_derive_from_one_name(setting: Setting) -> None:
    dashed = setting.name.replace("_", "-")
    assert setting.option == f"--crm-{dashed}"
    assert setting.cli_option == f"--{dashed}"
    assert setting.key == f"crm_{setting.name}"
    assert setting.variable == f"CRMSEED_{setting.name.upper()}"


@EVERY
def test_defaults_are_what_the_attributes_hold(setting: Setting) -> None:
    assert getattr(Settings(), setting.name) == setting.default


@EVERY
def test_a_default_is_written_as_its_parser_reads_it(setting: Setting) -> None:
    if setting.default is not None:
        assert setting.parse(parsers.shown(setting.default)) == setting.default


@EVERY
def test_help_says_what_happens_by_default(setting: Setting) -> None:
    text = setting.full_help
    assert text[0].isupper()
    assert not text.endswith(".")
    assert setting.flag or "default" in text
    assert setting.flag or setting.metavar


def test_help_tells_the_default_as_somebody_would_write_it() -> None:
    assert SETTINGS["expire"].full_help.endswith("(default: 2h)")
    assert SETTINGS["keep_for"].full_help.endswith("(default: 1d)")
    assert SETTINGS["target"].metavar == "local|sandbox"


def test_only_production_is_kept_out_of_files() -> None:
    kept_out = {name for name, setting in SETTINGS.items() if not {"ini", "dotenv"} <= setting.sources}
    assert kept_out == {"allow_production", "refresh_schema"}
    assert SETTINGS["allow_production"].sources == {"option", "environment"}
    assert SETTINGS["refresh_schema"].sources == {"option", "environment"}
    assert "crm_allow_production" not in [key for key, _, _ in ini_keys()]


# -- precedence and origin ------------------------------------------------------------------------


@EVERY
def test_each_source_gives_the_value_and_its_name(setting: Setting) -> None:
    text, value = VALUES[setting.name]
    as_option = load(options={setting.name: True if setting.flag else text})
    assert as_option.value(setting.name) == Value(value, setting.option)
    in_environment = load(environ={setting.variable: text})
    assert in_environment.value(setting.name) == Value(value, setting.variable)
    if "dotenv" in setting.sources:
        in_dotenv = load(dotenv={setting.variable: text})
        assert in_dotenv.value(setting.name) == Value(value, f".env ({setting.variable})")
    if "ini" in setting.sources:
        in_ini = load(ini={setting.name: text})
        assert in_ini.value(setting.name) == Value(value, f"pytest.ini ({setting.key})")
    nowhere = load()
    assert nowhere.origin(setting.name) == "default"


def test_option_before_environment_before_dotenv_before_ini_before_default() -> None:
    sources = {
        "options": {"random_seed": "0"},
        "environ": {"CRMSEED_RANDOM_SEED": "1"},
        "dotenv": {"CRMSEED_RANDOM_SEED": "2"},
        "ini": {"random_seed": "3"},
    }
    seen = []
    while sources:
        seen.append(load(**sources).random_seed)  # type: ignore[arg-type]
        del sources[next(iter(sources))]
    assert [*seen, load().random_seed] == [0, 1, 2, 3, None]


def test_a_false_value_of_a_stronger_source_wins() -> None:
    settings = load(environ={"CRMSEED_KEEP": "0", "CRMSEED_MAX_RECORDS": "0"}, ini={"keep": True})
    assert (settings.keep, settings.origin("keep")) == (False, "CRMSEED_KEEP")
    assert settings.max_records == 0


def test_numbers_and_truth_values_need_not_be_text() -> None:
    settings = load(options={"count": 3}, ini={"dry_run": True, "batch_size": 10})
    assert (settings.count, settings.dry_run, settings.batch_size) == (3, True, 10)


def test_an_empty_variable_counts_as_not_given() -> None:
    settings = load(environ={"CRMSEED_TARGET": "", "CRMSEED_COUNT": " "}, dotenv={"CRMSEED_COUNT": "2"})
    assert (settings.target, settings.origin("target")) == ("local", "default")
    assert settings.value("count") == Value(2, ".env (CRMSEED_COUNT)")


def test_an_empty_pin_is_refused() -> None:
    assert refused(environ={"CRMSEED_PORTAL": ""}) == "CRMSEED_PORTAL='' (from the environment): it is empty."


def test_an_option_is_never_taken_as_not_given() -> None:
    assert (
        refused(options={"locale": ""})
        == "--crm-locale '': '' is not a locale; write it as in en_US or de_DE."
    )


def test_the_command_line_names_its_own_options() -> None:
    settings = Settings.load({"count": "1"}, {}, option_prefix="--")
    assert settings.origin("count") == "--count"
    with pytest.raises(SettingsError, match=r"^--count x: 'x' is not a whole number\.$"):
        Settings.load({"count": "x"}, {}, option_prefix="--")


def test_without_an_ini_file_the_origin_is_the_override_option() -> None:
    settings = Settings.load({}, {}, ini={"count": 1})
    assert settings.origin("count") == "-o (crm_count)"


def test_dry_run_full_is_a_dry_run() -> None:
    settings = load(options={"dry_run_full": True})
    assert settings.value("dry_run") == Value(True, "--crm-dry-run-full")


def test_keep_for_keeps_on_the_command_line_only() -> None:
    assert load(options={"keep_for": "2h"}).value("keep") == Value(True, "--crm-keep-for")
    assert load(environ={"CRMSEED_KEEP_FOR": "2h"}).keep is False
    assert load(ini={"keep_for": "2h"}).keep is False
    assert load(options={"keep_for": "2h"}, environ={"CRMSEED_KEEP": "no"}).keep is False


def test_paths_count_from_where_they_were_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, root = tmp_path / "here", tmp_path / "root"
    here.mkdir()
    monkeypatch.chdir(here)
    assert load(root=root).ledger == root / ".crmseed/ledger.sqlite"
    assert load(ini={"ledger": "a"}, root=root).ledger == root / "a"
    assert load(dotenv={"CRMSEED_LEDGER": "a"}, root=root).ledger == root / "a"
    assert load(environ={"CRMSEED_LEDGER": "a"}, root=root).ledger == here / "a"
    assert load(options={"ledger": "a"}, root=root).ledger == here / "a"
    assert load(options={"ledger": "/x/a"}, root=root).ledger == Path("/x/a")


def test_a_path_may_start_at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    assert load(environ={"CRMSEED_ERRORS": "~/e.jsonl"}).errors == Path("/home/somebody/e.jsonl")


def test_production_is_not_allowed_from_a_file() -> None:
    remedy = "Give --crm-allow-production, or CRMSEED_ALLOW_PRODUCTION in the environment."
    assert refused(dotenv={"CRMSEED_ALLOW_PRODUCTION": "1"}) == (
        f"allow production is not taken from .env. {remedy}"
    )
    assert refused(ini={"allow_production": "1"}) == (
        f"allow production is not taken from pytest.ini. {remedy}"
    )
    # A shell that exports .env has said it in the environment.
    both = load(environ={"CRMSEED_ALLOW_PRODUCTION": "1"}, dotenv={"CRMSEED_ALLOW_PRODUCTION": "1"})
    assert both.value("allow_production") == Value("1", "CRMSEED_ALLOW_PRODUCTION")


def test_values_chosen_later_carry_their_origin() -> None:
    settings = load(options={"count": "1"}).chosen("chosen for this run", random_seed=7)
    assert settings.value("random_seed") == Value(7, "chosen for this run")
    assert settings.value("count") == Value(1, "--crm-count")
    assert load(options={"count": "1"}).origins == {"count": "--crm-count"}


@pytest.mark.parametrize("ask", ["origin", "value"])
def test_a_name_outside_the_table_is_refused(ask: str) -> None:
    with pytest.raises(UnknownName, match=r"^unknown setting 'cuont'; did you mean 'count'\? Valid: "):
        getattr(Settings(), ask)("cuont")


def test_nothing_outside_the_table_can_be_chosen() -> None:
    with pytest.raises(UnknownName, match=r"^unknown setting 'seed'; did you mean 'random_seed'\? Valid: "):
        Settings().chosen("me", seed=1)


def test_settings_do_not_change() -> None:
    with pytest.raises(AttributeError, match="cannot assign to field 'count'"):
        Settings().count = 1  # type: ignore[misc]


# -- what is refused, and in which words ----------------------------------------------------------


def test_an_error_names_value_origin_and_reason() -> None:
    reason = "there is no 'sandbx'; did you mean 'sandbox'? Valid: local, sandbox."
    assert refused(options={"target": "sandbx"}) == f"--crm-target sandbx: {reason}"
    assert refused(environ={"CRMSEED_TARGET": "sandbx"}) == (
        f"CRMSEED_TARGET=sandbx (from the environment): {reason}"
    )
    assert refused(dotenv={"CRMSEED_TARGET": "sandbx"}) == f"CRMSEED_TARGET=sandbx (from .env): {reason}"
    assert refused(ini={"target": "sandbx"}) == f"crm_target = sandbx (from pytest.ini): {reason}"


BAD = {
    "target": [
        ("production", "there is no 'production'. Valid: local, sandbox."),
    ],
    "on_error": [
        ("keep_good", "there is no 'keep_good'; did you mean 'keep-good'? Valid: undo, keep-good."),
    ],
    "verify": [
        ("stric", "there is no 'stric'; did you mean 'strict'? Valid: presence, strict, off."),
    ],
    "dry_run": [
        (
            "maybe",
            "'maybe' is neither yes nor no; write 1, true, yes or on, or 0, false, no or off.",
        ),
        ("2", "'2' is neither yes nor no; write 1, true, yes or on, or 0, false, no or off."),
    ],
    "count": [
        ("ten", "'ten' is not a whole number."),
        ("1.5", "'1.5' is not a whole number."),
        ("1,000", "'1,000' is not a whole number."),
        ("0", "0 is too small; the least is 1."),
        ("-3", "-3 is too small; the least is 1."),
        ("1000001", "1000001 is too large; the most is 1,000,000."),
        ("9" * 5000, "9999999999999999999999999999999999999... is too large; the most is 1,000,000."),
        ("-" + "9" * 5000, "-999999999999999999999999999999999999... is too small; the least is 1."),
    ],
    "random_seed": [("-1", "-1 is too small; the least is 0.")],
    "batch_size": [("0", "0 is too small; the least is 1.")],
    "max_records": [("-1", "-1 is too small; the least is 0.")],
    "keep_for": [
        ("2", "'2' is not a time span; write a number and its unit, as in 90m, 2h or 1d."),
        ("2 hours", "'2 hours' is not a time span; write a number and its unit, as in 90m, 2h or 1d."),
        ("-2h", "'-2h' is not a time span; write a number and its unit, as in 90m, 2h or 1d."),
        ("0h", "'0h' is no time at all; the least is 1s."),
        ("366d", "'366d' is too long; the most is 365d."),
    ],
    "base_date": [
        ("tomorrow", "'tomorrow' is not a date; write it as YYYY-MM-DD."),
        ("20260101", "'20260101' is not a date; write it as YYYY-MM-DD."),
        ("2026-13-01", "'2026-13-01' is not in the calendar (month must be in 1..12)."),
    ],
    "base_url": [
        (
            "127.0.0.1:8000",
            "'127.0.0.1:8000' is no address; write it as https://host or http://127.0.0.1:8000.",
        ),
        (
            "ftp://host",
            "'ftp://host' is no address; write it as https://host or http://127.0.0.1:8000.",
        ),
        (
            "https://host/crm/v3",
            "'https://host/crm/v3' holds more than scheme, host and port; "
            "write it as https://host or http://127.0.0.1:8000.",
        ),
        (
            "http://host:99999",
            "'http://host:99999' is no address (Port out of range 0-65535); "
            "write it as https://host or http://127.0.0.1:8000.",
        ),
    ],
    "ledger": [
        ("a\0b", "'a\\x00b' holds a null character."),
        ("~no-such-user/a", "'~no-such-user/a' is no path here: Could not determine home directory."),
    ],
    "rate": [
        (
            written,
            f"{written!r} is not a pace; write requests per seconds, as in 100/10, "
            "or a share of the portal's own limit up to 100%, as in 50%.",
        )
        for written in ("fast", "100", "0/10", "100/0", "0%", "101%", "10/-1", "1/0.0")
    ],
    "locale": [("english", "'english' is not a locale; write it as in en_US or de_DE.")],
    "email_domain": [
        ("localhost", "'localhost' is not a domain; write it as in seed.example.com."),
        ("a@example.com", "'a@example.com' is not a domain; write it as in seed.example.com."),
        ("a b.com", "'a b.com' is not a domain; write it as in seed.example.com."),
    ],
}


@pytest.mark.parametrize(
    ("name", "written", "reason"),
    [pytest.param(name, *case, id=f"{name}={case[0][:12]}") for name, cases in BAD.items() for case in cases],
)
def test_bad_values_are_refused_with_a_reason(name: str, written: str, reason: str) -> None:
    cut = written if len(written) <= 40 else written[:37] + "..."
    cut = cut if cut.isprintable() else repr(cut)
    variable = SETTINGS[name].variable
    message = refused(environ={variable: written})
    assert message == f"{variable}={cut} (from the environment): {reason}"


@pytest.mark.parametrize(
    "address",
    ["https://me:s3cret@host", "https://s3cret@host:99999", "https://me:s3/cret@host", "me:s3cret@host"],
)
def test_a_password_in_an_address_is_refused_and_not_shown(address: str) -> None:
    message = refused(environ={"CRMSEED_BASE_URL": address})
    assert message.startswith("CRMSEED_BASE_URL=…@host")
    assert message.endswith("it holds a name or password; credentials go into the environment or .env.")
    assert "s3" not in message


# -- parsers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parse", "written", "value"),
    [
        (parsers.truth, " TRUE ", True),
        (parsers.truth, "No", False),
        (parsers.whole(0, 10_000), " 10_000 ", 10_000),
        (parsers.duration, "1h 30m", timedelta(minutes=90)),
        (parsers.duration, "1W", timedelta(days=7)),
        (parsers.rate, " 100 / 10 ", "100/10"),
        (parsers.rate, "1/0.5", "1/0.5"),
        (parsers.rate, "100%", "100%"),
        (parsers.locale_name, "de-at", "de_AT"),
        (parsers.locale_name, "LA", "la"),
        (parsers.domain, "@Seed.Example.COM.", "seed.example.com"),
        (parsers.origin_url, "HTTPS://Portal.Example.com/", "https://portal.example.com"),
        (parsers.origin_url, "http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_what_parsers_accept(parse: object, written: str, value: object) -> None:
    assert callable(parse)
    assert parse(written) == value


@given(st.integers(min_value=1, max_value=365 * 86_400))
def test_a_time_span_is_written_as_it_is_read(seconds: int) -> None:
    span = timedelta(seconds=seconds)
    assert parsers.duration(duration_text(span)) == span


def test_a_time_span_is_written_in_one_unit() -> None:
    spans = [timedelta(seconds=90), timedelta(minutes=90), timedelta(hours=48), timedelta(days=7)]
    assert [duration_text(span) for span in spans] == ["90s", "90m", "2d", "7d"]


@given(st.integers(min_value=-50, max_value=50))
def test_whole_numbers_keep_their_bounds(number: int) -> None:
    parse = parsers.whole(-10, 10)
    if -10 <= number <= 10:
        assert parse(str(number)) == number
    else:
        with pytest.raises(ValueError, match=r"is too (small|large); the (least|most) is -?10\."):
            parse(str(number))


@EVERY
@given(written=st.text(max_size=60))
def test_a_parser_returns_or_says_why_not_in_a_sentence(setting: Setting, written: str) -> None:
    try:
        setting.parse(written)
    except ValueError as error:
        assert str(error).endswith(".")


# -- .env -----------------------------------------------------------------------------------------


def test_without_a_dotenv_there_is_nothing_and_nothing_is_imported(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from pytest_crmseed.settings import Settings, read_dotenv;"
        f"assert read_dotenv(Path({str(tmp_path)!r})) == {{}}; Settings.load({{}}, {{}});"
        "others = {'dotenv', 'requests', 'responses', 'faker', 'factory', 'tenacity', 'click', 'pytest'};"
        "print(sorted(others & set(sys.modules)))"
    )
    project = Path(__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=project, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_a_dotenv_is_read_and_not_exported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CRMSEED_TARGET", raising=False)
    (tmp_path / ".env").write_text(
        "# who we are\nexport CRMSEED_TARGET='sandbox'\n\nNAME_ONLY\nEMPTY=\n"
        'CRMSEED_LOCALE="de_DE" # German\nUMLAUT=ä\n',
        encoding="utf-8-sig",
    )
    found = read_dotenv(tmp_path)
    assert found == {"CRMSEED_TARGET": "sandbox", "EMPTY": "", "CRMSEED_LOCALE": "de_DE", "UMLAUT": "ä"}
    import os

    assert "CRMSEED_TARGET" not in os.environ


def test_only_the_root_directory_is_looked_into(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("CRMSEED_COUNT=1\n")
    below = tmp_path / "below"
    below.mkdir()
    assert read_dotenv(below) == {}


def test_an_environment_directory_called_dotenv_is_passed_by(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    assert read_dotenv(tmp_path) == {}


def test_a_malformed_line_is_named_by_number_and_not_shown(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("A=1\n\n\nHUBSPOT_ACCESS_TOKEN pat-secret\nB=2\n")
    with pytest.raises(SettingsError) as caught:
        read_dotenv(tmp_path)
    assert str(caught.value) == f"{file}, line 4: this is not NAME=value."


def test_an_unreadable_file_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / ".env"
    file.write_bytes(b"A=\xff\xfe\n")
    with pytest.raises(SettingsError) as caught:
        read_dotenv(tmp_path)
    assert str(caught.value) == f"{file} cannot be read: it is not UTF-8 text."

    def deny(self: Path, encoding: str) -> str:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "read_text", deny)
    with pytest.raises(SettingsError) as caught:
        read_dotenv(tmp_path)
    assert str(caught.value) == f"{file} cannot be read: Permission denied."


# -- unknown variables ----------------------------------------------------------------------------


def test_a_misspelt_variable_is_named_with_what_was_meant() -> None:
    variables = {"CRMSEED_TARGT": "sandbox", "CRMSEED_BATCHSIZE": "1", "CRMSEED_COUNT": "1", "TARGT": ""}
    assert unknown_variables(variables) == [
        "CRMSEED_BATCHSIZE (in the environment) is not a setting; did you mean CRMSEED_BATCH_SIZE?",
        "CRMSEED_TARGT (in the environment) is not a setting; did you mean CRMSEED_TARGET?",
    ]
    assert unknown_variables({"CRMSEED_TARGT": ""}, where=".env") == [
        "CRMSEED_TARGT (in .env) is not a setting; did you mean CRMSEED_TARGET?"
    ]


def test_credentials_and_strangers_are_passed_by() -> None:
    assert unknown_variables({"CRMSEED_HUBSPOT_ACCESS_TOKEN": "", "CRMSEED_ZZZ": "", "PATH": ""}) == []
    acme = {"CRMSEED_ACME_PORTAL": ""}
    assert unknown_variables(acme, providers=["acme"]) == []


def test_variables_of_an_installed_provider_are_passed_by() -> None:
    asked = []

    def installed() -> list[str]:
        asked.append("asked")
        return ["my-acme"]

    assert unknown_variables({"CRMSEED_ZZZ": "", "CRMSEED_COUNT": ""}, installed=installed) == []
    assert asked == []
    both = {"CRMSEED_MY_ACME_BASE_URL": "", "CRMSEED_MY_BASE_URL": ""}
    assert unknown_variables(both, installed=installed) == [
        "CRMSEED_MY_BASE_URL (in the environment) is not a setting; did you mean CRMSEED_BASE_URL?"
    ]
    assert asked == ["asked"]


# -- credentials ----------------------------------------------------------------------------------

TOKEN = "HUBSPOT_ACCESS_TOKEN"
PREFIXED = "CRMSEED_HUBSPOT_ACCESS_TOKEN"


def test_credentials_by_precedence() -> None:
    override = {TOKEN: "0"}
    environ = {PREFIXED: "1", TOKEN: "2"}
    dotenv = {PREFIXED: "3", TOKEN: "4"}
    seen = []
    for place, names in ((override, [TOKEN]), (environ, [PREFIXED, TOKEN]), (dotenv, [PREFIXED, TOKEN])):
        for name in names:
            found = credentials([TOKEN], environ, dotenv, override)[TOKEN]
            seen.append((found.value, found.origin))
            del place[name]
    assert seen == [
        ("0", f"crm_credentials ({TOKEN})"),
        ("1", PREFIXED),
        ("2", TOKEN),
        ("3", f".env ({PREFIXED})"),
        ("4", f".env ({TOKEN})"),
    ]
    assert credentials([TOKEN], environ, dotenv, override) == {}


def test_empty_credentials_count_as_not_given() -> None:
    found = credentials([TOKEN], {PREFIXED: "", TOKEN: " pat-1 \n"}, {}, {TOKEN: None})
    assert found[TOKEN].value == "pat-1"


def test_credentials_are_never_shown() -> None:
    found = credentials([TOKEN], {TOKEN: "pat-secret"})
    for text in (repr(found), str(found[TOKEN]), f"{found[TOKEN]}", f"{found}"):
        assert "pat-secret" not in text
    assert repr(found[TOKEN]) == f"Secret(origin={TOKEN!r})"


def test_a_line_break_inside_a_credential_is_refused_and_not_shown() -> None:
    with pytest.raises(SettingsError) as caught:
        credentials([TOKEN], {TOKEN: "pat-1\npat-2"})
    assert str(caught.value) == f"{TOKEN} holds a line break or another control character."


def test_a_credential_that_is_no_text_is_refused_and_not_shown() -> None:
    with pytest.raises(SettingsError) as caught:
        credentials([TOKEN], {}, {}, {TOKEN: 12345})  # type: ignore[dict-item]
    assert str(caught.value) == f"crm_credentials ({TOKEN}) is int; a credential is text."


def test_a_misspelt_override_is_refused_and_another_providers_passed_by() -> None:
    assert credentials([TOKEN], {}, {}, {"PIPEDRIVE_API_TOKEN": "1"}) == {}
    with pytest.raises(UnknownName) as caught:
        credentials([TOKEN], {}, {}, {"HUBSPOT_ACESS_TOKEN": "1"})
    assert str(caught.value) == (
        "unknown credential 'HUBSPOT_ACESS_TOKEN' in crm_credentials; "
        "did you mean 'HUBSPOT_ACCESS_TOKEN'? Valid: HUBSPOT_ACCESS_TOKEN."
    )


# -- the header -----------------------------------------------------------------------------------


def test_the_header_names_provider_and_target_and_what_is_not_default() -> None:
    assert header_line(load()) == "crmseed: provider hubspot, target local"
    settings = load(
        options={"target": "sandbox", "keep_for": "90m"},
        environ={"CRMSEED_RANDOM_SEED": "1234", "CRMSEED_DRY_RUN": "0"},
        ini={"provider": "pipedrive"},
    ).chosen("today", base_date=date(2026, 3, 1))
    assert header_line(settings) == (
        "crmseed: provider pipedrive (pytest.ini: crm_provider), target sandbox (--crm-target), "
        "dry run off (CRMSEED_DRY_RUN), keep (--crm-keep-for), keep for 90m (--crm-keep-for), "
        "random seed 1234 (CRMSEED_RANDOM_SEED), base date 2026-03-01 (today)"
    )


# -- in a real pytest -----------------------------------------------------------------------------

PLUGIN = """
import pytest
from pytest_crmseed import settings as crm

def pytest_addoption(parser):
    group = parser.getgroup("probe")
    for flag, keywords in crm.pytest_options():
        keywords["dest"] = "probe_" + keywords["dest"]
        group.addoption(flag.replace("--crm-", "--probe-"), **keywords)
    for key, help, type in crm.ini_keys():
        parser.addini("probe_" + key, help, type, default=None)

def pytest_report_header(config):
    options = {name: config.getoption("probe_" + s.key) for name, s in crm.SETTINGS.items()}
    ini_name = config.inipath.name if config.inipath else ""
    try:
        ini = crm.read_ini(lambda key: config.getini("probe_" + key), ini_name, refusals=(pytest.UsageError,))
        settings = crm.Settings.load(options, {}, ini=ini, ini_name=ini_name)
    except crm.SettingsError as error:
        return f"refused: {error}"
    return crm.header_line(settings)
"""
NATIVE_TOML = pytest.mark.skipif(
    int(pytest.__version__.partition(".")[0]) < 9, reason="pytest.toml exists since pytest 9"
)


@pytest.fixture
def probe(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makeconftest(PLUGIN)
    pytester.makepyfile("def test_nothing(): pass")
    return pytester


def test_options_in_the_help_of_pytest(probe: pytest.Pytester) -> None:
    result = probe.runpytest("--help")
    result.stdout.fnmatch_lines(["*Send at most N requests in SECONDS, or P% of*"])
    result.stdout.fnmatch_lines(
        ["*--probe-target=local|sandbox*", "*--probe-dry-run *", "*--probe-rate=N/SECONDS|P%*"]
    )
    assert result.ret == 0


def test_options_are_checked_while_the_command_line_is_read(probe: pytest.Pytester) -> None:
    result = probe.runpytest("--probe-count", "ten")
    result.stderr.fnmatch_lines(["*argument --probe-count: 'ten' is not a whole number."])
    assert result.ret == pytest.ExitCode.USAGE_ERROR


def test_options_stay_text_for_the_way_to_a_worker() -> None:
    parser = argparse.ArgumentParser()
    for flag, keywords in pytest_options():
        parser.add_argument(flag, **keywords)
    arguments = [
        part for s in SETTINGS.values() for part in ([s.option] if s.flag else [s.option, VALUES[s.name][0]])
    ]
    parsed = vars(parser.parse_args(arguments))
    assert {type(value) for value in parsed.values()} == {str, bool}
    assert set(vars(parser.parse_args([])).values()) == {None}


def test_options_and_an_ini_file(probe: pytest.Pytester) -> None:
    probe.makeini("[pytest]\nprobe_crm_count = 2\nprobe_crm_dry_run = yes\nprobe_crm_locale = de_DE\n")
    result = probe.runpytest("--probe-count", "3")
    result.stdout.fnmatch_lines(
        [
            "*target local, dry run (tox.ini: crm_dry_run), count 3 (--crm-count), "
            "locale de_DE (tox.ini: crm_locale)"
        ]
    )


def test_a_pyproject_file(probe: pytest.Pytester) -> None:
    probe.makepyprojecttoml("[tool.pytest.ini_options]\nprobe_crm_count = 2\nprobe_crm_dry_run = true\n")
    result = probe.runpytest()
    result.stdout.fnmatch_lines(
        ["*dry run (pyproject.toml: crm_dry_run), count 2 (pyproject.toml: crm_count)"]
    )


@NATIVE_TOML
def test_a_native_toml_file(probe: pytest.Pytester) -> None:
    (probe.path / "pytest.toml").write_text("[pytest]\nprobe_crm_count = 2\nprobe_crm_dry_run = true\n")
    result = probe.runpytest()
    result.stdout.fnmatch_lines(["*dry run (pytest.toml: crm_dry_run), count 2 (pytest.toml: crm_count)"])


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("crm_count = many", "refused: crm_count (from tox.ini): it takes a whole number (*many*)."),
        ("crm_dry_run = maybe", "refused: crm_dry_run (from tox.ini): it takes true or false (*maybe*)."),
        ("crm_count = 0", "refused: crm_count = 0 (from tox.ini): 0 is too small; the least is 1."),
    ],
)
def test_a_bad_ini_value_is_refused_with_its_name(probe: pytest.Pytester, line: str, said: str) -> None:
    probe.makeini(f"[pytest]\nprobe_{line}\n")
    result = probe.runpytest()
    result.stdout.fnmatch_lines([said])


def test_read_ini_names_the_override_option_without_a_file() -> None:
    def getini(key: str) -> object:
        if key == "crm_count":
            raise ValueError("invalid literal.")
        return None

    with pytest.raises(
        SettingsError, match=r"^crm_count \(from -o\): it takes a whole number \(invalid literal\)\.$"
    ):
        read_ini(getini, "")
