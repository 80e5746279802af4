"""`python -m privet.cli` is `privet`."""

from privet.cli import app

app(prog_name="privet")
