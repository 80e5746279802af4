"""Where keys come from, and how one master key becomes many. Keys never leave as text."""

from privet.keys.base import MASTER_BYTES, KeyProvider
from privet.keys.environment import EnvironmentKeys
from privet.keys.file import FileKeys
from privet.keys.plugins import PluginKeys
from privet.keys.ring import KeyRing

__all__ = ["MASTER_BYTES", "EnvironmentKeys", "FileKeys", "KeyProvider", "KeyRing", "PluginKeys"]
