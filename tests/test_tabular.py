"""TabularPreprocessor: what it decides, the numbers it makes, what it says, and what it refuses."""

import json
import math
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chainrule as cr
from chainrule.errors import DataError, DataTypeError, ModelFileError, NotBuiltError, SettingError, ShapeError
from chainrule.tabular import TabularPreprocessor, Target, as_table
from chainrule.tabular import memory as memory_module

TABLE = {
    "id": list(range(1, 41)),
    "age": [None if n == 3 else 30 + n % 7 for n in range(40)],
    "income": [1e9 if n == 5 else 1000 + 13 * (n % 11) for n in range(40)],
    "city": ["" if n == 8 else ["Oslo", "Rome", "Lima"][n % 3] for n in range(40)],
    "member": [n % 2 == 0 for n in range(40)],
    "since": [f"2024-{1 + n % 12:02}-17" for n in range(40)],
    "remark": [f"order {n} came {'late and broken' if n % 2 else 'early and whole'}" for n in range(40)],
    "country": ["NO"] * 40,
    "spare": [None] * 40,
    "name": [f"customer{n}" for n in range(40)],
}


def fitted(table=TABLE, **kinds):
    return TabularPreprocessor(kinds).fit(table)


def kinds_of(preprocessor):
    return {column.name: column.kind for column in preprocessor.columns}


def feature(preprocessor, table, name):
    return preprocessor.transform(table)[:, preprocessor.feature_names.index(name)]


# What it decides


def test_kinds_are_inferred():
    assert kinds_of(fitted()) == {
        "id": "ignore",
        "age": "number",
        "income": "number",
        "city": "category",
        "member": "category",
        "since": "date",
        "remark": "text",
        "country": "ignore",
        "spare": "ignore",
        "name": "ignore",
    }


def test_what_was_decided_is_a_line_for_each_column():
    lines = str(fitted()).splitlines()
    assert [line.split()[0] for line in lines] == list(TABLE)
    assert lines[0] == "id       ignore    -  numbers the rows"
    assert "1 gap filled with the median 33 and marked" in lines[1]
    assert "1 outlier beyond" in lines[2]
    assert "3 values: 'Oslo', 'Rome', 'Lima'; 1 gap marked" in lines[3]
    assert "around 2024-06-17: days, and where in the year, week" in lines[5]
    assert "7 words, TF-IDF: and, came, order" in lines[6]  # numbers of orders stand once each
    assert lines[7].endswith("always 'NO'")
    assert lines[8].endswith("empty")
    assert lines[9].endswith("nearly every row has another value, such as 'customer0'")


def test_a_kind_that_is_given_is_taken():
    assert kinds_of(fitted(age="category", name="category", city="ignore"))["age"] == "category"
    assert "age = 31" in fitted(age="category").feature_names
    assert not [name for name in fitted(city="ignore").feature_names if name.startswith("city")]


@pytest.mark.parametrize(
    ("name", "kind"), [("id", "ignore"), ("x_id", "ignore"), ("PassengerId", "ignore"), ("paid", "number")]
)
def test_a_column_that_numbers_the_rows_is_known_by_its_name_too(name, kind):
    assert kinds_of(fitted({name: list(range(30)), "b": [n % 5 for n in range(30)]}))[name] == kind


def test_mixed_columns_are_categories():
    tickets = [str(1000 + n % 20) if n % 2 else f"A/{n % 20}" for n in range(60)]
    assert kinds_of(fitted({"ticket": tickets})) == {"ticket": "category"}


def test_few_cells_of_another_kind_are_slips_that_are_named():
    with pytest.raises(DataError, match=r"row 4, column 'a': 'twelve' is not a number, but the other 29 cells are"):
        fitted({"a": ["twelve" if n == 4 else n for n in range(30)]})


# The numbers it makes


def test_numbers_are_filled_clipped_and_standardized():
    x = np.array([1.0, 2.0, np.nan, 3.0, 4.0, 1000.0] + [2.5] * 2 + [2.0, 3.0] * 20)
    preprocessor = fitted({"x": x})
    (column,) = preprocessor.columns
    assert (column.median, column.low, column.high) == (2.5, -1.0, 6.0)  # quartiles 2 and 3
    seen = np.where(np.isnan(x), 2.5, np.minimum(x, 6.0))
    expected = (seen - seen.mean()) / seen.std()
    np.testing.assert_allclose(feature(preprocessor, {"x": x}, "x"), expected, rtol=1e-6)
    np.testing.assert_array_equal(feature(preprocessor, {"x": x}, "x (missing)"), np.isnan(x))
    assert (column.gaps, column.outliers) == (1, 1)


