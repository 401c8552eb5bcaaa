"""An operation that somebody adds is found by the common checks, and every mistake planted in it is caught."""

import math

import numpy as np
import pytest

from chainrule import kernels, operations
from chainrule.errors import SettingError
from chainrule.operations import operation
from chainrule.testing import all_operations, check_operation

pytestmark = pytest.mark.usefixtures("registers")


def plant_square():
    @operation
    def square_forward(x):  # x (N, I)
        y = x * x  # (N, I)
        return y

    return square_forward


def plant_right_square():
    @operation
    def square_backward(dy, x):  # dy (N, I), x (N, I)
        dx = 2 * x * dy  # (N, I)
        return dx

    return plant_square(), square_backward


def test_a_new_operation_is_found_by_itself():
    planted = plant_right_square()
    assert set(planted) <= set(all_operations())
    assert not set(planted) & set(all_operations(within="chainrule."))


def test_a_right_derivative_passes():
    for planted in plant_right_square():
        check_operation(planted)


def test_a_wrong_sign_is_caught():
    plant_square()

    @operation
    def square_backward(dy, x):  # dy (N, I), x (N, I)
        dx = -2 * x * dy
        return dx

    with pytest.raises(AssertionError, match=r"square_backward: dx: the derivative is wrong.*central differences give"):
        check_operation(square_backward)


def test_a_missing_factor_is_caught_from_the_forward_side_too():
    forward = plant_square()

    @operation
    def square_backward(dy, x):  # dy (N, I), x (N, I)
        dx = x * dy
        return dx

    with pytest.raises(AssertionError, match="square_backward: dx: the derivative is wrong, relative error 5.0e-01"):
        check_operation(forward)


def test_a_derivative_wrong_by_a_millionth_is_caught():
    plant_square()

    @operation
    def square_backward(dy, x):  # dy (N, I), x (N, I)
        dx = 2.000001 * x * dy
        return dx

    with pytest.raises(AssertionError, match="the derivative is wrong"):
        check_operation(square_backward)


def test_a_wrong_second_derivative_is_caught():
    """The name of `thing_backward_parameters` begins with `thing_backward`: it is checked as well."""
    forward, _ = plant_right_square()

    @operation
    def square_backward_again(dy, x):  # dy (N, I), x (N, I)
        dx = dy
        return dx

    with pytest.raises(AssertionError, match="square_backward_again: dx: the derivative is wrong"):
        check_operation(forward)


def test_a_gradient_that_is_not_summed_over_the_samples_is_caught():
    @operation
    def shift_forward(x, b):  # x (N, I), b (I,)
        y = x + b  # (N, I)
        return y

    @operation
    def shift_backward(dy):  # dy (N, I)
        db = dy
        return db

    with pytest.raises(AssertionError, match=r"shift_backward: db: expected shape \(4,\), got \(3, 4\)"):
        check_operation(shift_forward)


def test_several_results_and_settings_are_understood():
    @operation
    def turn_forward(x, z, angle: float, classes):  # x (N, I), z (N, I), classes = I
        a = math.cos(angle) * x - math.sin(angle) * z  # (N, I)
        b = math.sin(angle) * x + math.cos(angle) * z  # (N, classes)
        return a, b

    @operation
    def turn_backward(da, db, angle: float):  # da (N, I), db (N, I)
        dx = math.cos(angle) * da + math.sin(angle) * db  # (N, I)
        dz = math.cos(angle) * db - math.sin(angle) * da  # (N, I)
        return dx, dz

    check_operation(turn_forward)
    check_operation(turn_backward)


def test_a_signature_may_go_over_several_lines():
    @operation
    def affine_forward(
        x,  # x (N, I),
        scale,  # scale () ≥ 0
    ):
        y = x * scale  # (N, I)
        return y

    @operation
    def affine_backward(dy, x, scale):  # dy (N, I), x (N, I), scale () ≥ 0
        dx = dy * scale  # (N, I)
        dscale = (dy * x).sum()  # ()
        return dx, dscale

    check_operation(affine_forward)


def test_an_operation_without_derivative_is_caught():
    with pytest.raises(AssertionError, match="square_forward: expected a derivative named square_backward"):
        check_operation(plant_square())


def test_a_derivative_without_operation_is_caught():
    @operation
    def lost_backward(dy):  # dy (N, I)
        dx = dy
        return dx

    with pytest.raises(AssertionError, match="lost_backward: expected an operation lost_forward"):
        check_operation(lost_backward)


def test_a_derivative_with_an_argument_from_nowhere_is_caught():
    plant_square()

    @operation
    def square_backward(dy, z):  # dy (N, I), z (N, I)
        dx = 2 * z * dy
        return dx

    with pytest.raises(AssertionError, match="square_backward: z is no gradient at a result, nor an argument"):
        check_operation(square_backward)


def test_a_derivative_that_takes_no_gradient_is_caught():
    plant_square()

    @operation
    def square_backward(x):  # x (N, I)
        dx = 2 * x
        return dx

    with pytest.raises(AssertionError, match="square_backward: expected an argument dy"):
        check_operation(square_backward)


