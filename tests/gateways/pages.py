"""What stands in the pages of docs/gateways to be copied and pasted."""

import re
from pathlib import Path

from stage import DOCS

# Everything below this heading, up to the next of its kind, is to be pasted into one shell.
HEADING = "## Try it\n"


def pages() -> list[Path]:
    """Those with something to paste."""
    return sorted(page for page in DOCS.glob("*.md") if HEADING in page.read_text())


def script(page: Path) -> str:
    """Its shell blocks, one after the other."""
    _, _, section = page.read_text().partition(HEADING)
    section = section.split("\n## ")[0]
    return "\n".join(re.findall(r"^```sh\n(.*?)^```$", section, re.DOTALL | re.MULTILINE))


def written_files(text: str) -> list[tuple[str, str]]:
    """Name and content of each file that a script writes down word by word."""
    return re.findall(r"^cat >>? (\S+) <<'END'\n(.*?)^END$", text, re.DOTALL | re.MULTILINE)


def shown_files(page: Path) -> list[tuple[str, str]]:
    """The whole YAML files that a page shows to be saved, all of which start with a name."""
    blocks = re.findall(r"^```yaml\n(name: ([^\n]*)\n.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)
    return [(name, content) for content, name in blocks]
