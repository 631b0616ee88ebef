"""CSV files, as people write them: any of three separators, with or without a byte order mark."""

import csv
from pathlib import Path


def read_table(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file as dicts; the names of columns are in small letters, values without blanks around them.

    Args:
        path: a file whose first line names the columns, separated by commas, semicolons or tabs.

    Raises:
        FileNotFoundError: if it is missing.
        ValueError: if it is no such file.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no table in UTF-8: {error}; save it as CSV, UTF-8") from error
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    rows = list(csv.DictReader(text.splitlines(), delimiter=separator))
    broken = [number for number, row in enumerate(rows, start=2) if None in row]
    if broken:
        raise ValueError(f"line {broken[0]} of {path} has more values than there are columns: {first.strip()}")
    return [{name.strip().lower(): (value or "").strip() for name, value in row.items() if name} for row in rows]
