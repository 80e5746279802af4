"""The page of settings says what the code says."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from privet.server.places import AzureSettings, GcsSettings, S3Settings
from privet.server.settings import SecretSettings, Settings


def default(field: FieldInfo) -> str:
    """A default as the page writes it; a dash for none."""
    value = field.get_default(call_default_factory=True, validated_data={})
    if field.is_required() or value is None or value == "":
        return "-"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def rows(settings: type[BaseModel]) -> list[str]:
    """The rows of the table of these settings, in their order."""
    return [
        f"| `{name}` | {default(field)} | {field.description} |"
        for name, field in settings.model_fields.items()
    ]


def test_every_setting_is_described(root: Path) -> None:
    """The page has a row for each setting, with its default and description, and no other."""
    page = (root / "docs/reference/settings.md").read_text()
    assert re.findall(r"^\| `.*$", page, re.MULTILINE) == [
        row
        for kind in (Settings, S3Settings, AzureSettings, GcsSettings, SecretSettings)
        for row in rows(kind)
    ]
