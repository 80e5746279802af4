"""Views: statements that are datasets, with grants and tags of their own."""

from privet.service.views.named import within
from privet.service.views.views import Lineage, Views, trace

__all__ = ["Lineage", "Views", "trace", "within"]
