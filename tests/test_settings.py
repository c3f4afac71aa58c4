"""Every setting: its flag, its environment names, which of them counts, and what is refused in one line."""

from __future__ import annotations

from dataclasses import fields
from ipaddress import ip_network
from pathlib import Path

import pytest

from chatroom import __version__
from chatroom.settings import Settings, SettingsError, env_of, flag_of, unknown_variables
from chatroom.values import LinePort, WebPort

# Each setting as one would type it, never its default, and what that is inside.
TYPED = {
    "host": ("::1", "::1"),
    "port": ("8000", WebPort(8000)),
    "base_path": ("chat/", "/chat"),
    "allowed_origins": (
        "https://a.example, http://b.example:8080/",
        ("https://a.example", "http://b.example:8080"),
    ),
    "trust_proxy": ("10.0.0.0/8, ::1", (ip_network("10.0.0.0/8"), ip_network("::1"))),
    "allowed_hosts": (
        "Chat.Example.org., *.Example.net, 茶.example",
        ("chat.example.org", "*.example.net", "xn--cl1a.example"),
    ),
    "names": ("nicknames", Path("nicknames")),
    "lang": ("zh", "zh"),
    "public_rooms": ("garden, 河边", ("garden", "河边")),
    "line_host": ("", ""),
    "line_port": ("0", LinePort(0, chosen=True)),
    "line_idle_timeout_s": ("60", 60.0),
    "data_dir": ("/srv/data", Path("/srv/data")),
    "history": ("0", 0),
    "history_days": ("0.5", 0.5),
    "data_limit_bytes": ("500MB", 500_000_000),
    "durability": ("os", "os"),
    "limits": ("off", False),
    "address_scale": ("0.5", 0.5),
    "message_burst": ("3", 3),
    "message_rate": ("0.5", 0.5),
    "event_burst": ("7", 7),
    "event_rate": ("9", 9.0),
    "connect_timeout_s": ("60", 60.0),
    "max_text": ("100", 100),
    "max_rooms": ("5", 5),
    "max_room_people": ("2", 2),
    "max_connections": ("50", 50),
    "max_payload_bytes": ("20000", 20_000),
    "outbox_limit_bytes": ("65536", 65_536),
    "backlog": ("128", 128),
    "ping_interval_s": ("5", 5.0),
    "ping_timeout_s": ("3", 3.0),
    "resume_grace_s": ("0", 0.0),
    "token_days": ("1", 1.0),
    "drain_delay_s": ("10", 10.0),
    "log_json": ("yes", True),
}
WRONG = {
    "port": ["x", "65536", "-1", "", "80.5"],
    "base_path": ["/a b", "/a//b", "/é"],
    "allowed_origins": ["chat.example.org", "https://a.example/path", "https://"],
    "trust_proxy": ["localhost", "10.0.0.1/8", "0.0.0.0/0", "::1/129"],
    "allowed_hosts": ["chat.example.org:8443", "https://chat.example.org", "*.", "a.*.b", "a..b", "-- x"],
    "lang": ["fr", "EN"],
    "public_rooms": ["..", "garden,a/b"],
    "line_port": ["65536", "on"],
    "history": ["-1"],
    "history_days": ["0", "nan"],
    "data_limit_bytes": ["1TB", "-1", "GB", "1.5GB"],
    "durability": ["none"],
    "limits": ["maybe"],
    "address_scale": ["0", "nan"],
    "max_rooms": ["0"],
    "max_payload_bytes": ["9999"],
    "drain_delay_s": ["nan", "inf", "-1", "soon"],
}


@pytest.mark.parametrize("name", [record.name for record in fields(Settings)])
def test_each_is_read_from_its_flag_and_from_its_environment(name: str) -> None:
    text, value = TYPED[name]
    assert getattr(Settings.read([], {}), name) != value
    assert getattr(Settings.read([flag_of(name), text], {}), name) == value
    for environment in env_of(name):
        assert getattr(Settings.read([], {environment: text}), name) == value


