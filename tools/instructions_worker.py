"""What `python -m tools.instructions --python` runs under callgrind: calls on the native backend, each within one run of `deque(map(...))`.

instructions_worker.py names    the names of what is counted, a line each
instructions_worker.py run      do each once to learn, then over all frames once and twice
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterable
from itertools import chain, repeat
from typing import Any

from benches.frames import all_kinds
from ocppcore import Codec


def work() -> Iterable[tuple[str, Callable[[Any], object], list[Any]]]:
    """What is counted: a name, a callable, and what it is called with."""
    for kind in all_kinds():
        codec = Codec(kind.subprotocol, backend="native")
        yield f"{kind.name} decode", codec.decode, kind.frames
        yield f"{kind.name} validate", codec.validate, kind.frames
        yield f"{kind.name} peek", codec.peek, kind.frames
        yield f"{kind.name} encode", codec.encode, [codec.decode(frame) for frame in kind.frames]


def main() -> None:
    for name, call, arguments in work():
        if sys.argv[1] == "names":
            print(name)
            continue
        for argument in arguments:
            call(argument)
        for passes in (1, 2):
            deque(map(call, chain.from_iterable(repeat(arguments, passes))), maxlen=0)


if __name__ == "__main__":
    main()
