"""A coroutine that `start` runs sees asyncio as it would in a task of its own, whether it ever waits or not."""

import asyncio
import contextvars
import gc
import threading
import weakref
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from ocppcore.aio._drive import Standin, current_task, start, step
from support.needs import need_module

Body = Callable[[], Coroutine[Any, Any, Any]]


def begin(body: Body, context: contextvars.Context | None = None) -> asyncio.Task[Any] | None:
    return start(body(), asyncio.get_running_loop(), context or contextvars.copy_context())


def as_task(body: Body) -> tuple[Any, ...]:
    """How a body ends as an ordinary task, for comparison."""

    async def main() -> tuple[Any, ...]:
        return await ending(asyncio.create_task(body()))

    return asyncio.run(main())


def as_started(body: Body) -> tuple[Any, ...]:
    """How it ends when it is started; the task that starts it must not notice."""

    async def main() -> tuple[Any, ...]:
        me = asyncio.current_task()
        task = begin(body)
        assert asyncio.current_task() is me
        result = ("value", None) if task is None else await ending(task)
        assert asyncio.current_task() is me
        assert me is not None
        assert not me.cancelling()
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {me}
        return result

    return asyncio.run(main())


async def ending(awaited: Awaitable[Any]) -> tuple[Any, ...]:
    try:
        return "value", await awaited
    except asyncio.CancelledError:
        return ("cancelled",)
    except BaseException as error:
        return "error", type(error), str(error)


def test_what_does_not_wait_makes_no_task() -> None:
    async def main() -> None:
        seen: list[object] = []

        async def body() -> None:
            seen.append(asyncio.current_task())

        before = asyncio.all_tasks()
        assert begin(body) is None
        assert asyncio.all_tasks() == before
        assert isinstance(seen[0], Standin)
        assert begin(body) is None
        assert seen[1] is not seen[0]

    asyncio.run(main())


def test_its_error_comes_out_when_it_does_not_wait() -> None:
    async def main() -> None:
        async def body() -> None:
            raise KeyError("x")

        me = asyncio.current_task()
        with pytest.raises(KeyError):
            begin(body)
        assert asyncio.current_task() is me

    asyncio.run(main())


async def sleeps() -> str:
    for _ in range(3):
        await asyncio.sleep(0)
    await asyncio.sleep(0.001)
    return "slept"


async def times_out() -> str:
    try:
        async with asyncio.timeout(0.01):
            await asyncio.sleep(10)
    except TimeoutError:
        return "timed out"
    return "not timed out"


async def times_out_at_once() -> str:
    try:
        async with asyncio.timeout(0):
            await asyncio.sleep(10)
    except TimeoutError:
        return "timed out"
    return "not timed out"


async def times_out_unused() -> str:
    async with asyncio.timeout(10):
        await asyncio.sleep(0)
    return "in time"


async def times_out_in_a_later_step() -> str:
    await asyncio.sleep(0)
    return await times_out()


async def waits_for() -> str:
    try:
        await asyncio.wait_for(asyncio.sleep(10), 0.01)
    except TimeoutError:
        return "timed out"
    return "not timed out"


async def groups() -> list[str]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(sleeps()), group.create_task(times_out())]
    return [task.result() for task in tasks]


async def group_fails() -> str:
    async def fails() -> None:
        await asyncio.sleep(0)
        raise ValueError("one")

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(fails())
            await asyncio.sleep(10)
    except ExceptionGroup as group:
        return repr(group.exceptions)
    return "not failed"


async def cancels_itself() -> str:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    assert task.cancelling() == 1
    await asyncio.sleep(0)
    return "not cancelled"


async def cancels_itself_and_ends() -> str:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    return "not cancelled"


async def asks_for_its_task_and_fails() -> str:
    task = asyncio.current_task()
    assert task is not None
    assert task.get_name()
    raise ValueError("after all")


async def survives_its_cancellation() -> str:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    try:
        await asyncio.sleep(10)
    except asyncio.CancelledError:
        task.uncancel()
        assert task.cancelling() == 0
        await asyncio.sleep(0)
        return "survived"
    return "not cancelled"


async def gathers() -> list[str]:
    return await asyncio.gather(sleeps(), times_out())


async def in_a_thread() -> bool:
    # The thread ends in the loop's next round: since 3.14, who awaits a thread that has ended already does not wait.
    ended = threading.Event()
    asyncio.get_running_loop().call_soon(ended.set)
    return await asyncio.to_thread(ended.wait)


async def is_one_task_throughout() -> int:
    seen = {asyncio.current_task()}
    for _ in range(3):
        await asyncio.sleep(0)
        seen.add(asyncio.current_task())
    return len(seen)


async def fails_later() -> None:
    await asyncio.sleep(0)
    raise ValueError("later")


BODIES = [
    sleeps, times_out, times_out_at_once, times_out_unused, times_out_in_a_later_step, waits_for, groups, group_fails,
    cancels_itself, cancels_itself_and_ends, asks_for_its_task_and_fails, survives_its_cancellation, gathers,
    in_a_thread, is_one_task_throughout, fails_later,
]  # fmt: skip


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body.__name__)
def test_it_ends_as_a_task_would(body: Body) -> None:
    assert as_started(body) == as_task(body)


