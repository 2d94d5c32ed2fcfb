from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncclient._transfers.ranges import (
    ContentRange,
    Span,
    check_content_range,
    content_range,
    content_range_query,
    gaps,
    merge,
    parse_content_range,
    parse_stored_range,
    range_header,
)
from asyncclient.errors import RemoteChanged, RemoteProtocolError

spans = st.tuples(st.integers(0, 10**12), st.integers(1, 10**12)).map(lambda pair: Span(pair[0], pair[0] + pair[1]))


@given(span=spans, more=st.none() | st.integers(0, 10**9))
def test_content_range_goes_there_and_back(span, more):
    total = None if more is None else span.stop + more
    assert parse_content_range(content_range(span, total)) == ContentRange(span, total)
    assert range_header(span) == b"bytes=%d-%d" % (span.start, span.start + span.length - 1)


@given(total=st.none() | st.integers(0, 10**12))
def test_queries_go_there_and_back(total):
    assert parse_content_range(content_range_query(total)) == ContentRange(None, total)
    assert content_range(Span(0, 0), total) == content_range_query(total)


@given(st.binary(max_size=40) | st.from_regex(rb"bytes \d{1,5}-\d{1,5}/(\d{1,5}|\*)", fullmatch=True))
def test_a_parsed_range_makes_sense(value):
    try:
        found = parse_content_range(value)
    except RemoteProtocolError:
        return
    if found.span is not None:
        assert 0 <= found.span.start < found.span.stop <= (found.total if found.total is not None else 10**18)


@pytest.mark.parametrize(
    "value",
    [b"", b"bytes", b"bytes 5-4/10", b"bytes 0-10/10", b"items 0-1/2", b"bytes 0-1", b"bytes -1/2", b"bytes 0-1/2x"],
)
def test_malformed_content_range(value):
    with pytest.raises(RemoteProtocolError):
        parse_content_range(value)


def test_lenient_where_servers_differ():
    assert parse_content_range(b" Bytes 0-1/2 ") == ContentRange(Span(0, 2), 2)


@pytest.mark.parametrize(
    ("value", "kept"),
    [(None, 0), (b"bytes=0-0", 1), (b"bytes=0-262143", 262144), (b"0-9", 10), (b"Bytes 0-9", 10)],
)
def test_stored_range(value, kept):
    assert parse_stored_range(value) == kept


@pytest.mark.parametrize("value", [b"bytes=1-5", b"bytes=0-", b"", b"bytes=0-5,7-9", b"bytes */5"])
def test_malformed_stored_range(value):
    with pytest.raises(RemoteProtocolError):
        parse_stored_range(value)


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)).map(lambda pair: Span(*pair)), max_size=8),
    st.integers(0, 45),
)
def test_gaps_and_spans_are_complements(found, size):
    covered = {at for span in found for at in range(span.start, span.stop)}
    assert {at for span in merge(found) for at in range(*span)} == covered
    assert {at for span in gaps(size, found) for at in range(*span)} == set(range(size)) - covered
    united = merge(found)
    assert all(a.stop < b.start for a, b in itertools.pairwise(united))


def test_answers_are_held_against_the_question():
    asked = Span(100, 200)
    assert check_content_range(b"bytes 100-199/300", asked=asked, total=300).span == asked
    assert check_content_range(b"bytes 100-149/*", asked=asked, total=300).span == Span(100, 150)
    for value in (None, b"bytes 0-199/300", b"bytes 100-200/300", b"bytes */300"):
        with pytest.raises(RemoteProtocolError):
            check_content_range(value, asked=asked)
    with pytest.raises(RemoteChanged):
        check_content_range(b"bytes 100-199/301", asked=asked, total=300)


@pytest.mark.parametrize("span", [Span(3, 3), Span(-1, 4), Span(5, 2)])
def test_no_range_without_bytes(span):
    with pytest.raises(ValueError, match="at least one byte"):
        range_header(span)


def test_content_range_within_the_file():
    with pytest.raises(ValueError, match="does not lie within"):
        content_range(Span(5, 11), 10)
    with pytest.raises(ValueError, match="does not lie within"):
        content_range(Span(5, 4), None)
