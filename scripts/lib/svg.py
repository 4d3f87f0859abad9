"""A terminal's screen as a picture: one rectangle for each run of a background, one text for each run of a style."""

from html import escape

WIDE, HIGH, SIZE = 8.4, 18, 14
MARGIN = 12
GROUND, PAPER = "#16181d", "#d5d8de"
BASIC = ["#16181d", "#ff7a85", "#8fce8b", "#e8bf6a", "#82aaff", "#c9a2f2", "#6fc9cf", "#d5d8de"]
BRIGHT = ["#5a6270", "#ff9aa2", "#a9e0a5", "#f3d48d", "#a3c0ff", "#dbbcff", "#93dde2", "#ffffff"]


def colour(value, otherwise):
    if value is None:
        return otherwise
    if isinstance(value, tuple):
        return "#{:02x}{:02x}{:02x}".format(*value)
    if value < 16:
        return (BASIC + BRIGHT)[value]
    if value >= 232:
        return "#{0:02x}{0:02x}{0:02x}".format(8 + 10 * (value - 232))
    steps = [0, 95, 135, 175, 215, 255]
    value -= 16
    return colour((steps[value // 36], steps[value // 6 % 6], steps[value % 6]), otherwise)


def looks(style):
    front, back = colour(style.fg, PAPER), colour(style.bg, GROUND)
    return (back, front) if style.reverse else (front, back)


def runs(items):
    """(first, last + 1, value) of each run of equal values."""
    first = 0
    for at in range(1, len(items) + 1):
        if at == len(items) or items[at] != items[first]:
            yield first, at, items[first]
            first = at


def picture(screen, title):
    wide, high = screen.columns * WIDE + 2 * MARGIN, screen.lines * HIGH + 2 * MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:.0f} {high}" role="img" aria-label="{escape(title)}">',
        f'<rect width="{wide:.0f}" height="{high}" rx="8" fill="{GROUND}"/>',
        f'<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,\'DejaVu Sans Mono\',monospace" font-size="{SIZE}" xml:space="preserve">',
    ]
    for y, (chars, styles) in enumerate(zip(screen.chars, screen.styles)):
        top = MARGIN + y * HIGH
        for first, last, back in runs([looks(style)[1] for style in styles]):
            if back != GROUND:
                parts.append(f'<rect x="{MARGIN + first * WIDE:.1f}" y="{top}" width="{(last - first) * WIDE:.1f}" height="{HIGH}" fill="{back}"/>')
        for first, last, style in runs(styles):
            text = "".join(chars[first:last])
            if not text.strip():
                continue
            # Spaces at the ends are no picture, and some viewers drop them.
            first, text = first + len(text) - len(text.lstrip()), text.strip()
            extra = ' font-weight="bold"' if style.bold else ""
            extra += ' font-style="italic"' if style.italic else ""
            extra += ' text-decoration="underline"' if style.underlined else ""
            extra += ' opacity="0.6"' if style.dim else ""
            # Whatever font the reader has: columns stay columns.
            place = f'x="{MARGIN + first * WIDE:.1f}" y="{top + SIZE:.0f}" textLength="{len(text) * WIDE:.1f}"'
            parts.append(f'<text {place} fill="{looks(style)[0]}"{extra}>{escape(text)}</text>')
    return "\n".join([*parts, "</g>", "</svg>", ""])
