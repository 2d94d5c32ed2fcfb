"""The operations of the API. Handlers change the state and return the JSON of the answer."""

from __future__ import annotations

from dataclasses import replace

from asyncclient.testing._contract import Refusal
from asyncclient.testing.lfview.answers import shown_thumbnail, thumbnail_id
from asyncclient.testing.lfview.call import EDITOR, OWNER, Call, Handler, Json
from asyncclient.testing.lfview.changes import change, create
from asyncclient.testing.lfview.kinds import FEEDBACK, PROJECT, SCHEMAS, SLIDES, VIEWS, canonical, view_path
from asyncclient.testing.lfview.tables import Resource

__all__ = ["HANDLERS"]

_URL_FORMAT = "{upload_base_url}/{base_type}{type_delimiter}{sub_type}"


def lookup_endpoints(call: Call) -> Json:
    if "client_version" not in call.query:
        raise Refusal(400, "query: 'client_version' is missing")
    return {"upload_api_url_spec": _URL_FORMAT, "user_api_url": f"{call.origins.api}/api/v1/user"}


def get_user(call: Call) -> Json:
    user = call.signed_in
    links = {"default_upload_location": f"{call.origins.api}{PROJECT}/{user.project}"}
    return {"accepted_terms": user.accepted_terms, "links": links}


def _kind(call: Call) -> str:
    kind = f"{call.params['base_type']}/{call.params['sub_type']}"
    if kind not in SCHEMAS:
        raise Refusal(404, "not found")
    return kind


def _remove(call: Call, row: Resource) -> None:
    gone = call.state.resources.remove(row.path)
    if row.kind == VIEWS:
        gone += call.state.resources.remove(view_path(row.path))
        gone.append(view_path(row.path))
    call.state.close_sessions(gone)


def upload(call: Call) -> Json:
    kind = _kind(call)
    call.check_owner()
    return call.shown(create(call, kind, call.path))


def upload_view(call: Call) -> Json:
    call.check_owner()
    return call.shown(create(call, VIEWS, call.path))


def download(call: Call) -> Json:
    return call.shown(call.own(call.path))


def upload_update(call: Call) -> Json:
    return call.shown(change(call, call.own(call.path)))


def delete(call: Call) -> None:
    _remove(call, call.own(call.path))


def upload_view_thumbnail(call: Call) -> Json:
    return _thumbnail(call, call.own(call.path.removesuffix("/thumbnail")))


def _thumbnail(call: Call, row: Resource) -> Json:
    call.contract.body(call.operation, call.body)
    call.state.open_session(thumbnail_id(call.path), row.path, call.body)
    return shown_thumbnail(call.body, call.path, call.origins)


def download_shared_view(call: Call) -> Json:
    row, role = call.view()
    return call.shown(row, None if role == OWNER else call.path)


def download_shared_resource(call: Call) -> Json:
    view, role = call.view()
    path = canonical(call.path, call.project)
    if path not in view.body["contents"]:
        raise Refusal(404 if role == OWNER else 403, "the view does not name this resource")
    return call.shown(call.state.resources.get(path), view_path(view.path))


def invite_to_view(call: Call) -> Json:
    row, role = call.view()
    if role != OWNER:
        raise Refusal(403, "forbidden")
    call.contract.body(call.operation, call.body)
    if ("message" in call.body) != call.body["send_email"]:
        raise Refusal(400, "body.message: goes with send_email, and only with it")
    row.invitations.append(call.body)
    call.state.resources.save(row)
    return {"ok": True}


def upload_slide(call: Call) -> Json:
    view, role = call.view()
    if role not in (OWNER, EDITOR):
        raise Refusal(403, "forbidden")
    return _through(call, create(call, SLIDES, call.path, view))


def _through(call: Call, row: Resource) -> Json:
    """Show a slide or a comment to whoever asks; elements that belong to others are seen through the view."""
    view, role = call.view()
    return call.shown(row, None if role == OWNER else view_path(view.path))


def _below_view(call: Call) -> Resource:
    call.view()
    return call.state.resources.get(call.path)


def _authored(call: Call) -> Resource:
    """Return the slide or comment of a path, which the user may change."""
    row = _below_view(call)
    if call.signed_in.id != row.author and call.signed_in.project != call.project:
        raise Refusal(403, "forbidden")
    return row


def download_below_view(call: Call) -> Json:
    return _through(call, _below_view(call))


def change_below_view(call: Call) -> Json:
    row = _authored(call)
    return _through(call, change(call, row, call.view()[0]))


def delete_below_view(call: Call) -> None:
    _remove(call, _authored(call))


def upload_slide_thumbnail(call: Call) -> Json:
    slide = replace(call, path=call.path.removesuffix("/thumbnail"))
    return _thumbnail(call, _authored(slide))


def upload_feedback(call: Call) -> Json:
    _below_view(replace(call, path=call.path.removesuffix("/feedback")))
    return _through(call, create(call, FEEDBACK, call.path))


HANDLERS: dict[str, Handler] = {
    "lookup_endpoints": lookup_endpoints,
    "get_user": get_user,
    "upload": upload,
    "upload_view": upload_view,
    "download": download,
    "download_view": download,
    "upload_update": upload_update,
    "upload_view_update": upload_update,
    "delete": delete,
    "delete_view": delete,
    "upload_view_thumbnail": upload_view_thumbnail,
    "download_shared_view": download_shared_view,
    "download_shared_resource": download_shared_resource,
    "invite_to_view": invite_to_view,
    "upload_slide": upload_slide,
    "download_slide": download_below_view,
    "upload_slide_update": change_below_view,
    "delete_slide": delete_below_view,
    "upload_slide_thumbnail": upload_slide_thumbnail,
    "upload_feedback": upload_feedback,
    "download_feedback": download_below_view,
    "upload_feedback_update": change_below_view,
    "delete_feedback": delete_below_view,
}
