"""ONNX's own cases, by our layers and operations, and by what is exported of them in onnxruntime."""

import re
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
import onnx_cases

pytest.importorskip("onnx", reason="needs onnx, which is not installed")
PAGE = (Path(__file__).parents[1] / "docs" / "onnx-cases.md").read_text()
LISTED, NOT_HERE = PAGE.split("| Not here |")
NAMES = re.findall(r"`(test_\w+)`", LISTED)
REFUSED = dict(re.findall(r"^\| `(test_\w+)` \| \w+ \| (.*) \|$", NOT_HERE, flags=re.MULTILINE))


@pytest.fixture(scope="module")
def cases():
    return onnx_cases.cases()


def close(found, expected):
    atol = onnx_cases.ATOL * max(1.0, np.abs(expected).max(initial=0))
    np.testing.assert_allclose(found, expected, rtol=onnx_cases.RTOL, atol=atol)


@pytest.mark.parametrize("name", NAMES)
def test_we_find_what_the_case_expects(cases, name):
    answer, expected = onnx_cases.served(cases[name])
    assert len(answer.found) == len(expected)
    for ours, theirs in zip(answer.found, expected, strict=True):
        assert np.shape(ours) == np.shape(theirs)
        close(ours, theirs)


@pytest.mark.parametrize("name", [name for name in NAMES if f"(`{name}`)" not in LISTED])
def test_what_is_exported_finds_it_in_onnxruntime(cases, name, tmp_path):
    runtime = pytest.importorskip("onnxruntime", reason="needs onnxruntime, which is not installed")
    answer, expected = onnx_cases.served(cases[name])
    cr.export.to_onnx(answer.network, tmp_path / "case.onnx")
    session = runtime.InferenceSession(tmp_path / "case.onnx", providers=["CPUExecutionProvider"])
    (y,) = session.run(None, {"x": answer.x})
    close(answer.arrange(y), expected[0])


@pytest.mark.parametrize("name", REFUSED)
def test_a_case_that_is_not_here_asks_for_what_the_page_says(cases, name):
    with pytest.raises(onnx_cases.NotHereError) as reason:
        onnx_cases.served(cases[name])
    assert str(reason.value) == REFUSED[name]


def test_the_page_has_every_case(cases):
    assert {*NAMES, *REFUSED} == set(cases)
