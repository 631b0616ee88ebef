"""Tables that code writes into Markdown pages, between two marks that name the table and the command that makes it."""

from pathlib import Path

from adkit.runtime import atomic_path


def put(page: Path, name: str, maker: str, text: str) -> None:
    """Write a table between its two marks.

    Args:
        page: a Markdown file.
        name: of the table.
        maker: module that makes it, such as ``"tests.course_table"``.
        text: the table.

    Raises:
        SystemExit: if the page has no such marks.
    """
    before, _, behind = _parts(page, name, maker)
    start, end = _marks(name, maker)
    with atomic_path(page) as temporary:
        temporary.write_text(f"{before}{start}\n{text}\n{end}{behind}", encoding="utf-8")


def between(page: Path, name: str, maker: str) -> str:
    """The table that stands between the two marks; raises like :func:`put`."""
    return _parts(page, name, maker)[1].strip()


def _marks(name: str, maker: str) -> tuple[str, str]:
    return f"<!-- {name}: python -m {maker} -->", f"<!-- end of {name} -->"


def _parts(page: Path, name: str, maker: str) -> tuple[str, str, str]:
    whole, (start, end) = page.read_text(encoding="utf-8"), _marks(name, maker)
    if start not in whole or end not in whole:
        raise SystemExit(f"{page.name} needs the marks {start} and {end}")
    before, _, rest = whole.partition(start)
    return before, *rest.partition(end)[::2]
