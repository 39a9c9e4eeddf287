"""Write the tables of docs/connectors.md from what the connectors declare: `python scripts/connector_tables.py`."""

from __future__ import annotations

from pathlib import Path

from qunce.connectors.catalogue import written

PAGE = Path(__file__).resolve().parent.parent / "docs" / "connectors.md"
BEGIN, END = "<!-- tables: begin -->\n", "<!-- tables: end -->"


def page(text: str) -> str:
    """Return the page with its tables as the connectors declare them now."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{written()}\n\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text("utf-8")), "utf-8")
