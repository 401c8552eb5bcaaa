"""Tables on the command line: from a spreadsheet to samples, and from a model file back to the same numbers."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np

from chainrule.arrays import Array
from chainrule.cli.folders import read_sounds
from chainrule.cli.images import Samples
from chainrule.cli.own import (
    OwnData,
    OwnTable,
    class_lines,
    class_names_of,
    digest_of,
    measured_set,
    own_data_set,
    test_rows,
)
from chainrule.configuration import JSON
from chainrule.data import DataSet, read_npy
from chainrule.data.pictures import files_below
from chainrule.errors import DataError, ModelFileError, SettingError
from chainrule.files import read_regular_file
from chainrule.network import Network
from chainrule.network.model_file import LONGEST_HEADER
from chainrule.tabular import Table, TabularPreprocessor, Target, as_table, read_csv, read_parquet
from chainrule.tabular.column import brief

LEAST_LEARNED = 50  # characters of any column
MOST_LEARNED = LONGEST_HEADER * 9 // 10  # characters; the network itself takes a few thousand
READERS = {".csv": read_csv, ".tsv": read_csv, ".txt": read_csv, ".parquet": read_parquet}


def is_table(path: Path) -> bool:
    """Whether a file's name says that it holds a table."""
    return path.suffix.lower() in READERS


def read_table(path: Path) -> OwnTable:
    """The table in a file, read as its name says; raises as `read_csv` and `read_parquet` do."""
    return OwnTable(READERS[path.suffix.lower()](path), digest_of(read_regular_file(path)))


def learn_table(own: OwnTable, *, target: str | None, task: str | None, kinds: dict[str, str]) -> OwnData:
    """A table as samples: its target told from its other columns, those turned into numbers.

    Args:
        own: the table, and what its file says of it.
        target: the column to predict.
        task: "classification" or "regression"; None for what the target looks like.
        kinds: of columns whose kind shall not be inferred.

    Raises:
        SettingError: no target is named, or a column that there is not.
        DataError: the target or a column cannot be understood, or there are too few rows.

    """
    table = own.table
    for name in kinds:
        if name not in table.columns or name == target:
            others = ", ".join(other for other in table.columns if other != target)
            raise SettingError(f"--column {name}: there is no such column to learn from; there are {others}")
    if target is None:
        raise SettingError(f"--target: say which column is to be predicted; there are {', '.join(table.columns)}")
    _check_length(len(table.columns) * LEAST_LEARNED, table)
    goal = Target.fit(table, target, task)
    known = goal.known(table)
    rows = table.rows(known)
    y = goal.encode(rows)
    held_back = test_rows(y, goal.class_names is not None) if own.test is None else own.test[known]
    inputs = rows.without(target)
    preprocessor = TabularPreprocessor(kinds).fit(inputs.rows(~held_back))
    described = preprocessor.to_dict()
    _check_length(len(json.dumps(json.dumps(described))), table)  # it stands there as a text inside a text
    x = preprocessor.transform(inputs)
    samples = own_data_set(table.source, (x[~held_back], y[~held_back]), (x[held_back], y[held_back]), goal.class_names)
    metadata: dict[str, JSON] = {"preprocessing": described, "target": goal.name, "sha256": own.sha256}
    lines = [*_table_lines(table, len(rows), goal.name), "", str(preprocessor), "", *_target_lines(goal, y)]
    return OwnData(samples, metadata, tuple(lines))


def _check_length(length: int, table: Table) -> None:
    """Raise a DataError where a model file could not hold what is learned of the columns, in so many characters."""
    if length > MOST_LEARNED:
        raise DataError(
            f"{table.source}: what is learned of {len(table.columns):,} columns takes {length:,} characters; a model "
            f"file has room for {MOST_LEARNED:,}. Leave columns out with --column NAME=ignore"
        )


def _table_lines(table: Table, kept: int, target: str) -> list[str]:
    lines = [f"{table.source}: {len(table):,} rows, {len(table.columns)} columns."]
    lines += [f"{note[0].upper()}{note[1:]}." for note in table.notes]
    if kept < len(table):
        lines.append(f"{len(table) - kept:,} rows have no {target!r} and are left out.")
    return lines


