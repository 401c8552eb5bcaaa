"""The playground as a user meets it, in headless Chromium."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr


def test_a_network_learns_before_the_users_eyes(visit):
    visit.open(data="rings", layers="4-2")
    before = visit.pixels("[data-test=plane]")
    loss = float(visit.text("train-loss"))
    visit.train(2000)
    assert float(visit.text("train-loss")) < loss / 3
    assert visit.pixels("[data-test=plane]") != before


def test_step_back_sample_and_again(visit):
    visit.open(data="xor")
    start = visit.pixels(".tile canvas")
    for steps in (1, 2):
        visit.press("One step: a batch")
        visit.wait_for_steps(steps)
    visit.press("One sample: a step on it alone")
    visit.wait_for_steps(3)
    visit.press("Back one step")
    visit.wait_for_steps(2)
    visit.press("Start again from the same weights")
    visit.wait_for_steps(0)
    assert visit.pixels(".tile canvas") == start


def test_the_keyboard_runs_steps_and_goes_back(visit):
    visit.open(data="xor")
    visit.page.locator("h1").click()
    visit.page.keyboard.press("ArrowRight")
    visit.wait_for_steps(1)
    visit.page.keyboard.press("ArrowRight")
    visit.wait_for_steps(2)
    visit.page.keyboard.press("ArrowLeft")
    visit.wait_for_steps(1)
    visit.page.keyboard.press("Space")
    visit.wait_for_more_than(3)
    visit.page.keyboard.press("Space")
    visit.page.get_by_role("button", name="Run", exact=True).wait_for()
    visit.page.keyboard.press("0")
    visit.wait_for_steps(0)


@pytest.mark.parametrize("data", ["rings", "xor", "spirals", "blobs", "parabola", "sine", "hills", "tickets", "digits"])
def test_every_data_set_can_be_chosen_and_learned(visit, data):
    visit.open()
    visit.page.locator(f"input[name=data][value={data}]").check(force=True)
    visit.wait(f"location.hash.includes('data={data}') || '{data}' === 'rings'")
    visit.press("One step: a batch")
    visit.wait_for_steps(1)


def test_layers_and_units_are_added_and_removed_by_hand(visit):
    visit.open(layers="3")
    groups = visit.page.get_by_role("group")
    assert groups.filter(has=visit.page.get_by_role("button", name=re.compile("^Layer 1, unit"))).count() == 1
    visit.press("Add a unit")
    visit.wait("location.hash.includes('layers=4')")
    visit.press("Add a layer")
    visit.wait("location.hash.includes('layers=4-4')")
    visit.page.get_by_role("button", name="Remove this layer").first.click()
    visit.wait("location.hash.endsWith('layers=4')")
    visit.press("Remove a unit")
    visit.wait("location.hash.endsWith('layers=3')")
    visit.page.get_by_role("button", name=re.compile("^Layer 1, unit 4")).wait_for(state="detached")
    assert visit.page.get_by_role("button", name=re.compile("^Layer 1, unit")).count() == 3


def test_every_setting_is_in_the_address_and_comes_back(visit):
    visit.open()
    for label, choice in [("Activation", "relu"), ("First weights", "he"), ("Loss", "hinge"), ("Optimizer", "sgd")]:
        visit.page.get_by_label(label, exact=True).select_option(choice)
    sliders = ["Noise", "Samples", "Held out to test", "Dropout", "Learning rate", "Batch", "L1 penalty", "L2 penalty"]
    for label in sliders:
        visit.page.get_by_label(label, exact=True).press("ArrowRight")
    names = "activation=relu start=he loss=hinge optimizer=sgd noise= rate= batch= dropout= l1= l2= held_out= samples="
    for name in names.split():
        visit.wait(f"location.hash.includes('{name}')")
    fragment = visit.page.evaluate("location.hash")
    visit.press("One step: a batch")
    visit.wait_for_steps(1)
    loss = visit.text("train-loss")
    visit.page.reload()
    visit.wait_for_steps(0)
    assert visit.page.evaluate("location.hash") == fragment
    visit.press("One step: a batch")
    visit.wait_for_steps(1)
    assert visit.text("train-loss") == loss


def test_a_reloaded_page_leaves_no_training_behind(visit, served):
    visit.open(pace="full")
    visit.press("Run")
    visit.wait_for_more_than(100)
    visit.page.reload()
    visit.wait_for_steps(0)
    visit.page.wait_for_timeout(300)
    assert served.threads() == 1


def test_points_are_drawn_by_hand(visit):
    visit.open(data="drawn", held_out=0)
    visit.page.get_by_text("draw at least two points").wait_for()
    points = visit.page.locator("[data-test=points]")
    for label, x, y in [("A", 40, 60), ("B", 200, 60), ("C", 200, 250)]:
        visit.page.get_by_role("button", name=label, exact=True).click()
        points.click(position={"x": x, "y": y})
    visit.wait("/points=[^&]*[.]0_[^&]*[.]1_[^&]*[.]2/.test(location.hash)")
    visit.wait_for_steps(0)
    visit.press("One step: a batch")
    visit.wait_for_steps(1)


def test_a_table_of_the_users_own_is_read(visit):
    visit.open(data="own")
    rows = "\n".join(f"{i % 5},{i % 7},{'yes' if i % 5 > 2 else 'no'}" for i in range(80))
    visit.page.set_input_files(
        "input[type=file]", {"name": "t.csv", "mimeType": "text/csv", "buffer": f"a,b,c\n{rows}".encode()}
    )
    visit.wait_for_steps(0)
    visit.train(500)
    assert float(visit.text("train-loss")) < 0.3


def test_a_drawn_digit_is_recognised(visit):
    visit.open(data="digits", layers="16")
    visit.train(1000)
    pad = visit.page.locator("[data-test=pad]").bounding_box()
    mouse = visit.page.mouse
    mouse.move(pad["x"] + 66, pad["y"] + 20)
    mouse.down()
    mouse.move(pad["x"] + 66, pad["y"] + 112, steps=8)
    mouse.up()
    visit.page.locator(".bars .best").wait_for()
    visit.page.wait_for_timeout(300)
    shares = visit.page.locator(".bars meter").evaluate_all("meters => meters.map(meter => meter.value)")
    assert sum(shares) == pytest.approx(1, abs=1e-3)
    assert np.argmax(shares) == 1


def test_filters_and_feature_maps_are_seen(visit):
    visit.open(data="digits", layers="c4-p-8")
    assert visit.page.locator(".tile .filter").count() == 4
    before = visit.pixels(".tile .filter")
    visit.train(200)
    assert visit.pixels(".tile .filter") != before


def test_a_sample_is_walked_through_forward_and_backward(visit):
    visit.open(layers="3", tab="walk")
    step = visit.page.locator("[data-test=step]")
    step.wait_for()
    assert "Forward" in step.inner_text()
    assert "=" in visit.page.locator(".numbers").first.inner_text()
    seen = set()
    while visit.page.get_by_role("button", name="Next step of the explanation").is_enabled():
        seen.add(step.locator(".phase").inner_text())
        visit.page.get_by_role("button", name="Next step of the explanation").click()
    seen.add(step.locator(".phase").inner_text())
    assert seen == {"Forward", "Loss", "Backward", "Update"}
    assert visit.page.locator(".known").count() > 0


def test_a_sample_is_chosen_with_the_mouse_and_with_the_keyboard(visit):
    visit.open(tab="walk")
    visit.page.locator("[data-test=step]").wait_for()
    numbers = visit.page.locator(".statement .numbers").first.inner_text()
    visit.page.get_by_label("Chosen sample", exact=True).fill("7")
    visit.page.get_by_label("Chosen sample", exact=True).press("Enter")
    visit.wait("location.hash.includes('sample=7')")
    visit.wait(f"document.querySelector('.statement .numbers').innerText !== {json.dumps(numbers)}")
    visit.page.locator("[data-test=points]").click(position={"x": 10, "y": 10})
    visit.wait("!location.hash.includes('sample=7')")


def test_a_weight_is_asked_for_its_paths(visit):
    visit.open(layers="3-2", tab="walk")
    visit.page.get_by_role("button", name=re.compile("^Layer 1, unit 2")).click()
    visit.page.get_by_role("group", name="Weights into this unit").get_by_role("button").first.click()
    paths = visit.page.locator("[data-test=paths]")
    paths.wait_for()
    assert paths.locator("li").count() == 2
    assert "→ J" in paths.inner_text()


def test_the_loss_surface_is_drawn_with_the_path(visit):
    visit.open(tab="surface")
    visit.train(200)
    visit.press("Draw the surface")
    visit.page.locator("[data-test=surface]").wait_for()
    assert len(visit.pixels("[data-test=surface]")) > 1000


def test_trouble_is_said_and_its_remedy_is_a_button(visit):
    visit.open(data="hills", activation="none", optimizer="sgd", rate="100", pace="full")
    visit.press("Run")
    visit.page.get_by_role("alert").wait_for()
    visit.page.get_by_role("alert").get_by_role("button").click()
    visit.wait("!location.hash.includes('rate=100')")
    visit.wait_for_steps(0)
    visit.press("One step: a batch")
    visit.wait_for_steps(1)


def test_the_check_up_names_what_is_wrong(visit):
    visit.open(data="rings", layers="", tab="checkup")
    visit.press("Examine this training")
    visit.page.locator(".checkup h3").first.wait_for()
    assert "underfitting" in visit.page.locator(".checkup").inner_text().lower()


def test_what_is_taken_away_gives_the_weights_of_the_page(visit, tmp_path):
    visit.open(data="blobs", classes=4, layers="5-3", tab="take", optimizer="momentum", rate=0.1)
    for steps in range(1, 12):
        visit.press("One step: a batch")
        visit.wait_for_steps(steps)
    files = {}
    for name in ("Python", "Model file", "ONNX", "Picture"):
        with visit.page.expect_download() as download:
            visit.press(name)
        files[name] = tmp_path / download.value.suggested_filename
        download.value.save_as(files[name])
    result = subprocess.run([sys.executable, files["Python"]], capture_output=True, text=True, check=True)
    network = cr.load(files["Model file"])
    from hashlib import sha256

    digest = sha256(b"".join(W.tobytes() for W in network.parameters.values())).hexdigest()
    assert digest in result.stdout
    assert files["Picture"].read_bytes().startswith(b"\x89PNG")


def test_dark_and_light(visit):
    visit.open()
    before = visit.page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    visit.press("Light or dark")
    assert visit.page.evaluate("getComputedStyle(document.documentElement).backgroundColor") != before


def test_every_button_and_field_has_a_name(visit):
    visit.open(tab="take")
    nameless = visit.page.evaluate(
        """[...document.querySelectorAll('button, select, input, [role=img]')]
            .filter(one => !(one.getAttribute('aria-label') || one.textContent.trim() || one.labels?.length))
            .map(one => one.outerHTML)"""
    )
    assert nameless == []


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (1920, 1080), (820, 1180), (1024, 768)])
def test_nothing_is_cut_off_at_the_side(visit, width, height):
    visit.page.set_viewport_size({"width": width, "height": height})
    visit.open(data="digits", layers="c4-p-16")
    assert visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    visit.press("One step: a batch")
    visit.wait_for_steps(1)


def test_the_page_asks_no_other_machine_and_breaks_no_policy(visit, served):
    asked = []
    visit.page.on("request", lambda request: asked.append(request.url))
    visit.open()
    assert {re.match(r"\w+://[^/]+", url)[0] for url in asked} <= {f"http://127.0.0.1:{served.port}"}
    assert json.dumps(asked)


def lessons():
    """The names of all lessons, and how many pages each has."""
    source = (Path(__file__).parents[2] / "web" / "src" / "text" / "lessons.ts").read_text()
    parts = re.split(r"^    id: \"(\w+)\"", source, flags=re.MULTILINE)[1:]
    return [(name, body.count("text: [")) for name, body in zip(parts[::2], parts[1::2], strict=True)]


@pytest.mark.parametrize(("name", "pages"), lessons())
def test_every_page_of_every_lesson_opens_and_can_be_guessed(visit, name, pages):
    visit.open()
    visit.press("Lessons")
    titles = visit.page.locator(".lesson-list button")
    titles.nth([one for one, _ in lessons()].index(name)).click()
    for page in range(pages):
        visit.wait(f"document.querySelector('.lesson').textContent.includes('{page + 1} of {pages}')")
        visit.wait_for_steps(0) if page == 0 else None
        answers = visit.page.locator(".guess button")
        if answers.count():
            assert visit.page.locator(".explanation").count() == 0
            answers.first.click()
            visit.page.locator(".explanation").wait_for()
            assert visit.page.locator(".guess .right").count() == 1
        assert not visit.page.locator(".notice.shown").count()
        if page < pages - 1:
            visit.press("Next")
