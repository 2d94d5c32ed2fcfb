"""Moving files: the parts a transfer is built from.

``plan`` and ``ranges`` decide what to move; ``source`` reads it (``open_source.as_source``), ``sink`` and ``part_file``
write it (``part_file.as_sink``); ``digest``, ``hashing`` and ``digest_cache`` prove it. ``records``, ``lines`` and
``replay`` are the journal as values, ``journal`` writes it, ``claims`` says who may, ``jobs`` lists and prunes what was
left, ``guard`` keeps secrets out. Everything that touches a disk goes through ``hops``. Nothing is imported here: a
service loads what it needs.
"""
