"""What stands in a page to be copied and pasted."""

import re
from pathlib import Path


def blocks(page: Path, language: str) -> list[str]:
    """The blocks of that language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)
