"""The doctor: names the trouble of a training, shows the evidence, prescribes a change, and tries it.

    examination = cr.diagnose(network, data, validation=held_out, optimizer=cr.SGD(50))
    print(examination)
    print(examination.try_remedy())

The rules are in the folder `rules`: each is one small function from the evidence to a finding.
"""

from chainrule.doctor.evidence import Evidence, Settings
from chainrule.doctor.examination import Examination, diagnose
from chainrule.doctor.facts import Facts, Neighbours
from chainrule.doctor.failure import FailedStep, Failure, load_failed_step, replay
from chainrule.doctor.finding import Cause, Finding, rule
from chainrule.doctor.remedy import Trial
from chainrule.doctor.watch import Doctor

__all__ = [
    "Cause",
    "Doctor",
    "Evidence",
    "Examination",
    "Facts",
    "FailedStep",
    "Failure",
    "Finding",
    "Neighbours",
    "Settings",
    "Trial",
    "diagnose",
    "load_failed_step",
    "replay",
    "rule",
]
