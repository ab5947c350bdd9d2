"""Decimal numbers in text, bounded: `int` takes underscores, signs and other scripts' digits."""

_MAX_DIGITS = 20


def number(text: str, least: int, most: int) -> int:
    """The decimal `text`, least..most. Raises ValueError."""
    if not (text.isascii() and text.isdigit()) or len(text) > _MAX_DIGITS:
        raise ValueError("SDP: not a number")
    value = int(text)
    if not least <= value <= most:
        raise ValueError("SDP: number out of range")
    return value
