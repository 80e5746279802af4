"""The command as a process: start, help, exit codes, what goes where."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PRIVET = (sys.executable, "-c", "from privet.cli import app; app(prog_name='privet')")


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command with no PRIVET_ variables but these."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("PRIVET_")}
    return subprocess.run(
        (*PRIVET, *arguments),
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )


def test_the_start_loads_nothing_heavy() -> None:
    """Help needs neither Arrow nor HTTP nor the server's code."""
    code = """if True:
        import sys
        from typer.main import get_command
        from privet.cli import app
        get_command(app)
        heavy = ["pyarrow", "numpy", "pandas", "httpx2", "rich", "sqlalchemy", "fastapi",
                 "privet.server", "privet.service", "privet.demo", "privet.client"]
        print([name for name in heavy if name in sys.modules])
    """
    done = subprocess.run(
        (sys.executable, "-c", code), capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["tag", "rule", "role", "db", "token", "audit", "dataset"])
def test_a_noun_alone_shows_its_help(name: str) -> None:
    """It exits with the code of wrong usage."""
    done = run(name)
    assert done.returncode == 2
    assert f"privet {name}" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("nonsense",), 2),
        (("tag", "create"), 2),
        (("tag", "list"), 2),
        (("--url", "http://127.0.0.1:1", "tag", "list"), 3),
        (("--url", "http://127.0.0.1:1", "--token", "t", "tag", "list", "--json"), 6),
        (("--url", "http://privet.example.com", "--token", "t", "tag", "list"), 2),
        (("--url", "http://127.0.0.1:1", "--token", "t", "tag", "create", "no_namespace"), 1),
        (("serve", "--config", "/nonexistent.toml"), 2),
    ],
)
def test_exit_codes(tmp_path: Path, arguments: tuple[str, ...], code: int) -> None:
    """Each failure has the documented code, says why on stderr, and leaves stdout empty."""
    done = run(*arguments, HOME=str(tmp_path), XDG_CONFIG_HOME=str(tmp_path))
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr
    assert "Traceback" not in done.stderr


def test_the_environment_says_what_options_say(tmp_path: Path) -> None:
    """PRIVET_URL, PRIVET_TOKEN and PRIVET_CA are read; a wrong CA file is named."""
    done = run(
        "whoami",
        PRIVET_URL="https://127.0.0.1:1",
        PRIVET_TOKEN="t",
        PRIVET_CA=str(tmp_path / "absent.pem"),
    )
    assert done.returncode == 1
    assert "absent.pem" in done.stderr


def test_passwords_are_not_read_from_nowhere() -> None:
    """Without a terminal the password has to be piped in."""
    done = run("--url", "http://127.0.0.1:1", "login", "--user", "u")
    assert done.returncode == 2
    assert "--password-stdin" in done.stderr
