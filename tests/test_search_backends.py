"""The same scores, byte for byte, whoever works them out: processes, threads, a cluster."""

import subprocess
import sys
from pathlib import Path

import joblib
import pytest

from chainrule import kernels
from test_search import searched

DASK = """
import os, sys
sys.path.insert(0, {folder!r})
import joblib
import numpy as np
from dask.distributed import Client, LocalCluster
from test_search import network, searched
import chainrule as cr

x = np.random.default_rng(0).normal(size=(20_000, 200)).astype(np.float32)

def validated():
    return cr.cross_validate(network, (x, x[:, 0]), folds=3, epochs=1, batch_size=1000).scores.tobytes()

def process(network, x, y):
    return float(os.getpid())

if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster):
        with joblib.parallel_config(backend="dask"):
            found, scores = searched(), validated()
            processes = searched(score=process).to_frame()["mean"]
    assert (found, scores) == (searched(), validated())
    assert len(set(processes.dropna())) == 2
    print("the same")
"""


@pytest.fixture(scope="module")
def alone():
    return searched()


@pytest.mark.parametrize("backend", ["loky", "multiprocessing", "threading"])
def test_every_backend_gives_the_same_table(alone, backend):
    with joblib.parallel_config(backend=backend, n_jobs=2):
        assert searched() == alone


def test_a_checkpoint_is_kept_also_where_results_come_in_rounds(alone, tmp_path):
    with joblib.parallel_config(backend="multiprocessing", n_jobs=2):
        assert searched(checkpoint=tmp_path / "search.json") == alone
    assert searched(checkpoint=tmp_path / "search.json", resume=True) == alone


def test_a_dask_cluster_of_two_workers_gives_the_same_table_and_no_warning(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(DASK.format(folder=str(Path(__file__).parent)))
    done = subprocess.run([sys.executable, "-W", "error", program], capture_output=True, text=True, timeout=240)
    assert (done.stdout, done.stderr) == ("the same\n", "")


def threads_of_a_run(network, x, y):
    return float(kernels.threads())


def test_processes_side_by_side_share_the_cores():
    own = kernels.threads()
    found = searched({"units": [2, 3]}, score=threads_of_a_run, workers=2)
    assert max(trial.mean for trial in found.trials) <= max(1, joblib.cpu_count() // 2)
    assert searched({"units": [2]}, score=threads_of_a_run).best.mean == own == kernels.threads()
