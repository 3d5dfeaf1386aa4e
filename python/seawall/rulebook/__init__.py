"""Presets of rules: what each says, and what each does to a crash day and to a quiet one.

Examples
--------
>>> from seawall import rulebook
>>> rulebook.numbers("deribit")["breakers.bandwidth.ranges[0].width.share"]
'0.015'
"""

from seawall.rulebook.command import app
from seawall.rulebook.compare import PERPETUAL, SCENARIOS, RuleComparison, RuleOutcome, compare
from seawall.rulebook.tables import numbers

__all__ = ["PERPETUAL", "SCENARIOS", "RuleComparison", "RuleOutcome", "app", "compare", "numbers"]
