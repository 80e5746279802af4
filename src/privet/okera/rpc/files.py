"""Files by their address, the datasets at an address, and what clients keep by key."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from privet.model.datasets import COPIED, Dataset
from privet.model.errors import Forbidden, NotFound, PrivetError
from privet.model.names import DatasetName
from privet.model.permissions import Scope, ScopeKind
from privet.okera.calls import Call, Handler
from privet.okera.dialect import reads
from privet.okera.errors import Unsupported
from privet.okera.idl import T
from privet.service.datasets import DatasetView
from privet.service.files import FileUse

_USES = {
    T.TListFilesOp.LIST: FileUse.LIST,
    T.TListFilesOp.READ: FileUse.READ,
    T.TListFilesOp.GET: FileUse.READ,
    T.TListFilesOp.WRITE: FileUse.WRITE,
    T.TListFilesOp.DELETE: FileUse.DELETE,
}
_STORE = re.compile(r"(?i)^s3[an]://")
_COPY = re.compile(r"^(s3://[^/]+?)--\d+(?=/|$)")
PLACE = "okera.location"
"""The property of a table without files that says where they were to be."""
LOCAL = "s3://local-files"
"""Stands for the file system of the original's machine, in compatibility mode."""


def _list(call: Call, params: Any) -> Any:
    use, uri = _USES[params.op], _inside(call, params.object or "")
    if params.authorize_only or use in {FileUse.WRITE, FileUse.DELETE}:
        call.services.files.check(call.caller, use, uri)
        if not params.authorize_only:
            raise Unsupported("files are not changed here", hint="change them at their source")
        return T.TListFilesResult(files=[], done=True)
    if use is FileUse.LIST:
        found = [_outside(call, each) for each in call.services.files.list(call.caller, uri)]
    else:
        if not call.files_url:
            raise Unsupported("files are handed out over HTTP, which this server does not serve")
        found = [f"{call.files_url}/v1/files/{call.services.files.issue_key(call.caller, uri)}"]
    return T.TListFilesResult(files=found, done=True)


def _inside(call: Call, text: str) -> str:
    """An address as our connectors have it."""
    uri = _STORE.sub("s3://", text)
    if call.compatibility and uri.startswith("file:/"):
        uri = LOCAL + "/" + uri.removeprefix("file:").lstrip("/")
    return uri.rstrip("/")


def _outside(call: Call, uri: str) -> str:
    """The same as the original's clients write it."""
    if not call.compatibility:
        return uri
    shown = _COPY.sub(r"\1", uri)
    return f"file:{shown.removeprefix(LOCAL)}" if shown.startswith(LOCAL + "/") else shown


def _registered(call: Call, params: Any) -> Any:
    prefix = _inside(call, params.prefix_path or "")
    found: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for name, uri in _at(call, prefix, views=bool(params.include_views)):
        found[_outside(call, uri)][str(name)] = None
    if call.compatibility and not found:
        _refuse_hidden(call, prefix)
    return T.TGetRegisteredObjectsResult(
        object_names={uri: list(names) for uri, names in found.items()}
    )


def _at(call: Call, prefix: str, *, views: bool) -> Iterator[tuple[DatasetName, str]]:
    """What the caller sees of the datasets there, what was registered first before the others.

    Where a dataset lies is no secret to whoever administers it. All others have to know it, and
    learn only which of the datasets that they read are there.
    """
    wanted = Scope(ScopeKind.URI, name=prefix)
    for view in sorted(call.services.datasets.list(call.caller), key=_age):
        dataset = view.dataset
        if dataset.view is None:
            uris = [_place(call, dataset)]
        else:
            uris = _below_view(call, dataset.name) if views else []
        for uri in uris:
            plain = _COPY.sub(r"\1", uri) if call.compatibility else uri
            inside = wanted.holds(Scope(ScopeKind.URI, name=plain))
            if inside and (plain == prefix or view.full or call.compatibility):
                yield dataset.name, uri


def _age(view: DatasetView) -> tuple[bool, float, DatasetName]:
    dataset = view.dataset
    at = dataset.created_at.timestamp() if dataset.created_at else 0.0
    return dataset.view is not None, at, dataset.name


def _place(call: Call, dataset: Dataset) -> str:
    """Where a table lies; or was to lie, in compatibility mode."""
    said = dataset.properties.get(PLACE) if call.compatibility else None
    return said or dataset.source.uri


def _below_view(call: Call, name: DatasetName) -> list[str]:
    if call.compatibility:
        call = call.of_user("")
    with suppress(NotFound, Forbidden):
        tables = call.services.views.lineage(call.caller, name).tables
        below = (call.services.datasets.get(call.caller, table).dataset for table in tables)
        return [_place(call, dataset) for dataset in below]
    return []


def warnings_of(call: Call, text: str) -> list[str]:
    """The original's warning about a table that has no files; elsewhere it would tell too much."""
    names = reads(text)
    if len(names) != 1:
        return []
    admin = call.of_user("")
    with suppress(PrivetError):
        dataset = call.services.datasets.get(admin.caller, names[0]).dataset
        if COPIED in dataset.source.options:
            return [f"Table {names[0]} has no data files"]
    return []


def _refuse_hidden(call: Call, prefix: str) -> None:
    """As the original: a path with datasets of which one sees none is refused, not empty."""
    if any(_at(call.of_user(""), prefix, views=False)):
        raise Forbidden("no access to this address: none of the datasets there is yours")


def _get(call: Call, params: Any) -> Any:
    return T.TKvStoreGetResult(value=call.services.notes.find(call.caller, params.key or ""))


def _put(call: Call, params: Any) -> Any:
    call.services.notes.put(call.caller, params.key or "", params.value)
    return T.TKvStorePutResult()


HANDLERS: Mapping[str, Handler] = {
    "ListFiles": _list,
    "GetRegisteredObjects": _registered,
    "GetFromKvStore": _get,
    "PutToKvStore": _put,
}
