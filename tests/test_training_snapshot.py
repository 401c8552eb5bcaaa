"""A training that stops and goes on from memory; the event between steps."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.training import GoOnFrom, Snapshot

DATA = cr.data.make_rings(50)


class StopAt(cr.Callback):
    """Ends a training after some steps, and keeps a snapshot of it."""

    def __init__(self, step):
        self.step = step

    def on_step_end(self, run):
        if run.step == self.step:
            run.stop("here")

    def on_train_end(self, run):
        self.snapshot = Snapshot.of(run)


def network(*more):
    return cr.Network([cr.Linear(5), cr.Tanh(), *more, cr.Linear(1)], loss=cr.BinaryCrossEntropy())


def trained(net, *callbacks, epochs=6, **settings):
    settings = {"batch_size": 16, "optimizer": cr.Adam(0.01), "penalty": cr.L2(0.1), **settings}
    history = cr.train(net, DATA, epochs=epochs, callbacks=callbacks, progress=False, **settings)
    return b"".join(W.tobytes() for W in net.parameters.values()), history


@pytest.mark.parametrize("step", [1, 3, 4, 5, 8, 13])
def test_a_training_that_goes_on_from_a_snapshot_gives_the_same_bytes_and_figures(step):
    whole, history = trained(network())
    net, stop = network(), StopAt(step)
    trained(net, stop)
    again, rest = trained(net, GoOnFrom(stop.snapshot))
    assert again == whole
    assert rest["loss"][-1] == history["loss"][-1]


def test_a_snapshot_is_put_back_into_a_network_that_went_on():
    whole, _ = trained(network())
    net, stop = network(), StopAt(6)
    trained(net, stop)
    trained(net, epochs=3)
    assert trained(net, GoOnFrom(stop.snapshot))[0] == whole


def test_what_layers_draw_goes_on_too():
    whole, _ = trained(network(cr.Dropout(0.3)))
    net, stop = network(cr.Dropout(0.3)), StopAt(7)
    trained(net, stop)
    assert trained(net, GoOnFrom(stop.snapshot))[0] == whole


def test_a_snapshot_is_a_copy_and_knows_its_size():
    net, stop = network(), StopAt(2)
    trained(net, stop)
    before = {name: array.copy() for name, array in stop.snapshot.arrays.items()}
    trained(net, GoOnFrom(stop.snapshot))
    assert all((stop.snapshot.arrays[name] == array).all() for name, array in before.items())
    assert stop.snapshot.bytes == sum(array.nbytes for array in before.values())


def test_pauses_come_without_stopping_the_tape_at_every_step(monkeypatch):
    class Counting(cr.Callback):
        pauses = 0

        def on_pause(self, run):
            self.pauses += 1

    counting = Counting()
    _, history = trained(network(), counting, epochs=500)
    assert len(history) == 500
    assert 1 <= counting.pauses < 500


def test_a_training_can_be_stopped_in_a_pause():
    class Stop(cr.Callback):
        def on_pause(self, run):
            run.stop("in a pause")

    _, history = trained(network(), Stop(), epochs=10**9)
    assert history.stopped == "in a pause"
    assert np.isfinite(history["loss"]).all() if len(history) else True
