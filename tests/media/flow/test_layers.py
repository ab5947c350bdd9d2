"""Choosing layers, by table and on real streams."""

import pytest

from media.flow.layers import Layer, SimulcastLayers, Size, SvcLayers, Verdict, ceiling
from media.wire import codecs, rtp
from media.wire.codecs import Frame
from media.wire.codecs.dependency import DependencyReader
from tests.captures import DEPENDENCY_ID, stream


def _offer(
    layers: SimulcastLayers, spatial: int, temporal: int = 0, *, key: bool = False
) -> Verdict:
    return layers.offer(spatial, temporal, start=True, keyframe=key)


def test_starts_at_a_keyframe_of_what_comes_first_and_climbs() -> None:
    layers = SimulcastLayers(Layer(2, 7))
    assert _offer(layers, 0) is Verdict.DROP
    assert _offer(layers, 0, key=True) is Verdict.SWITCH
    assert layers.wants_keyframe == 2
    assert _offer(layers, 2) is Verdict.DROP
    assert _offer(layers, 1, key=True) is Verdict.SWITCH
    assert _offer(layers, 0, key=True) is Verdict.DROP
    assert _offer(layers, 2, key=True) is Verdict.SWITCH
    assert _offer(layers, 2) is Verdict.FORWARD
    assert _offer(layers, 1) is Verdict.DROP
    assert layers.wants_keyframe == -1


def test_comes_down_at_a_keyframe_and_never_goes_above_the_target() -> None:
    layers = SimulcastLayers(Layer(1, 7))
    assert _offer(layers, 2, key=True) is Verdict.DROP
    assert _offer(layers, 1, key=True) is Verdict.SWITCH
    layers.target = Layer(0, 7)
    assert layers.wants_keyframe == 0
    assert _offer(layers, 1) is Verdict.FORWARD
    assert _offer(layers, 0) is Verdict.DROP
    assert _offer(layers, 0, key=True) is Verdict.SWITCH


def test_temporal_layers_go_at_once_and_come_back_where_the_stream_allows() -> None:
    layers = SimulcastLayers(Layer(0, 2))
    _offer(layers, 0, key=True)
    assert _offer(layers, 0, 2) is Verdict.FORWARD
    layers.target = Layer(0, 0)
    assert _offer(layers, 0, 2) is Verdict.DROP
    layers.target = Layer(0, 2)
    assert _offer(layers, 0, 2) is Verdict.DROP
    sync = layers.offer(0, 1, start=True, keyframe=False, switch_up=True)
    assert sync is Verdict.FORWARD
    assert _offer(layers, 0, 2) is Verdict.DROP
    assert layers.offer(0, 0, start=True, keyframe=False, switch_to=2) is Verdict.FORWARD
    assert _offer(layers, 0, 2) is Verdict.FORWARD


def test_temporal_layer_does_not_change_inside_a_frame() -> None:
    layers = SimulcastLayers(Layer(0, 2))
    _offer(layers, 0, key=True)
    layers.target = Layer(0, 0)
    assert layers.offer(0, 2, start=False, keyframe=False) is Verdict.FORWARD


def _frames(codec: str, name: str) -> list[Frame]:
    reader, frames = DependencyReader(), []
    for data in stream(name):
        packet = rtp.parse(data)
        frame = codecs.describe(codec, data, packet.payload_offset, packet.payload_end)
        at = rtp.find_extension(packet, DEPENDENCY_ID)
        assert at is not None
        reader.read(data[at[0] : at[0] + at[1]]).describe(frame)
        frames.append(frame)
    return frames


def _judge(layers: SvcLayers, frame: Frame) -> Verdict:
    return layers.offer(
        frame.spatial,
        frame.temporal,
        start=frame.start,
        keyframe=frame.keyframe,
        independent=frame.independent,
        switch_up=frame.switch_up,
        switch_to=frame.switch_to,
    )


@pytest.mark.parametrize(
    ("target", "spatial", "temporal"),
    [
        (Layer(0, 0), {0}, {0}),
        (Layer(0, 1), {0}, {0, 1}),
        (Layer(1, 0), {0, 1}, {0}),
        (Layer(1, 1), {0, 1}, {0, 1}),
    ],
)
def test_svc_of_a_real_av1_stream(target: Layer, spatial: set[int], temporal: set[int]) -> None:
    layers = SvcLayers(target)
    got = [frame for frame in _frames("av1", "av1_l2t2") if _judge(layers, frame)]
    assert {frame.spatial for frame in got} == spatial
    assert {frame.temporal for frame in got} == temporal


def test_svc_waits_for_a_keyframe_to_see_more() -> None:
    layers = SvcLayers(Layer(0, 1))
    frames = _frames("av1", "av1_l2t2")
    assert layers.wants_keyframe == 0
    for frame in frames[:10]:
        _judge(layers, frame)
    assert layers.wants_keyframe == -1
    layers.target = Layer(1, 1)
    assert layers.wants_keyframe == 0
    assert all(_judge(layers, f) is Verdict.DROP for f in frames[10:] if f.spatial == 1)
    assert _judge(layers, frames[0]) is Verdict.FORWARD
    assert _judge(layers, frames[1]) is Verdict.FORWARD
    assert layers.wants_keyframe == -1


def test_svc_comes_down_between_pictures_and_marks_the_end() -> None:
    layers = SvcLayers(Layer(1, 1))
    frames = _frames("av1", "av1_l2t2")
    for frame in frames[:3]:
        _judge(layers, frame)
    layers.target = Layer(0, 1)
    upper = frames[3]
    assert upper.spatial == 1
    assert _judge(layers, upper) is Verdict.FORWARD
    assert not layers.ends_picture(0, end=True)
    assert _judge(layers, frames[4]) is Verdict.FORWARD
    assert layers.ends_picture(0, end=frames[4].end)
    assert _judge(layers, frames[5]) is Verdict.DROP


def test_svc_regains_temporal_layers_of_a_real_stream() -> None:
    layers = SimulcastLayers(Layer(0, 0))
    frames = _frames("av1", "av1_l1t3")
    got: list[int] = []
    for index, frame in enumerate(frames):
        if index == 12:
            layers.target = Layer(0, 2)
        verdict = layers.offer(
            0,
            frame.temporal,
            start=frame.start,
            keyframe=frame.keyframe,
            switch_up=frame.switch_up,
            switch_to=frame.switch_to,
        )
        if verdict:
            got.append(index)
    assert all(frames[i].temporal == 0 for i in got if i < 12)
    base = next(i for i in range(12, len(frames)) if frames[i].temporal == 0)
    assert [i for i in got if i >= base] == list(range(base, len(frames)))


SIZES = [Size(320, 180), Size(640, 360), Size(1280, 720)]


@pytest.mark.parametrize(
    ("width", "height", "fps", "layer"),
    [
        (0, 0, 0, Layer(2, 2)),
        (300, 150, 0, Layer(0, 2)),
        (321, 150, 0, Layer(1, 2)),
        (1920, 1080, 0, Layer(2, 2)),
        (0, 360, 15, Layer(1, 1)),
        (0, 0, 7, Layer(2, 0)),
        (0, 0, 30, Layer(2, 2)),
    ],
)
def test_ceiling(width: int, height: int, fps: float, layer: Layer) -> None:
    assert ceiling(SIZES, 3, width=width, height=height, fps=fps) == layer


def test_ceiling_of_what_is_not_known_yet() -> None:
    assert ceiling([], 0, width=100, height=100, fps=5) == Layer(0, 0)
