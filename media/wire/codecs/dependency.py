"""The dependency descriptor header extension (RTP Payload Format For AV1, appendix A).

Keyframes carry the template structure; later packets name a template in it. So a reader holds
state, one for each SSRC.
"""

from dataclasses import dataclass
from typing import Final

from media.wire.bits import BitReader
from media.wire.buffers import ReadBuffer
from media.wire.codecs.frame import Frame

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

    target_layers: tuple[tuple[int, int], ...]
    """(spatial, temporal) that each decode target reaches."""

    def switch_to(self, spatial: int, indications: tuple[int, ...]) -> int:
        """Highest temporal layer of `spatial` that a frame with `indications` opens, or -1."""
        best = -1
        for value, layer in zip(indications, self.target_layers, strict=True):
            if value == SWITCH and layer[0] == spatial and layer[1] > best:
                best = layer[1]
        return best


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
    independent: bool
    """Of a picture that starts with a keyframe: its spatial layer may be added here."""
    switch_to: int
    """After it, temporal layers up to this one may be added; -1 for none."""
    width: int
    """Pixels of the largest spatial layer on a keyframe, else 0."""
    height: int

    @property
    def discardable(self) -> bool:
        """No decode target needs it for another frame."""
        return all(value in {NOT_PRESENT, DISCARDABLE} for value in self.indications)

    def describe(self, frame: Frame) -> None:
        """Let `frame` say what this descriptor knows better than the payload."""
        frame.start, frame.end, frame.layered = self.start, self.end, True
        frame.spatial, frame.temporal = self.spatial, self.temporal
        frame.switch_up, frame.switch_to = False, self.switch_to
        frame.number = self.frame_number
        frame.keyframe = frame.keyframe and self.keyframe
        frame.independent, frame.discardable = self.independent, self.discardable
        if self.width:
            frame.width, frame.height = self.width, self.height


class DependencyReader:
    """Reads the descriptors of one SSRC in the order they arrive."""

    __slots__ = ("_key_picture", "structure")

    def __init__(self) -> None:
        self.structure: Structure | None = None
        self._key_picture = False

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
        return self._descriptor(
            structure,
            template,
            values or template.indications,
            start=start,
            end=end,
            number=number,
            keyframe=bool(flags & 0x10) and start,
        )

    def _descriptor(
        self,
        structure: Structure,
        template: Template,
        indications: tuple[int, ...],
        *,
        start: bool,
        end: bool,
        number: int,
        keyframe: bool,
    ) -> Descriptor:
        if start and template.spatial == 0:
            self._key_picture = keyframe
        sizes = structure.resolutions if keyframe else ()
        width, height = sizes[-1] if sizes else (0, 0)
        return Descriptor(
            start=start,
            end=end,
            frame_number=number,
            spatial=template.spatial,
            temporal=template.temporal,
            indications=indications,
            keyframe=keyframe,
            independent=self._key_picture,
            switch_to=structure.switch_to(template.spatial, indications),
            width=width,
            height=height,
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
    reached = tuple(_reached(templates, target) for target in range(targets))
    return Structure(id_offset, targets, templates, resolutions, reached)


def _reached(templates: tuple[Template, ...], target: int) -> tuple[int, int]:
    """The highest layers among the templates that a decode target contains."""
    inside = [t for t in templates if t.indications[target] != NOT_PRESENT]
    spatial = max((t.spatial for t in inside), default=0)
    return spatial, max((t.temporal for t in inside), default=0)


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
