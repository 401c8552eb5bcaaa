#define NO_IMPORT_ARRAY
#define PY_ARRAY_UNIQUE_SYMBOL chainrule_numpy
#include "builder.hpp"

namespace chainrule {

bool In::is(std::initializer_list<npy_intp> expected) const {
    if (rank != static_cast<int>(expected.size())) return false;
    int axis = 0;
    for (const npy_intp n : expected)
        if (shape[axis++] != n) return false;
    return true;
}

Builder::~Builder() {
    for (PyArrayObject* array : held_) Py_DECREF(array);
}

bool Builder::add(void* data) {
    if (arrays_ == 12) return ok_ = false;
    call.array[arrays_++] = data;
    return true;
}

PyArrayObject* Builder::array(int argument, int rank) {
    if (!ok_ || argument >= count_ || !PyArray_CheckExact(arguments_[argument])) return nullptr;
    auto* array = reinterpret_cast<PyArrayObject*>(arguments_[argument]);
    if (rank >= 0 && PyArray_NDIM(array) != rank) return nullptr;
    return PyArray_ISNOTSWAPPED(array) ? array : nullptr;
}

In Builder::refused() {
    refuse();
    return {};
}

In Builder::accept(PyArrayObject* array, bool contiguous) {
    if (contiguous) {
        Py_INCREF(array);
    } else {
        array = reinterpret_cast<PyArrayObject*>(PyArray_NewCopy(array, NPY_CORDER));
        if (array == nullptr) return refused();
        repaired_ = true;
    }
    held_.push_back(array);
    if (!add(PyArray_DATA(array))) return {};
    return {PyArray_DATA(array), PyArray_NDIM(array), PyArray_DIMS(array), PyArray_SIZE(array), PyArray_NBYTES(array),
            PyArray_TYPE(array)};
}

In Builder::floats(int argument, int rank) {
    PyArrayObject* found = array(argument, rank);
    if (found == nullptr) return refused();
    const int type = PyArray_TYPE(found);
    if (type != NPY_FLOAT && type != NPY_DOUBLE) return refused();
    if (dtype_ == NPY_NOTYPE) dtype_ = type;
    if (dtype_ != type) return refused();
    return accept(found, PyArray_IS_C_CONTIGUOUS(found) && PyArray_ISALIGNED(found));
}

In Builder::indices(int argument, npy_intp below) {
    PyArrayObject* found = array(argument, 1);
    if (found == nullptr || PyArray_TYPE(found) != NPY_INT64) return refused();
    const In in = accept(found, PyArray_IS_C_CONTIGUOUS(found) && PyArray_ISALIGNED(found));
    const auto* values = static_cast<const std::int64_t*>(in.data);
    bool inside = ok_;
    for (npy_intp i = 0; i < in.count; ++i) inside &= values[i] >= 0 && values[i] < below;
    return inside ? in : refused();
}

In Builder::bytes(int argument) {
    PyArrayObject* found = array(argument, -1);
    if (found == nullptr || PyArray_TYPE(found) != NPY_UINT8) return refused();
    return accept(found, PyArray_IS_C_CONTIGUOUS(found));
}

In Builder::any(int argument) {
    PyArrayObject* found = array(argument, -1);
    if (found == nullptr || !PyTypeNum_ISNUMBER(PyArray_TYPE(found))) return refused();
    return accept(found, PyArray_IS_C_CONTIGUOUS(found) && PyArray_ISALIGNED(found));
}

void Builder::number(int argument) {
    if (!ok_ || argument >= count_ || numbers_ == 6) {
        refuse();
        return;
    }
    PyObject* value = arguments_[argument];
    if (Py_TYPE(value) == cell_type) {
        call.cell[numbers_++] = cell_address(value);
    } else if (PyFloat_Check(value) || PyLong_Check(value)) {
        call.number[numbers_++] = PyFloat_AsDouble(value);
    } else {
        refuse();
    }
}

npy_intp Builder::whole(int argument) {
    if (!ok_ || argument >= count_ || !PyLong_Check(arguments_[argument])) {
        refuse();
        return 0;
    }
    int beyond = 0;
    const long long value = PyLong_AsLongLongAndOverflow(arguments_[argument], &beyond);
    if (beyond) refuse();
    return static_cast<npy_intp>(value);
}

void* Builder::out(int rank, const npy_intp* shape, int type) {
    if (!ok_) return nullptr;
    auto* made = reinterpret_cast<PyArrayObject*>(PyArray_SimpleNew(rank, shape, type < 0 ? dtype_ : type));
    if (made == nullptr) {
        refuse();
        return nullptr;
    }
    held_.push_back(made);
    ++outputs_;
    add(PyArray_DATA(made));
    return PyArray_DATA(made);
}

void* Builder::out(std::initializer_list<npy_intp> shape, int type) {
    return out(static_cast<int>(shape.size()), shape.begin(), type);
}

void* Builder::out(const In& like) { return out(like.rank, like.shape); }

PyObject* Builder::result() {
    const std::size_t first = held_.size() - static_cast<std::size_t>(outputs_);
    if (outputs_ == 1) {
        Py_INCREF(held_[first]);
        return reinterpret_cast<PyObject*>(held_[first]);
    }
    PyObject* tuple = PyTuple_New(outputs_);
    for (int i = 0; tuple && i < outputs_; ++i) {
        Py_INCREF(held_[first + i]);
        PyTuple_SET_ITEM(tuple, i, reinterpret_cast<PyObject*>(held_[first + i]));
    }
    return tuple;
}

}  // namespace chainrule
