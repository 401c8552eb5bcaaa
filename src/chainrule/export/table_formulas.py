"""The formulas by which a script makes numbers of a table: those that it needs are taken over, word for word.

Each stands for itself, with Python and NumPy alone. A column is a list of text, "" for a gap. See `chainrule.tabular`.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"
# What is taken over into a script has no types: nobody checks them there.

import csv
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np


def read_table(path):
    """The columns of a CSV file by their names, each a list of text; what stands for no value becomes ""."""
    no_value = {"", "na", "n/a", "#n/a", "nan", "<na>", "nat", "null", "none", "?", "-"}
    with Path(path).open(newline="", encoding="utf-8-sig") as file:
        first, *rows = list(csv.reader(file))
    cells = [["" if cell.strip().lower() in no_value else cell.strip() for cell in row] for row in rows if row]
    return {name.strip(): [row[place] for row in cells] for place, name in enumerate(first)}


def number(cells, median, low, high, mean, deviation, marked):
    """(min(max(x, low), high) − mean) / deviation, a gap taken for the median; beside it, if marked, 1 for a gap."""
    x = np.array([float(cell or "nan") for cell in cells])
    gap = np.isnan(x)
    z = (np.clip(np.where(gap, median, x), low, high) - mean) / deviation
    return np.stack([z, gap], axis=1)[:, : 2 if marked else 1]


def category(cells, values, other, marked):
    """A 1 for the value that a cell holds, among zeros; behind them a place for all other values, and one for gaps."""
    places = {value: place for place, value in enumerate(values)}
    features = np.zeros((len(cells), len(values) + other + marked))
    for n, cell in enumerate(cells):
        if cell in places:
            features[n, places[cell]] = 1
        elif cell and other:
            features[n, len(values)] = 1
        elif not cell and marked:
            features[n, -1] = 1
    return features


def date(cells, median, mean, deviation, cycles, marked):
    """Days since 1970, standardised; sine and cosine of the way through each cycle, of so many days; gaps as above."""
    days = np.array([days_since_1970(cell) if cell else np.nan for cell in cells])
    gap = np.isnan(days)
    days = np.where(gap, median, days)
    angles = [2 * np.pi * days / cycle for cycle in cycles]
    waves = [wave(angle) for angle in angles for wave in (np.sin, np.cos)]
    return np.stack([(days - mean) / deviation, *waves, *[gap] * marked], axis=1)


def days_since_1970(cell):
    """Of a date such as 2024-03-31, with a time behind it or without; times in a zone by universal time."""
    moment = datetime.fromisoformat(cell)
    moment = moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    return (moment - datetime(1970, 1, 1)) / timedelta(days=1)


def text(cells, words, idf):
    """TF-IDF: how often each word stands in a cell, times its idf; each row is brought to length 1."""
    places = {word: place for place, word in enumerate(words)}
    counts = np.zeros((len(cells), len(words)), np.float32)
    for n, cell in enumerate(cells):
        for word in re.findall(r"\b\w\w+\b", cell.lower()):
            if word in places:
                counts[n, places[word]] += 1
    weighted = counts * np.array(idf, np.float32)
    lengths = np.sqrt((weighted * weighted).sum(axis=1, keepdims=True))
    return weighted / np.where(lengths == 0, 1, lengths)
