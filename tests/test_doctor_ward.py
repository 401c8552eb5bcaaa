"""A sample of the ward (benchmarks/doctor_ward.py): each trouble is named, sound trainings are left in peace.

The whole of it, 390 trainings, gives the table of docs/doctor.md.
"""

import io
import sys
from pathlib import Path

import pytest

import chainrule as cr

sys.path.append(str(Path(__file__).parents[1]))

from benchmarks import doctor_ward as ward

SEED = 40000
HEALTHY = 6


def examine(case):
    return cr.diagnose(case.network(), case.train, validation=case.validation, **case.settings)


@pytest.fixture(scope="module")
def healthy():
    return ward.healthy_cases(SEED, HEALTHY)


@pytest.mark.usefixtures("registers")
@pytest.mark.parametrize("trouble", ward.TROUBLES)
def test_the_planted_trouble_is_the_first_name_and_its_change_helps(trouble):
    (case,) = ward.sick_cases(SEED, 1, [trouble])
    examination = examine(case)
    assert [finding.name for finding in examination.findings][:1] == [trouble]
    if trouble == "leaked rows":  # the loss on samples that were learned by heart was too good to be true
        assert examination.try_remedy().loss_after > examination.try_remedy().loss_before
    elif examination.findings[0].change:
        assert examination.try_remedy().improves


def test_nothing_is_said_of_sound_trainings(healthy):
    assert [str(examine(case).findings) for case in healthy] == ["()"] * HEALTHY


def test_nothing_is_said_while_they_go_on_either(healthy):
    for case in healthy:
        heard = io.StringIO()
        doctor = cr.Doctor(case.validation, file=heard)
        settings = {**case.settings, "callbacks": [doctor]}
        cr.train(case.network(), case.train, validation=case.validation, progress=False, **settings)
        assert heard.getvalue() == ""
        assert doctor.findings == ()


def test_the_ward_gives_the_same_cases_again():
    first, again = (ward.sick_cases(SEED, 1, ["unscaled inputs"])[0] for _ in range(2))
    assert first.train[0].tobytes() == again.train[0].tobytes()
    assert str(first.settings) != ""
    assert first.network().build(first.train[0].shape[1:]).parameters.keys() == (
        again.network().build(again.train[0].shape[1:]).parameters.keys()
    )
