"""Reading CSV and Parquet files as they are found in the wild."""

import numpy as np
import pytest

from chainrule.errors import DataError, DataTypeError, MissingExtraError
from chainrule.tabular import TabularPreprocessor, csv_file, read_csv, read_parquet
from chainrule.tabular import memory as memory_module


def table(tmp_path, content):
    path = tmp_path / "data.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_csv(path)


def cells(found):
    return {name: column.tolist() for name, column in found.columns.items()}


def test_columns_are_named_by_the_first_line(tmp_path):
    found = table(tmp_path, "a,b\n1,x\n2,y\n")
    assert cells(found) == {"a": ["1", "2"], "b": ["x", "y"]}
    assert found.lines.tolist() == [2, 3]
    assert len(found) == 2
    assert found.notes == ()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(tmp_path, delimiter):
    found = table(tmp_path, f'"a,;|x"{delimiter}b\n1{delimiter}2\n')
    assert cells(found) == {"a,;|x": ["1"], "b": ["2"]}


def test_a_single_column_is_a_table(tmp_path):
    assert cells(table(tmp_path, "a\n1\n\n2\n")) == {"a": ["1", "2"]}


def test_a_long_first_line_is_read(tmp_path):
    assert (
        len(table(tmp_path, ";".join(f"column{n}" for n in range(20_000)) + "\n" + "1;" * 19_999 + "1").columns)
        == 20_000
    )


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_in_any_manner(tmp_path, end):
    assert cells(table(tmp_path, end.join(["a,b", "1,2", "3,4"]))) == {"a": ["1", "3"], "b": ["2", "4"]}


def test_quoted_cells_hold_delimiters_quotes_and_line_breaks(tmp_path):
    found = table(tmp_path, 'a,b\n"1,5","he said ""no"""\n"two\nlines",x\n7,"y"\n')
    assert cells(found) == {"a": ["1,5", "two\nlines", "7"], "b": ['he said "no"', "x", "y"]}
    assert found.lines.tolist() == [2, 3, 5]


def test_spaces_around_cells_and_empty_lines_do_not_count(tmp_path):
    assert cells(table(tmp_path, '\n a , "b"\n\n 1 , "x y" \n\n'.replace('" \n', '"\n'))) == {"a": ["1"], "b": ["x y"]}


def test_gaps_are_known_in_all_their_spellings(tmp_path):
    found = table(tmp_path, "a,b\n,NA\nNaN,null\nNone,?\n-,#N/A\nn/a,0\n")
    assert cells(found) == {"a": [""] * 5, "b": ["", "", "", "", "0"]}


def test_commas_are_decimal_points_where_semicolons_separate(tmp_path):
    found = table(tmp_path, "a;b\n1,5;x,y\n-2,25e3;1,2,3\n")
    assert cells(found) == {"a": ["1.5", "-2.25e3"], "b": ["x,y", "1,2,3"]}
    assert "commas in numbers are read as decimal points" in found.notes


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be-bom"])
def test_unicode_is_read_with_and_without_its_mark(tmp_path, encoding):
    text = "naïve,b\nété,1\n"
    content = b"\xfe\xff" + text.encode("utf-16-be") if encoding == "utf-16-be-bom" else text.encode(encoding)
    found = table(tmp_path, content)
    assert cells(found) == {"naïve": ["été"], "b": ["1"]}
    assert found.notes == ()


def test_another_encoding_is_guessed_and_said_so(tmp_path):
    found = table(tmp_path, "a,b\n1,2\ncaf\xe9,\x80\n".encode("latin-1"))
    assert cells(found) == {"a": ["1", "café"], "b": ["2", "€"]}
    assert found.notes == ("not UTF-8 from line 3 on; read as Windows-1252",)


