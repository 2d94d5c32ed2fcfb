from __future__ import annotations

import os
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asyncclient._transfers.guard import check_no_secrets, check_path, redact
from asyncclient._transfers.lines import Unknown, decode_line, encode_line
from asyncclient._transfers.records import (
    VERSION,
    Done,
    End,
    Fail,
    File,
    Job,
    Lease,
    Lost,
    PartDone,
    Session,
    Skip,
    Sync,
)
from asyncclient._transfers.replay import JournalState, compact, replay
from asyncclient.errors import ArgumentError, ArgumentTypeError

numbers = st.integers(0, 2**63 - 1)
few = st.integers(0, 2)
words = st.text(alphabet="abcdefghij0123456789-._~ü", max_size=12)
hexes = st.text(alphabet="0123456789abcdef", min_size=32, max_size=32)
names = st.binary(min_size=1, max_size=12).map(os.fsdecode).filter(lambda name: "://" not in name)

files = st.builds(
    File,
    n=few,
    path=names,
    dst=st.none() | names,
    size=st.none() | numbers,
    mtime_ns=st.none() | st.integers(-(2**60), 2**62),
)
sessions = st.builds(Session, n=few, upload_id=st.sampled_from("abc"), part=st.sampled_from([None, 5, 8]))
parts = st.builds(
    PartDone, n=few, index=st.integers(0, 6), offset=numbers, length=st.integers(0, 9), md5=st.none() | hexes
)
others = st.one_of(
    st.builds(Lost, n=few, indices=st.lists(st.integers(0, 6), max_size=3)),
    st.builds(Sync, n=few, upto=numbers),
    st.builds(Done, n=few, md5=hexes, remote=st.dictionaries(st.sampled_from(["id", "name"]), words)),
    st.builds(Fail, n=few, code=words, message=words),
    st.builds(Skip, n=few, reason=words),
    st.builds(End, ok=numbers, failed=numbers),
    st.builds(Lease, owner=st.sampled_from(["o1", "o2"]), host=words, pid=numbers, beat=st.floats(0, 1e10)),
)
JOB = Job(id="0" * 32, service="flywheel", direction="up", origin="https://host:443", options={"part": 8})
records = st.one_of(files, sessions, parts, parts, parts, others)
journals = st.lists(records, max_size=25).map(lambda found: [JOB, *found])


@given(st.one_of(records, st.just(JOB)))
def test_records_go_there_and_back(record):
    line = encode_line(record)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert decode_line(line[:-1]) == record


def test_the_written_form():
    line = encode_line(PartDone(n=0, index=17, offset=142606336, length=8388608, md5="ab", etag="cd"))
    text = b'{"t":"part","n":0,"i":17,"off":142606336,"len":8388608,"md5":"ab","etag":"cd"}'
    assert line == b"%08x %b\n" % (zlib.crc32(text), text)
    assert encode_line(JOB)[
        9:
    ] == b'{"t":"job","id":"%b","svc":"flywheel","dir":"up","origin":"https://host:443","opts":{"part":8},"v":1}\n' % (
        b"0" * 32
    )


def test_a_small_file_costs_about_a_hundred_bytes():
    assert len(encode_line(Done(n=99_999, md5="0" * 32, remote={"id": "5f1e7a"}))) < 110


def line(text: bytes) -> bytes:
    return b"%08x %b" % (zlib.crc32(text), text)


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"00000000",
        b"00000000 {}",
        line(b'{"t":"end","ok":1,"failed":0}')[:-1],
        line(b'{"t":"end","ok":1,"failed":0}').upper(),
        line(b"no json"),
        line(b"[1]"),
        line(b'{"t":5}'),
        b" " + line(b"{}"),
    ],
)
def test_damaged_lines(damaged):
    assert decode_line(damaged) is None


@pytest.mark.parametrize(
    "text",
    [
        b'{"t":"later","x":1}',
        b'{"t":"end","ok":1}',
        b'{"t":"end","ok":-1,"failed":0}',
        b'{"t":"end","ok":true,"failed":0}',
        b'{"t":"part","n":0,"i":0,"off":0,"len":"5"}',
        b'{"t":"file","n":0,"path":{"b64":"%%%"}}',
        b'{"t":"file","n":0,"path":{"b32":""}}',
        b'{"t":"lost","n":0,"i":[1,"2"]}',
    ],
)
def test_lines_of_another_version(text):
    found = decode_line(line(text))
    assert isinstance(found, Unknown)


