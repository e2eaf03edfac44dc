"""Asks for what a walk needs next while whoever walks works on what it has: the wire and the work take turns no longer.

One request ahead and no more, and none that the walk would not have made. A thread is begun for each, which costs a
tenth of a millisecond and lets the request leave before the work goes on.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import replace
from threading import Event
from typing import TypeVar

from connectors.asking import Asker

Read = TypeVar("Read")


@contextmanager
def ahead(asker: Asker, ask: Callable[[Asker], Read], feature: str) -> Iterator[Callable[[], Read]]:
    """Ask on another thread for as long as the block lasts. What is yielded waits for the answer, and raises what the
    asking raised, or Transient where there is a stop by then.

    A block that is left early waits for the answer that is under way, as without this it would have waited for it
    before; nothing is asked again then.
    """
    left = Event()
    world = replace(asker.world, stop=lambda: left.is_set() or asker.world.stop())
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="ahead") as pool:
        coming = pool.submit(copy_context().run, ask, replace(asker, world=world))

        def answer() -> Read:
            read = coming.result()
            asker.world.check(feature=feature)
            return read

        try:
            yield answer
        finally:
            left.set()
