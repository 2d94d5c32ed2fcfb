from __future__ import annotations

import email.utils
import inspect
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncclient import errors
from asyncclient._retry import Budget, Kind, classify, judge, parse_retry_after
from asyncclient.types import RetryPolicy

NOW = 1_445_412_480.0  # Wed, 21 Oct 2015 07:28:00 GMT


def refusal(status: int, retry_after: float | None = None) -> errors.APIError:
    return errors.APIError("x", status=status, retry_after=retry_after)


class TestClassify:
    @pytest.mark.parametrize("status", range(300, 600))
    def test_statuses(self, status: int) -> None:
        expected = Kind.FATAL
        if status == 429:
            expected = Kind.THROTTLE
        elif status in (408, 425, 500, 502, 503, 504):
            expected = Kind.SERVER
        assert classify(refusal(status), repeatable=True) is expected
        assert classify(refusal(status), repeatable=False) is (Kind.THROTTLE if status == 429 else Kind.FATAL)

    @pytest.mark.parametrize(
        "kind",
        [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.TransportError)],
    )
    def test_transport_errors(self, kind: type[errors.TransportError]) -> None:
        error = kind(1) if kind is errors.ResponseTooLarge else kind("x")
        certain = (
            errors.UnknownHost,
            errors.TLSError,
            errors.ResponseTooLarge,
            errors.LocalProtocolError,
            errors.TooManyRedirects,
            errors.RedirectRefused,
        )
        for sent in (True, False):
            error.request_sent = sent
            for repeatable in (True, False):
                again = not isinstance(error, certain) and (repeatable or not sent)
                assert classify(error, repeatable=repeatable) is (Kind.TRANSPORT if again else Kind.FATAL)

    @pytest.mark.parametrize(
        "error", [errors.DecodeError("x"), errors.DeadlineExceeded("x", 1), errors.HubClosed(), errors.ArgumentError()]
    )
    def test_all_else_is_final(self, error: errors.AsyncClientError) -> None:
        assert classify(error, repeatable=True) is Kind.FATAL


KINDS = st.sampled_from([Kind.TRANSPORT, Kind.SERVER, Kind.THROTTLE])
COUNTS = st.dictionaries(KINDS, st.integers(0, 5))
POLICIES = st.builds(
    RetryPolicy,
    max_retries=st.integers(0, 6),
    max_throttle_retries=st.none() | st.integers(0, 6),
    base_transport_s=st.floats(0, 10),
    base_server_s=st.floats(0, 10),
    base_throttle_s=st.floats(0, 10),
    cap_s=st.floats(0, 100),
    retry_after_cap_s=st.floats(0, 200),
)


class TestJudge:
    def test_fatal(self) -> None:
        verdict = judge(refusal(404), Kind.FATAL, {}, RetryPolicy(), draw=0.5)
        assert (verdict.delay_s, verdict.reason) == (None, "fatal")

    def test_one_count_for_all(self) -> None:
        policy = RetryPolicy(max_retries=2)
        used = {Kind.TRANSPORT: 1, Kind.THROTTLE: 1}
        for kind in (Kind.TRANSPORT, Kind.SERVER, Kind.THROTTLE):
            assert judge(refusal(503), kind, used, policy, draw=0).reason == "attempts"
            assert judge(refusal(503), kind, {Kind.SERVER: 1}, policy, draw=0).delay_s == 0

    def test_a_count_of_its_own_for_throttling(self) -> None:
        policy = RetryPolicy(max_retries=2, max_throttle_retries=3)
        used = {Kind.SERVER: 1, Kind.TRANSPORT: 1, Kind.THROTTLE: 2}
        assert judge(refusal(503), Kind.SERVER, used, policy, draw=0).reason == "attempts"
        assert judge(refusal(429), Kind.THROTTLE, used, policy, draw=0).delay_s == 0
        assert judge(refusal(429), Kind.THROTTLE, {Kind.THROTTLE: 3}, policy, draw=0).reason == "attempts"

    def test_the_law(self) -> None:
        policy = RetryPolicy(max_retries=100, base_server_s=0.5, cap_s=20)
        ceilings = [judge(refusal(500), Kind.SERVER, {Kind.SERVER: n}, policy, draw=1.0).delay_s for n in range(8)]
        assert ceilings == [0.5, 1, 2, 4, 8, 16, 20, 20]
        assert judge(refusal(500), Kind.SERVER, {Kind.SERVER: 99}, policy, draw=1.0).delay_s == 20

    def test_retry_after(self) -> None:
        policy = RetryPolicy()
        assert judge(refusal(429, 10), Kind.THROTTLE, {}, policy, draw=0).delay_s == 10
        assert judge(refusal(503, 10), Kind.SERVER, {}, policy, draw=0.5).delay_s == 10.5
        assert judge(refusal(429, 0.1), Kind.THROTTLE, {}, policy, draw=0.5).delay_s == 0.5
        assert judge(refusal(429, 120), Kind.THROTTLE, {}, policy, draw=0).delay_s == 120
        stopped = judge(refusal(429, 120.5), Kind.THROTTLE, {}, policy, draw=0)
        assert (stopped.delay_s, stopped.reason) == (None, "retry_after")

    @given(KINDS, COUNTS, POLICIES, st.floats(0, 1, exclude_max=True), st.none() | st.floats(0, 300))
    def test_bounds(
        self, kind: Kind, retries: dict[Kind, int], policy: RetryPolicy, draw: float, asked: float | None
    ) -> None:
        verdict = judge(refusal(429, asked), kind, retries, policy, draw=draw)
        assert verdict.kind is kind
        assert (verdict.delay_s is None) is bool(verdict.reason)
        own = kind is Kind.THROTTLE and policy.max_throttle_retries is not None
        allowed = policy.max_throttle_retries if own else policy.max_retries
        assert allowed is not None
        if retries.get(kind, 0) >= allowed or (asked is not None and asked > policy.retry_after_cap_s):
            assert verdict.delay_s is None
        if verdict.delay_s is not None:
            assert verdict.delay_s >= (asked or 0)
            assert verdict.delay_s <= max(policy.cap_s, 1.1 * (asked or 0)) + 1e-9

    @given(st.lists(KINDS, max_size=40), POLICIES)
    def test_every_call_ends(self, kinds: list[Kind], policy: RetryPolicy) -> None:
        retries: dict[Kind, int] = {}
        for kind in kinds:
            if judge(refusal(429), kind, retries, policy, draw=0).delay_s is not None:
                retries[kind] = retries.get(kind, 0) + 1
        assert sum(retries.values()) <= policy.max_retries + (policy.max_throttle_retries or 0)


