"""The laboratory of auto-deleveraging: one round under many mechanisms, the published waves, and the measures.

docs/adl.md says what each mechanism does and which properties it has.
"""

from seawall.adl.measures import (
    Concentration,
    Fairness,
    FundSize,
    LabError,
    SeverityRegret,
    concentration,
    fairness,
    fund_size,
    inversions,
    severity_regret,
)
from seawall.adl.study import NO_RERUN, Figure, Policy, Reading, Study, Wave, waves

__all__ = [
    "NO_RERUN",
    "Concentration",
    "Fairness",
    "Figure",
    "FundSize",
    "LabError",
    "Policy",
    "Reading",
    "SeverityRegret",
    "Study",
    "Wave",
    "concentration",
    "fairness",
    "fund_size",
    "inversions",
    "severity_regret",
    "waves",
]
