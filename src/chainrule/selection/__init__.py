"""Choosing a model: cross-validation, comparison, search (extra `sklearn`)."""

from chainrule.selection.comparison import Comparison, compare
from chainrule.selection.cross_validation import CrossValidation, cross_validate
from chainrule.selection.searching import Search, Trial, search
from chainrule.selection.significance import TTest, corrected_t_test, paired_t_test
from chainrule.selection.space import LogScale

__all__ = [
    "Comparison",
    "CrossValidation",
    "LogScale",
    "Search",
    "TTest",
    "Trial",
    "compare",
    "corrected_t_test",
    "cross_validate",
    "paired_t_test",
    "search",
]