def test_a_long_tail_is_no_outlier_and_half_equal_values_clip_nothing():
    tail = np.random.default_rng(0).lognormal(0, 2, 1000)
    (column,) = fitted({"tail": tail}).columns
    assert column.outliers <= 10
    flags = np.zeros(1000)
    flags[:3] = 1
    assert fitted({"flag": flags}).columns[0].outliers == 0


def test_categories_become_ones_among_zeros():
    preprocessor = fitted({"c": ["a", "b", "a", None]})
    assert preprocessor.feature_names == ["c = a", "c = b", "c = (missing)"]
    np.testing.assert_array_equal(preprocessor.transform({"c": ["b", "", "new"]}), [[0, 1, 0], [0, 0, 1], [0, 0, 0]])


def test_rare_categories_count_as_one_and_so_do_new_ones():
    cells = [f"c{n % 60}" for n in range(300)] + ["c0"] * 5
    preprocessor = fitted({"c": cells})
    assert len(preprocessor.feature_names) == 51
    assert preprocessor.transform({"c": ["new", "c0"]})[:, -1].tolist() == [1, 0]


def test_dates_lie_on_circles():
    preprocessor = fitted({"d": ["2023-12-31", "2024-01-01", "2024-07-01", None] * 5})
    x = preprocessor.transform({"d": ["2023-12-31", "2024-01-01", "2024-07-01", ""]})
    names = preprocessor.feature_names
    year = x[:, [names.index("d (sine of the year)"), names.index("d (cosine of the year)")]]
    assert np.linalg.norm(year[0] - year[1]) < 0.02
    assert np.linalg.norm(year[0] - year[2]) > 1.9
    assert x[:, -1].tolist() == [0, 0, 0, 1]
    assert "d (sine of the day)" not in names


def test_times_of_day_are_seen_and_zones_are_understood():
    preprocessor = fitted({"t": ["2024-01-01 06:00", "2024-01-02T18:30:00", "2024-01-02 00:00:00Z"] * 5})
    assert "t (sine of the day)" in preprocessor.feature_names
    x = preprocessor.transform({"t": ["2024-01-01 12:00:00+02:00", "2024-01-01 10:00"]})
    np.testing.assert_array_equal(x[0], x[1])


# Against scikit-learn, which nobody here wrote


def test_numbers_are_those_of_scikit_learn():
    sklearn = pytest.importorskip("sklearn.pipeline")
    from sklearn.impute import SimpleImputer
    from sklearn.preprocessing import StandardScaler

    x = np.random.default_rng(1).normal(5, 3, (200, 1))
    x[::17] = np.nan
    theirs = sklearn.make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    expected = theirs.fit_transform(x)
    ours = fitted(x).transform(x)
    np.testing.assert_allclose(ours[:, 0], expected[:, 0], rtol=2e-6, atol=1e-7)
    np.testing.assert_array_equal(ours[:, 1], np.isnan(x[:, 0]))


def test_text_is_that_of_scikit_learn():
    text = pytest.importorskip("sklearn.feature_extraction.text")
    rng = np.random.default_rng(2)
    words = ["Naïve", "sold", "SOLD", "x", "co-op", "été", "don't", "42", "again"]
    cells = [" ".join(rng.choice(words, 8)) for _ in range(50)]
    preprocessor = fitted({"t": cells}, t="text")
    theirs = text.TfidfVectorizer(vocabulary=list(preprocessor.columns[0].words)).fit(cells)
    new = [*cells[:10], "nothing known here", ""]
    np.testing.assert_allclose(
        preprocessor.transform({"t": new}), theirs.transform(new).toarray(), rtol=1e-6, atol=1e-7
    )


def test_categories_are_those_of_scikit_learn():
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    cells = np.random.default_rng(3).choice(["a", "b", "c", "d"], 60)
    preprocessor = fitted({"c": list(cells)})
    order = [name.removeprefix("c = ") for name in preprocessor.feature_names]
    theirs = preprocessing.OneHotEncoder(categories=[order], sparse_output=False).fit_transform(cells[:, None])
    np.testing.assert_array_equal(preprocessor.transform({"c": list(cells)}), theirs)


# Tables of all kinds


def test_a_table_is_the_same_from_wherever_it_comes():
    rows = {"a": [1.5, 2, None, 4] * 5, "b": ["x", None, "y", "x"] * 5, "c": [True, False, True, True] * 5}
    frame = pd.DataFrame(rows)
    preprocessor = fitted(rows)
    expected = preprocessor.transform(rows)
    assert expected.dtype == np.float32
    for table in (
        frame,
        frame.astype({"a": "Float64", "b": "category", "c": "boolean"}),
        frame.astype({"a": "float32", "b": "string"}),
        as_table(rows),
        {name: np.array(cells, object) for name, cells in rows.items()},
    ):
        np.testing.assert_array_equal(preprocessor.transform(table), expected)
        assert preprocessor.to_dict() == fitted(table).to_dict()


