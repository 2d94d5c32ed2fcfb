from __future__ import annotations

import copy
import math
import pickle

import httpx
import pytest

from asyncclient._codec import encode
from asyncclient.errors import ArgumentError, ArgumentTypeError
from asyncclient.types import UNSET, HubStatistics, Limits, Progress, RetryPolicy, Timeouts


def test_unset_is_one_and_false() -> None:
    assert not UNSET
    assert repr(UNSET) == "UNSET"
    assert pickle.loads(pickle.dumps(UNSET)) is copy.deepcopy(UNSET) is UNSET
    for stray in ([UNSET], {"a": UNSET}):
        with pytest.raises(ArgumentTypeError):
            encode(stray)


class TestTimeouts:
    def test_a_number_is_the_total(self) -> None:
        assert Timeouts.of(7) == Timeouts(total=7.0)
        assert Timeouts.of(2.5, Timeouts(read=1)) == Timeouts(read=1, total=2.5)

    def test_none_never_gives_up(self) -> None:
        assert Timeouts.of(None) == Timeouts(None, None, None, None)

    def test_its_own_kind_is_taken_as_it_is(self) -> None:
        given = Timeouts(1, 2, 3, 4)
        assert Timeouts.of(given) is given

    def test_httpx(self) -> None:
        given = httpx.Timeout(connect=1, read=2, write=None, pool=4)
        assert Timeouts.of(given) == Timeouts(1, 2, None, Timeouts().total)

    @pytest.mark.parametrize("value", ["5", object(), True, [1]])
    def test_bad_types(self, value: object) -> None:
        with pytest.raises(ArgumentTypeError, match="timeout must be") as caught:
            Timeouts.of(value)
        assert caught.value.argument == "timeout"

    @pytest.mark.parametrize("value", [0, -1, math.nan, -math.inf])
    def test_bad_numbers(self, value: float) -> None:
        with pytest.raises(ArgumentError, match="timeout must be more than 0"):
            Timeouts.of(value)

    @pytest.mark.parametrize("name", ["connect", "read", "write", "total"])
    def test_each_member_is_checked(self, name: str) -> None:
        with pytest.raises(ArgumentError) as caught:
            Timeouts(**{name: 0})
        assert caught.value.argument == name
        with pytest.raises(ArgumentTypeError, match=name):
            Timeouts(**{name: "1"})  # type: ignore[arg-type]  # on purpose


class TestLimits:
    @pytest.mark.parametrize(
        ("connections", "reserve"), [(1, 0), (2, 1), (3, 2), (8, 2), (16, 2), (32, 4), (64, 8), (1000, 125)]
    )
    def test_the_reserve(self, connections: int, reserve: int) -> None:
        assert Limits(max_connections=connections).reserve == reserve

    def test_a_given_reserve(self) -> None:
        assert Limits(max_connections=4, control_reserve=0).reserve == 0
        assert Limits(max_connections=4, control_reserve=3).reserve == 3

    @pytest.mark.parametrize(("per_origin", "reserve"), [(None, 0), (32, 0), (31, 3), (8, 1), (2, 1), (1, 0), (99, 0)])
    def test_the_reserve_of_an_origin(self, per_origin: int | None, reserve: int) -> None:
        assert Limits(max_connections_per_origin=per_origin).reserve_per_origin == reserve

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("max_connections", 0),
            ("max_connections", -1),
            ("max_response_bytes", 0),
            ("max_connections_per_origin", 0),
            ("max_connections_per_origin", -3),
            ("max_bytes_in_flight", 0),
            ("control_reserve", -1),
            ("control_reserve", 32),
            ("keepalive_expiry", -0.1),
            ("keepalive_expiry", math.nan),
            ("max_bandwidth", 0),
            ("max_bandwidth", -1.0),
            ("max_bandwidth", math.nan),
            ("max_bandwidth", (1.0, 0)),
            ("max_bandwidth", (1.0,)),
            ("max_bandwidth", (1.0, 2.0, 3.0)),
        ],
    )
    def test_bad_values(self, name: str, value: object) -> None:
        with pytest.raises(ArgumentError, match=name) as caught:
            Limits(**{name: value})  # type: ignore[arg-type]  # on purpose
        assert caught.value.argument == name

    @pytest.mark.parametrize("name", ["max_connections", "max_connections_per_origin", "control_reserve"])
    @pytest.mark.parametrize("value", ["8", 2.5, True])
    def test_bad_types(self, name: str, value: object) -> None:
        with pytest.raises(ArgumentTypeError, match=name) as caught:
            Limits(**{name: value})  # type: ignore[arg-type]  # on purpose
        assert caught.value.argument == name

    @pytest.mark.parametrize("value", ["8", True, [1.0, 2.0], (1.0, "2"), (None, False)])
    def test_bad_types_of_bandwidth(self, value: object) -> None:
        with pytest.raises(ArgumentTypeError, match="max_bandwidth must be a number of bytes per second") as caught:
            Limits(max_bandwidth=value)  # type: ignore[arg-type]  # on purpose
        assert caught.value.argument == "max_bandwidth"

    def test_bandwidth(self) -> None:
        assert Limits().bandwidth == (None, None)
        assert Limits(max_bandwidth=1_000_000).bandwidth == (1_000_000, 1_000_000)
        assert Limits(max_bandwidth=(None, 5.5)).bandwidth == (None, 5.5)

    def test_no_expiry(self) -> None:
        assert Limits(keepalive_expiry=None).keepalive_expiry is None
        assert Limits(keepalive_expiry=0).keepalive_expiry == 0


class TestRetryPolicy:
    @pytest.mark.parametrize(
        ("name", "value", "kind"),
        [
            ("max_retries", -1, ArgumentError),
            ("max_retries", True, ArgumentTypeError),
            ("max_retries", 1.0, ArgumentTypeError),
            ("max_retries", None, ArgumentTypeError),
            ("max_throttle_retries", -1, ArgumentError),
            ("max_throttle_retries", "1", ArgumentTypeError),
            ("base_server_s", -1, ArgumentError),
            ("cap_s", math.nan, ArgumentError),
            ("retry_after_cap_s", "1", ArgumentTypeError),
        ],
    )
    def test_bad_values(self, name: str, value: object, kind: type[Exception]) -> None:
        with pytest.raises(kind, match=name):
            RetryPolicy(**{name: value})  # type: ignore[arg-type]  # on purpose

    def test_none_at_all(self) -> None:
        assert RetryPolicy(max_retries=0, max_throttle_retries=0, cap_s=0).max_retries == 0


def test_snapshots_are_values() -> None:
    assert Progress("sending", 3) == Progress("sending", bytes_done=3)
    assert HubStatistics().lanes == {}
    assert HubStatistics().lanes is not HubStatistics().lanes
