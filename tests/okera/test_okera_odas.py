"""The interface that notebooks call, as far as no server is needed."""

import inspect
import tomllib
from pathlib import Path

import pytest

import okera.odas
import privet
from okera import context
from privet.client import Insecure
from privet.model.errors import InvalidRequest, Unauthenticated

PROJECT = Path(__file__).parents[2] / "clients" / "okera" / "pyproject.toml"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PRIVET_URL", "PRIVET_TOKEN", "PRIVET_CA"):
        monkeypatch.delenv(name, raising=False)


def with_token() -> okera.odas.OkeraContext:
    """A context with some token."""
    ctx = context()
    ctx.enable_token_auth(token_str="a.b.c")
    return ctx


def test_both_ways_to_import_give_one_context() -> None:
    """`from okera import context` and `import okera.odas` are the same function."""
    assert okera.context is okera.odas.context is context


def test_the_calls_of_a_notebook_connect() -> None:
    """The connection is a context manager; nothing is sent before it is asked something."""
    with with_token().connect(host="127.0.0.1", port=1, ssl=True) as conn:
        assert isinstance(conn, okera.odas.PlannerConnection)
    with with_token().connect("::1", 1, ssl=True):
        pass


def test_encryption_is_the_default_and_cannot_be_left_out() -> None:
    """`ssl=False` is for this machine."""
    with with_token().connect(host="127.0.0.1", port=1, ssl=False):
        pass
    with pytest.raises(Insecure):
        with_token().connect(host="privet.example.com", port=1, ssl=False)
    signature = inspect.signature(okera.odas.OkeraContext.connect)
    assert signature.parameters["ssl"].default is True


def test_without_a_token_nobody_connects(monkeypatch: pytest.MonkeyPatch) -> None:
    """PRIVET_TOKEN is the default, since notebooks of a hub have it."""
    with pytest.raises(Unauthenticated):
        context().connect(host="127.0.0.1", port=1)
    monkeypatch.setenv("PRIVET_TOKEN", "a.b.c")
    with context().connect(host="127.0.0.1", port=1):
        pass


def test_a_token_comes_from_a_string_or_a_file(tmp_path: Path) -> None:
    """Exactly one of them, and not an empty one."""
    path = tmp_path / "token"
    path.write_text("a.b.c\n")
    context().enable_token_auth(token_file=path)
    for arguments in ({}, {"token_str": "a", "token_file": path}, {"token_file": tmp_path}):
        with pytest.raises(InvalidRequest):
            context().enable_token_auth(**arguments)
    with pytest.raises(Unauthenticated):
        context().enable_token_auth(token_str=" ")


@pytest.mark.parametrize(
    "request_text", ["db", "a.b.c", "", "a b", "DROP TABLE a.b", "SHOW TABLES"]
)
@pytest.mark.parametrize("method", ["scan_as_pandas", "scan_as_json"])
def test_what_is_no_name_and_no_query_is_refused(method: str, request_text: str) -> None:
    """Before anything is sent; nothing is guessed."""
    with (
        with_token().connect(host="127.0.0.1", port=1) as conn,
        pytest.raises(InvalidRequest, match="neither the name of a dataset nor a query"),
    ):
        getattr(conn, method)(request_text)


def test_arguments_without_effect_are_refused() -> None:
    """Their names are in the message, and what can be given is in the hint."""
    ctx = with_token()
    with pytest.raises(InvalidRequest, match="`timeout`"):
        ctx.connect(host="127.0.0.1", port=1, timeout=10)
    with pytest.raises(InvalidRequest, match="`token_func`"):
        ctx.enable_token_auth(token_func=print)
    with ctx.connect(host="127.0.0.1", port=1) as conn:
        with pytest.raises(InvalidRequest, match=r"`dialect`.*max_records"):
            conn.scan_as_pandas("a.b", dialect="presto")
        with pytest.raises(InvalidRequest, match="`requesting_user`"):
            conn.scan_as_json("SELECT 1", requesting_user="admin")


def test_both_distributions_have_one_version() -> None:
    """The second is released with the first."""
    version = tomllib.loads(PROJECT.read_text())["project"]["version"]
    assert version == okera.__version__ == privet.__version__