def test_dates_of_pandas_are_dates():
    frame = pd.DataFrame({"d": pd.date_range("2024-01-01", periods=30, freq="7h")})
    assert kinds_of(fitted(frame)) == {"d": "date"}


def test_arrays_are_tables_with_numbered_columns():
    x = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float16)
    preprocessor = fitted(x)
    assert preprocessor.feature_names == ["x0", "x1", "x2"]
    np.testing.assert_array_equal(preprocessor.transform(x), preprocessor.transform(x.astype(np.float64)))


@pytest.mark.parametrize(
    ("table", "error", "message"),
    [
        (np.ones((3, 2), complex), DataTypeError, "complex numbers"),
        (np.array([["a", "b"]]), DataTypeError, "expected numbers, got text"),
        (np.ma.ones((3, 2)), DataTypeError, "masked arrays"),
        ({"a": np.ma.ones(3)}, DataTypeError, "column 'a': masked arrays"),
        ({"a": [1j, 2]}, DataTypeError, "column 'a': expected numbers, text, dates, True or False, got complex"),
        ({"a": [[1, 2], [3]]}, DataTypeError, "got list"),
        (np.ones(3), ShapeError, r"expected rows and columns \(N, I\)"),
        ({"a": [1, 2], "b": [1]}, ShapeError, "column 'a' has 2 cells, column 'b' 1"),
        ({}, ShapeError, "at least one column"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), DataError, "two columns are called 'a'"),
        ({"a": []}, DataError, "at least one row"),
        ({"a": [1.0, math.inf, 2.0]}, DataError, "row 1, column 'a': 'inf' is not finite"),
        ({"a": [1e300, -1e300, 0, 5]}, DataError, "its square overflows"),
        ({"a": [1, 1], "b": ["x", "x"]}, DataError, r"no column to learn from: 'a' \(always '1'\), 'b' \(always 'x'\)"),
    ],
)
def test_what_is_no_table_is_refused(table, error, message):
    with pytest.raises(error, match=message):
        fitted(table)


def test_a_kind_that_cannot_be_is_refused():
    with pytest.raises(
        SettingError, match="kinds: age: expected one of number, category, text, date, ignore, got 'age'"
    ):
        TabularPreprocessor({"age": "age"})
    with pytest.raises(SettingError, match="there is no column 'aeg'"):
        fitted(aeg="number")
    with pytest.raises(DataError, match="row 0, column 'city': 'Oslo' is not a number"):
        fitted(city="number")
    with pytest.raises(DataError, match="row 0, column 'city': 'Oslo' is not a date such as 2024-03-31"):
        fitted(city="date")


# New rows


def test_columns_are_found_by_their_names_in_any_order_and_others_are_left_alone():
    preprocessor = fitted()
    shuffled = {name: TABLE[name] for name in sorted(TABLE, reverse=True)} | {"more": list(range(40))}
    np.testing.assert_array_equal(preprocessor.transform(shuffled), preprocessor.transform(TABLE))
    assert "not used: 'more'" in preprocessor.remarks(shuffled)


def test_columns_that_were_ignored_may_be_missing_and_no_others():
    preprocessor = fitted()
    needed = {name: cells for name, cells in TABLE.items() if name not in ("id", "country", "spare", "name")}
    np.testing.assert_array_equal(preprocessor.transform(needed), preprocessor.transform(TABLE))
    with pytest.raises(DataError, match="table: 2 columns missing: 'age', 'city'; there are 'income'"):
        preprocessor.transform({name: needed[name] for name in ("income", "member", "since", "remark")})


def test_what_training_had_not_is_told():
    preprocessor = fitted({"n": [1, 2, 3, 4] * 10, "c": ["a", "b"] * 20})
    remarks = preprocessor.remarks({"n": [None, 2, 99], "c": ["a", "z", "z"]})
    assert remarks == [
        "column 'n': 1 gap filled with the median 2.5; training had none; 1 value beyond -2.75 … 7.75 clipped",
        "column 'c': 2 rows with a value not met in training ('z'), taken for none of those known",
    ]
    assert preprocessor.remarks({"n": [1], "c": ["b"]}) == []


def test_text_where_numbers_were_learned_is_named_by_row_and_column():
    with pytest.raises(DataError, match="row 1, column 'n': 'two' is not a number"):
        fitted({"n": [1, 2, 3]}).transform({"n": ["1", "two"]})


