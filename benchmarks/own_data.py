"""Training on tables of one's own: a large spreadsheet from the command line, and how the default settings were chosen.

python -m benchmarks.own_data spreadsheet --rows 100000
python -m benchmarks.own_data defaults --splits 5        (needs scikit-learn)
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import chainrule as cr
from chainrule.cli.recipe import Defaults, defaults_for
from chainrule.data import DataSet, held_back_by_class
from chainrule.evaluation import decide, r_squared
from chainrule.tabular import Table, TabularPreprocessor, Target, as_table, read_csv
from chainrule.training import EarlyStopping

CITIES = ("Oslo", "Rome", "Paris", "Berlin", "Quito", "Lima", "Delhi", "Osaka")
PLANS = ("free", "basic", "gold")
WORDS = ("fast", "slow", "kind", "rude", "cheap", "dear", "clean", "broken", "late", "early", "staff", "shop", "order")


def write_customers(path: Path, rows: int) -> None:
    """A made-up table: numbers with gaps and outliers, categories with gaps, dates, text, a number of each row."""
    rng = np.random.default_rng(0)
    age, income, visits = rng.normal(40, 12, rows), rng.lognormal(10, 0.5, rows), rng.poisson(4, rows)
    city, plan, content = rng.integers(0, 8, rows), rng.integers(0, 3, rows), rng.integers(0, 2, rows)
    score = 0.05 * (age - 40) + 1.2 * np.log(income / 22000) + 0.3 * (visits - 4)
    score += (city == 2) - 1.0 * (plan == 0) + 1.5 * (content - 0.5) + rng.normal(0, 1, rows)
    with path.open("w", newline="") as file:
        write = csv.writer(file).writerow
        write(
            ["customer_id", "age", "income", "visits", "city", "plan", "since", "comment", "country", "churn", "spend"]
        )
        for n in range(rows):
            slip = 1000 if rng.random() < 0.002 else 1
            words = [*rng.choice(WORDS, 6), *(("lovely", "excellent") if content[n] else ("awful", "terrible"))]
            write(
                [
                    n + 1,
                    "" if rng.random() < 0.05 else f"{age[n]:.1f}",
                    f"{income[n] * slip:.2f}",
                    int(visits[n]),
                    "" if rng.random() < 0.03 else CITIES[city[n]],
                    PLANS[plan[n]],
                    str(np.datetime64("2020-01-01") + int(rng.integers(1500))),
                    " ".join(words),
                    "NO",
                    "yes" if score[n] > 1.5 else "no",
                    f"{200 + 40 * score[n]:.2f}",
                ]
            )


def spreadsheet(rows: int) -> None:
    """Train on the table from the command line, ask all of it again, and compare with ONNX."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        table, model = folder / "customers.csv", folder / "model.safetensors"
        write_customers(table, rows)
        print(f"{rows:,} rows, {table.stat().st_size / 1e6:.1f} MB; seconds are those of the processor")
        for target, other in (("churn", "spend"), ("spend", "churn")):
            options = ["--target", target, "--column", f"{other}=ignore", "--output", str(model), "--json"]
            seconds, megabytes, out = _command("train", str(table), *options)
            print(f"train --target {target}: {seconds:.1f} s, {megabytes:.0f} MB, {json.loads(out)['test']}")
            seconds, megabytes, _ = _command("predict", str(model), str(table), "--output", str(folder / "answers.csv"))
            print(f"predict: {seconds:.1f} s, {megabytes:.0f} MB, as ONNX off by {_off_as_onnx(model, table):.1e}")


def _command(*arguments: str) -> tuple[float, float, str]:
    """Seconds of the processor, megabytes at most, and what was printed, of a process of its own."""
    with tempfile.TemporaryFile() as out:
        code = "from chainrule.cli import main; main()"
        where = [(os.POSIX_SPAWN_DUP2, out.fileno(), 1)]
        child = os.posix_spawn(sys.executable, [sys.executable, "-c", code, *arguments], os.environ, file_actions=where)
        _, status, usage = os.wait4(child, 0)
        if status != 0:
            raise SystemExit(f"chainrule {' '.join(arguments)} ended with {status}")
        out.seek(0)
        return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, out.read().decode()


def _off_as_onnx(model: Path, table: Path) -> float:
    """The largest difference between the answers of the network and of its ONNX model, by the largest answer."""
    import onnxruntime

    network = cr.load(model)
    x = TabularPreprocessor.from_dict(network.metadata["preprocessing"]).transform(read_csv(table))
    cr.export.to_onnx(network, model.with_suffix(".onnx"), preprocessing=False)
    theirs = onnxruntime.InferenceSession(model.with_suffix(".onnx")).run(None, {"x": x})[0]
    ours = network.predict(x)
    return float(np.abs(ours - theirs).max() / np.abs(ours).max())


