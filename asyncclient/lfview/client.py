"""The sessions of LF View."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asyncclient.lfview._account import DISCOVERY_URL
from asyncclient.lfview._options import CHUNK_SIZE
from asyncclient.lfview._reader import AsyncUnauthenticatedSession
from asyncclient.lfview.exceptions import ValidationError
from asyncclient.types import UNSET

if TYPE_CHECKING:
    import httpx

    from asyncclient.hub import AsyncHub
    from asyncclient.lfview._base import Resource
    from asyncclient.lfview.manifests import View
    from asyncclient.lfview.scene import Feedback, Slide

__all__ = ["AsyncSession", "AsyncUnauthenticatedSession", "AsyncUploadSession"]


class AsyncUploadSession(AsyncUnauthenticatedSession):
    """Uploads views and their parts.

    ::

        async with AsyncUploadSession(api_key) as session:
            url = await session.upload(view)

    Nothing is sent before the first call, or :meth:`connect`, or ``async with``.

    Args:
        api_key: Key of the user.
        service: Base service, handed on to the discovery service as it is.
        source: Provenance, sent with every request to the API. Default: ``client_version``.
        client_version: What the service is told about the client.
        endpoint: Another name for ``service``, which goes before it.
        discovery_url: Where the addresses of the service are asked for; a URL without a path stands for a host with the
            usual path.
        hub: Shares connections and limits with other clients. Default: a hub of its own, closed with the session.
        timeout: Seconds for a call for metadata, a ``Timeouts``, an ``httpx.Timeout``, or None to wait for ever. Content
            may take as long as it moves.
        max_retries: Tries beyond the first of what may be repeated. Default: 3.

    Raises:
        ValidationError: There is no key.
        ConfigurationError: ``discovery_url`` is not a URL.
    """

    def __init__(
        self,
        api_key: str,
        service: str | None = None,
        source: str | None = None,
        client_version: str | None = None,
        endpoint: str | None = None,
        *,
        discovery_url: str = DISCOVERY_URL,
        hub: AsyncHub | None = None,
        timeout: Any = UNSET,
        max_retries: int | None = None,
    ) -> None:
        if not api_key:
            raise ValidationError("api_key is required; AsyncUnauthenticatedSession reads without one")
        super().__init__(
            api_key,
            service,
            source,
            client_version,
            endpoint,
            discovery_url=discovery_url,
            hub=hub,
            timeout=timeout,
            max_retries=max_retries,
        )

    async def upload(
        self,
        resource: Resource,
        verbose: bool = False,
        update_contents: bool = True,
        thumbnail: Any = None,
        chunk_size: int = CHUNK_SIZE,
        parallel: bool = True,
        workers: int | None = 100,
        executor: Any = None,
    ) -> str:
        """Send a resource and everything it points to, as far as the service has not got it as it is.

        Everything is checked before anything is sent. Children go before their parents, shared ones once; content is
        compressed where that makes it smaller, and goes on where a connection broke off. Changes are found by
        comparison, within lists, options and arrays too.

        Args:
            resource: A view, element, data, mapping, texture or file.
            verbose: Whether progress is written to standard output.
            update_contents: Whether views name all they show in ``contents``, beside what they name already.
            thumbnail: A PNG for the view: a path, bytes, or a binary file.
            chunk_size: Bytes per request for content, a multiple of 256 KiB.
            parallel: Whether several resources are sent at a time; if not, each content right after its metadata.
            workers: At most how many; the limits of the hub hold as well. None for no other limit.
            executor: Accepted for compatibility and not used; a ``SynchronousExecutor`` stands for ``parallel=False``.

        Returns:
            The URL of the resource.

        Raises:
            ValidationError: Something is not valid, with every problem found; nothing was sent.
            NotAResource: It cannot be uploaded on its own; nothing was sent.
            HTTPError: The service refuses; its words are the message. What was created before stays so and keeps its
                URL; the next call sends the rest.
        """
        from asyncclient.lfview import _uploading as work
        from asyncclient.lfview._options import Options, check_chunk_size

        options = Options.of(verbose, parallel, workers, executor)
        job = work.UploadJob(resource, thumbnail, update_contents, check_chunk_size(chunk_size))
        return await work.upload_graph(self, job, options)

    async def invite_to_view(
        self, view: View | str, email: str, role: str, send_email: bool = False, message: str | None = None
    ) -> httpx.Response:
        """Give somebody access to a view.

        Args:
            view: An uploaded view, or its URL.
            email: Address of the person.
            role: ``view.editor`` or ``view.spectator``.
            send_email: Whether the service mails the link.
            message: Text of that mail.

        Raises:
            ArgumentError: The role is none of the two; nothing was sent.
            NotUploaded: The view has no URL yet; nothing was sent.
            HTTPError: The service refuses.
        """
        from asyncclient import _httpx
        from asyncclient.lfview import _sharing as work

        return _httpx.to_httpx_response(
            *await work.invite(self, work.Invitation(view, email, role, send_email, message))
        )


class AsyncSession(AsyncUploadSession):
    """All of LF View: uploads, downloads, slides, feedback, invitations, deletion.

    ::

        async with AsyncSession(api_key) as session:
            url = await session.upload(view)
            await session.upload_slide(slide, view)

    Nothing is sent before the first call, or :meth:`connect`, or ``async with``.

    Args:
        api_key: Key of the user.
        service: Base service, handed on to the discovery service as it is.
        source: Provenance, sent with every request to the API. Default: ``client_version``.
        client_version: What the service is told about the client.
        endpoint: Another name for ``service``, which goes before it.
        discovery_url: Where the addresses of the service are asked for; a URL without a path stands for a host with the
            usual path.
        hub: Shares connections and limits with other clients. Default: a hub of its own, closed with the session.
        timeout: Seconds for a call for metadata, a ``Timeouts``, an ``httpx.Timeout``, or None to wait for ever. Content
            may take as long as it moves.
        max_retries: Tries beyond the first of what may be repeated. Default: 3.

    Raises:
        ValidationError: There is no key.
        ConfigurationError: ``discovery_url`` is not a URL.
    """

    async def upload_slide(
        self,
        slide: Slide,
        view: View | str | None = None,
        verbose: bool = False,
        autofill_plane: bool = True,
        thumbnail: Any = None,
        chunk_size: int = CHUNK_SIZE,
    ) -> str:
        """Send a slide, unless the service has it as it is.

        Args:
            slide: The slide. Every element of the view has to be in its plot, as a URL.
            view: The view it belongs to, or its URL; may be left out for a slide that was uploaded before.
            verbose: Whether progress is written to standard output.
            autofill_plane: Whether ``annotation_plane`` is made from the camera where it is not set.
            thumbnail: A PNG: a path, bytes, or a binary file.
            chunk_size: Bytes per request for the thumbnail, a multiple of 256 KiB.

        Returns:
            The URL of the slide.

        Raises:
            ValidationError: The slide is not valid, or does not fit the view; nothing was changed.
            BadURL: ``view`` is no URL of a view.
            HTTPError: The service refuses.
        """
        from asyncclient.lfview import _sharing as work
        from asyncclient.lfview._console import Console
        from asyncclient.lfview._options import check_chunk_size

        job = work.SlideJob(slide, view, autofill_plane, thumbnail, check_chunk_size(chunk_size))
        return await work.upload_slide(self, job, Console(verbose))

    async def upload_feedback(
        self, feedback: Feedback | str, slide: Slide | str | None = None, verbose: bool = True
    ) -> str:
        """Send feedback, unless the service has it as it is.

        Args:
            feedback: The feedback, or its text.
            slide: The slide it belongs to, or its URL; may be left out for feedback that was uploaded before.
            verbose: Whether a line is written to standard output.

        Returns:
            The URL of the feedback.

        Raises:
            ValidationError: It is longer than 5000 characters; nothing was sent.
            HTTPError: The service refuses.
        """
        from asyncclient.lfview import _sharing as work
        from asyncclient.lfview._console import Console

        return await work.upload_feedback(self, feedback, slide, Console(verbose))

    async def delete(self, resource: Resource | str) -> None:
        """Delete a resource; what it points to stays.

        Args:
            resource: An uploaded object, which is new afterwards, or a URL.

        Raises:
            NotUploaded: The object has no URL; nothing was sent.
            HTTPError: The service refuses.
        """
        from asyncclient.lfview import _sharing as work

        await work.delete_resource(self, resource)