def _target_lines(goal: Target, y: Array) -> list[str]:
    if goal.class_names is not None:
        first, *others = class_lines(y, goal.class_names)
        return [f"To predict: {goal.name!r}, {first}", *others]
    mean, least, most = (brief(float(value)) for value in (y.mean(dtype=np.float64), y.min(), y.max()))
    return [f"To predict: {goal.name!r}, a number: mean {mean}, from {least} to {most}."]


def test_of_table(network: Network, preprocessor: TabularPreprocessor, own: OwnTable) -> DataSet:
    """The rows to measure a network on, see `read_test`.

    Raises:
        DataError: a column is missing, or a cell cannot be read.
        ModelFileError: the model does not say what it predicts.

    """
    name, table = network.metadata.get("target"), own.table
    if not isinstance(name, str):
        raise ModelFileError("the model does not say which column it predicts; train it again")
    goal = Target(name, class_names_of(network))
    if goal.name not in table.columns:
        raise DataError(f"{table.source}: there is no column {goal.name!r}, with which to compare what is predicted")
    known = goal.known(table)
    if own.test is not None:
        known &= own.test
    rows = table.rows(known)
    if len(rows) == 0:
        raise DataError(f"{table.source}: column {goal.name!r} is empty; there is nothing to compare with")
    y = goal.encode(rows)
    same = own.sha256 == network.metadata.get("sha256")
    if own.test is None and same:
        test = test_rows(y, goal.class_names is not None)
        rows, y = rows.rows(test), y[test]
    return measured_set(table.source, (preprocessor.transform(rows), y), same or own.test is not None, goal.class_names)


def read_new_rows(network: Network, preprocessor: TabularPreprocessor, path: Path) -> Samples:
    """The rows of a table, of an .npy file or of sounds, as a network takes them, and what was new in them.

    The column to be predicted may be there; it is not looked at.

    Raises:
        DataError: a column is missing, or a cell cannot be read.

    """
    if path.is_dir() or path.suffix.lower() == ".wav":
        files = files_below(path) if path.is_dir() else [path]
        names = tuple(str(file.relative_to(path)) for file in files) if path.is_dir() else None
        return Samples(preprocessor.transform(read_sounds(files)), (), names)
    if is_table(path):
        table = read_table(path).table
        target = network.metadata.get("target")
        if target in table.columns and len(table.columns) > 1:
            table = table.without(str(target))
        return Samples(preprocessor.transform(table), (*table.notes, *preprocessor.remarks(table)))
    return Samples(preprocessor.transform(as_table(read_npy(read_regular_file(path), str(path)))))


def predictions_csv(
    answers: Array, classes: Array | None, names: list[str] | None, rows: tuple[str, ...] | None
) -> str:
    """One line for each row: what is predicted, how surely, and the probability of each class.

    Args:
        answers: (N, K), one column per class, or the values predicted.
        classes: those decided on (N,); None where numbers are predicted.
        names: of the classes; None where numbers are predicted.
        rows: what to call each row, in a first column; None for no such column.

    """
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n").writerow
    before = [] if rows is None else ["file"]
    if names is None or classes is None:
        values = answers.reshape(len(answers), -1)
        several = [f"prediction {k}" for k in range(values.shape[1])] if values.shape[1] > 1 else ["prediction"]
        write([*before, *several])
        lines = [[f"{value:.7g}" for value in row] for row in values.tolist()]
    else:
        write([*before, "prediction", "probability", *(f"p({name})" for name in names)])
        sure = answers[np.arange(len(answers)), classes]
        lines = [
            [names[k], f"{p:.6f}", *(f"{value:.6f}" for value in row)]
            for k, p, row in zip(classes.tolist(), sure.tolist(), answers.tolist(), strict=True)
        ]
    for n, line in enumerate(lines):
        write([*([] if rows is None else [rows[n]]), *line])
    return out.getvalue()
