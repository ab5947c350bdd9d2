"""A timeout without a timer per wait."""

import asyncio

import pytest

from signaling.gateway.deadlines import Deadlines


async def forever() -> None:
    await asyncio.Event().wait()


async def test_what_is_quick_gives_its_result_and_leaves_no_timer() -> None:
    deadlines = Deadlines(0.02)

    async def quick() -> int:
        return 7

    assert await deadlines.run(quick()) == 7
    await asyncio.sleep(0.05)
    assert deadlines._timer is None


async def test_what_is_slow_is_cancelled_and_the_task_goes_on() -> None:
    deadlines = Deadlines(0.02)
    for _ in range(2):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(deadlines.run(forever()), 10)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_a_cancellation_from_outside_is_not_a_timeout() -> None:
    deadlines = Deadlines(10)
    task = asyncio.create_task(deadlines.run(forever()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not deadlines._began
    assert deadlines._timer is not None
    deadlines._timer.cancel()


async def test_an_error_passes_through() -> None:
    deadlines = Deadlines(10)

    async def wrong() -> None:
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        await deadlines.run(wrong())
    assert deadlines._timer is not None
    deadlines._timer.cancel()


async def test_a_step_that_makes_another_error_of_it_does_not_spoil_the_next_one() -> None:
    deadlines = Deadlines(0.02)

    async def translated() -> None:
        try:
            await forever()
        except asyncio.CancelledError:
            raise ValueError("mine") from None

    task = asyncio.current_task()
    assert task is not None
    with pytest.raises(ValueError, match="mine"):
        await deadlines.run(translated())
    assert task.cancelling() == 0
    with pytest.raises(TimeoutError):
        await deadlines.run(forever())
    assert task.cancelling() == 0
