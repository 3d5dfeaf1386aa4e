"""The laboratory of auto-deleveraging: one round under many mechanisms, the published waves, and the measures.

docs/adl.md says what each mechanism does and which properties it has.
"""

from seawall.adl.lab import MECHANISMS, Comparison, Outcome, compare
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
from seawall.adl.round import Candidate, Round, read_round, synthetic_round
from seawall.adl.study import NO_RERUN, Figure, Policy, Reading, Study, Wave, waves

__all__ = [
    "MECHANISMS",
    "NO_RERUN",
    "Candidate",
    "Comparison",
    "Concentration",
    "Fairness",
    "Figure",
    "FundSize",
    "LabError",
    "Outcome",
    "Policy",
    "Reading",
    "Round",
    "SeverityRegret",
    "Study",
    "Wave",
    "compare",
    "concentration",
    "fairness",
    "fund_size",
    "inversions",
    "read_round",
    "severity_regret",
    "synthetic_round",
    "waves",
]
