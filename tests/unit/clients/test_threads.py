import asyncio
import contextvars
import threading

from d2c.clients.threads import THREADS, in_thread

who = contextvars.ContextVar("who")


async def test_as_many_calls_block_at_once_as_there_are_threads_and_each_has_its_callers_context():
    all_of_them = threading.Barrier(THREADS)

    def block(number):
        all_of_them.wait(timeout=60)
        return number, who.get()

    who.set("caller")
    answers = await asyncio.gather(*(in_thread(block, number) for number in range(THREADS)))
    assert answers == [(number, "caller") for number in range(THREADS)]
