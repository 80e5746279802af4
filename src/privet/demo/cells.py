"""The data scientist's side: the notebook cell of the tutorial, and the same by other doors."""

from __future__ import annotations

import io
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

import privet
from privet.client.rest import Rest
from privet.demo.devserver import Addresses
from privet.demo.stage import DATASET, DATASET_PATH
from privet.model.errors import ConfigurationInvalid

_CELL = """\
import okera.odas
from okera import context

ctx = context()
ctx.enable_token_auth(token_str=user_token)

# scan data into a pandas dataframe
with ctx.connect(host={host!r}, port={port}, ssl=True) as conn:
    df = conn.scan_as_pandas({dataset!r}, max_records=100000, strings_as_utf8=True)
"""


def write_cell(addresses: Addresses) -> str:
    """The notebook cell, with the server's host and port filled in."""
    return _CELL.format(host=addresses.flight_host, port=addresses.flight_port, dataset=DATASET)


def run_cell(addresses: Addresses, user_token: str) -> pd.DataFrame:
    """Run the notebook cell, word for word, for the holder of a token; return its `df`.

    Raises:
        ConfigurationInvalid: `privet-okera`, which gives the name `okera`, is not installed.
        PrivetError: the server refused.
    """
    names: dict[str, Any] = {"user_token": user_token}
    try:
        with _trusting(addresses.ca):
            exec(write_cell(addresses), names)  # noqa: S102 - what is printed is what runs
    except ModuleNotFoundError as error:
        raise ConfigurationInvalid(
            f"the package `{error.name}` is not installed",
            hint="install the distribution `privet-okera` beside `privet`",
        ) from error
    return names["df"]


def scan_by_client(addresses: Addresses, user_token: str) -> pd.DataFrame:
    """The same rows through `privet.connect`."""
    with privet.connect(addresses.flight, user_token, ca=addresses.ca) as client:
        return client.scan(DATASET, progress=False).to_pandas()


def scan_by_rest(addresses: Addresses, user_token: str) -> pd.DataFrame:
    """The same rows as the CSV that the REST door streams."""
    with (
        Rest(addresses.rest, user_token) as rest,
        rest.download(f"{DATASET_PATH}/scan", format="csv") as parts,
    ):
        return pd.read_csv(io.BytesIO(b"".join(parts)))


@contextmanager
def _trusting(ca: Path) -> Generator[None]:
    """Name the server's authority as a notebook's environment would."""
    before = os.environ.get("PRIVET_CA")
    os.environ["PRIVET_CA"] = str(ca)
    try:
        yield
    finally:
        if before is None:
            del os.environ["PRIVET_CA"]
        else:
            os.environ["PRIVET_CA"] = before
