"""Token domains in the policy: who could try values in one, and values that cannot hide in one."""

from privet.policy.domains.admission import Community, Risk, admission_risks
from privet.policy.domains.small import NO_PROFILES, Profiles, check_small_domains

__all__ = [
    "NO_PROFILES",
    "Community",
    "Profiles",
    "Risk",
    "admission_risks",
    "check_small_domains",
]
