"""Tags: the original's attributes, in namespaces."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from privet.model.errors import Conflict, InvalidRequest, NotFound, UnknownName
from privet.model.names import DatasetName, FieldPath, TagName, fold
from privet.okera.calls import Call, Handler
from privet.okera.idl import T

_DEFAULT_NAMESPACE = "default"


def tag_of(attribute: Any) -> TagName:
    """The tag that a message names.

    Raises:
        InvalidRequest: its name is none.
    """
    return TagName(
        fold(attribute.attribute_namespace or _DEFAULT_NAMESPACE, "tag namespace"),
        fold(attribute.key or "", "tag name"),
    )


def attribute_of(tag: TagName, number: int | None = None) -> Any:
    """A tag as a message says it."""
    return T.TAttribute(
        key=tag.key,
        value_type=T.TAttributeValueType.BOOLEAN,
        attribute_namespace=tag.namespace,
        id=number,
    )


def value_of(
    tag: TagName, database: str, table: str | None = None, column: str | None = None
) -> Any:
    """A tag on an object."""
    return T.TAttributeValue(
        attribute=attribute_of(tag),
        value="true",
        database=database,
        table=table,
        column=column,
        is_active=True,
    )


def _create(call: Call, params: Any) -> Any:
    for attribute in params.attributes:
        with suppress(Conflict):
            call.services.tags.create(call.caller, tag_of(attribute), attribute.description or "")
    return T.TCreateAttributesResult(attributes=params.attributes)


def _delete(call: Call, params: Any) -> Any:
    gone: list[Any] = []
    for attribute in params.attributes:
        with suppress(NotFound):
            _drop(call, tag_of(attribute))
            gone.append(attribute)
    return T.TDeleteAttributesResult(delete_count=len(gone), attributes=gone)


def _drop(call: Call, tag: TagName) -> None:
    if call.compatibility:
        # The original lets permissions end with a tag. With us a safeguard would end unseen.
        for permission in call.services.permissions.naming(call.caller, tag):
            call.services.permissions.revoke_by_id(call.caller, permission.id)
    call.services.tags.drop(call.caller, tag)


def _list(call: Call, params: Any) -> Any:
    wanted = params.filter_attribute
    namespace = fold(wanted.attribute_namespace) if wanted and wanted.attribute_namespace else None
    found = [
        attribute_of(tag, number)
        for number, tag in enumerate(_known(call, editable=bool(params.editable_only)), 1)
        if namespace in (None, tag.namespace) and (not wanted or wanted.key in ("", tag.key))
    ]
    first = params.offset or 0
    last = first + params.count if params.count else None
    return T.TGetAttributesResult(attributes=found[first:last])


def _namespaces(call: Call, params: Any) -> Any:
    names = {tag.namespace for tag in _known(call, editable=bool(params.editable_only))}
    return T.TGetAttributeNamespacesResult(namespaces=sorted(names))


def _count(call: Call, _: Any) -> Any:
    return T.TGetCountResult(
        total_count=len(_known(call, editable=False)), is_total_count_estimated=False
    )


def _known(call: Call, *, editable: bool) -> list[TagName]:
    tags = [tag.name for tag in call.services.tags.list(call.caller)]
    if not editable:
        return tags
    held = call.services.tags.editable(call.caller)
    return [tag for tag in tags if tag.namespace in held]


def _assign(call: Call, params: Any) -> Any:
    for mapping in params.mappings:
        _put(call, mapping, params.cascade)
    return T.TAssignAttributesResult(mappings=params.mappings)


def _unassign(call: Call, params: Any) -> Any:
    count = sum(_take(call, mapping) for mapping in params.mappings)
    return T.TUnassignAttributesResult(unassigned_count=count)


def _update(call: Call, params: Any) -> Any:
    for mapping in params.to_assign:
        _put(call, mapping, params.cascade)
    taken = sum(_take(call, mapping) for mapping in params.to_unassign)
    return T.TUpdateAttributeMappingsResult(updated_count=len(params.to_assign) + taken)


def _set(call: Call, params: Any) -> Any:
    for mapping in params.mappings:
        _put(call, mapping, params.cascade)
    return T.TSetAttributesResult(mappings=params.mappings)


def _put(call: Call, mapping: Any, cascade: bool | None) -> None:
    del cascade  # Tags of a column are those of every view's column that is made of it.
    tag = tag_of(mapping.attribute)
    try:
        dataset, path = _object(mapping)
        if dataset is None:
            call.services.databases.assign(call.caller, _database(mapping), tag)
        else:
            call.services.tags.assign(call.caller, dataset, path, tag)
    except UnknownName as error:
        error.message = f"Cannot assign attributes: {error.message}"
        raise


def _take(call: Call, mapping: Any) -> int:
    tag = tag_of(mapping.attribute)
    dataset, path = _object(mapping)
    try:
        if dataset is None:
            call.services.databases.unassign(call.caller, _database(mapping), tag)
        else:
            call.services.tags.unassign(call.caller, dataset, path, tag)
    except NotFound:
        return 0
    return 1


def _database(mapping: Any) -> str:
    if not mapping.database:
        raise InvalidRequest("an attribute is put on a database, dataset or column")
    return fold(mapping.database, "database name")


def _object(mapping: Any) -> tuple[DatasetName | None, FieldPath]:
    database = _database(mapping)
    if not mapping.table:
        return None, ()
    name = DatasetName(database, fold(mapping.table, "dataset name"))
    column, *fields = mapping.column.split(".") if mapping.column else [""]
    return name, (fold(column, "column name"), *fields) if column else ()


HANDLERS: Mapping[str, Handler] = {
    "CreateAttributes": _create,
    "DeleteAttributes": _delete,
    "GetAttributes": _list,
    "GetAttributeNamespaces": _namespaces,
    "GetRecordCount": _count,
    "AssignAttributes": _assign,
    "UnassignAttributes": _unassign,
    "UpdateAttributeMappings": _update,
    "SetAttributes": _set,
}
