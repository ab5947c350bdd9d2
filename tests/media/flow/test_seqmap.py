"""Renumbering by table; tests/property holds the laws."""

from media.flow.seqmap import MAX_SPANS, SeqMap


def test_numbers_go_on_from_the_first() -> None:
    numbers = SeqMap(16, first=65534)
    assert [numbers.map(s) for s in (100, 101, 102)] == [65534, 65535, 0]


def test_dropped_packets_leave_no_hole() -> None:
    numbers = SeqMap()
    assert numbers.map(10) == 0
    numbers.drop(11)
    numbers.drop(12)
    assert numbers.map(13) == 1
    assert numbers.map(11) is None
    assert numbers.unmap(1) == (0, 13)


def test_lost_packets_keep_their_place() -> None:
    numbers = SeqMap()
    numbers.map(10)
    numbers.drop(13)
    assert numbers.map(14) == 3
    assert [numbers.map(11), numbers.map(12), numbers.map(13)] == [1, 2, None]
    assert numbers.unmap(2) == (0, 12)


def test_switch_goes_on_without_a_gap_and_nacks_reach_the_old_source() -> None:
    numbers = SeqMap()
    numbers.switch(1, 500)
    assert [numbers.map(500), numbers.map(501)] == [0, 1]
    numbers.switch(2, 9000)
    assert numbers.map(9000) == 2
    assert numbers.unmap(1) == (1, 501)
    assert numbers.unmap(2) == (2, 9000)
    assert numbers.unmap(3) is None
    assert numbers.map(8999) is None


def test_a_source_that_comes_back_is_not_confused_with_before() -> None:
    numbers = SeqMap()
    numbers.switch(1, 100)
    numbers.map(100)
    numbers.switch(2, 5)
    numbers.map(5)
    numbers.switch(1, 200)
    assert numbers.map(200) == 2
    assert numbers.map(100) is None
    assert numbers.unmap(0) == (1, 100)


def test_inserted_numbers_are_nobodys() -> None:
    numbers = SeqMap()
    numbers.map(10)
    assert numbers.insert() == 1
    assert numbers.map(11) == 2
    assert numbers.unmap(1) is None
    assert numbers.unmap(0) == (0, 10)


def test_insert_before_the_first_packet() -> None:
    numbers = SeqMap(16, 7)
    assert numbers.insert() == 7
    assert numbers.map(100) == 8


def test_picture_ids_of_many_packets() -> None:
    pictures = SeqMap(15, first=0x7FFF)
    assert [pictures.map(5), pictures.map(5)] == [0x7FFF, 0x7FFF]
    pictures.drop(6)
    pictures.drop(6)
    assert [pictures.map(7), pictures.map(7), pictures.map(5)] == [0, 0, 0x7FFF]


def test_nothing_is_known_before_the_first_packet() -> None:
    numbers = SeqMap()
    numbers.drop(5)
    assert numbers.unmap(0) is None


def test_memory_is_bounded() -> None:
    numbers = SeqMap()
    for sequence in range(0, 8 * MAX_SPANS, 2):
        numbers.map(sequence)
        numbers.drop(sequence + 1)
    assert numbers.unmap(0) is None
    assert numbers.unmap(4 * MAX_SPANS - 1) == (0, 8 * MAX_SPANS - 2)
    assert numbers.unmap(4 * MAX_SPANS - 100) == (0, 8 * MAX_SPANS - 200)