def test_a_preprocessor_that_has_learned_nothing_says_so():
    with pytest.raises(NotBuiltError, match="call fit"):
        TabularPreprocessor().transform(TABLE)


def test_the_size_is_looked_at_before_memory_is_asked_for(monkeypatch):
    preprocessor = fitted()
    monkeypatch.setattr(memory_module, "_free_bytes", lambda: 1000)
    with pytest.raises(MemoryError, match=r"40 rows as numbers would take .* GB of memory"):
        preprocessor.transform(TABLE)


def test_ten_million_columns_are_refused_by_their_size(monkeypatch):
    monkeypatch.setattr(memory_module, "_free_bytes", lambda: 8_000_000_000)
    with pytest.raises(MemoryError, match=r"the table would take 10\.\d GB of memory; 8\.0 GB are free"):
        as_table(np.broadcast_to(np.float32(0), (2, 10_000_000)))


# In a model file


def test_it_is_saved_in_the_model_file_and_gives_the_same_bits(tmp_path):
    preprocessor = fitted()
    x = preprocessor.transform(TABLE)
    network = cr.Network([cr.Linear(2)], cr.CrossEntropy(), metadata={"preprocessing": preprocessor.to_dict()})
    network.build(x.shape[1:]).save(tmp_path / "model")
    loaded = cr.load(tmp_path / "model")
    again = TabularPreprocessor.from_dict(loaded.metadata["preprocessing"])
    assert again.transform(TABLE).tobytes() == x.tobytes()
    assert str(again) == str(preprocessor)
    np.testing.assert_array_equal(loaded.predict(again.transform(TABLE)), network.predict(x))


def test_names_and_values_full_of_brackets_and_quotes_are_saved_and_loaded(tmp_path):
    cells = [f'[{{"\\{n % 45}' for n in range(200)]
    preprocessor = fitted({'[{"': cells})
    network = cr.Network([cr.Linear(2)], cr.CrossEntropy(), metadata={"preprocessing": preprocessor.to_dict()})
    network.build((len(preprocessor.feature_names),)).save(tmp_path / "model")
    assert cr.load(tmp_path / "model").metadata["preprocessing"] == preprocessor.to_dict()


def test_a_prediction_needs_neither_pandas_nor_scikit_learn(tmp_path):
    (tmp_path / "table.csv").write_text("a,b\n1,x\n2,y\n3,x\n")
    code = (
        "import sys, json\n"
        "for name in ('pandas', 'sklearn', 'scipy', 'pyarrow'): sys.modules[name] = None\n"
        "import chainrule as cr\n"
        "table = cr.tabular.read_csv('table.csv')\n"
        "made = cr.tabular.TabularPreprocessor().fit(table)\n"
        "again = cr.tabular.TabularPreprocessor.from_dict(json.loads(json.dumps(made.to_dict())))\n"
        "print(again.transform(table).shape)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "(3, 3)\n"


def changed(path, value):
    """The description of a small preprocessor with one place changed."""
    content = json.loads(json.dumps(fitted({"n": [1, 2, 3, None], "c": ["a", "b", "a", "b"]}).to_dict()))
    place = content
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return content


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "expected a format and columns, got None"),
        ([], "expected a format and columns"),
        ({"format": 1}, "expected a format and columns"),
        (changed(["format"], 2), "format 2; this program reads 1"),
        (changed(["columns"], {}), "format 1"),
        (changed(["columns"], []), "none has a feature"),
        (changed(["columns", 0], None), "expected the description of a Column"),
        (changed(["columns", 0, "class"], "Linear"), "'Linear' is not the name of a known Column"),
        (changed(["columns", 0], {"class": "Column", "name": "n"}), "abstract"),
        (changed(["columns", 0, "class"], "os.system"), "not the name of a known Column"),
        (changed(["columns", 0, "extra"], 1), "NumericColumn has no setting 'extra'"),
        (changed(["columns", 0, "name"], 7), "name: expected text, got 7"),
        (changed(["columns", 0, "name"], "c"), "two columns have one name"),
        (changed(["columns", 0, "deviation"], 0), "n: deviation: expected a number above 0"),
        (changed(["columns", 0, "mean"], "1"), "n: mean: expected a finite number"),
        (changed(["columns", 0, "mean"], 10**400), "n: mean: expected a finite number"),
        (changed(["columns", 0, "median"], math.nan), "n: median: expected a finite number"),
        (changed(["columns", 0, "low"], 9), "low 9 is above high"),
        (changed(["columns", 0, "gaps"], -1), "n: gaps: expected a whole number"),
        (changed(["columns", 1, "values"], "ab"), "c: values: expected texts"),
        (changed(["columns", 1, "values"], ["a", "a"]), "twice"),
        (changed(["columns", 1, "values"], [{"class": "Tanh"}]), "c: values: expected texts"),
        (changed(["columns", 1, "other"], 1), "c: other: expected True or False"),
        (
            changed(["columns", 1], {"class": "TextColumn", "name": "t", "words": ["a"], "idf": []}),
            "one number for each",
        ),
        (changed(["columns", 1], {"class": "IgnoredColumn", "name": "t", "reason": 1}), "reason: expected text"),
    ],
)
def test_a_description_that_was_tampered_with_is_refused(content, message):
    with pytest.raises(ModelFileError, match=message):
        TabularPreprocessor.from_dict(content)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(["name", "median", "low", "high", "mean", "deviation", "gaps", "outliers"]), JUNK)
