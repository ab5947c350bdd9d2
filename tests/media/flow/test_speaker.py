"""Active speakers."""

from media.flow.speaker import MAX_SPEAKERS, Speakers


def _say(speakers: Speakers, who: str, level: int, packets: int = 15) -> None:
    for _ in range(packets):
        speakers.add(who, level)


def test_the_loudest_comes_first_and_silence_is_not_heard() -> None:
    speakers = Speakers()
    heard: tuple[tuple[str, float], ...] = ()
    for _ in range(5):
        _say(speakers, "loud", 10)
        _say(speakers, "soft", 40)
        _say(speakers, "fan", 60)
        _say(speakers, "quiet", 127)
        heard = speakers.tick(0.0) or heard
    assert [who for who, _ in heard] == ["loud", "soft"]
    assert 0.0 < heard[1][1] < heard[0][1] <= 1.0


def test_a_click_is_not_speech() -> None:
    speakers = Speakers()
    _say(speakers, "click", 5, packets=2)
    _say(speakers, "click", 127, packets=13)
    assert speakers.tick(0.0) is None


def test_fades_out_and_then_says_nothing_new() -> None:
    speakers = Speakers()
    _say(speakers, "a", 10)
    assert speakers.tick(0.0)
    seen = [speakers.tick(0.0) for _ in range(40)]
    assert () in seen
    assert seen[-1] is None


def test_leaving_is_reported_at_once() -> None:
    speakers = Speakers()
    _say(speakers, "a", 10)
    speakers.tick(0.0)
    speakers.remove("a")
    assert speakers.tick(0.0) == ()


def test_no_more_than_a_few() -> None:
    speakers = Speakers()
    for number in range(30):
        _say(speakers, f"p{number}", 10)
    heard = speakers.tick(0.0)
    assert heard is not None
    assert len(heard) == MAX_SPEAKERS
