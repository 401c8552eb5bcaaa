"""What a page can ask for, what it is told, and what becomes of it when the page is gone."""

import contextlib
import json
import time

import numpy as np
import pytest

pytest.importorskip("websockets")
pytest.importorskip("uvicorn")

from websockets.exceptions import ConnectionClosed

from playground_server import Served


@pytest.fixture(scope="module")
def served():
    server = Served()
    yield server
    server.close()


def settled(condition, seconds=10):
    """Whether something comes true in time."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


def weights(frame):
    return b"".join(value.tobytes() for name, value in frame.items() if name.startswith("layers."))


def test_a_page_is_told_what_there_is_to_see(served):
    with served.page(data="rings", layers=["4", "3"]) as page:
        assert [(c["kind"], c["units"], c["activation"]) for c in page.begun["columns"]] == [
            ("dense", 4, "Tanh"),
            ("dense", 3, "Tanh"),
            ("dense", 1, ""),
        ]
        frame = page.first
        assert frame["tile 0"].shape == (4, 32, 32)
        assert frame["plane"].shape[0] == 1
        assert set(frame["figures"]["test"]) == {"loss", "accuracy"}
        assert frame["train wrong"].shape == (280,)


def test_steps_forward_and_back_meet_the_same_bytes(served):
    with served.page(data="xor", layers=["4"]) as page:
        first = page.do("step", 1)
        second = page.do("step", 2)
        third = page.do("sample", 3)
        assert weights(page.do("back", 2)) == weights(second)
        assert weights(page.do("back", 1)) == weights(first)
        page.do("step", 2)
        assert weights(page.do("sample", 3)) == weights(third)
        begin = page.do("again", 0)
        page.do("step", 1)
        assert weights(page.do("back", 0)) == weights(begin)


def test_a_run_can_be_paused_and_gone_back_from_by_one_step(served):
    with served.page(data="rings") as page:
        page.ask("run", pace=None)
        page.frame_when(lambda frame: frame["steps"] > 500)
        page.ask("pause")
        end = page.frame_when(lambda frame: not frame["running"])
        page.do("back", end["steps"] - 1)
        assert weights(page.do("step", end["steps"])) == weights(end)


def test_another_rate_goes_on_from_the_weights_of_now_and_another_layer_begins_anew(served):
    with served.page(data="rings", rate=0.01) as page:
        page.do("step", 1)
        page.ask("begin", settings={"data": "rings", "rate": 0.1})
        assert page.do("step", 2)["steps"] == 2
        assert page.begin(data="rings", layers=["5"])["steps"] == 0


def test_training_that_comes_to_nan_stops_and_says_why(served):
    with served.page(data="hills", optimizer="sgd", rate=1000, activation="none") as page:
        page.ask("run", pace=None)
        frame = page.frame_when(lambda frame: frame["trouble"])
        assert "not finite" in frame["trouble"]
        assert np.isfinite(frame["layers.0.W"]).all()
        page.ask("checkup")
        findings = page.hear("checkup")["findings"]
        assert any("rate" in (finding["change"] or {}) for finding in findings)


def test_a_weight_is_followed_along_all_its_paths(served):
    with served.page(data="rings", layers=["3", "2"]) as page:
        page.ask("explain", sample=5, parameter="layers.0.W", index=[0, 1])
        told = page.hear("explained", "error")
        assert told["paths"]["count"] == 2
        assert told["paths"]["sum"] == pytest.approx(told["paths"]["gradient"], rel=1e-4)
        assert told["steps"][0]["phase"] == "forward"


def test_the_surface_shows_the_path(served):
    with served.page(data="rings") as page:
        for step in range(1, 6):
            page.do("step", step)
        page.ask("surface")
        told = page.hear("surface", "error")
        assert told["surface"].shape == (33, 33)
        assert len(told["path"]) >= 5
        assert told["surface"].min() > 0


def test_a_drawn_digit_is_recognised_by_the_engine(served):
    with served.page(data="digits", layers=["c3", "p", "8"]) as page:
        frame = page.first
        image = page.begun["train images"][0]
        page.ask("recognise", pixels=image.ravel().tolist())
        told = page.hear("recognised", "error")
        np.testing.assert_allclose(told["probabilities"], frame["activation 3"], atol=0.02)  # pixels are rounded
        assert told["tile 0"].shape == (3, 6, 6)


def test_a_table_of_the_users_own_is_learned(served):
    table = "width,colour,kind\n" + "\n".join(f"{i % 7},{'red' if i % 2 else 'green'},{i % 3}" for i in range(60))
    with served.page() as page:
        page.ask("own", csv=table)
        assert page.hear("table", "error")["features"] == ["width", "colour=green", "colour=red"]
        page.begin(data="own", layers=["4"])
        assert page.begun["classes"] == ["0", "1", "2"]
        assert page.do("step", 1)["steps"] == 1


def test_points_drawn_by_hand_are_learned(served):
    points = [[x / 10, y / 10, int(x * y > 0)] for x in (-5, -2, 2, 5) for y in (-5, -2, 2, 5)]
    with served.page(data="drawn", points=points, held_out=0) as page:
        assert len(page.begun["train points"]) == 16
        assert page.do("step", 1)["steps"] == 1


GARBAGE = [
    "",
    "{",
    "null",
    "[]",
    "3",
    '{"do": 3}',
    '{"do": "nothing"}',
    '{"do": "begin"}',
    '{"do": "begin", "settings": []}',
    '{"do": "begin", "settings": {"data": "../../etc/passwd"}}',
    '{"do": "begin", "settings": {"samples": 1e12}}',
    '{"do": "begin", "settings": {"samples": NaN}}',
    '{"do": "begin", "settings": {"layers": ["9999999"]}}',
    '{"do": "begin", "settings": {"layers": ["c4"]}}',
    '{"do": "begin", "settings": {"rate": -1}}',
    '{"do": "begin", "settings": {"points": [[1e400, 0, 0]]}}',
    '{"do": "begin", "settings": {"seed": true}}',
    '{"do": "begin", "settings": {"unknown": 1}}',
    '{"do": "begin", "settings": {"data": "drawn"}}',
    '{"do": "begin", "settings": {"data": "own"}}',
    '{"do": "run", "pace": "fast"}',
    '{"do": "run", "pace": 1e9}',
    '{"do": "own", "csv": 3}',
    '{"do": "own", "csv": "a,b\\n1\\n"}',
    '{"do": "own", "csv": "a,b\\n1,2,3\\n4,5\\n"}',
    '{"do": "choose", "sample": -1}',
    '{"do": "explain", "sample": 1000000}',
    '{"do": "explain", "sample": 0, "parameter": "__class__", "index": [0]}',
    '{"do": "explain", "sample": 0, "parameter": "layers.0.W", "index": [99, 99]}',
    '{"do": "recognise", "pixels": [1, 2, 3]}',
    '{"do": "take", "what": "/etc/passwd"}',
    "[" * 5000,
    b"\x00\xff\xfe garbage",
    b"",
]


@pytest.mark.parametrize("garbage", GARBAGE, ids=lambda text: repr(text[:50]))
def test_garbage_is_answered_with_an_error_and_the_session_goes_on(served, garbage):
    with served.page(data="rings") as page:
        page.socket.send(garbage)
        assert page.hear("error")["text"]
        assert page.do("step", 1)["steps"] == 1


def test_a_message_that_is_too_large_ends_that_session_alone(served):
    with served.page(data="rings") as other:
        with contextlib.suppress(ConnectionClosed), served.page(data="rings") as page:
            page.socket.send("x" * 2**21)
            while True:
                page.socket.recv(timeout=5)
        assert other.do("step", 1)["steps"] == 1


def test_a_page_that_is_gone_leaves_no_training(served):
    with served.page(data="rings") as page:
        page.ask("run", pace=None)
        page.frame_when(lambda frame: frame["running"])
        page.socket.socket.close()  # as when the browser is killed
    assert settled(lambda: served.threads() == 0 and not served.pages.sessions)


def test_beginning_anew_again_and_again_leaves_one_training(served):
    with served.page(data="rings") as page:
        for seed in range(1, 9):
            page.ask("run", pace=None)
            page.begin(data="rings", seed=seed)
        assert settled(lambda: served.threads() == 1)
    assert settled(lambda: served.threads() == 0)


def test_ten_pages_at_once_learn_each_for_itself(served):
    with contextlib.ExitStack() as stack:
        pages = [stack.enter_context(served.page(data="xor", seed=seed)) for seed in range(10)]
        for page in pages:
            page.ask("run", pace=None)
        frames = [page.frame_when(lambda frame: frame["steps"] > 100) for page in pages]
        assert len({weights(frame) for frame in frames}) == 10
        assert served.threads() == 10
    assert settled(lambda: served.threads() == 0)


def test_more_pages_than_there_is_room_for_are_turned_away(served, monkeypatch):
    monkeypatch.setattr("chainrule.playground.server.MOST_PAGES", 1)
    with served.page(data="rings"), pytest.raises(Exception, match="1013|403"), served.page(data="rings"):
        pass


def test_a_slow_page_gets_fewer_frames_not_a_queue_of_them(served):
    with served.page(data="rings") as page:
        page.ask("run", pace=None)
        page.frame_when(lambda frame: frame["steps"] > 100)
        with pytest.raises(TimeoutError):  # not ready, so nothing comes
            page.socket.recv(timeout=0.5)
        late, next_one = page.frame(), page.frame()
        assert next_one["steps"] > late["steps"]


def test_answers_are_strict_json(served):
    with served.page(data="rings") as page:
        page.socket.send(json.dumps({"do": "nothing"}))
        assert page.hear("error")["text"].startswith("do:")
