"""`privet transform` against a real server, as a steward reads it."""

from __future__ import annotations

import json

import pytest

from doors.doors import Run
from doors.steward import Steward

pytestmark = pytest.mark.service


def test_the_list(command: Run) -> None:
    """Every transform with its other names, what it fits, and what it still shows."""
    items = {
        item["name"]: item for item in json.loads(command("transform", "list", "--json").stdout)
    }
    assert items["tokenize"]["aliases"] == ["fp_ref_tokenize", "fpt_ref"]
    assert items["tokenize"]["keyed"]
    assert "text" in items["mask_ccn"]["types"]
    assert items["phi_zip3"]["types"] == ["text", "int32", "int64", "uint32", "uint64"]
    assert items["null"]["types"][-1] == "lists, structs, maps"
    shown = command("transform", "list").stdout
    assert all(f"\n{name}" in f"\n{shown}" for name in items)
    assert "\n  still shows " in shown
    assert max(map(len, shown.splitlines())) <= 100


def test_a_try(command: Run) -> None:
    """Values beside what they become, and what can still be told from it."""
    done = command("transform", "try", "mask", "Ann Lee", "555-0199")
    assert done.exit_code == 0, done.output
    assert "XXX XXX" in done.stdout
    assert "XXX-XXXX" in done.stdout
    assert "still shown by mask: of text its length" in done.stdout
    for numbers in (("--", "-17", "44"), ("-17", "44")):
        done = command("transform", "try", "round(-1)", "--type", "int64", *numbers)
        assert "-20" in done.stdout
    done = command("transform", "try", "round", "-1.5e3", "-.5", "--type=double")
    assert done.exit_code == 0, done.output
    done = command("transform", "try", "tokenize", "-", text="83610477\n12\n")
    assert "the key was made for this call" in done.stdout
    assert "1 took the overflow form" in done.stdout
    answer = json.loads(command("transform", "try", "null", "x", "--json").stdout)
    assert answer["values"] == [None]
    assert "NULL" in command("transform", "try", "null", "x").stdout


def test_a_try_under_a_real_key(command: Run, steward: Steward) -> None:
    """It takes the right to turn tokens back, and says under which key it was."""
    done = command("transform", "try", "tokenize", "83610477", "--domain", "phi.mrn")
    assert done.exit_code == 0, done.output
    assert "under key version" in done.stdout
    again = command("transform", "try", "tokenize", "83610477", "--domain", "phi.mrn")
    assert done.stdout == again.stdout
    nobody = steward.reader()
    refused = command(
        *("transform", "try", "tokenize", "1", "--domain", "phi.mrn"), PRIVET_TOKEN=nobody.token
    )
    assert refused.exit_code == 1
    assert "DETOKENIZE on TOKEN DOMAIN phi.mrn" in refused.stderr


def test_mistakes(command: Run) -> None:
    """What is wrong and what to do, without the value."""
    done = command("transform", "try", "tokenise", "1")
    assert done.exit_code != 0
    assert "tokenize" in done.stderr
    done = command("transform", "try", "phi_age", "--type", "int32", "secret")
    assert done.exit_code != 0
    assert "value 1 is none of type `int32`" in done.stderr
    assert "secret" not in done.stderr
    done = command("transform", "try", "round", "-5")
    assert "fits integers, decimals, fractions" in done.stderr
    assert "--type int64" in done.stderr
    done = command("transform", "try", "mask", "-5", "--tipe", "int64")
    assert done.exit_code == 2
    assert "No such option" in done.stderr
