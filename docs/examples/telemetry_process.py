"""Watch every hub of the process, those that clients make for themselves too."""

from asyncclient import las, telemetry


class Lines:
    """Prints the operations that end."""

    def on_event(self, event: telemetry.Event) -> None:
        """Take note of an event."""
        if isinstance(event, telemetry.CallFinished):
            print(event.call.operation)


# --8<-- [start:observe]
end = telemetry.observe(Lines())
las.Client().list_documents()
end()
# --8<-- [end:observe]
