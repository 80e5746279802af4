"""Credentials in, a principal out: local users, signed tokens, and who administers."""

from privet.identity.admins import AdminRule
from privet.identity.attributes import (
    AttributeFile,
    AttributeSources,
    CommandProvider,
    ProvidedAttributes,
    TokenFile,
    UrlProvider,
)
from privet.identity.authorization import read_authorization
from privet.identity.identity import Identity
from privet.identity.signing_keys import SigningKeys
from privet.identity.users import User

__all__ = [
    "AdminRule",
    "AttributeFile",
    "AttributeSources",
    "CommandProvider",
    "Identity",
    "ProvidedAttributes",
    "SigningKeys",
    "TokenFile",
    "UrlProvider",
    "User",
    "read_authorization",
]