def test_keys_of_another_version_are_left_out():
    assert decode_line(line(b'{"t":"end","ok":1,"failed":0,"color":"red"}')) == End(1, 0)


def test_wrong_types_are_refused_when_written():
    with pytest.raises(ArgumentTypeError, match=r"part\.offset"):
        encode_line(PartDone(n=0, index=0, offset="5", length=1))
    with pytest.raises(ArgumentTypeError, match=r"file\.path"):
        encode_line(File(n=0, path=b"x"))


def test_undecodable_names():
    name = os.fsdecode(b"caf\xe9.dcm")
    written = encode_line(File(n=0, path=name))
    assert b'"b64"' in written
    assert decode_line(written[:-1]).path == name


SECRETS = [
    "https://bucket.s3.amazonaws.com/x?X-Amz-Signature=abc",
    "see https://host/upload?upload_id=5 for more",
    "https://user:pass@host/path",
    "Bearer abcdefghijklmnop",
    "Basic dXNlcjpwYXNzd29yZA==",
    "scitran-user host:abcdefgh",
    "Authorization: Bearer x",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
    "a=1&X-Goog-Signature=00ff",
    "token=abcdef",
]


@pytest.mark.parametrize("secret", SECRETS)
def test_secrets_are_not_written(secret):
    for record in (
        Session(n=0, upload_id=secret),
        Done(n=0, remote={"a": [{"b": secret}]}),
        PartDone(n=0, index=0, offset=0, length=0, etag=secret),
        Job(id="x", service="x", direction="up", origin=secret),
    ):
        with pytest.raises(ArgumentError, match="looks like one") as error:
            encode_line(record)
        assert secret not in str(error.value)
    written = encode_line(Fail(n=0, code="ReadError", message=f"GET {secret} failed"))
    message = decode_line(written[:-1]).message
    assert "failed" in message
    for part in ("Signature=abc", "upload_id", "pass@", "abcdefgh", "dXNl", "eyJ", "00ff"):
        assert part not in message


@pytest.mark.parametrize(
    "key", ["token", "Authorization", "X-Api-Key"[2:], "client_secret", "Set-Cookie", "accessToken"]
)
def test_secret_keys_are_not_written(key):
    with pytest.raises(ArgumentError):
        encode_line(Session(n=0, upload_id="x", extra={"deep": {key: "value"}}))
    check_no_secrets({key: ""})


@pytest.mark.parametrize(
    "harmless",
    [
        "https://host:443",
        "https://host/a/b",
        "Basic measurements.pdf",
        "what? token = 5",
        "5d41402abc4b2a76b9719d911017c592-3",
        "a@b.c",
    ],
)
def test_ordinary_values_are_written(harmless):
    assert decode_line(encode_line(Done(n=0, remote={"name": harmless}))[:-1]).remote == {"name": harmless}
    assert redact(harmless) == harmless.replace("measurements.pdf", "[removed]")  # texts are cut more readily


