"""The way to the first token as a picture: a bar for each party, as long as it took."""

from pathlib import Path

WIDTH, LEFT, RIGHT, TOP, STEP, BAR = 1000, 270, 150, 96, 44, 22
OURS, OTHERS, INK, GREY = "#0b7a53", "#9aa5b1", "#1f2933", "#66727f"


def draw(milliseconds: dict[str, float], path: Path) -> None:
    """Those whose names begin with `keyless` in our colour."""
    height = TOP + STEP * len(milliseconds) + 14
    scale = (WIDTH - LEFT - RIGHT) / max(milliseconds.values())
    first = next(iter(milliseconds.values()))
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" '
        'aria-labelledby="title description" font-family="system-ui, \'Segoe UI\', Helvetica, Arial, sans-serif" font-size="14">',
        '<title id="title">From the start of a process to its first token</title>',
        '<desc id="description">Milliseconds of each, in one run. The numbers are in the table of performance.md.</desc>',
        f'<rect width="{WIDTH}" height="{height}" rx="10" fill="#ffffff"/>',
        text(24, 36, "From the start of a process to its first token", INK, 'font-size="18" font-weight="700"'),
        text(24, 60, "milliseconds, one after the other in one run, the same exchange on loopback; shorter is better", GREY),
    ]
    for row, (name, took) in enumerate(milliseconds.items()):
        ours = name.lower().startswith("keyless")
        middle = TOP + STEP * row + BAR / 2
        length = max(2.0, took * scale)
        times = "" if took == first else f"  {took / first:.0f} times the first" if took >= 2 * first else ""
        lines += [
            text(24, middle + 5, name, OURS if ours else INK, 'font-weight="700"' if ours else ""),
            f'<rect x="{LEFT}" y="{middle - BAR / 2:.1f}" width="{length:.1f}" height="{BAR}" rx="3" '
            f'fill="{OURS if ours else OTHERS}"/>',
            text(LEFT + length + 10, middle + 5, f"{took:.0f} ms", INK, 'font-weight="700"'),
            text(LEFT + length + 10, middle + 21, times.strip(), GREY, 'font-size="11"') if times else "",
        ]
    path.write_text("\n".join(line for line in [*lines, "</svg>"] if line) + "\n")


def text(x: float, y: float, words: str, colour: str, more: str = "") -> str:
    words = words.replace("&", "&amp;").replace("<", "&lt;")
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}"{" " + more if more else ""}>{words}</text>'
