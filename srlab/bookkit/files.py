"""Files that appear whole or not at all."""

from pathlib import Path


def replace_text(path: Path, text: str) -> None:
    """Write beside the file, then take its place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(text, "utf-8")
    temporary.replace(path)