def test_a_shape_other_than_promised_is_caught():
    @operation
    def total(x):  # x (N, I)
        s = x.sum(axis=1)  # (N, 1)
        return s

    with pytest.raises(AssertionError, match=r"total: s: expected shape \(3, 1\), got \(3,\)"):
        check_operation(total)


def test_an_update_that_changes_the_shape_is_caught():
    @operation
    def odd_update(W, dW):  # W (I, O), dW (I, O)
        W = (W - dW).T
        return W

    with pytest.raises(AssertionError, match=r"odd_update: W: expected shape \(3, 4\), got \(4, 3\)"):
        check_operation(odd_update)


def test_a_changed_input_is_caught():
    @operation
    def hasty(x, W):  # x (N, I), W (N, I)
        np.multiply(x, 2, out=x, where=W > 5)
        y = x + W
        return y

    with pytest.raises(AssertionError, match="hasty: tried to change an input"):
        check_operation(hasty)


def test_an_input_changed_behind_the_back_is_caught(monkeypatch):
    def twin(x):
        x.flags.writeable = True
        x += 1
        return x * x

    monkeypatch.setattr(kernels, "square_forward", twin, raising=False)
    with pytest.raises(AssertionError, match="square_forward: x: was changed"):
        check_operation(plant_square())


def test_float32_that_becomes_float64_is_caught():
    @operation
    def widening(x):  # x (N, I)
        y = x * np.float64(2)
        return y

    with pytest.raises(AssertionError, match="widening of float32: y: expected float32, got float64"):
        check_operation(widening)


def test_an_operation_that_trusts_the_memory_layout_is_caught():
    @operation
    def reader(x):  # x (N, I)
        y = np.frombuffer(x.tobytes(order="A"), x.dtype).reshape(x.shape)
        return y

    with pytest.raises(AssertionError, match="reader of Fortran-ordered arrays: y: relative difference"):
        check_operation(reader)


def test_a_compiled_twin_is_found_by_name_and_compared(monkeypatch):
    monkeypatch.setattr(kernels, "square_forward", lambda x: x * x, raising=False)
    forward, _ = plant_right_square()
    assert forward.kernel is kernels.square_forward
    check_operation(forward)


def test_a_wrong_compiled_twin_is_caught(monkeypatch):
    monkeypatch.setattr(kernels, "square_forward", lambda x: x * x * (1 + 1e-11), raising=False)
    forward, _ = plant_right_square()
    with pytest.raises(AssertionError, match="square_forward: y: relative difference 1.0e-11"):
        check_operation(forward)


def test_a_twin_of_a_derivative_is_what_the_differences_are_compared_with(monkeypatch):
    monkeypatch.setattr(kernels, "square_backward", lambda dy, x: -2 * x * dy, raising=False)
    _, backward = plant_right_square()
    with pytest.raises(AssertionError, match="square_backward: dx: relative difference"):
        check_operation(backward)


@pytest.mark.parametrize(
    ("comment", "message"),
    [
        ("", r"odd: the comment of its signature says nothing about 'x'"),
        ("# x N, I", r"odd: cannot read 'x N' in the comment of its signature; write `name \(N, I\)`"),
        ("# x (N, I) > 0", r"odd: cannot read 'x \(N, I\) > 0'"),
        ("# x (N, I), z (N,)", r"odd: its comment speaks of 'z', which is not one of x"),
        ("# x (N)", r"odd: x: \(N\) is not a shape; one dimension is written \(N,\)"),
        ("# x (N,) < K + 1", r"odd: cannot read"),
        ("# x = (K, 2)", r"odd: x: cannot work out '\(K, 2\)'"),
    ],
)
def test_a_comment_that_is_missing_or_not_understood_is_named(tmp_path, monkeypatch, comment, message):
    source = (
        f"from chainrule.operations import operation\n\n@operation\ndef odd(x):  {comment}\n    y = x\n    return y\n"
    )
    (tmp_path / "odd_operation.py").write_text(source)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(__import__("sys").modules, "odd_operation", raising=False)
    import odd_operation

    with pytest.raises(AssertionError, match=message):
        check_operation(odd_operation.odd)


def test_results_without_names_are_caught():
    @operation
    def nameless(x):  # x (N, I)
        return x + 1

    with pytest.raises(AssertionError, match="nameless: expected one `return` of results by name"):
        check_operation(nameless)


def test_an_operation_without_source_is_named():
    namespace = {"operation": operation}
    exec("@operation\ndef spoken(x):\n    y = x\n    return y", namespace)
    with pytest.raises(AssertionError, match="spoken: its source cannot be read"):
        check_operation(namespace["spoken"])


def test_what_a_test_defines_is_forgotten_afterwards():
    assert "square_forward" not in operations.OPERATIONS


def test_an_operation_cannot_take_the_name_of_one_of_the_librarys():
    def relu_forward(x):
        return x

    with pytest.raises(SettingError, match="the name relu_forward is taken"):
        operation(relu_forward)
