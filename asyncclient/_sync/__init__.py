"""The synchronous side: one loop thread per process, and the base of the generated facades."""
