"""The tutorial's models: what a data scientist makes of the frame that she was given.

The cells follow the published tutorial; for a frame that has `phone`, it joins the columns that
say nothing about costs and are dropped.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

_CATEGORIES = ("sex", "smoker", "region")
_SAY_NOTHING = ("opted_out", "id", "mrn", "phone")


@dataclass(frozen=True, slots=True)
class Scores:
    """Share of the variance of charges that each model explains on rows it did not see."""

    rows: int
    linear: float
    polynomial: float


def encode(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame as numbers only, without what says nothing about costs."""
    from sklearn.preprocessing import LabelEncoder

    numbers = frame.drop(columns=[name for name in _SAY_NOTHING if name in frame.columns])
    encoder = LabelEncoder()
    for name in _CATEGORIES:
        numbers[name] = encoder.fit_transform(numbers[name])
    return numbers.astype({"bmi": float, "charges": float})


def train(frame: pd.DataFrame) -> Scores:
    """Fit both models to 70 % (the second: 75 %) of the rows and score them on the others."""
    from sklearn.linear_model import LinearRegression
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import PolynomialFeatures

    numbers = encode(frame)
    x = numbers.drop(columns=["charges", "region"])
    y = numbers["charges"]

    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.3, random_state=0)
    linear = LinearRegression().fit(x_train, y_train)

    squares = PolynomialFeatures(degree=2).fit_transform(x)
    s_train, s_test, t_train, t_test = train_test_split(squares, y, random_state=0)
    polynomial = LinearRegression().fit(s_train, t_train)
    return Scores(
        rows=len(frame),
        linear=float(linear.score(x_test, y_test)),
        polynomial=float(polynomial.score(s_test, t_test)),
    )


def draw_heat_map(frame: pd.DataFrame, path: Path) -> None:
    """Draw how the columns correlate, as a PNG file, without needing a screen.

    Raises:
        OSError: the file cannot be written.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    import seaborn as sns
    from matplotlib import pyplot as plt

    figure = plt.figure(figsize=(10, 7))
    sns.heatmap(encode(frame).corr(), annot=True)
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)