def test_flags_precede_own_variables_which_precede_conventional_ones() -> None:
    environ = {"CHATROOM_PORT": "2000", "PORT": "3000"}
    assert Settings.read(["--port", "1000"], environ).port.number == 1000
    assert Settings.read([], environ).port.number == 2000
    assert Settings.read([], {"PORT": "3000"}).port.number == 3000


def test_only_a_port_from_a_platform_is_known_as_such() -> None:
    assert Settings.read([], {"PORT": "3000"}).port.platforms
    for argv, environ in (
        ([], {}),
        (["--port", "1"], {"PORT": "3000"}),
        ([], {"CHATROOM_PORT": "1", "PORT": "3000"}),
    ):
        assert not Settings.read(argv, environ).port.platforms


def test_variables_that_are_set_by_accident_are_not_read() -> None:
    environ = {"HOST": "203.0.113.1", "REDIS_URL": "redis://nowhere.invalid", "LANG": "zh", "DATA_DIR": "/"}
    assert Settings.read([], environ) == Settings()


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in WRONG.items() for text in texts])
def test_a_wrong_value_is_named_by_whence_it_came(name: str, text: str) -> None:
    for argv, environ, source in (
        ([flag_of(name), text], {}, flag_of(name)),
        ([], {env_of(name)[0]: text}, env_of(name)[0]),
    ):
        with pytest.raises(SettingsError) as refused:
            Settings.read(argv, environ)
        assert str(refused.value).startswith(f"{source} is {text!r}; it must be ")
        assert "\n" not in str(refused.value)


def test_a_wrong_value_that_is_overridden_is_ignored() -> None:
    assert Settings.read(["--port", "1"], {"CHATROOM_PORT": "x"}).port.number == 1


@pytest.mark.parametrize("argv", [["--nonsense"], ["--por", "1"], ["--port"], ["stray"], [""]])
def test_what_is_no_setting_is_refused(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        Settings.read(argv, {})
    assert end.value.code == 2
    said = capsys.readouterr().err
    assert argv[0] in said
    assert said.count("\n") == 1
    assert "--help" in said


def test_the_error_for_a_misspelt_setting_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        Settings.read(["--prot", "1"], {})
    assert "--prot 1; did you mean --port?" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        Settings.read(["caht", "\x1b[2J\n"], {})
    assert capsys.readouterr().err == (
        "chatroom: unrecognized arguments: caht \ufffd[2J\ufffd; did you mean chat? See chatroom --help.\n"
    )
    environ = {
        "CHATROOM_HISTROY": "0",
        "CHATROOM_QQQQ": "",
        "CHATROOM_TEST_SEED": "1",
        "CHATROOM_HISTORY": "0",
    }
    assert unknown_variables(environ) == [
        "CHATROOM_HISTROY is no setting and is ignored; did you mean CHATROOM_HISTORY?",
        "CHATROOM_QQQQ is no setting and is ignored",
    ]


def test_help_names_each_unit_once(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        Settings.read(["--help"], {})
    said = capsys.readouterr().out
    assert "such as 500MB or 1GB" in " ".join(said.split())
    assert "(seconds)" not in said


def test_a_switch_alone_means_on() -> None:
    assert Settings.read(["--log-json"], {}).log_json is True
    assert Settings.read(["--log-json", "off"], {"CHATROOM_LOG_JSON": "on"}).log_json is False


def test_help_lists_the_subcommands_and_version_prints(capsys: pytest.CaptureFixture[str]) -> None:
    for argv, told in ((["--help"], "chatroom chat"), (["--version"], f"chatroom {__version__}\n")):
        with pytest.raises(SystemExit) as end:
            Settings.read(argv, {})
        assert end.value.code == 0
        assert told in capsys.readouterr().out


def test_help_shows_no_default_where_there_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        Settings.read(["--help"], {})
    assert "none" not in capsys.readouterr().out.replace("0 keeps none", "")


@pytest.mark.parametrize("text", ["", " ", "~no-such-user-here/data"])
def test_a_path_that_names_nothing_is_refused(text: str) -> None:
    for flag in ("--data-dir", "--names"):
        with pytest.raises(SettingsError, match=rf"^{flag} is {text!r}; it must be a path such as "):
            Settings.read([flag, text], {})