def test_a_column_without_a_name_is_called_after_its_place(tmp_path):
    assert list(table(tmp_path, "\tb\n0\tx\n").columns) == ["column 1", "b"]
    found = table(tmp_path, ",b\n0,x\n1,y\n")
    assert list(found.columns) == ["column 1", "b"]
    assert TabularPreprocessor().fit(found).columns[0].kind == "ignore"  # pandas' index


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the file is empty"),
        ("\n \n", "the file is empty"),
        ("a,b\n", r"there are no rows below the names of the columns \(a, b\)"),
        ("a,b,a\n1,2,3\n", "line 1: columns 1 and 3 are both called 'a'"),
        ("\na,a\n1,2\n", "line 2: columns 1 and 2 are both called 'a'"),
        ("a,b,c\n1,2,3\n\n4,5\n", "line 4: expected 3 cells as on the first line, got 2; column 'c' and what follows"),
        ("a,b\n1,2\n3,4,x\n", "line 3: expected 2 cells as on the first line, got 3; 'x' stands after the last column"),
        ('a,b\n1,"2\n3,4\n5,6\n', "line 2: a quote is opened and not closed"),
        ('a,b\n1,"2"x\n', "line 2: damaged"),
        ("a,b\n1," + "x" * 200_000, r"line 2: damaged \(field larger than field limit"),
        (b"PK\x03\x04rest", "a zip archive"),
        (b"\x1f\x8brest", "a gzip archive"),
        (b"PAR1rest", "a Parquet file"),
        (b"a,b\n1,\x00\n", "binary data"),
        (b"\xff\xfea", "begins like UTF-16 text, but is damaged"),
    ],
)
def test_what_cannot_be_understood_is_named(tmp_path, content, message):
    with pytest.raises(DataError, match=message) as caught:
        table(tmp_path, content)
    assert str(caught.value).startswith(f"{tmp_path}/data.csv")


def test_a_cell_that_is_no_number_is_named_by_line_and_column(tmp_path):
    rows = "".join(f"c{n % 3},{n % 5}\n" for n in range(30))
    found = table(tmp_path, f'name,n\n"two\nlines",1\n{rows}last,many\n')
    with pytest.raises(DataError, match=r"data\.csv, line 34, column 'n': 'many' is not a number, but the other 31"):
        TabularPreprocessor().fit(found)


def test_a_table_too_large_is_refused_before_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(memory_module, "_free_bytes", lambda: 100)
    with pytest.raises(MemoryError, match=r"data\.csv: the table would take .* GB of memory"):
        table(tmp_path, "a,b\n" + "1,2\n" * 100)


def test_ten_million_columns_are_refused_before_they_are_read(tmp_path):
    with pytest.raises(DataError, match=r"data\.csv: the first line names 10,000,001 columns; a table has 100,000 at"):
        table(tmp_path, b"," * 10_000_000 + b"\n")


def test_a_file_longer_than_what_is_turned_into_columns_at_a_time_is_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_file, "CHUNK", 7)
    found = table(tmp_path, "a,b\n" + "".join(f"{n},x{n}\n" for n in range(25)))
    assert found.columns["a"].tolist() == [str(n) for n in range(25)]
    assert found.lines.tolist() == list(range(2, 27))


@pytest.fixture
def pyarrow():
    pytest.importorskip("pyarrow")
    import pyarrow as pa
    import pyarrow.parquet as pq

    return pa, pq


def test_a_parquet_file_is_the_table_of_the_csv_file(tmp_path, pyarrow):
    import pandas as pd

    frame = pd.DataFrame(
        {
            "n": [1, 2, None, 4] * 5,
            "whole": [1, 2, 3, 4] * 5,
            "c": pd.Categorical(["x", "y", None, "x"] * 5),
            "yes": [True, False, True, None] * 5,
            "d": pd.date_range("2024-01-01", periods=20),
        }
    )
    frame.to_parquet(tmp_path / "data.parquet")
    frame.to_csv(tmp_path / "data.csv", index=False)
    ours, theirs = read_parquet(tmp_path / "data.parquet"), read_csv(tmp_path / "data.csv")
    preprocessor = TabularPreprocessor().fit(theirs)
    assert [column.kind for column in preprocessor.columns] == ["number", "number", "category", "category", "date"]
    np.testing.assert_array_equal(preprocessor.transform(ours), preprocessor.transform(theirs))


def test_what_is_no_parquet_file_is_refused(tmp_path, pyarrow):
    pa, pq = pyarrow
    path = tmp_path / "data.parquet"
    path.write_bytes(b"PAR1 and nothing")
    with pytest.raises(DataError, match="not a Parquet file, or a damaged one"):
        read_parquet(path)
    pq.write_table(pa.table({"a": pa.array([], pa.int64())}), path)
    with pytest.raises(DataError, match="there are no rows"):
        read_parquet(path)
    pq.write_table(pa.table([[1], [2]], names=["a", "a"]), path)
    with pytest.raises(DataError, match="two columns are called 'a'"):
        read_parquet(path)
    pq.write_table(pa.table({"a": [[1, 2]]}), path)
    with pytest.raises(DataTypeError, match="column 'a'"):
        read_parquet(path)


def test_without_pyarrow_the_error_names_the_extra(tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"chainrule\[parquet\]"):
        read_parquet(tmp_path / "data.parquet")
