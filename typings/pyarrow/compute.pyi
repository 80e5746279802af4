# pyarrow is compiled and made at import time; there is nothing for a checker to read.
from typing import Any

def __getattr__(name: str) -> Any: ...
