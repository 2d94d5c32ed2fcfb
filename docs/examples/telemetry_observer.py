"""Count what a hub does with an observer of one's own, and read its statistics."""

import json
from collections import Counter

from asyncclient import Hub, las
from asyncclient.telemetry import AttemptFinished, Event, RetryScheduled


class Tally:
    """Statuses of answers, and reasons of retries."""

    def __init__(self) -> None:
        self.statuses: Counter[int | None] = Counter()
        self.retries: Counter[str] = Counter()

    def on_event(self, event: Event) -> None:
        """Take note of an event."""
        match event:
            case AttemptFinished(status=status):
                self.statuses[status] += 1
            case RetryScheduled(reason=reason):
                self.retries[reason] += 1


tally = Tally()
with Hub(observers=[tally]) as hub:
    las.Client(hub=hub).list_documents()
    print(dict(tally.statuses), dict(tally.retries))
    print(json.dumps(hub.statistics().as_dict()["lanes"]))
