"""From a call, a column type and a scope to a kernel."""

from __future__ import annotations

import pyarrow as pa

from privet.model.datasets import CanonicalType
from privet.model.errors import InvalidRequest
from privet.model.expressions import Call, Literal
from privet.model.transforms import check_call, check_fit, is_text
from privet.privacy.base import Derive, Kernel, KeyScope
from privet.privacy.general.masks import MaskText, Null, Zero
from privet.privacy.tokens.digests import Digest
from privet.privacy.tokens.integers import TokenizeDecimals, TokenizeIntegers
from privet.privacy.tokens.opaque import OpaqueText
from privet.privacy.tokens.text import TokenizeText

_FAMILIES = {
    "tokenize": "fp",
    "tokenize_no_ref": "fp",
    "nfp_ref_tokenize": "nfp",
    "nfp_noref_tokenize": "nfp",
    "sha2": "sha2",
}


def bind(call: Call, kind: pa.DataType, scope: KeyScope | None, derive: Derive) -> Kernel:
    """The kernel of a transform call for columns of type `kind`.

    Raises:
        UnknownName: no such transform.
        InvalidRequest: wrong arguments; a keyed transform without a scope, or one per dataset
            without the dataset's id in the scope.
        TypeMismatch: the transform does not fit the type, or the type the domain.
    """
    spec = check_call(call)
    check_fit(spec, kind, scope.canonical if scope else None)
    if not spec.keyed:
        return _bind_plain(spec.name, call, kind)
    if scope is None:
        raise InvalidRequest(f"`{spec.name}` needs a token domain", position=call.position)
    if spec.per_table and not scope.dataset_id:
        raise InvalidRequest(
            f"`{spec.name}` needs the id of the dataset in its key", position=call.position
        )
    return _bind_keyed(_FAMILIES[spec.name], kind, scope, derive)


def _bind_plain(name: str, call: Call, kind: pa.DataType) -> Kernel:
    if name == "null":
        return Null(kind)
    if name == "zero":
        return Zero(kind)
    if name != "mask":
        raise InvalidRequest(f"`{name}` has no kernel")
    numbers = [
        a.value for a in call.arguments if isinstance(a, Literal) and isinstance(a.value, int)
    ]
    masked = MaskText(kind, *numbers)
    return masked if is_text(kind) else Zero(kind)


def _bind_keyed(family: str, kind: pa.DataType, scope: KeyScope, derive: Derive) -> Kernel:
    if family == "sha2":
        return Digest(kind, scope, derive)
    if not is_text(kind):
        return TokenizeIntegers(kind, scope, derive, family)
    if scope.canonical is CanonicalType.INT64:
        return TokenizeDecimals(kind, scope, derive, family)
    if family == "nfp":
        return OpaqueText(kind, scope, derive)
    return TokenizeText(kind, scope, derive)
