"""Settings that contradict themselves or are half set: no start, exit code 1, a sentence."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from doors.servers import environment, refused_start
from privet.model.errors import ConfigurationInvalid
from privet.server.certificates import make_loopback_certificate
from privet.server.settings import Settings

GOOD = """
state_dir = "{0}/state"
tls_cert = "{0}/server.pem"
tls_key = "{0}/server.key"
rest_port = 0
flight_port = 0
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a certificate, and no variables of ours."""
    for name in ("PRIVET_MASTER_KEY", "PRIVET_S3"):
        monkeypatch.delenv(name, raising=False)
    make_loopback_certificate(tmp_path)
    return tmp_path


def settings_file(home: Path, text: str) -> Path:
    """A settings file in the folder."""
    file = home / "privet.toml"
    file.write_text(text.format(home))
    return file


def test_good_settings_are_read(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From TOML; a variable wins over it; S3 locations come as JSON and are not shown."""
    file = settings_file(home, GOOD + 'catalog_admins = ["user:ada"]\ntoken_lifetime = 60\n')
    monkeypatch.setenv("PRIVET_TOKEN_LIFETIME", "120")
    monkeypatch.setenv(
        "PRIVET_S3",
        '[{"endpoint": "http://127.0.0.1:1", "access_key": "a", "secret_key": "S3CRT"}]',
    )
    settings = Settings.load(file)
    assert settings.catalog_admins == ["user:ada"]
    assert settings.token_lifetime == 120
    assert settings.s3_locations()[0].secret_key == "S3CRT"
    assert "S3CRT" not in repr(settings)
    assert "S3CRT" not in repr(settings.s3_locations())


WRONG = {
    "no TLS material": (GOOD.replace("tls_", "#tls_"), "tls_cert and tls_key are needed"),
    "half of it": (GOOD.replace("tls_key", "#tls_key"), "belong together"),
    "plain HTTP for everybody": (
        GOOD + 'rest_host = "0.0.0.0"\nrest_tls = false\n',
        "only on loopback",
    ),
    "an unknown key": (GOOD + "tls_certificate = 1\n", "tls_certificate"),
    "a port beyond": (GOOD.replace("rest_port = 0", "rest_port = 99999"), "rest_port"),
    "no lifetime": (GOOD + "token_lifetime = 0\n", "token_lifetime"),
    "no TOML": ("state_dir = [", "TOML"),
    "two providers": (
        GOOD + 'user_attributes_command = ["x"]\nuser_attributes_url = "https://x/"\n',
        "user_attributes_command and user_attributes_url exclude each other",
    ),
    "two tokens": (
        GOOD + 'user_attributes_url = "https://x/"\nuser_attributes_token = "S3CRT"\n'
        'user_attributes_token_file = "/x"\n',
        "user_attributes_token and user_attributes_token_file exclude each other",
    ),
    "a token for nobody": (GOOD + 'user_attributes_token = "S3CRT"\n', "user_attributes_url"),
    "an unknown key of S3": (GOOD + '[[s3]]\nbukket = "x"\n', "bukket"),
}


@pytest.mark.parametrize("what", sorted(WRONG))
def test_wrong_settings_are_refused(home: Path, what: str) -> None:
    """The message names the setting."""
    text, said = WRONG[what]
    with pytest.raises(ConfigurationInvalid, match=said):
        Settings.load(settings_file(home, text))


def test_secrets_are_not_repeated_when_they_do_not_fit(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error about a location holds none of its keys."""
    monkeypatch.setenv("PRIVET_S3", '[{"secret_key": "S3CRT", "region": {"S3CRT": 1}}]')
    with pytest.raises(ConfigurationInvalid) as refused:
        Settings.load(settings_file(home, GOOD))
    assert "S3CRT" not in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.service
@pytest.mark.parametrize("what", ["no TLS material", "certificate absent"])
def test_the_server_does_not_start(home: Path, what: str) -> None:
    """Exit code 1 and one sentence on standard error."""
    text, said = WRONG["no TLS material"]
    if what == "certificate absent":
        (home / "server.pem").unlink()
        text, said = GOOD, "tls_cert"
    code, printed = refused_start("--config", str(settings_file(home, text)))
    assert code == 1
    assert said in printed
    assert "Traceback" not in printed
    assert len(printed.strip().splitlines()) == 1


@pytest.mark.service
def test_both_ways_to_start_at_once_are_a_mistake(home: Path) -> None:
    """A usage error, exit code 2."""
    file = settings_file(home, GOOD)
    done = subprocess.run(
        [sys.executable, "-m", "privet.cli", "serve", "--config", str(file), "--dev", str(home)],
        capture_output=True,
        text=True,
        env=environment(),
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert "either --config or --dev" in done.stderr
