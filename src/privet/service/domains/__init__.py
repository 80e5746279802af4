"""Token domains: who declares them, who is in them, and what comes back out of tokens."""

from privet.service.domains.detokenizing import Detokenizing
from privet.service.domains.domains import Domains
from privet.service.domains.maps import TokenMaps
from privet.service.domains.matrix import Joins
from privet.service.domains.risks import TokenRisks
from privet.service.domains.trials import Trial, Trials, Tried

__all__ = [
    "Detokenizing",
    "Domains",
    "Joins",
    "TokenMaps",
    "TokenRisks",
    "Trial",
    "Trials",
    "Tried",
]
