"""Who speaks, from the audio levels in packet headers (RFC 6464)."""

from dataclasses import dataclass
from typing import Final

SILENCE_DB: Final = 127
AUDIBLE_DB: Final = 50
"""-50 dBov and louder counts: quieter is a fan or a keyboard."""
ACTIVE_SHARE: Final = 0.3
"""Of the packets in an interval that must be audible."""
ATTACK: Final = 0.6
RELEASE: Final = 0.25
"""Smoothing of the level when it rises and when it falls, per tick."""
HEARD: Final = 0.02
"""Below this smoothed level somebody has stopped speaking."""
MAX_SPEAKERS: Final = 8


@dataclass(slots=True)
class _Voice:
    packets: int = 0
    audible: int = 0
    loudest: int = SILENCE_DB
    level: float = 0.0


class Speakers:
    """The active speakers of one Room. Call `tick` about three times a second."""

    __slots__ = ("_reported", "_voices")

    def __init__(self) -> None:
        self._voices: dict[str, _Voice] = {}
        self._reported: tuple[tuple[str, float], ...] = ()

    def add(self, who: str, level_db: int) -> None:
        """An audio packet of `who` came; `level_db` is 0 (loudest) to 127 (silence), -dBov."""
        voice = self._voices.get(who)
        if voice is None:
            voice = self._voices[who] = _Voice()
        voice.packets += 1
        if level_db <= AUDIBLE_DB:
            voice.audible += 1
            voice.loudest = min(voice.loudest, level_db)

    def remove(self, who: str) -> None:
        """`who` left or muted; the next tick reports it."""
        self._voices.pop(who, None)

    def tick(self, _now: float) -> tuple[tuple[str, float], ...] | None:
        """(who, level 0..1) of those heard, loudest first; None while nothing changed."""
        for voice in self._voices.values():
            _smooth(voice)
        heard = [(who, round(v.level, 2)) for who, v in self._voices.items() if v.level >= HEARD]
        heard.sort(key=lambda speaker: (-speaker[1], speaker[0]))
        speakers = tuple(heard[:MAX_SPEAKERS])
        if speakers == self._reported:
            return None
        self._reported = speakers
        return speakers


def _smooth(voice: _Voice) -> None:
    """Fold the interval into the level: 0 dBov is 1, -50 dBov is 0, linear in decibels."""
    active = voice.packets > 0 and voice.audible >= ACTIVE_SHARE * voice.packets
    level = 1.0 - voice.loudest / (AUDIBLE_DB + 1) if active else 0.0
    voice.level += (level - voice.level) * (ATTACK if level > voice.level else RELEASE)
    voice.packets, voice.audible, voice.loudest = 0, 0, SILENCE_DB
