"""Asks for what a walk needs next while whoever walks works on what it has: the wire and the work take turns no longer.

One request ahead and no more, and none that the walk would not have made. One thread asks for all of them, and goes on
as soon as the walk comes for an answer: the next request leaves before the work on that answer begins.
"""

from collections.abc import Callable, Iterator
from contextvars import copy_context
from dataclasses import dataclass, replace
from queue import SimpleQueue
from threading import Event, Semaphore, Thread
from typing import Any, TypeVar

from connectors.asking import Asker

Read = TypeVar("Read")
Ask = Callable[[Asker], Read]
_LEAVES_WITHIN = 0.005
"""Seconds that an answer waits for the next request to leave, which takes half a thousandth: work that began before
would hold the interpreter's lock, and the request back. Where it does not leave, as in a pause, that is all."""


@dataclass(frozen=True, slots=True)
class _End:
    """There are no more answers, or there was a problem."""

    problem: BaseException | None


@dataclass(frozen=True, slots=True)
class _Ending:
    """Tells of the end of a block, however it ends, to whoever waits for more."""

    coming: "SimpleQueue[Any]"
    gone: Event

    def __enter__(self) -> None: ...

    def __exit__(self, _type: object, problem: BaseException | None, _traceback: object) -> bool:
        self.coming.put(_End(problem))
        self.gone.set()
        return True


def ahead(asker: Asker, first: Read, then: Callable[[Read], Ask[Read] | None], feature: str) -> Iterator[Read]:
    """The first answer and all that follow it. `then` says of an answer how the next one is asked for, where there is
    one, and raises nothing; it is called once for each, in order, and never twice at a time.

    What the asking raises is raised where its answer is wanted, and Transient where there is a stop by then. A walk
    that is left early waits for the answer that is under way, as without this it would have waited for it before;
    nothing is asked again then.
    """
    ask = then(first)
    if ask is None:
        yield first
        return
    coming: SimpleQueue[Read | _End] = SimpleQueue()
    wanted, gone, left = Semaphore(0), Event(), Event()
    world = replace(asker.world, stop=lambda: left.is_set() or asker.world.stop())
    again = replace(asker, world=world, sent=gone.set)

    def ask_on(ask: Ask[Read] | None) -> None:
        with _Ending(coming, gone):
            while ask is not None:
                answer = ask(again)
                gone.clear()
                coming.put(answer)
                wanted.acquire()
                ask = None if left.is_set() else then(answer)

    thread = Thread(target=copy_context().run, args=(ask_on, ask), name="ahead", daemon=True)
    thread.start()
    answer: Read | _End = first
    try:
        gone.wait(_LEAVES_WITHIN)
        yield first
        while not isinstance(answer := _next(coming, wanted), _End):
            gone.wait(_LEAVES_WITHIN)
            asker.world.check(feature=feature)
            yield answer
        if answer.problem is not None:
            raise answer.problem
    finally:
        left.set()
        wanted.release()
        thread.join()
        answer = first  # a problem that stayed here or there would keep itself by its traceback, and all answers
        while not coming.empty():
            coming.get()


def _next(coming: "SimpleQueue[Read | _End]", wanted: Semaphore) -> Read | _End:
    wanted.release()
    return coming.get()
