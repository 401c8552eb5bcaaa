"""Spreadsheets: columns of any kind become numbers for a network, and what was decided is told."""

from chainrule.tabular.csv_file import read_csv
from chainrule.tabular.parquet import read_parquet
from chainrule.tabular.preprocessor import TabularPreprocessor
from chainrule.tabular.table import Table, as_table
from chainrule.tabular.target import Target

__all__ = ["Table", "TabularPreprocessor", "Target", "as_table", "read_csv", "read_parquet"]
