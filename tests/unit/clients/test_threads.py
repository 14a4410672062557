import asyncio
import contextvars
import threading

from d2c.clients.threads import THREADS, in_thread, in_turn

who = contextvars.ContextVar("who")


async def test_as_many_calls_block_at_once_as_there_are_threads_and_each_has_its_callers_context():
    all_of_them = threading.Barrier(THREADS)

    def block(number):
        all_of_them.wait(timeout=60)
        return number, who.get()

    who.set("caller")
    answers = await asyncio.gather(*(in_thread(block, number) for number in range(THREADS)))
    assert answers == [(number, "caller") for number in range(THREADS)]


async def test_what_others_sent_is_worked_on_one_after_the_other_while_calls_go_on():
    at_work, most, called = [], [], threading.Event()

    def work(number):
        at_work.append(number)
        most.append(len(at_work))
        assert called.wait(timeout=60)
        at_work.pop()
        return number, who.get()

    who.set("caller")
    answers = asyncio.gather(*(in_turn(work, number) for number in range(8)))
    await in_thread(called.set)
    assert await answers == [(number, "caller") for number in range(8)]
    assert max(most) == 1