@pytest.fixture
def far_away(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("far_away")
class TestRetryAfter:
    @pytest.mark.parametrize(
        ("text", "seconds"),
        [
            (b"5", 5),
            (b" 5 ", 5),
            (b"0", 0),
            (b"1.5", 1.5),
            (b"-5", None),
            (b"nan", None),
            (b"inf", None),
            (b"", None),
            (b"soon", None),
            (b"\xff", None),
            (b"Wed, 21 Oct 2015 07:28:30 GMT", 30),
            (b"Wednesday, 21-Oct-15 07:28:30 GMT", 30),
            (b"Wed Oct 21 07:28:30 2015", 30),
            (b"Wed, 21 Oct 2015 07:28:30 -0000", 30),
            (b"Wed, 21 Oct 2015 09:28:30 +0200", 30),
            (b"Wed, 21 Oct 2015 07:27:00 GMT", 0),
            (b"Wed, 99 Oct 2015 07:27:00 GMT", None),
        ],
    )
    def test_forms(self, text: bytes, seconds: float | None) -> None:
        assert parse_retry_after([(b"server", b"x"), (b"retry-after", text)], now=NOW) == seconds

    def test_milliseconds_win(self) -> None:
        assert parse_retry_after([(b"retry-after", b"9"), (b"retry-after-ms", b"250")], now=NOW) == 0.25
        assert parse_retry_after([(b"retry-after-ms", b"0"), (b"retry-after", b"9")], now=NOW) == 0
        assert parse_retry_after([(b"retry-after-ms", b"x"), (b"retry-after", b"9")], now=NOW) == 9
        assert parse_retry_after([(b"retry-after-ms", b"x")], now=NOW) is None
        assert parse_retry_after([], now=NOW) is None

    @given(st.binary(max_size=40) | st.text(max_size=40).map(str.encode))
    def test_any_bytes(self, text: bytes) -> None:
        found = parse_retry_after([(b"retry-after", text)], now=NOW)
        assert found is None or 0 <= found < float("inf")

    @given(st.integers(0, 4_000_000_000))
    def test_any_date(self, when: int) -> None:
        text = email.utils.formatdate(when, usegmt=True).encode()
        assert parse_retry_after([(b"retry-after", text)], now=NOW) == max(0, when - NOW)


class TestBudget:
    def test_it_runs_dry_and_recovers(self) -> None:
        budget = Budget()
        assert budget.full
        taken = 0
        while budget.take(Kind.SERVER):
            taken += 1
        assert taken == 500 // 14
        assert budget.take(Kind.THROTTLE)  # cheaper
        assert not budget.take(Kind.TRANSPORT)
        budget.give_back(None)
        assert budget.tokens == 500 - taken * 14 - 5 + 1
        budget.give_back(Kind.SERVER)
        assert budget.take(Kind.SERVER)
        assert not budget.full

    @given(st.lists(st.tuples(st.sampled_from(["take", "give"]), KINDS | st.none()), max_size=200))
    def test_it_never_leaves_its_bounds(self, moves: list[tuple[str, Kind | None]]) -> None:
        budget = Budget()
        for move, kind in moves:
            before = budget.tokens
            if move == "give":
                budget.give_back(kind)
                assert budget.tokens >= before
            elif kind is not None:
                assert budget.take(kind) is (budget.tokens < before)
            assert 0 <= budget.tokens <= budget.CAPACITY
            assert budget.full is (budget.tokens == budget.CAPACITY)
