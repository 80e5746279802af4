"""What commands print: nothing that a terminal would obey, and JSON that programs can read."""

import json

import pytest

from privet.cli.output import cell, escape, print_items, print_json, print_table


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain näme 漢", "plain näme 漢"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\nb\rc\td", "a\\x0ab\\x0dc\\x09d"),
        ("\x9b31m", "\\x9b31m"),
        ("a\u202eb", "a\\u202eb"),
        ("\U000e0001", "\\U000e0001"),
        ("\ud800", "\\ud800"),
        ("\x7f\x00", "\\x7f\\x00"),
    ],
)
def test_control_characters_are_written_out(text: str, shown: str) -> None:
    """Neither escape sequences nor reordering marks reach the terminal."""
    assert escape(text) == shown
    assert escape(text).isprintable()


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        (True, "yes"),
        (False, "no"),
        (0, "0"),
        ([], ""),
        (["a", None, ["\x1b"]], "a, , \\x1b"),
        ({"k": "\x1b"}, '{"k": "\\u001b"}'),
    ],
)
def test_a_json_value_as_a_cell(value: object, shown: str) -> None:
    """Lists are separated by commas; nothing is left out silently."""
    assert cell(value) == shown


def test_json_is_one_value_in_ascii(capsys: pytest.CaptureFixture[str]) -> None:
    """Programs read it back exactly, and a terminal that shows it obeys nothing in it."""
    value = [{"name": "\x1b[2J\x9b漢\u202e"}]
    print_json(value)
    out = capsys.readouterr().out
    assert json.loads(out) == value
    assert out.isascii()
    assert "\x1b" not in out


def test_tables_show_markup_as_text_and_cut_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """Names cannot style the table, and a program that reads it gets every character."""
    long = "x" * 500
    print_table(("NAME", "NOTE"), [("[red]a[/red]", ":smile:"), (long, "\x1b]0;title\x07")])
    out = capsys.readouterr().out
    assert "[red]a[/red]" in out
    assert ":smile:" in out
    assert long in out
    assert "\\x1b]0;title\\x07" in out


def test_a_listing_is_a_bare_array_or_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    """With JSON the items come as the server gave them, unknown keys included; [] when empty."""
    items = [{"name": "a", "new": 1}]
    print_items(items, {"NAME": "name"}, as_json=True, none="nothing")
    assert json.loads(capsys.readouterr().out) == items
    print_items([], {"NAME": "name"}, as_json=True, none="nothing")
    assert json.loads(capsys.readouterr().out) == []
    print_items([], {"NAME": "name"}, as_json=False, none="nothing")
    assert capsys.readouterr().out == "nothing\n"
    print_items(items, {"NAME": "name"}, as_json=False, none="nothing")
    assert "NAME" in capsys.readouterr().out
