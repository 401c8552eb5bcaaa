"""Recurrent networks through time, for one sequence. Source: mission items D13, D15."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.explain.derivations.written import Line, Written
from chainrule.operations.recurrent import (
    gru_backward,
    gru_forward,
    lstm_backward,
    lstm_forward,
    sigmoid_rnn_backward,
    sigmoid_rnn_forward,
)

GATES = "ifgo"


def _rnn(rng: np.random.Generator | None) -> dict[str, Any]:
    if rng is None:
        x, W, U, b = np.array([[[1.0], [0.5]]]), np.array([[0.6]]), np.array([[-0.4]]), np.array([0.1])
        r = np.array([[[0.0], [1.0]]])
    else:
        x, W, U, b, r = (rng.normal(size=shape) for shape in ((1, 3, 2), (2, 2), (2, 2), (2,), (1, 3, 2)))
    mask = np.ones(x.shape[:2], bool)
    h = sigmoid_rnn_forward(x, W, U, b, mask)
    dx, dW, dU, db = sigmoid_rnn_backward(r, x, h, W, U, mask)
    return {"x": x[0], "W": W, "U": U, "b": b, "h": h[0], "r": r[0], "dx": dx[0], "dW": dW, "dU": dU, "db": db}


def _lstm(rng: np.random.Generator | None) -> dict[str, Any]:
    if rng is None:
        x, b, r = np.array([[[1.0], [0.5]]]), np.zeros(4), np.array([[[0.0], [1.0]]])
        W, U = np.array([[0.5, 0.3, 0.8, 0.6]]), np.array([[-0.2, 0.4, 0.1, 0.3]])
    else:
        shapes = ((1, 3, 2), (8,), (1, 3, 2), (2, 8), (2, 8))
        x, b, r, W, U = (rng.normal(size=shape) for shape in shapes)
    mask = np.ones(x.shape[:2], bool)
    h, c, gates = lstm_forward(x, W, U, b, mask)
    dx, dW, dU, db = lstm_backward(r, x, h, c, gates, W, U, mask)
    given = {"x": x[0], "h": h[0], "c": c[0], "r": r[0], "dx": dx[0]}
    given |= dict(zip(GATES, np.split(gates[0], 4, axis=1), strict=True))
    for name, array in {"W": W, "U": U, "b": b, "dW": dW, "dU": dU, "db": db}.items():
        given |= {f"{name}_{gate}": part for gate, part in zip(GATES, np.split(array, 4, axis=-1), strict=True)}
    return given


def _gru(rng: np.random.Generator | None) -> dict[str, Any]:
    if rng is None:
        x, b, w, e = np.array([[[1.0], [0.5]]]), np.zeros(3), np.zeros(1), np.array([[[0.0], [1.0]]])
        W, U = np.array([[0.5, 0.3, 0.8]]), np.array([[-0.2, 0.4, 0.1]])
    else:
        shapes = ((1, 3, 2), (6,), (2,), (1, 3, 2), (2, 6), (2, 6))
        x, b, w, e, W, U = (rng.normal(size=shape) for shape in shapes)
    mask = np.ones(x.shape[:2], bool)
    h, gates, q = gru_forward(x, W, U, b, w, mask)
    dx, dW, dU, db, dw = gru_backward(e, x, h, gates, q, W, U, mask)
    given = {"x": x[0], "h": h[0], "q": q[0], "w": w, "e": e[0], "dx": dx[0], "dw": dw}
    given |= dict(zip("rzn", np.split(gates[0], 3, axis=1), strict=True))
    for name, array in {"W": W, "U": U, "b": b, "dW": dW, "dU": dU, "db": db}.items():
        given |= {f"{name}_{gate}": part for gate, part in zip("rzn", np.split(array, 3, axis=-1), strict=True)}
    return given


def _all_gates(term: str) -> str:
    return " + ".join(term.format(gate=gate) for gate in GATES)


WRITTEN = (
    Written(
        title="Recurrent network (Elman), sigmoid",
        operation="sigmoid_rnn",
        words=(
            "The same step again and again, each time from the state that the step before it left; before the first "
            "step the state is 0. A state is both a result and an input of the next step, so its gradient is a sum of "
            "two, and back-propagation runs from the last step to the first (Werbos 1990). With tanh or ReLU only the "
            "slope of the activation is another."
        ),
        symbols=(
            ("x_tm", "feature m at step t"),
            ("h_tu", "unit u of the state after step t"),
            ("a_tu", "what the activation is applied to"),
            ("r_tu", "∂L/∂h_tu from outside, the later steps left out"),
        ),
        definition=(
            Line("A weighted sum of input and earlier state:",
                 "a[t, u] == sum(m, x[t, m] * W[m, u]) + sum(v, h[t - 1, v] * U[v, u]) + b[u]"),
            Line("The new state:", "h[t, u] == sigma(a[t, u])"),
        ),
        steps=(
            Line("A state reaches L from outside, and by way of every unit of the next step:",
                 "d(L, h[t, u]) == r[t, u] + sum(v, d(L, a[t + 1, v]) * U[u, v])"),
            Line("Through the activation:",
                 "d(L, a[t, u]) == d(L, h[t, u]) * d(h[t, u], a[t, u]) == d(L, h[t, u]) * h[t, u] * (1 - h[t, u])"),
            Line("To the input:", "d(L, x[t, m]) == sum(u, d(L, a[t, u]) * W[m, u])"),
            Line("Weights are used in every step, so the chain rule sums over t:",
                 "d(L, W[m, u]) == sum(t, d(L, a[t, u]) * x[t, m])"),
            Line("Likewise:", "d(L, U[v, u]) == sum(t, d(L, a[t, u]) * h[t - 1, v])"),
            Line("And:", "d(L, b[u]) == sum(t, d(L, a[t, u]))"),
        ),
        example=_rnn,
        example_words="One feature, one unit, two steps; the loss looks at the last state, with a slope of 1.",
    ),
    Written(
        title="LSTM",
        operation="lstm",
        words=(
            "A cell c that is forgotten by f, written to by i, and seen through o (Hochreiter & Schmidhuber 1997; Gers "
            "et al. 2000). Two things go from step to step, h and c, so two gradients come back. What comes back "
            "along c is multiplied by f alone, by no weights and no slope of an activation: that is why an LSTM "
            "remembers long. Before the first step h and c are 0; after the last there is nothing."
        ),
        symbols=(
            ("x_tm", "feature m at step t"),
            ("i, f, o, g", "the gates for writing, keeping and seeing, and what is written"),
            ("c_tu, h_tu", "unit u of the cell, and of the state, after step t"),
            ("a", "what a gate's activation is applied to; W, U, b belong to a gate each"),
            ("r_tu", "∂L/∂h_tu from outside, the later steps left out"),
        ),
        definition=(
            *(
                Line(words, f"a_{gate}[t, u] == sum(m, x[t, m] * W_{gate}[m, u])"
                            f" + sum(v, h[t - 1, v] * U_{gate}[v, u]) + b_{gate}[u]")
                for gate, words in zip(GATES, ("The four sums:", "", "", ""), strict=True)
            ),
            Line("Three gates between 0 and 1:", "i[t, u] == sigma(a_i[t, u])"),
            Line("", "f[t, u] == sigma(a_f[t, u])"),
            Line("", "o[t, u] == sigma(a_o[t, u])"),
            Line("What is written:", "g[t, u] == tanh(a_g[t, u])"),
            Line("The cell:", "c[t, u] == f[t, u] * c[t - 1, u] + i[t, u] * g[t, u]"),
            Line("The state:", "h[t, u] == o[t, u] * tanh(c[t, u])"),
        ),
        steps=(
            Line("A state reaches L from outside, and by way of all four sums of the next step:",
                 f"d(L, h[t, u]) == r[t, u] + sum(v, {_all_gates('d(L, a_{gate}[t + 1, v]) * U_{gate}[u, v]')})"),
            Line("A cell reaches it by way of its state, and of the next cell, where it is kept:",
                 "d(L, c[t, u]) == d(L, h[t, u]) * d(h[t, u], c[t, u]) + d(L, c[t + 1, u]) * d(c[t + 1, u], c[t, u])"
                 " == d(L, h[t, u]) * o[t, u] * (1 - tanh(c[t, u]) ** 2) + d(L, c[t + 1, u]) * f[t + 1, u]"),
            Line("The gate it is seen through:",
                 "d(L, a_o[t, u]) == d(L, h[t, u]) * d(h[t, u], o[t, u]) * d(o[t, u], a_o[t, u])"
                 " == d(L, h[t, u]) * tanh(c[t, u]) * o[t, u] * (1 - o[t, u])"),
            Line("The gate it is written through:",
                 "d(L, a_i[t, u]) == d(L, c[t, u]) * d(c[t, u], i[t, u]) * d(i[t, u], a_i[t, u])"
                 " == d(L, c[t, u]) * g[t, u] * i[t, u] * (1 - i[t, u])"),
            Line("The gate it is kept by:",
                 "d(L, a_f[t, u]) == d(L, c[t, u]) * d(c[t, u], f[t, u]) * d(f[t, u], a_f[t, u])"
                 " == d(L, c[t, u]) * c[t - 1, u] * f[t, u] * (1 - f[t, u])"),
            Line("And what is written:",
                 "d(L, a_g[t, u]) == d(L, c[t, u]) * d(c[t, u], g[t, u]) * d(g[t, u], a_g[t, u])"
                 " == d(L, c[t, u]) * i[t, u] * (1 - g[t, u] ** 2)"),
            Line("To the input, by way of all four sums:",
                 f"d(L, x[t, m]) == sum(u, {_all_gates('d(L, a_{gate}[t, u]) * W_{gate}[m, u]')})"),
            *(
                Line(words, f"d(L, W_{gate}[m, u]) == sum(t, d(L, a_{gate}[t, u]) * x[t, m])")
                for gate, words in zip(GATES, ("Used in every step: a sum over t.", "", "", ""), strict=True)
            ),
            Line("Likewise, for each gate:", "d(L, U_i[v, u]) == sum(t, d(L, a_i[t, u]) * h[t - 1, v])"),
            Line("And:", "d(L, b_i[u]) == sum(t, d(L, a_i[t, u]))"),
        ),
        example=_lstm,
        example_words="One feature, one unit, two steps; the loss looks at the last state, with a slope of 1.",
    ),
    Written(
        title="GRU",
        operation="gru",
        words=(
            "A state that z keeps or replaces by a candidate n; r says how much of the state the candidate sees (Cho "
            "et al. 2014, in the form of PyTorch and cuDNN: r stands behind the product with U). What comes back along "
            "the state is multiplied by z, by no slope of an activation. Before the first step the state is 0; after "
            "the last there is nothing."
        ),
        symbols=(
            ("x_tm", "feature m at step t"),
            ("h_tu", "unit u of the state after step t"),
            ("r, z, n", "the gates for seeing and keeping, and the candidate"),
            ("q", "what the candidate could see; w is its bias"),
            ("a", "what an activation is applied to; W, U, b belong to r, z or n"),
            ("e_tu", "∂L/∂h_tu from outside, the later steps left out"),
        ),
        definition=(
            Line("The sums before the two gates:",
                 "a_r[t, u] == sum(m, x[t, m] * W_r[m, u]) + sum(v, h[t - 1, v] * U_r[v, u]) + b_r[u]"),
            Line("", "a_z[t, u] == sum(m, x[t, m] * W_z[m, u]) + sum(v, h[t - 1, v] * U_z[v, u]) + b_z[u]"),
            Line("The gates, between 0 and 1:", "r[t, u] == sigma(a_r[t, u])"),
            Line("", "z[t, u] == sigma(a_z[t, u])"),
            Line("What of the state the candidate could see:", "q[t, u] == sum(v, h[t - 1, v] * U_n[v, u]) + w[u]"),
            Line("The candidate:", "a_n[t, u] == sum(m, x[t, m] * W_n[m, u]) + b_n[u] + r[t, u] * q[t, u]"),
            Line("", "n[t, u] == tanh(a_n[t, u])"),
            Line("The state:", "h[t, u] == (1 - z[t, u]) * n[t, u] + z[t, u] * h[t - 1, u]"),
        ),
        steps=(
            Line("A state reaches L from outside, by being kept, and by way of both gates and q of the next step:",
                 "d(L, h[t, u]) == e[t, u] + d(L, h[t + 1, u]) * z[t + 1, u]"
                 " + sum(v, d(L, a_r[t + 1, v]) * U_r[u, v] + d(L, a_z[t + 1, v]) * U_z[u, v]"
                 " + d(L, q[t + 1, v]) * U_n[u, v])"),
            Line("The gate that keeps:",
                 "d(L, a_z[t, u]) == d(L, h[t, u]) * d(h[t, u], z[t, u]) * d(z[t, u], a_z[t, u])"
                 " == d(L, h[t, u]) * (h[t - 1, u] - n[t, u]) * z[t, u] * (1 - z[t, u])"),
            Line("The candidate:",
                 "d(L, a_n[t, u]) == d(L, h[t, u]) * d(h[t, u], n[t, u]) * d(n[t, u], a_n[t, u])"
                 " == d(L, h[t, u]) * (1 - z[t, u]) * (1 - n[t, u] ** 2)"),
            Line("What it sees, and the gate it sees it through:",
                 "d(L, q[t, u]) == d(L, a_n[t, u]) * d(a_n[t, u], q[t, u]) == d(L, a_n[t, u]) * r[t, u]"),
            Line("", "d(L, a_r[t, u]) == d(L, a_n[t, u]) * d(a_n[t, u], r[t, u]) * d(r[t, u], a_r[t, u])"
                     " == d(L, a_n[t, u]) * q[t, u] * r[t, u] * (1 - r[t, u])"),
            Line("To the input:",
                 "d(L, x[t, m]) == sum(u, d(L, a_r[t, u]) * W_r[m, u] + d(L, a_z[t, u]) * W_z[m, u]"
                 " + d(L, a_n[t, u]) * W_n[m, u])"),
            Line("Weights are used in every step, so the chain rule sums over t; likewise for z and n:",
                 "d(L, W_r[m, u]) == sum(t, d(L, a_r[t, u]) * x[t, m])"),
            Line("Likewise for z:", "d(L, U_r[v, u]) == sum(t, d(L, a_r[t, u]) * h[t - 1, v])"),
            Line("The candidate's meet q:", "d(L, U_n[v, u]) == sum(t, d(L, q[t, u]) * h[t - 1, v])"),
            Line("And the biases:", "d(L, b_n[u]) == sum(t, d(L, a_n[t, u]))"),
            Line("", "d(L, w[u]) == sum(t, d(L, q[t, u]))"),
        ),
        example=_gru,
        example_words="One feature, one unit, two steps; the loss looks at the last state, with a slope of 1.",
    ),
)  # fmt: skip
