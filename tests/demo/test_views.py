"""What the demo prints fits where it is printed."""

import io

import pytest
from rich.console import Console

from privet.demo.generate import WINDOW, generate
from privet.demo.views import WIDTH, print_block, print_frames, print_table


def printed(width: int) -> list[str]:
    admin = generate().to_pandas()
    analyst = admin[admin["opted_out"] != 1].drop(columns="phone").reset_index(drop=True)
    rows = slice(WINDOW.start, WINDOW.stop)
    output = io.StringIO()
    console = Console(file=output, width=width, highlight=False, markup=False)
    print_frames(console, [("admin", admin[rows]), ("analyst", analyst[rows])])
    return output.getvalue().splitlines()


@pytest.mark.parametrize("width", [80, 100, 120, 160, 220])
def test_frames_fit_the_width_and_show_what_matters(width: int) -> None:
    """No line is longer than the window, every row is there, and so is every phone number."""
    lines = printed(width)
    assert max(map(len, lines)) <= width
    phones = generate()["phone"].to_pylist()[WINDOW.start : WINDOW.stop]
    text = "\n".join(lines)
    assert all(phone in text for phone in phones)
    assert text.count("opted_out") == 2


def test_frames_stand_side_by_side_without_a_terminal() -> None:
    """In the width used for files and pipes, both titles are on one line."""
    assert "admin" in printed(WIDTH)[0]
    assert "analyst" in printed(WIDTH)[0]
    assert len(printed(WIDTH)) == 1 + 1 + len(WINDOW) + 1


def test_a_wide_window_leaves_nothing_out() -> None:
    """Where there is room, every column of both frames is shown."""
    text = "\n".join(printed(220))
    assert "…" not in text
    assert all(text.count(name) == 2 for name in ("children", "region", "smoker", "bmi"))


def test_text_is_printed_as_it_is() -> None:
    """Brackets and other signs of the printing library's own markup have no power."""
    output = io.StringIO()
    console = Console(file=output, width=60, highlight=False, markup=False, emoji=False)
    print_block(console, "[red]a[/red] :smile:")
    print_table(console, ("name", "rows#"), [("[bold]x[/bold]", "1")])
    assert "[red]a[/red] :smile:" in output.getvalue()
    assert "[bold]x[/bold]" in output.getvalue()


def test_numbers_line_up_on_the_right() -> None:
    """A column whose header ends in a hash sign is set to the right, and the sign is gone."""
    output = io.StringIO()
    print_table(Console(file=output, width=40), ("rows#",), [("1",), ("1,338",)])
    assert "#" not in output.getvalue()
    assert "     1 \n 1,338 \n" in output.getvalue()
