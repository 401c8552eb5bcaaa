"""The page on the prediction service: its example runs."""

import re
from pathlib import Path

PAGE = (Path(__file__).parents[1] / "docs/serving.md").read_text()


def test_the_example_makes_an_application():
    names = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(block, names)
    assert [route.path for route in names["app"].routes] == ["/", "/openapi.json", "/health", "/predict"]
    assert all(route.path in PAGE for route in names["app"].routes)
