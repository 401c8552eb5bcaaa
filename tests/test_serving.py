"""The prediction service, over HTTP: right answers for whoever asks, a clear refusal for whatever is no question."""

import asyncio
import json
import re
import signal
import subprocess
import sys
import threading

import httpx
import numpy as np
import pytest
import uvicorn

import chainrule as cr
from chainrule.serving import application, listen

RNG = np.random.default_rng(0)
X = RNG.normal(size=(1000, 4)).astype(np.float32)


def classifier():
    network = cr.Network([cr.Linear(8), cr.Tanh(), cr.Linear(3)], loss=cr.CrossEntropy())
    network.metadata["class_names"] = ["setosa", "versicolor", "virginica"]
    return network.build((4,))


@pytest.fixture(scope="module")
def serving():
    """Starts the service of a network in a thread; gives its address."""
    servers = []

    def start(network):
        listening = listen(0)
        config = uvicorn.Config(application(network, name="iris"), log_level="warning", ws="none")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        servers.append((server, thread))
        return "http://{}:{}".format(*listening.getsockname())

    yield start
    for server, thread in servers:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def address(serving):
    return serving(classifier())


def ask(address, inputs):
    return httpx.post(f"{address}/predict", json={"inputs": inputs})


def test_classes_come_with_their_names_and_the_scores_of_predict(address):
    network, x = classifier(), X[:5]
    predictions = ask(address, x.tolist()).raise_for_status().json()["predictions"]
    found = np.array([list(one["scores"].values()) for one in predictions], np.float32)
    assert found.tobytes() == network.predict(x).tobytes()
    names = network.metadata["class_names"]
    assert [one["class"] for one in predictions] == [names[k] for k in found.argmax(axis=1)]
    assert list(predictions[0]["scores"]) == names


@pytest.mark.parametrize(
    ("loss", "outputs", "expected"),
    [
        (cr.SquaredError(), 2, {"value": [0.5, 0.5]}),
        (cr.BinaryCrossEntropy(), 1, {"class": "1", "scores": {"0": 0.377541, "1": 0.622459}}),
        (cr.BinaryCrossEntropy(), 2, {"labels": ["0", "1"], "scores": {"0": 0.622459, "1": 0.622459}}),
    ],
    ids=["numbers", "yes or no", "several labels"],
)
def test_an_answer_has_the_form_that_its_loss_gives_it(serving, loss, outputs, expected):
    network = cr.Network([cr.Linear(outputs, weights=cr.Zeros(), biases=cr.Normal(0.5, 0))], loss=loss).build((2,))
    (found,) = ask(serving(network), [[1, 2]]).raise_for_status().json()["predictions"]
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        assert found[key] == (pytest.approx(value, abs=1e-6) if key in ("scores", "value") else value)


def test_images_keep_their_shape(serving):
    network = cr.Network([cr.Conv2D(2, 2), cr.Flatten(), cr.Linear(2)], loss=cr.CrossEntropy()).build((1, 3, 3))
    images = RNG.random((2, 1, 3, 3)).round(3)
    found = ask(serving(network), images.tolist()).raise_for_status().json()["predictions"]
    expected = network.predict(images).astype(np.float64)
    assert [list(one["scores"].values()) for one in found] == expected.tolist()


def passengers():
    """A network that learned from a table, and the table."""
    table = {"age": [22.0, 38.0, None, 35.0] * 5, "deck": ["A", "B", "B", "C"] * 5}
    preprocessor = cr.tabular.TabularPreprocessor().fit(table)
    network = cr.Network([cr.Linear(2)], loss=cr.CrossEntropy()).build((len(preprocessor.feature_names),))
    network.metadata["preprocessing"] = preprocessor.to_dict()
    return network, table, preprocessor


def test_a_network_that_learned_from_a_table_is_asked_by_its_columns(serving):
    network, table, preprocessor = passengers()
    rows = [{"deck": deck, "age": age} for age, deck in zip(table["age"], table["deck"], strict=True)]
    reply = httpx.post(f"{serving(network)}/predict", json={"rows": rows}).raise_for_status()
    found = [list(one["scores"].values()) for one in reply.json()["predictions"]]
    assert np.array(found, np.float32).tobytes() == network.predict(preprocessor.transform(table)).tobytes()


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"age": 22}, "rows[0]: 'deck' is missing; send null"),
        ({"age": 22, "deck": "A", "decks": 1}, "rows[0]: there is no column 'decks'; there are age, deck"),
        ({"age": [22], "deck": "A"}, "rows[0].age: expected text, a number"),
        ({"age": "young", "deck": "A"}, "'young'"),
        ([22, "A"], "rows[0]: expected an object, a value for each column"),
    ],
)
def test_a_row_that_does_not_fit_the_columns_is_refused(serving, row, why):
    reply = httpx.post(f"{serving(passengers()[0])}/predict", json={"rows": [row]})
    assert reply.status_code == 422
    assert why in reply.json()["error"]


