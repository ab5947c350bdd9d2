"""BlurHash: a picture's broad colours in some 30 characters (woltapp's format). Pure."""

import math
from collections.abc import Sequence
from functools import cache

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"
"""Base 83."""

Colour = tuple[float, float, float]
"""Linear red, green and blue, 0 to 1."""


def encode(
    pixels: Sequence[tuple[int, int, int]], width: int, height: int, across: int, down: int
) -> str:
    """The hash of 8 bit sRGB pixels in rows, with `across` by `down` cosine components (1 to 9)."""
    if len(pixels) != width * height or not (1 <= across <= 9 and 1 <= down <= 9):
        raise ValueError("the pixels are not width by height, or components not 1 to 9")
    linear = [tuple(_linear(channel) for channel in pixel) for pixel in pixels]
    average, *others = [
        _component(linear, width, height, x, y) for y in range(down) for x in range(across)
    ]
    largest = max((abs(channel) for colour in others for channel in colour), default=0.0)
    scale = max(0, min(82, math.floor(largest * 166 - 0.5))) if others else 0
    maximum = (scale + 1) / 166
    return (
        _base83((across - 1) + (down - 1) * 9, 1)
        + _base83(scale, 1)
        + _base83(_average(average), 4)
        + "".join(_base83(_detail(colour, maximum), 2) for colour in others)
    )


def _component(
    pixels: Sequence[Sequence[float]], width: int, height: int, across: int, down: int
) -> Colour:
    """One coefficient of the two-dimensional cosine transform, per channel."""
    xs = [math.cos(math.pi * across * x / width) for x in range(width)]
    ys = [math.cos(math.pi * down * y / height) for y in range(height)]
    red = green = blue = 0.0
    index = 0
    for y_basis in ys:
        for x_basis in xs:
            basis, pixel = x_basis * y_basis, pixels[index]
            red += basis * pixel[0]
            green += basis * pixel[1]
            blue += basis * pixel[2]
            index += 1
    scale = (1 if across == down == 0 else 2) / (width * height)
    return red * scale, green * scale, blue * scale


def _average(colour: Colour) -> int:
    red, green, blue = (_srgb(channel) for channel in colour)
    return (red << 16) + (green << 8) + blue


def _detail(colour: Colour, maximum: float) -> int:
    """Each channel in 19 steps, finer around zero."""
    value = 0
    for channel in colour:
        share = channel / maximum
        step = math.floor(math.copysign(math.sqrt(abs(share)), share) * 9 + 9.5)
        value = value * 19 + max(0, min(18, step))
    return value


def _base83(value: int, length: int) -> str:
    digits = [DIGITS[value // 83**place % 83] for place in range(length)]
    return "".join(reversed(digits))


@cache
def _linear(channel: int) -> float:
    value = channel / 255
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def _srgb(value: float) -> int:
    value = max(0.0, min(1.0, value))
    share = value * 12.92 if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055
    return math.floor(share * 255 + 0.5)
