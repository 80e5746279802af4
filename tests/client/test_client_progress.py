"""The count of rows goes where people look and nowhere else."""

import pytest

from privet.client.progress import counting, in_notebook


@pytest.mark.parametrize("progress", [False, None])
def test_nothing_is_shown_to_programs(
    capfd: pytest.CaptureFixture[str], progress: bool | None
) -> None:
    """Without a terminal or a notebook the count is silent."""
    with counting("a.b", progress=progress) as advance:
        advance(10)
    assert capfd.readouterr() == ("", "")
    assert not in_notebook()


def test_a_count_never_goes_to_standard_output(capfd: pytest.CaptureFixture[str]) -> None:
    """It is asked for, and standard output stays clean for data."""
    with counting("[red]a.b", progress=True) as advance:
        advance(1234)
    assert capfd.readouterr().out == ""