def test_a_thousand_requests_at_once_are_all_answered_right(address):
    async def ask_one(body):
        """By hand, as a thousand connections of a client library take it half a minute."""
        reader, writer = await asyncio.open_connection(*address.removeprefix("http://").split(":"))
        head = "POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
        reply = await reader.read()
        writer.close()
        return reply

    async def ask_all():
        return await asyncio.gather(*(ask_one(json.dumps({"inputs": [x.tolist()]})) for x in X))

    replies = [reply.split(b"\r\n\r\n", 1) for reply in asyncio.run(ask_all())]
    assert {head.split(b"\r\n")[0] for head, _ in replies} == {b"HTTP/1.1 200 OK"}
    found = [list(json.loads(body)["predictions"][0]["scores"].values()) for _, body in replies]
    assert np.array(found, np.float32).tobytes() == classifier().predict(X).tobytes()


BAD = [
    (b"{", 400, "not JSON"),
    (b"\xff", 400, "not JSON"),
    (b'{"inputs": [[NaN, 0, 0, 0]]}', 400, "NaN is no number"),
    (b"[" * 100_000, 400, "nested too deeply"),
    (b'{"inputs": [[' + b"9" * 5000 + b", 0, 0, 0]]}", 400, "not JSON"),
    (b"[]", 422, "expected an object"),
    (b'{"inputs": [[0, 0, 0, 0]], "path": "/etc/passwd"}', 422, "nothing else"),
    (b'{"inputs": []}', 422, "one sample or more"),
    (b'{"inputs": [[1, 2, 3]]}', 422, r"inputs\[0\]: expected an array of 4, got one of 3"),
    (b'{"inputs": [[0, 0, 0, 0], [0, 0, "a", 0]]}', 422, r"inputs\[1\]\[2\]: expected a number, got \"a\""),
    (b'{"inputs": [[0, 0, true, 0]]}', 422, r"inputs\[0\]\[2\]: expected a number, got true"),
    (b'{"inputs": [[0, 0, 1e400, 0]]}', 422, "row 0"),
    (b'{"inputs": [[0, 0, 1' + b"0" * 400 + b", 0]]}", 422, "."),
    (b'{"inputs": [' + b"[0,0,0,0]," * 10_000 + b"[0,0,0,0]]}", 422, "at most 10,000 samples"),
    (b" " * (16 * 2**20 + 1), 413, "at most"),
]


@pytest.mark.parametrize(("body", "status", "why"), BAD)
def test_what_is_no_question_is_refused_with_the_reason(address, body, status, why):
    reply = httpx.post(f"{address}/predict", content=body, headers={"content-type": "application/json"})
    assert reply.status_code == status
    assert re.search(why, reply.json()["error"])


def test_samples_whose_scores_are_not_finite_are_refused_and_the_others_in_the_batch_answered(serving):
    network = cr.Network([cr.Linear(1, weights=cr.Normal(2e38, 0))], loss=cr.SquaredError()).build((1,))
    address = serving(network)

    async def ask_all():
        async with httpx.AsyncClient(base_url=address) as client:
            asked = (client.post("/predict", json={"inputs": [[x]]}) for x in [0, 10] * 10)
            return [reply.status_code for reply in await asyncio.gather(*asked)]

    assert asyncio.run(ask_all()) == [200, 422] * 10


def test_only_this_machines_names_and_only_json_are_answered(address):
    rebound = httpx.get(f"{address}/health", headers={"host": "rebound.example"})
    assert rebound.status_code == 400
    form = httpx.post(f"{address}/predict", content=json.dumps({"inputs": [[0] * 4]}))
    assert form.status_code == 415
    assert httpx.get(f"{address}/predict").status_code == 405
    assert httpx.get(f"{address}/etc/passwd").status_code == 404


def test_the_page_shows_the_network_and_a_request_that_works(address):
    shown = httpx.get(address).raise_for_status()
    assert "<script" not in shown.text
    assert "default-src 'none'" in shown.headers["content-security-policy"]
    assert "input 4, loss CrossEntropy" in shown.text
    example = re.search(r"--json '(.+)'", shown.text)[1]
    assert len(httpx.post(f"{address}/predict", json=json.loads(example)).json()["predictions"]) == 1


@pytest.mark.parametrize("network", [classifier(), passengers()[0]], ids=["arrays", "tables"])
def test_requests_made_from_the_openapi_document_meet_no_server_error(serving, network, tmp_path):
    address = serving(network)
    checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{address}/openapi.json", "--checks", checks]
    command += ["--seed", "1", "--max-examples", "30", "--phases", "examples,coverage,fuzzing", "--no-color"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stdout


def test_the_command_says_where_it_answers_and_stops_by_ctrl_c(tmp_path):
    model = tmp_path / "iris.safetensors"
    classifier().save(model)
    command = [sys.executable, "-c", "from chainrule.cli import main; main()", "serve", str(model), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        line = running.stdout.readline()
        found = ask(re.search(r"http://[\d.:]+", line)[0], X[:1].tolist())
        running.send_signal(signal.SIGINT)
    assert "iris.safetensors answers on" in line
    assert found.json()["predictions"][0]["class"] in classifier().metadata["class_names"]
    assert running.returncode == 130


def test_a_port_that_is_taken_is_an_error_that_names_it():
    with listen(0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match="choose another port"):
            listen(port)