def test_file_names_may_look_like_anything_but_urls():
    for name in ("bearer abcdefghijklmnop", "x?token=5", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln"):
        check_path(name)
    with pytest.raises(ArgumentError):
        encode_line(File(n=0, path="https://host/x?sig=5"))


def write(found) -> bytes:
    return b"".join(map(encode_line, found))


def brute(found):
    """An independent, slower reading: which parts of which session does each transfer have?"""
    result = {}
    for number in range(3):
        mine = [record for record in found if getattr(record, "n", None) == number]
        starts = [at for at, record in enumerate(mine) if isinstance(record, File)]
        known = bool(starts)
        mine = mine[starts[-1] :] if starts else [record for record in mine if not isinstance(record, PartDone)]
        session, have = None, {}
        for record in mine:
            if isinstance(record, Session):
                if session != (record.upload_id, record.part):
                    have = {}
                session = (record.upload_id, record.part)
            elif isinstance(record, PartDone):
                have[record.index] = (record, False)
            elif isinstance(record, Lost):
                for index in record.indices:
                    have.pop(index, None)
            elif isinstance(record, Sync):
                have = {index: (part, True) for index, (part, _) in have.items()}
        result[number] = (known, have)
    return result


def claims(state: JournalState):
    return {
        number: (
            state.files[number].file is not None if number in state.files else False,
            {i: (part, i in state.files[number].proven) for i, part in state.files[number].parts.items()}
            if number in state.files
            else {},
        )
        for number in range(3)
    }


@settings(deadline=None, max_examples=60)
@given(journals)
def test_cut_anywhere_a_journal_claims_what_was_written_before(found):
    data = write(found)
    ends = [0]
    for record in found:
        ends.append(ends[-1] + len(encode_line(record)))
    for cut in range(len(data) + 1):
        whole = sum(end <= cut for end in ends) - 1
        state = replay(data[:cut])
        assert state.intact_bytes == ends[whole]
        assert state.dropped_bytes == cut - ends[whole]
        if cut in ends or cut % 7 == 0:
            assert claims(state) == brute(found[:whole])


@settings(deadline=None, max_examples=150)
@given(journals, st.data())
def test_a_damaged_line_ends_the_reading(found, draw):
    data = bytearray(write(found))
    at = draw.draw(st.integers(0, len(data) - 1))
    flip = draw.draw(st.integers(1, 255))
    data[at] ^= flip
    whole = 0
    size = 0
    while size + len(encode_line(found[whole])) <= at:
        size += len(encode_line(found[whole]))
        whole += 1
    state = replay(bytes(data))
    assert state.intact_bytes == size
    assert claims(state) == brute(found[:whole])


@settings(deadline=None, max_examples=150)
@given(journals)
def test_compacting_changes_nothing_that_matters(found):
    before = replay(write(found))
    after = replay(compact(before))
    assert after.dropped_bytes == 0
    assert (after.job, after.lease, after.end) == (before.job, before.lease, before.end)
    assert set(after.owners) == set(before.owners)
    for number, entry in before.files.items():
        if (entry.file, entry.session, entry.outcome) == (None, None, None):
            continue
        again = after.files[number]
        assert (again.file, again.outcome) == (entry.file, entry.outcome)
        if not isinstance(entry.outcome, Done):
            assert (again.session, again.parts, again.proven) == (entry.session, entry.parts, entry.proven)
            if entry.session is not None and entry.file is not None:
                assert again.digests == entry.digests
    assert compact(after) == compact(before) or before.lease is not None


def test_a_new_session_keeps_the_digests():
    file, part = File(n=0, path="a"), PartDone(n=0, index=1, offset=8, length=8, md5="0" * 32)
    state = replay(write([JOB, file, Session(0, "one", part=8), part, Sync(0, 1), Session(0, "one", part=8)]))
    assert state.files[0].parts == {1: part}
    assert state.files[0].proven == {1}
    state = replay(write([JOB, file, Session(0, "one", part=8), part, Session(0, "two", part=8)]))
    assert state.files[0].parts == {}
    assert state.files[0].digests == {(8, 8): "0" * 32}


def test_lost_parts_and_retries():
    found = [JOB, File(n=0, path="a"), PartDone(0, 0, 0, 1), PartDone(0, 1, 1, 1), Sync(0, 2), Fail(0, "ReadError")]
    assert isinstance(replay(write(found)).files[0].outcome, Fail)
    state = replay(write([*found, End(0, 1), Lost(0, [1, 7])]))
    assert state.end is None
    assert (sorted(state.files[0].parts), state.files[0].proven, state.files[0].outcome) == ([0], {0}, None)
    assert replay(write([*found, PartDone(0, 2, 2, 1)])).files[0].outcome is None
    assert replay(compact(replay(write([*found, End(0, 1)])))).end == End(0, 1)


def test_proven_and_unproven():
    found = [JOB, File(n=0, path="a")]
    found += [PartDone(n=0, index=index, offset=index, length=1) for index in (2, 0)]
    found += [Sync(0, 2), PartDone(n=0, index=5, offset=5, length=1), PartDone(n=0, index=2, offset=2, length=1)]
    state = replay(write(found)).files[0]
    assert state.proven == {0}
    assert [part.index for part in state.unproven] == [2, 5]


def test_parts_of_nothing_are_not_believed():
    state = replay(write([JOB, PartDone(n=0, index=0, offset=0, length=1)]))
    assert state.files == {}


def test_readable():
    assert not replay(b"").readable
    assert replay(write([JOB])).readable
    assert not replay(write([Job("x", "x", "up", version=VERSION + 1)])).readable
    state = replay(write([JOB]) + line(b'{"t":"later"}') + b"\n" + write([End(1, 0)]))
    assert (state.unknown, state.end) == (1, End(1, 0))
