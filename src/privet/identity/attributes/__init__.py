"""What is known of a user beside groups: from tokens, a file, and a provider."""

from privet.identity.attributes.cache import ProvidedAttributes
from privet.identity.attributes.command import CommandProvider
from privet.identity.attributes.file import AttributeFile
from privet.identity.attributes.sources import CLAIMS, AttributeSources
from privet.identity.attributes.url import TokenFile, UrlProvider
from privet.identity.attributes.values import read_attributes

__all__ = [
    "CLAIMS",
    "AttributeFile",
    "AttributeSources",
    "CommandProvider",
    "ProvidedAttributes",
    "TokenFile",
    "UrlProvider",
    "read_attributes",
]
