"""Runs a coroutine at once, and makes a task of it only when it has to wait.

Most handlers answer without waiting for anything; a task for each would cost more than decoding its message. `start` takes a coroutine's first
step on the spot. What the coroutine may ask asyncio meanwhile is who the current task is: `asyncio.timeout` and `TaskGroup` keep that
object and cancel it later, so it must not be the task that reads the connection. Hence a Standin is the current task during every step of
such a coroutine, from the first to the last, so that it is one object throughout; whatever is asked of it is passed on to the
real task, which is made when it is first needed. To enter and leave tasks is what asyncio documents for implementations of tasks.
"""

from __future__ import annotations

import asyncio
import types
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextvars import Context
from typing import Any, TypeVar, cast

T = TypeVar("T")

_enter: Callable[[asyncio.AbstractEventLoop, object], None] = cast(
    "Any",
    asyncio.tasks._enter_task,  # pyright: ignore[reportPrivateUsage]
)
_leave: Callable[[asyncio.AbstractEventLoop, object], None] = cast(
    "Any",
    asyncio.tasks._leave_task,  # pyright: ignore[reportPrivateUsage]
)


class Standin(Coroutine[Any, Any, Any]):
    """The current task of a coroutine that `start` has begun, and to the real task the coroutine that it runs."""

    __slots__ = (
        "__weakref__",
        "_context",
        "_coroutine",
        "_failure",
        "_finished",
        "_loop",
        "_real",
        "_value",
        "_waits_for",
    )

    def __init__(self, coroutine: Coroutine[Any, Any, Any], loop: asyncio.AbstractEventLoop, context: Context) -> None:
        self._coroutine = coroutine
        self._loop = loop
        self._context = context
        self._real: asyncio.Task[Any] | None = None

    def after(self, waits_for: Any, finished: bool, value: Any, failure: BaseException | None) -> asyncio.Task[Any]:
        """Takes over after the first step; the task that goes on. `waits_for` is what the coroutine wants it to wait for."""
        self._waits_for: asyncio.Future[Any] | None = waits_for
        self._finished = finished
        self._value = value
        self._failure = failure
        return self.real()

    def real(self) -> asyncio.Task[Any]:
        """The real task. It runs in the loop's next round at the earliest, thus after the first step."""
        task = self._real
        if task is None:
            task = self._real = self._loop.create_task(self, context=self._context)
        return task

    @property
    def is_asked(self) -> bool:
        """Whether somebody has asked for the task."""
        return self._real is not None

    def _step(self, resume: Callable[[Any], Any], argument: Any) -> Any:
        loop = self._loop
        current = asyncio.current_task(loop)
        if current is not None:
            _leave(loop, current)
        _enter(loop, self)
        try:
            return resume(argument)
        finally:
            _leave(loop, self)
            if current is not None:
                _enter(loop, current)

    # To whoever takes it for the task

    def __getattr__(self, name: str) -> Any:
        if name.startswith("cr_"):  # asked by those who print tasks
            return getattr(self._coroutine, name)
        return getattr(self.real(), name)

    def __repr__(self) -> str:
        return f"<Standin of {self._coroutine!r}>"

    # To the task

    def send(self, value: Any, /) -> Any:
        if self._finished:
            if self._failure is not None:
                raise self._failure
            raise StopIteration(self._value)
        waits_for, self._waits_for = self._waits_for, None
        return self._step(self._coroutine.send, value) if waits_for is None else waits_for

    def throw(self, *error: Any) -> Any:
        if self._finished:
            raise error[0]
        waits_for, self._waits_for = self._waits_for, None
        # Cancelled before it could wait: a task that waits would cancel what it waits for, and go on waiting for that.
        if waits_for is not None and waits_for.cancel():
            return waits_for
        return self._step(self._coroutine.throw, error[0])

    def close(self) -> None:
        self._coroutine.close()

    def __await__(self) -> Generator[Any, None, Any]:
        raise RuntimeError("a task runs this; nobody else awaits it")


def start(
    coroutine: Coroutine[Any, Any, T], loop: asyncio.AbstractEventLoop, context: Context
) -> asyncio.Task[T] | None:
    """Runs a coroutine in `context` until it ends, or has to wait: then the task that goes on with it is returned.

    What it raises before that comes out here; what it returns is lost then, and in the task's result otherwise. The task is returned too where the
    coroutine has ended at once but has asked something of its task.
    """
    standin = Standin(coroutine, loop, context)
    current = asyncio.current_task(loop)
    if current is not None:
        _leave(loop, current)
    _enter(loop, standin)
    try:
        waits_for = context.run(coroutine.send, None)
    except StopIteration as stop:
        return standin.after(None, True, stop.value, None) if standin.is_asked else None
    except BaseException as error:
        if standin.is_asked:
            return standin.after(None, True, None, error)
        raise
    finally:
        _leave(loop, standin)
        if current is not None:
            _enter(loop, current)
    return standin.after(waits_for, False, None, None)


def step(coroutine: Coroutine[Any, Any, None]) -> Awaitable[None] | None:
    """Runs a coroutine until it ends, then None, or has to wait: then what is left of it, to be awaited.

    It costs less than `start` and is for a library's coroutines, which ask nothing of their task before they wait.
    """
    try:
        waits_for = coroutine.send(None)
    except StopIteration:
        return None
    return _rest(coroutine, waits_for)


@types.coroutine
def _rest(coroutine: Coroutine[Any, Any, None], waits_for: Any) -> Generator[Any, Any, None]:
    resume: Callable[[Any], Any]
    while True:
        try:
            argument = yield waits_for
            resume = coroutine.send
        except BaseException as error:
            resume, argument = coroutine.throw, error
        try:
            waits_for = resume(argument)
        except StopIteration:
            return


def current_task() -> asyncio.Task[Any] | None:
    """The real task that runs now, None if there is none, as in a first step."""
    current: Any = asyncio.current_task()
    if isinstance(current, Standin):
        return current._real  # pyright: ignore[reportPrivateUsage]
    return cast("asyncio.Task[Any] | None", current)