@pytest.mark.parametrize("rounds", range(5))
def test_cancelled_from_outside_it_cancels_what_it_waits_for(rounds: int) -> None:
    async def main() -> None:
        ends: list[str] = []
        inner: list[asyncio.Task[None]] = []

        async def slow() -> None:
            await asyncio.sleep(10)

        async def body() -> None:
            inner.append(asyncio.create_task(slow()))
            try:
                await inner[0]
            except asyncio.CancelledError:
                ends.append("cancelled")
                await asyncio.sleep(0)  # what tidies up may wait
                ends.append("tidy")
                raise

        task = begin(body)
        assert task is not None
        for _ in range(rounds):
            await asyncio.sleep(0)
        task.cancel()
        assert await ending(task) == ("cancelled",)
        assert ends == ["cancelled", "tidy"]
        assert inner[0].cancelled()

    asyncio.run(main())


def test_what_it_sets_is_its_own() -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="outside")

    async def main() -> None:
        seen: list[str] = []

        async def body() -> None:
            seen.append(variable.get())
            variable.set("inside")
            await asyncio.sleep(0)
            seen.append(variable.get())

        task = begin(body)
        assert variable.get() == "outside"
        assert task is not None
        await task
        assert seen == ["outside", "inside"]
        assert variable.get() == "outside"

    asyncio.run(main())


def test_one_starts_another_within_its_first_step() -> None:
    async def main() -> None:
        seen: list[object] = []

        async def inner() -> None:
            seen.append(asyncio.current_task())

        async def outer() -> None:
            mine = asyncio.current_task()
            assert begin(inner) is None
            assert asyncio.current_task() is mine
            seen.append(mine)

        assert begin(outer) is None
        assert seen[0] is not seen[1]

    asyncio.run(main())


def test_it_can_be_started_outside_of_any_task() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[object] = loop.create_future()

        async def body() -> None:
            done.set_result(asyncio.current_task())

        loop.call_soon(begin, body)
        assert isinstance(await done, Standin)

    asyncio.run(main())


def test_the_real_task_is_known_within() -> None:
    async def main() -> None:
        seen: list[asyncio.Task[Any] | None] = []

        async def body() -> None:
            seen.append(current_task())
            await asyncio.sleep(0)
            seen.append(current_task())

        task = begin(body)
        assert task is not None
        await task
        assert seen == [None, task]
        assert current_task() is asyncio.current_task()

    asyncio.run(main())


def test_nothing_is_kept() -> None:
    class Kept:
        pass

    async def main() -> list[weakref.ref[Any]]:
        references: list[weakref.ref[Any]] = []

        async def body() -> None:
            kept = Kept()
            references.append(weakref.ref(kept))
            references.append(weakref.ref(asyncio.current_task()))

        begin(body)
        return references

    gc.disable()  # it must go by itself: no cycle
    try:
        assert [reference() for reference in asyncio.run(main())] == [None, None]
    finally:
        gc.enable()


def test_it_is_the_same_on_uvloop() -> None:
    need_module("uvloop", "uvloop")
    import uvloop

    async def main() -> None:
        for body in BODIES:
            task = begin(body)
            assert task is not None
            started = await ending(task)
            assert started == await ending(asyncio.create_task(body())), body

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


# What a library's coroutine leaves to be awaited


def test_a_step_that_ends_leaves_nothing() -> None:
    done: list[str] = []

    async def send() -> None:
        done.append("sent")

    assert step(send()) is None
    assert done == ["sent"]


def test_what_a_first_step_raises_comes_out() -> None:
    async def send() -> None:
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError, match="gone"):
        step(send())


def test_the_rest_of_a_step_is_awaited() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        first, second = loop.create_future(), loop.create_future()
        seen: list[object] = []

        async def send() -> None:
            seen.append(await first)
            seen.append(await second)
            await asyncio.sleep(0)

        rest = step(send())
        assert rest is not None
        loop.call_soon(first.set_result, 1)
        loop.call_later(0.001, second.set_result, 2)
        await rest
        assert seen == [1, 2]

    asyncio.run(main())


def test_what_is_thrown_into_the_rest_of_a_step_reaches_its_coroutine() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        seen: list[str] = []
        held = loop.create_future()

        async def send() -> None:
            try:
                await held
            except asyncio.CancelledError:
                seen.append("cancelled")
                await asyncio.sleep(0)
                seen.append("cleaned up")
                raise

        async def body() -> None:
            rest = step(send())
            assert rest is not None
            await rest

        task = asyncio.create_task(body())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait((task,))
        assert task.cancelled()
        assert held.cancelled()
        assert seen == ["cancelled", "cleaned up"]

        failed = loop.create_future()

        async def fail() -> None:
            await failed

        rest = step(fail())
        assert rest is not None
        failed.set_exception(ConnectionError("gone"))
        with pytest.raises(ConnectionError, match="gone"):
            await rest

    asyncio.run(main())