SETTINGS: dict[str, dict[str, Any]] = {
    "twice the steps, no penalty": {"epochs": 2, "l2": None},
    "no penalty": {"epochs": 1, "l2": None},
    "early stopping": {"epochs": 4, "l2": None, "patience": 10},
    "l2 0.01": {"epochs": 1, "l2": 0.01},
    "l2 20/N": {"epochs": 1, "l2": "20/N"},
    "the defaults": {"epochs": 1, "l2": "default"},
}


def defaults(splits: int) -> None:
    """The score on the fifth that is held back (accuracy, or R²), mean over random splits, of some settings."""
    sets = _tables()
    print(f"{'':29}" + "".join(f"{name:>10}" for name in sets) + f"{'mean':>10}")
    for name, setting in SETTINGS.items():
        scores = [np.mean([_score(*found, setting, split) for split in range(splits)]) for found in sets.values()]
        print(f"{name:29}" + "".join(f"{score:10.4f}" for score in [*scores, np.mean(scores)]), flush=True)


def _tables() -> dict[str, tuple[Table, str, str]]:
    from sklearn import datasets

    found = {}
    for name in ("iris", "wine", "breast_cancer", "digits", "diabetes"):
        task = "regression" if name == "diabetes" else "classification"
        found[name[:8]] = as_table(getattr(datasets, f"load_{name}")(as_frame=True).frame), "target", task
    with tempfile.TemporaryDirectory() as place:
        for rows in (200, 2000, 12000):
            write_customers(Path(place) / "customers.csv", rows)
            table = read_csv(Path(place) / "customers.csv")
            found[f"churn {rows // 1000 or 0.2}k"] = table.without("spend"), "churn", "classification"
            if rows > 200:
                found[f"spend {rows // 1000}k"] = table.without("churn"), "spend", "regression"
    return found


def _score(table: Table, target: str, task: str, setting: dict[str, Any], split: int) -> float:
    goal = Target.fit(table, target, task)
    y, classes = goal.encode(table), goal.class_names
    test = held_back_by_class(y if classes else np.zeros(len(y)), 0.2, np.random.default_rng(split))
    inputs = table.without(target)
    preprocessor = TabularPreprocessor().fit(inputs.rows(~test))
    x = preprocessor.transform(inputs)
    scale = cr.data.Standardizer.fit(y[~test]) if classes is None else None
    learned = y if scale is None else scale.apply(y)
    data = DataSet("table", (x[~test], learned[~test]), (x[test], learned[test]), None, classes, "", "", "")
    network = _trained(data, defaults_for(data), setting, split)
    answers = network.predict(x[test])
    if classes is None:
        return r_squared(learned[test], answers)
    return float((decide(answers)[0] == y[test]).mean())


def _trained(data: DataSet, usual: Defaults, setting: dict[str, Any], seed: int) -> cr.Network:
    *hidden, outputs = [int(size) for size in usual.layers.split("-")[1:]]
    layers = [layer for size in hidden for layer in (cr.Linear(size, weights=cr.He()), cr.ReLU())]
    loss = (
        cr.SquaredError()
        if data.class_names is None
        else cr.BinaryCrossEntropy()
        if outputs == 1
        else cr.CrossEntropy()
    )
    network = cr.Network([*layers, cr.Linear(outputs)], loss, seed=seed)
    strength = {"default": usual.l2, "20/N": 20 / len(data.train[0])}.get(setting["l2"], setting["l2"])
    patience = setting.get("patience")
    cr.train(
        network,
        data.train,
        validation=0.1 if patience else None,
        callbacks=[EarlyStopping("validation_loss", patience=patience)] if patience else [],
        epochs=usual.epochs * setting["epochs"],
        batch_size=usual.batch_size,
        optimizer=cr.Adam(usual.learning_rate),
        schedule=None if patience else cr.OneCycle(),
        penalty=cr.L2(strength, per="none") if strength else None,
        seed=seed,
        progress=False,
    )
    return network


def main() -> None:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("spreadsheet", "defaults"))
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--splits", type=int, default=5)
    arguments = parser.parse_args()
    if arguments.what == "spreadsheet":
        spreadsheet(arguments.rows)
    else:
        defaults(arguments.splits)


if __name__ == "__main__":
    main()
