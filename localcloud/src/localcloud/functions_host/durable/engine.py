"""Runs orchestrations: delivers messages, replays, and carries out what an orchestrator decides."""

import json
import logging
import threading
import time
import uuid
from typing import Any

from localcloud.functions_host.app import App
from localcloud.functions_host.durable.crashes import Crashes
from localcloud.functions_host.durable.decisions import Started, carry_out
from localcloud.functions_host.durable.failures import activity_failure, no_function
from localcloud.functions_host.durable.replay import Turn, replay
from localcloud.functions_host.durable.store import (
    ENDED,
    UNTIL_RESUMED,
    Json,
    Store,
    create_instance,
    event,
    send,
)

logger = logging.getLogger(__name__)
RETRY_TURN_SECONDS = 0.5

EXECUTION_TERMINATED, SUSPENDED, RESUMED = 3, 19, 20


class Engine:
    """Runs the orchestrations of an app.

    Args:
        app: its functions.
        store: where everything is kept.
        crashes: where the process dies; nowhere if None.
    """

    def __init__(self, app: App, store: Store, crashes: Crashes | None = None) -> None:
        self.app = app
        self.store = store
        self._crashes = crashes or Crashes(store)
        self._news = threading.Condition()
        self._busy: set[str] = set()
        self._live = True

    def start(self) -> None:
        """Begin to run; activities that a crash interrupted run again."""
        for row in self.store.read("select number, id, generation, task, name, input from work"):
            self.app.submit(self._run_activity, Started(*row))
        threading.Thread(target=self._dispatch, daemon=True, name="dispatch").start()

    def stop(self) -> None:
        """Start no more turns."""
        self._live = False
        self._tell()

    def start_new(self, name: str, instance: str | None, text: str | None) -> str:
        """Start an orchestration in place of whatever has its id, and return its id."""
        instance = instance or uuid.uuid4().hex
        with self.store.transaction() as connection:
            create_instance(connection, name, instance, text)
        self._tell()
        return instance

    def deliver(self, instance: str, kind: int, **fields: Any) -> None:
        """Send a message from outside: an event (15), an end (3), a pause (19), its end (20)."""
        with self.store.transaction() as connection:
            if kind in (EXECUTION_TERMINATED, RESUMED):
                connection.execute(
                    "update messages set due=0 where id=? and due=?", (instance, UNTIL_RESUMED)
                )
            send(connection, instance, None, event(kind, **fields))
        self._tell()

    def _tell(self) -> None:
        with self._news:
            self._news.notify_all()

    def _dispatch(self) -> None:
        """Give every instance with a due message a turn, one at a time for each."""
        while self._live:
            with self._news:
                now = self.store.clock()
                due = self.store.read("select distinct id from messages where due<=?", now)
                ready = [instance for (instance,) in due if instance not in self._busy]
                if not ready:
                    ((following,),) = self.store.read("select min(due) from messages where due>?", now)
                    self._news.wait(min(1.0, max(0.001, following - now)) if following else 1.0)
                    continue
                self._busy.update(ready)
            for instance in ready:
                # Turns and activities share the app's threads, as they share the Python worker's.
                self.app.submit(self._turn, instance)

    def _turn(self, instance: str) -> None:
        try:
            self._take_turn(instance)
        except Exception:
            logger.exception("A turn of %s failed; it is taken again", instance)
            time.sleep(RETRY_TURN_SECONDS)
        finally:
            with self._news:
                self._busy.discard(instance)
                self._news.notify_all()

    def _take_turn(self, instance: str) -> None:
        rows = self.store.read(
            "select generation, name, parent, status, input from instances where id=?", instance
        )
        messages = self.store.read(
            "select number, generation, event from messages where id=? and due<=? order by number",
            instance,
            self.store.clock(),
        )
        if not rows or rows[0][3] in ENDED:
            self.store.drop_messages(instance)
            return
        generation, name, parent, status, text = rows[0]
        fresh = [json.loads(message) for _, of, message in messages if of in (None, generation)]
        kinds = [message["EventType"] for message in fresh]
        numbers = [number for number, _, _ in messages]
        if EXECUTION_TERMINATED in kinds:
            self._end(instance, generation, numbers, fresh[kinds.index(EXECUTION_TERMINATED)].get("Input"))
        elif RESUMED not in kinds and (SUSPENDED in kinds or status == "Suspended"):
            self._suspend(instance, messages)
        else:
            delivered = [message for message in fresh if message["EventType"] not in (SUSPENDED, RESUMED)]
            past = self.store.history(instance)
            new = [event(12, Timestamp=self.store.clock.text()), *delivered]
            handle = self.app.orchestrator(name)
            turn = replay(handle, instance, parent, text, past + new) if handle else self._unknown(name)
            started = carry_out(self.store, self.app, instance, generation, name, past, new, turn, numbers)
            for activity in started:
                self.app.submit(self._run_activity, activity)

    def _unknown(self, name: str) -> Turn:
        """Return how an orchestration ends whose function the app does not have."""
        return Turn(
            True, None, no_function(name, list(self.app.of_type("orchestrationTrigger"))), None, None, ()
        )

    def _end(self, instance: str, generation: str, numbers: list[int], reason: str | None) -> None:
        """End an instance from outside."""
        turn = Turn(True, reason, None, None, None, ())
        name = self.store.read("select name from instances where id=?", instance)[0][0]
        carry_out(
            self.store,
            self.app,
            instance,
            generation,
            name,
            self.store.history(instance),
            [],
            turn,
            numbers,
            "Terminated",
        )

    def _suspend(self, instance: str, messages: list[tuple[Any, ...]]) -> None:
        """Keep what has arrived until the instance is resumed or ended; that may have come since it was read."""
        pauses = [number for number, _, message in messages if json.loads(message)["EventType"] == SUSPENDED]
        numbers = [number for number, _, _ in messages]
        with self.store.transaction() as connection:
            connection.executemany("delete from messages where number=?", [(number,) for number in pauses])
            since = connection.execute(
                "select 1 from messages where id=? and number>? and json_extract(event,'$.EventType') in (?,?)",
                (instance, max(numbers), RESUMED, EXECUTION_TERMINATED),
            )
            if since.fetchone() is None:
                connection.executemany(
                    "update messages set due=? where number=?",
                    [(UNTIL_RESUMED, number) for number in numbers],
                )
            connection.execute(
                "update instances set status='Suspended', updated=host_time() where id=?", (instance,)
            )

    def _run_activity(self, work: Started) -> None:
        """Run an activity and leave its result; a crash before the commit makes it run again."""
        answer: Json
        try:
            answer = event(5, TaskScheduledId=work.task, Result=self.app.run_activity(work.name, work.input))
        except Exception as error:
            logger.exception("Activity %s of %s failed", work.name, work.instance)
            answer = event(6, TaskScheduledId=work.task, **activity_failure(work.name, error))
        self._crashes.crash_if_due(work.name)
        with self.store.transaction() as connection:
            if connection.execute("delete from work where number=?", (work.number,)).rowcount:
                send(connection, work.instance, work.generation, answer)
        self._tell()