def test_whatever_stands_in_a_description_it_loads_or_is_refused(key, value):
    try:
        found = TabularPreprocessor.from_dict(changed(["columns", 0, key], value))
    except ModelFileError:
        return
    found.transform({column.name: ["1", "2"] for column in found.columns})


CELLS = st.none() | st.text(max_size=6) | st.integers(-5, 5) | st.floats(-9, 9) | st.booleans()


@given(st.lists(CELLS, min_size=1, max_size=30), st.lists(CELLS, min_size=1, max_size=10))
def test_any_column_is_understood_or_refused_and_saved_as_it_is(cells, new):
    try:
        preprocessor = fitted({"a": cells, "b": list(range(len(cells))), "c": [n * n for n in range(len(cells))]})
    except DataError:
        return
    again = TabularPreprocessor.from_dict(json.loads(json.dumps(preprocessor.to_dict())))
    table = {"a": new, "b": [0] * len(new), "c": [0] * len(new)}
    try:
        x = preprocessor.transform(table)
    except DataError:
        return
    assert np.isfinite(x).all()
    assert again.transform(table).tobytes() == x.tobytes()


# The target


@pytest.mark.parametrize(
    ("cells", "class_names"),
    [
        (["yes", "no"] * 5, ("no", "yes")),
        ([0, 1] * 5, ("0", "1")),
        ([1.0, 0.0, 1.0, 0.0], ("0", "1")),
        (["10", "9", "9.0", "10"] * 3, ("9", "10")),
        ([3, 4, 5, 6, 7] * 5, ("3", "4", "5", "6", "7")),
        ([True, False, True], ("False", "True")),
        (list(range(30)), None),
        ([1.5, 2.5] * 20, None),
        ([2, 4, 6, 8, 10], None),
        (["4", "yes", "no", "4"] * 5, ("4", "no", "yes")),
    ],
)
def test_classes_and_numbers_are_told_apart(cells, class_names):
    assert Target.fit(as_table({"y": cells}), "y").class_names == class_names


def test_the_task_can_be_given():
    table = as_table({"y": [3, 4, 5] * 20})
    assert Target.fit(table, "y", "regression").class_names is None
    assert Target.fit(as_table({"y": [1.5, 2.5] * 20}), "y", "classification").class_names == ("1.5", "2.5")
    with pytest.raises(SettingError, match="task: expected one of classification, regression"):
        Target.fit(table, "y", "clustering")


def test_targets_are_encoded_as_a_network_takes_them():
    table = as_table({"y": ["b", "a", None, "b"], "z": [1, 2, 3, 4]})
    goal = Target.fit(table, "y")
    assert goal.known(table).tolist() == [True, True, False, True]
    assert goal.encode(table.rows(goal.known(table))).tolist() == [1, 0, 1]
    numbers = Target("z", None).encode(table)
    assert (numbers.shape, numbers.dtype) == ((4, 1), np.float32)
    with pytest.raises(DataError, match="row 2, column 'y': '' is none of the classes a, b"):
        goal.encode(table)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ([1, 1, 1], "column 'y' is always '1'; there is nothing to learn"),
        ([None, None], "column 'y' is empty; there is nothing to learn"),
        (["a", "b", "c", "d"], "4 different values in 4 rows; too many for classes"),
        ([1.5, 2.5, "x", 4.5], "row 2, column 'y': 'x' is not a number"),
        ([1.5, 2.5, math.inf], "row 2, column 'y': 'inf' is not finite"),
    ],
)
def test_a_target_that_cannot_be_learned_is_refused(cells, message):
    with pytest.raises(DataError, match=message):
        Target.fit(as_table({"y": cells}), "y")
