"""The dependency descriptor header extension (RTP Payload Format For AV1, appendix A).

Keyframes carry the template structure; later packets name a template in it. So a reader holds
state, one for each SSRC.
"""

from dataclasses import dataclass
from typing import Final

from media.wire.bits import BitReader
from media.wire.buffers import ReadBuffer

MAX_TEMPLATES: Final = 64
NOT_PRESENT, DISCARDABLE, SWITCH, REQUIRED = 0, 1, 2, 3
"""Decode target indications (A.3.5)."""


@dataclass(frozen=True, slots=True)
class Template:
    """What a frame that names it looks like."""

    spatial: int
    temporal: int
    indications: tuple[int, ...]
    """One for each decode target."""


@dataclass(frozen=True, slots=True)
class Structure:
    """The template dependency structure."""

    id_offset: int
    targets: int
    templates: tuple[Template, ...]
    resolutions: tuple[tuple[int, int], ...]
    """(width, height) by spatial layer, empty when not said."""


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What one packet says of its frame."""

    start: bool
    end: bool
    frame_number: int
    """16 bits."""
    spatial: int
    temporal: int
    indications: tuple[int, ...]
    keyframe: bool
    """It carries a new structure."""

    @property
    def discardable(self) -> bool:
        """No decode target needs it for another frame."""
        return all(value in {NOT_PRESENT, DISCARDABLE} for value in self.indications)

    @property
    def switch_up(self) -> bool:
        """A decode target may be taken up here."""
        return SWITCH in self.indications


class DependencyReader:
    """Reads the descriptors of one SSRC in the order they arrive."""

    __slots__ = ("structure",)

    def __init__(self) -> None:
        self.structure: Structure | None = None

    def read(self, data: ReadBuffer) -> Descriptor:
        """The descriptor in `data`. Raises ValueError, also before the first structure."""
        bits = BitReader(data)
        start, end = bits.flag(), bits.flag()
        template_id, number = bits.read(6), bits.read(16)
        flags = bits.read(5) if len(data) > 3 else 0
        structure = _structure(bits) if flags & 0x10 else self.structure
        if structure is None:
            raise ValueError("dependency descriptor before its structure")
        if flags & 0x08:
            bits.skip(structure.targets)  # active decode targets
        index = (template_id - structure.id_offset) % MAX_TEMPLATES
        if index >= len(structure.templates):
            raise ValueError("dependency descriptor names no template")
        template = structure.templates[index]
        own = flags & 0x04  # custom indications
        values = tuple(bits.read(2) for _ in range(structure.targets)) if own else ()
        self.structure = structure
        return Descriptor(
            start=start,
            end=end,
            frame_number=number,
            spatial=template.spatial,
            temporal=template.temporal,
            indications=values or template.indications,
            keyframe=bool(flags & 0x10) and start,
        )


def _structure(bits: BitReader) -> Structure:
    id_offset, targets = bits.read(6), bits.read(5) + 1
    layers = _layers(bits)
    indications = [tuple(bits.read(2) for _ in range(targets)) for _ in layers]
    for _ in layers:
        while bits.flag():
            bits.skip(4)  # a frame difference
    _chains(bits, targets, len(layers))
    resolutions: tuple[tuple[int, int], ...] = ()
    if bits.flag():
        spatial_layers = layers[-1][0] + 1
        resolutions = tuple((bits.read(16) + 1, bits.read(16) + 1) for _ in range(spatial_layers))
    templates = tuple(
        Template(spatial, temporal, values)
        for (spatial, temporal), values in zip(layers, indications, strict=True)
    )
    return Structure(id_offset, targets, templates, resolutions)


def _layers(bits: BitReader) -> list[tuple[int, int]]:
    """(spatial, temporal) of each template."""
    spatial = temporal = 0
    found: list[tuple[int, int]] = []
    while len(found) < MAX_TEMPLATES:
        found.append((spatial, temporal))
        following = bits.read(2)
        if following == 3:
            return found
        if following == 1:
            temporal += 1
        elif following == 2:
            spatial, temporal = spatial + 1, 0
        if temporal > 7 or spatial > 3:
            raise ValueError("dependency descriptor has too many layers")
    raise ValueError("dependency descriptor has too many templates")


def _chains(bits: BitReader, targets: int, templates: int) -> None:
    """Pass over the chains: we forward whole layers, so they hold by themselves."""
    chains = bits.non_symmetric(targets + 1)
    if chains:
        for _ in range(targets):
            bits.non_symmetric(chains)
        bits.skip(4 * templates * chains)
