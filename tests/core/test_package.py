from __future__ import annotations

import re

import pytest

import asyncclient
from asyncclient import _version


def test_the_version() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", asyncclient.__version__)
    assert f"asyncclient/{asyncclient.__version__}".encode() == _version.USER_AGENT


@pytest.mark.parametrize("name", asyncclient.__all__)
def test_every_name_is_there(name: str) -> None:
    assert getattr(asyncclient, name) is not None
    assert name in dir(asyncclient)


def test_no_other_name() -> None:
    with pytest.raises(AttributeError, match="module 'asyncclient' has no attribute 'nothing'"):
        asyncclient.nothing  # noqa: B018  # the access is what is tested


def test_lazy_modules_are_the_modules() -> None:
    from asyncclient import las, testing

    assert las is asyncclient.las
    assert testing is asyncclient.testing
    assert asyncclient.Hub.__name__ == "Hub"
