"""Expressions as the protocol has trees: nodes in pre-order, with the numbers of their children."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from privet.model import expressions as e
from privet.okera.idl import T

_KIND, _NODE = T.TExprType, T.TExprNodeType


def tag_tree(tags: e.TagExpr) -> Any:
    """An attribute expression; a lone tag is the list of one that it means."""
    nodes = _in([tags.tag]) if isinstance(tags, e.HasTag) else _tags(tags)
    return T.TExprTree(nodes=nodes)


def attribute_tree(tags: e.TagExpr) -> Any:
    """What a transform is for."""
    return T.TExprTree(nodes=_tags(tags))


def expression_tree(expression: e.Expr) -> Any:
    """A filter, or the call of a transform."""
    return T.TExprTree(nodes=_nodes(expression))


def _node(kind: int, sql: str, children: Iterable[list[Any]] = ()) -> list[Any]:
    inner = list(children)
    node = T.TExprNode(type=kind, sql=sql, num_children=len(inner))
    return [node, *(each for child in inner for each in child)]


def _literal(sql: str, node_type: int) -> list[Any]:
    return [T.TExprNode(type=_KIND.LITERAL, sql=sql, num_children=0, node_type=node_type)]


def _in(tags: Iterable[Any]) -> list[Any]:
    inner = [_node(_KIND.ATTRIBUTE, str(tag)) for tag in tags]
    return _node(_KIND.FUNCTION, "IN", [_literal("NULL", _NODE.NULL_LITERAL), *inner])


def _tags(tags: e.TagExpr) -> list[Any]:
    match tags:
        case e.HasTag(tag):
            return _node(_KIND.ATTRIBUTE, str(tag))
        case e.TagNot(part):
            return _node(_KIND.FUNCTION, "NOT", [_tags(part)])
        case e.TagAnd(parts):
            return _node(_KIND.FUNCTION, "all_of", map(_tags, parts))
        case e.TagOr(parts):
            return _node(_KIND.FUNCTION, "any_of", map(_tags, parts))


def _nodes(expression: e.Expr) -> list[Any]:
    match expression:
        case e.Literal(value):
            return _constant(value)
        case e.ColumnRef(name):
            return _node(_KIND.COLUMN, name)
        case e.FieldRef():
            return _node(_KIND.COLUMN, expression.name)
        case e.ColumnSlot():
            return _node(_KIND.ATTRIBUTE, "`__column__`")
        case e.Compare(op, left, right) | e.Arithmetic(op, left, right):
            return _node(_KIND.OPERATOR, op.value, [_nodes(left), _nodes(right)])
        case e.Not(e.IsNull(subject)):
            return _node(_KIND.FUNCTION, "IS NOT NULL", [_nodes(subject)])
        case _:
            return _function(expression)


def _function(expression: e.Expr) -> list[Any]:
    match expression:
        case e.And(parts):
            return _node(_KIND.FUNCTION, "all_of", map(_nodes, parts))
        case e.Or(parts):
            return _node(_KIND.FUNCTION, "any_of", map(_nodes, parts))
        case e.Not(part):
            return _node(_KIND.FUNCTION, "NOT", [_nodes(part)])
        case e.In(subject, options):
            return _node(_KIND.FUNCTION, "IN", map(_nodes, (subject, *options)))
        case e.Like(subject, pattern):
            return _node(_KIND.OPERATOR, "LIKE", [_nodes(subject), _constant(pattern)])
        case e.IsNull(subject):
            return _node(_KIND.FUNCTION, "IS NULL", [_nodes(subject)])
        case e.Call(function, arguments):
            return _node(_KIND.FUNCTION, function, map(_nodes, arguments))
        case e.Case(branches, default):
            pairs = [_nodes(part) for branch in branches for part in branch]
            return _node(_KIND.FUNCTION, "CASE", [*pairs, _nodes(default)])
        case e.Negate(part):
            return _node(_KIND.OPERATOR, "-", [_nodes(part)])
        case _:
            raise AssertionError(type(expression))


def _constant(value: e.LiteralValue) -> list[Any]:
    match value:
        case None:
            return _literal("NULL", _NODE.NULL_LITERAL)
        case bool():
            return _literal(str(value).lower(), _NODE.BOOL_LITERAL)
        case int():
            return _literal(str(value), _NODE.INT_LITERAL)
        case Decimal():
            return _literal(str(value), _NODE.DECIMAL_LITERAL)
        case datetime():
            return _literal(value.isoformat(" "), _NODE.TIMESTAMP_LITERAL)
        case date():
            return _literal(value.isoformat(), _NODE.DATE_LITERAL)
        case str():
            return _literal(value, _NODE.STRING_LITERAL)
