"""The documentation holds together: links, indexes, and the map of the rooms."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from os.path import normpath
from pathlib import Path

DECISIONS = Path("docs/decisions")
APACHE_2_0 = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
ONE_PAGE = 80

LINK = re.compile(r"(?<!!)\[(?P<text>[^\]\n]+)\]\((?P<target>[^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} (?P<text>.+)$", re.MULTILINE)
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^\| \[(\d{4})\]\(([^)]+)\) \| (.+?) \| (.+?) \|$", re.MULTILINE)
TITLE = re.compile(r"^# (?:ADR )?(\d{4})[:.]? (.+)$", re.MULTILINE)
STATUS = re.compile(r"^(?:\* )?\**Status:?\**:? (.+)$", re.MULTILINE)

Pages = Mapping[Path, str]


def links(pages: Pages) -> Iterator[tuple[Path, str, str]]:
    """Every link that stays in the project: page, target path, fragment."""
    for page, text in pages.items():
        for found in LINK.finditer(FENCE.sub("", text)):
            target, _, fragment = found["target"].partition("#")
            if not re.match(r"[a-z]+:", target):
                yield page, target, fragment


def anchors(text: str) -> set[str]:
    """The fragments that headings of a page can be linked by."""
    headings = (found["text"] for found in HEADING.finditer(FENCE.sub("", text)))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def resolve(page: Path, target: str) -> Path:
    """Where a link leads, from the root."""
    return Path(normpath(page.parent / target)) if target else page


def test_links_lead_somewhere(root: Path, pages: Pages) -> None:
    """Every relative link leads to a file, and its fragment to a heading there."""
    offenders: list[str] = []
    for page, target, fragment in links(pages):
        goal = resolve(page, target)
        if not (root / goal).exists():
            offenders.append(f"{page}: {target} is not there")
        elif fragment and goal in pages and fragment not in anchors(pages[goal]):
            offenders.append(f"{page}: {goal} has no heading #{fragment}")
    assert not offenders, "\n".join(offenders)


def test_every_page_is_found_from_the_index(pages: Pages) -> None:
    """Every page below `docs` is linked from `docs/README.md`, or from the index of decisions."""
    indexes = {page: pages[page] for page in (Path("docs/README.md"), DECISIONS / "README.md")}
    linked = {resolve(page, target) for page, target, _ in links(indexes)}
    lost = [str(page) for page in pages if page.parts[0] == "docs" and page not in linked]
    assert sorted(set(lost) - {"docs/README.md"}) == []


def test_the_index_of_decisions_is_current(pages: Pages) -> None:
    """Each decision has one row with its number, title and status, and no number is left out."""
    index = ROW.findall(pages[DECISIONS / "README.md"])
    rows = {name: (number, title, status) for number, name, title, status in index}
    files = {page.name: text for page, text in pages.items() if page.parent == DECISIONS}
    del files["README.md"]
    assert {name: head(text) for name, text in files.items()} == rows
    numbers = sorted(int(number) for number, _, _ in rows.values())
    assert numbers == list(range(1, len(numbers) + 1))


def head(text: str) -> tuple[str, str, str]:
    """Number, title and status of a decision."""
    title, status = TITLE.search(text), STATUS.search(text)
    return (*(title.groups() if title else ("", "")), status[1] if status else "")


def test_decisions_are_one_page(pages: Pages) -> None:
    """A decision fits a page, is named by its number, and says what it decides and what follows."""
    offenders: list[str] = []
    for page, text in pages.items():
        if page.parent != DECISIONS or page.name == "README.md":
            continue
        if head(text)[0] != page.name[:4]:
            offenders.append(f"{page}: its title does not begin with its number")
        if len(text.splitlines()) > ONE_PAGE:
            offenders.append(f"{page}: over {ONE_PAGE} lines")
        missing = {"context", "decision", "consequences"} - anchors(text)
        offenders += [f"{page}: has no section on {section}" for section in sorted(missing)]
    assert not offenders, "\n".join(offenders)


def test_the_map_shows_every_room(root: Path) -> None:
    """ARCHITECTURE.md has a line for each room there is, and none for a room there is not."""
    text = (root / "ARCHITECTURE.md").read_text()
    drawn = set(re.findall(r"^  (\w+)/ ", text, re.MULTILINE))
    there = {path.parent.name for path in (root / "src/privet").glob("*/__init__.py")}
    assert drawn == there


def test_the_licence_is_the_standard_text(root: Path) -> None:
    """LICENSE is the Apache License 2.0, to the byte."""
    assert hashlib.sha256((root / "LICENSE").read_bytes()).hexdigest() == APACHE_2_0
