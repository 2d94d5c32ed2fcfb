"""Where does the time of a call go? Spans of OpenTelemetry, printed here, sent to a collector elsewhere."""

import asyncio

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from asyncclient import AsyncHub, las
from asyncclient.telemetry import OpenTelemetry


async def main() -> None:
    kept = InMemorySpanExporter()  # an OTLPSpanExporter in a real program
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    async with AsyncHub(observers=[OpenTelemetry(provider)]) as hub:
        client = las.AsyncClient(hub=hub)
        with provider.get_tracer("nightly").start_as_current_span("nightly report"):
            await client.list_documents()
    for span in kept.get_finished_spans():
        print(span.name, (span.attributes or {}).get("http.response.status_code", ""))


asyncio.run(main())
