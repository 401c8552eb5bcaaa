"""The doctor: names the trouble of a training, shows the evidence, prescribes a change, and tries it."""

from chainrule.doctor.examination import Examination, Trial, diagnose
from chainrule.doctor.finding import Finding, rule
from chainrule.doctor.watch import Doctor

__all__ = ["Doctor", "Examination", "Finding", "Trial", "diagnose", "rule"]
