#define NO_IMPORT_ARRAY
#define PY_ARRAY_UNIQUE_SYMBOL chainrule_numpy
#include "builder.hpp"
#include "tape.hpp"

#include <algorithm>

namespace chainrule {
namespace {

bool without_gaps(PyArrayObject* array, const Order& order) {
    npy_intp step = PyArray_ITEMSIZE(array);
    for (int i = PyArray_NDIM(array) - 1; i >= 0; --i) {
        const int axis = order.axis[i];
        if (PyArray_DIM(array, axis) > 1 && PyArray_STRIDE(array, axis) != step) return false;
        step *= PyArray_DIM(array, axis);
    }
    return true;
}

// The axes by falling steps; equal steps (axes of length 1) keep their order.
Order order_of(PyArrayObject* array) {
    Order order;
    std::stable_sort(order.axis, order.axis + PyArray_NDIM(array), [=](int a, int b) {
        return PyArray_DIM(array, a) > 1 && PyArray_DIM(array, b) > 1 && PyArray_STRIDE(array, a) > PyArray_STRIDE(array, b);
    });
    return order;
}

// An array that begins on a cache line, for the buffers of a tape: loads of whole vectors are then twice as quick.
PyObject* aligned_array(int rank, npy_intp* shape, int type) {
    constexpr npy_intp line = 64;
    PyArray_Descr* description = PyArray_DescrFromType(type);
    npy_intp bytes = PyDataType_ELSIZE(description);
    for (int i = 0; i < rank; ++i) bytes *= shape[i];
    bytes += line;
    PyObject* room = PyArray_SimpleNew(1, &bytes, NPY_UINT8);
    if (room == nullptr) {
        Py_DECREF(description);
        return nullptr;
    }
    char* begin = PyArray_BYTES(reinterpret_cast<PyArrayObject*>(room));
    begin += (line - static_cast<npy_intp>(reinterpret_cast<std::uintptr_t>(begin) % line)) % line;
    PyObject* array = PyArray_NewFromDescr(&PyArray_Type, description, rank, shape, nullptr, begin, NPY_ARRAY_CARRAY, nullptr);
    if (array == nullptr || PyArray_SetBaseObject(reinterpret_cast<PyArrayObject*>(array), room) < 0) {
        if (array == nullptr) Py_DECREF(room);
        Py_XDECREF(array);
        return nullptr;
    }
    return array;
}

}  // namespace

bool In::is(std::initializer_list<npy_intp> expected) const {
    return rank == static_cast<int>(expected.size()) && std::equal(expected.begin(), expected.end(), shape);
}

bool In::alike(const In& other) const { return rank == other.rank && std::equal(shape, shape + rank, other.shape); }

Builder::~Builder() {
    for (PyArrayObject* array : made) Py_DECREF(array);
}

bool Builder::add(void* data) {
    if (arrays_ == 16) return ok_ = false;
    call.array[arrays_++] = data;
    return true;
}

In Builder::refused() {
    refuse();
    return {};
}

PyArrayObject* Builder::array(int argument, int rank) {
    if (!ok_ || argument >= count_ || !PyArray_CheckExact(arguments_[argument])) return nullptr;
    auto* array = reinterpret_cast<PyArrayObject*>(arguments_[argument]);
    if (rank >= 0 ? PyArray_NDIM(array) != rank : PyArray_NDIM(array) > most_axes) return nullptr;
    return PyArray_ISNOTSWAPPED(array) && PyArray_ISALIGNED(array) ? array : nullptr;
}

PyArrayObject* Builder::float_array(int argument, int rank) {
    PyArrayObject* found = array(argument, rank);
    if (found == nullptr) return nullptr;
    const int type = PyArray_TYPE(found);
    if (type != NPY_FLOAT && type != NPY_DOUBLE) return nullptr;
    if (dtype_ == NPY_NOTYPE) dtype_ = type;
    return dtype_ == type ? found : nullptr;
}

PyArrayObject* Builder::allocate(int rank, const npy_intp* shape, int type, const Order& order) {
    npy_intp in_memory[most_axes];
    for (int i = 0; i < rank; ++i) in_memory[i] = shape[order.axis[i]];
    PyObject* plain = recording ? aligned_array(rank, in_memory, type) : PyArray_SimpleNew(rank, in_memory, type);
    if (plain == nullptr) return nullptr;
    if (std::is_sorted(order.axis, order.axis + rank)) {
        made.push_back(reinterpret_cast<PyArrayObject*>(plain));
        return made.back();
    }
    npy_intp back[most_axes];
    for (int i = 0; i < rank; ++i) back[order.axis[i]] = i;
    PyArray_Dims axes = {back, rank};
    PyObject* turned = PyArray_Transpose(reinterpret_cast<PyArrayObject*>(plain), &axes);
    Py_DECREF(plain);
    if (turned == nullptr) return nullptr;
    made.push_back(reinterpret_cast<PyArrayObject*>(turned));
    return made.back();
}

In Builder::accept(PyArrayObject* array, const Order& order) {
    given.push_back(array);
    void* data = PyArray_DATA(array);
    const int rank = PyArray_NDIM(array);
    if (!without_gaps(array, order)) {
        PyArrayObject* to = allocate(rank, PyArray_DIMS(array), PyArray_TYPE(array), order);
        if (to == nullptr) return refused();
        Call arrange;
        arrange.array[0] = data;
        arrange.array[1] = data = PyArray_DATA(to);
        arrange.size[0] = rank;
        arrange.size[1] = PyArray_ITEMSIZE(array);
        for (int i = 0; i < rank; ++i) {
            arrange.size[2 + i] = PyArray_DIM(array, order.axis[i]);
            arrange.size[2 + most_axes + i] = PyArray_STRIDE(array, order.axis[i]);
        }
        before.push_back(arrange);
    }
    if (!add(data)) return {};
    return {data, rank, PyArray_DIMS(array), PyArray_SIZE(array), PyArray_NBYTES(array), PyArray_TYPE(array), order};
}

In Builder::floats(int argument, int rank) {
    PyArrayObject* found = float_array(argument, rank);
    return found ? accept(found, {}) : refused();
}

In Builder::images(int argument) {
    PyArrayObject* found = float_array(argument, 4);
    return found ? accept(found, pixel_by_pixel) : refused();
}

In Builder::sequences(int argument) {
    PyArrayObject* found = float_array(argument, 3);
    return found ? accept(found, time_by_time) : refused();
}

In Builder::elements(int argument) {
    PyArrayObject* found = float_array(argument, -1);
    if (found == nullptr) return refused();
    const Order order = order_of(found);
    return accept(found, without_gaps(found, order) ? order : Order{});
}

In Builder::elements(int argument, const In& like) {
    PyArrayObject* found = float_array(argument, like.rank);
    return found ? accept(found, like.order) : refused();
}

In Builder::indices(int argument, npy_intp below) {
    PyArrayObject* found = array(argument, 1);
    if (found == nullptr || PyArray_TYPE(found) != NPY_INT64) return refused();
    const npy_intp count = PyArray_DIM(found, 0), step = PyArray_STRIDE(found, 0);
    bool inside = true;
    for (npy_intp i = 0; i < count; ++i) {
        const auto value = *reinterpret_cast<const std::int64_t*>(PyArray_BYTES(found) + i * step);
        inside &= value >= 0 && value < below;
    }
    return inside ? accept(found, {}) : refused();
}

In Builder::words(int argument) {
    PyArrayObject* found = array(argument, -1);
    return found && PyArray_TYPE(found) == NPY_INT64 ? accept(found, {}) : refused();
}

In Builder::bytes(int argument) {
    PyArrayObject* found = array(argument, -1);
    return found && PyArray_TYPE(found) == NPY_UINT8 ? accept(found, {}) : refused();
}

In Builder::any(int argument) {
    PyArrayObject* found = array(argument, -1);
    return found && PyTypeNum_ISNUMBER(PyArray_TYPE(found)) && PyArray_ITEMSIZE(found) <= 8 ? accept(found, {}) : refused();
}

void Builder::number(int argument) {
    if (!ok_ || argument >= count_ || numbers_ == 6) return refuse();
    PyObject* value = arguments_[argument];
    if (Py_TYPE(value) == cell_type) call.cell[numbers_++] = cell_address(value);
    else if (PyFloat_Check(value) || PyLong_Check(value)) call.number[numbers_++] = PyFloat_AsDouble(value);
    else refuse();
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

bool Builder::whole_numbers(int argument, Py_ssize_t least, Py_ssize_t most, npy_intp* values, npy_intp& count) {
    PyObject* tuple = ok_ && argument < count_ ? arguments_[argument] : nullptr;
    if (tuple == nullptr || !PyTuple_CheckExact(tuple)) return false;
    count = PyTuple_GET_SIZE(tuple);
    if (count < least || count > most) return false;
    for (npy_intp i = 0; i < count; ++i) {
        PyObject* item = PyTuple_GET_ITEM(tuple, i);
        int beyond = 0;
        values[i] = PyLong_CheckExact(item) ? PyLong_AsLongAndOverflow(item, &beyond) : -1;
        if (beyond || values[i] < 0 || values[i] > (npy_intp{1} << 40)) return false;
    }
    return true;
}

void Builder::pair(int argument, npy_intp (&values)[2]) {
    npy_intp count = 0;
    if (!whole_numbers(argument, 2, 2, values, count) || values[0] > 1'000'000 || values[1] > 1'000'000) refuse();
}

void Builder::shape(int argument, npy_intp (&values)[most_axes], npy_intp& rank) {
    if (!whole_numbers(argument, 0, most_axes - 1, values + 1, rank)) refuse();
}

void Builder::out(int rank, const npy_intp* shape, int type, const Order& order) {
    if (!ok_) return;
    PyArrayObject* to = allocate(rank, shape, type < 0 ? dtype_ : type, order);
    if (to == nullptr) return refuse();
    ++outputs_;
    add(PyArray_DATA(to));
}

void Builder::out(std::initializer_list<npy_intp> shape, int type) {
    out(static_cast<int>(shape.size()), shape.begin(), type);
}

void Builder::view(int rank, const npy_intp* shape) {
    if (!ok_) return;
    is_view_ = before.empty();
    if (is_view_) return refuse();
    npy_intp copy[most_axes];
    std::copy_n(shape, rank, copy);
    PyArray_Dims dims = {copy, rank};
    PyObject* other = PyArray_Newshape(made.back(), &dims, NPY_CORDER);
    if (other == nullptr) return refuse();
    made.push_back(reinterpret_cast<PyArrayObject*>(other));
    ++outputs_;
}

PyObject* Builder::result() {
    const std::size_t first = made.size() - static_cast<std::size_t>(outputs_);
    if (outputs_ == 1) {
        Py_INCREF(made[first]);
        return reinterpret_cast<PyObject*>(made[first]);
    }
    PyObject* tuple = PyTuple_New(outputs_);
    for (int i = 0; tuple && i < outputs_; ++i) {
        PyArrayObject* output = made[first + static_cast<std::size_t>(i)];
        Py_INCREF(output);
        PyTuple_SET_ITEM(tuple, i, reinterpret_cast<PyObject*>(output));
    }
    return tuple;
}

}  // namespace chainrule
