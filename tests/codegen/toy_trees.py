"""The toy trees: what the generators make of ``toy/``. ``python -m tests.codegen.toy_trees`` writes the golden ones."""

from __future__ import annotations

from pathlib import Path

from asyncclient._codegen._facade import facade_modules
from asyncclient._codegen._generate import service_modules
from asyncclient._codegen._settings import Convert, FacadeModule, FacadePair, Positional, Service
from asyncclient._codegen._sources import Sources
from asyncclient._codegen._trees import formatted, write

TOY = Path(__file__).parent / "toy"

DICTS = Service(
    name="toy",
    title="Toy",
    answers="typeddict",
    hand_written={"upload_thing": "moves a file"},
    positional=(Positional("list_things", "kind", "so it is in old scripts"),),
    converts=(Convert("since", "iso-local", "the service wants an offset"),),
    path_safe={"as it is": ":@", "percent-encoded": ""},
)
OBJECTS = Service(
    name="toy",
    title="Toy",
    answers="pydantic",
    hand_written={},
    hand_written_transfers=True,
    path_safe={"as it is": ":@", "percent-encoded": ""},
)

HUB = FacadeModule("toy/_generated", "sync/hub.py", (FacadePair("asyncclient.toybase", "AsyncToyHub", "ToyHub"),))
CLIENT = FacadeModule(
    "toy/_generated",
    "sync/client.py",
    (
        FacadePair("asyncclient.toybase", "RawToys", "SyncRawToys", constructor=False),
        FacadePair(
            "asyncclient.toyclient",
            "AsyncToys",
            "Toys",
            omit={"unfit": "of no use in blocking code"},
            wording=(("Return toys, later.", "Return toys."),),
        ),
    ),
)


def trees() -> dict[str, dict[str, str]]:
    """Generate everything, by the name of the golden tree."""
    sources = Sources(TOY / "sources")
    facades = [module for facade in (HUB, CLIENT) for module in facade_modules(facade, (HUB, CLIENT), sources)]
    return {
        "dicts": formatted(service_modules(DICTS, TOY / "openapi.json")),
        "objects": formatted(service_modules(OBJECTS, TOY / "openapi.json")),
        "facades": formatted(facades),
    }


def golden(texts: dict[str, str]) -> dict[str, str]:
    """Name files so that no tool takes them for source."""
    return {f"{path}.txt": text for path, text in texts.items()}


if __name__ == "__main__":
    for name, texts in trees().items():
        write(TOY / "golden" / name, golden(texts))
