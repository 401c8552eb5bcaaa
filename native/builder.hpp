// From the arguments of an operation to a kernel call: what the kernel can take is checked, or rearranged in memory, and
// anything else is left to the operation's formula. After this nothing can be read or written out of bounds.
#pragma once

#define NPY_NO_DEPRECATED_API NPY_2_0_API_VERSION
#include <Python.h>
#include <numpy/arrayobject.h>

#include <initializer_list>
#include <vector>

#include "call.hpp"

namespace chainrule {

constexpr int most_axes = 6;

// The order of an array's axes in memory, from the one with the largest steps to the one with the smallest.
struct Order {
    int axis[most_axes] = {0, 1, 2, 3, 4, 5};
};
constexpr Order pixel_by_pixel = {{0, 2, 3, 1, 4, 5}};  // images (N, C, H, W) with the channels of a pixel side by side
constexpr Order time_by_time = {{1, 0, 2, 3, 4, 5}};     // sequences (N, T, I) with all samples of a step side by side

struct In {
    const void* data = nullptr;
    int rank = 0;
    const npy_intp* shape = nullptr;
    npy_intp count = 0, bytes = 0;
    int type = NPY_NOTYPE;
    Order order = {};

    npy_intp operator[](int axis) const { return shape[axis]; }
    bool is(std::initializer_list<npy_intp> expected) const;
    bool alike(const In& other) const;
};

class Builder {
public:
    Builder(PyObject* const* arguments, Py_ssize_t count) : arguments_(arguments), count_(count) {}
    ~Builder();
    Builder(const Builder&) = delete;
    Builder& operator=(const Builder&) = delete;

    // The next input: an array of floats, all of one dtype, without gaps and in C order; …
    In floats(int argument, int rank);
    In images(int argument);                     // … (N, C, H, W), pixel by pixel; …
    In sequences(int argument);                  // … (N, T, I), time by time; …
    In elements(int argument);                   // … of any rank and order in memory, without gaps; …
    In elements(int argument, const In& like);   // … in the order of another; …
    In indices(int argument, npy_intp below);    // … whole numbers (int64), each from 0 to below `below`; …
    In words(int argument);                      // … whole numbers of any rank, which the kernel checks; …
    In bytes(int argument);                      // … bytes; …
    In any(int argument);                        // … elements of any plain type.

    // The next scalar: a number, or a Cell whose value is looked up at each run; or a whole number that does not change.
    void number(int argument);
    npy_intp whole(int argument);
    void pair(int argument, npy_intp (&values)[2]);
    void shape(int argument, npy_intp (&values)[most_axes], npy_intp& rank);  // of a sample, into values[1] …

    // The next output, of the inputs' dtype or of `type`.
    void out(std::initializer_list<npy_intp> shape, int type = -1);
    void out(int rank, const npy_intp* shape, int type = -1, const Order& order = {});
    void out(const In& like) { out(like.rank, like.shape, -1, like.order); }

    // The output is the last input (rearranged before) in another shape; where nothing had to be rearranged, the formula
    // makes a view, which a tape need not know of.
    void view(int rank, const npy_intp* shape);

    void size(npy_intp n) { call.size[sizes_++] = n; }
    void refuse() { ok_ = false; }
    bool is_view() const { return is_view_; }
    bool ok() const { return ok_ && !PyErr_Occurred(); }
    int dtype() const { return dtype_ == NPY_DOUBLE ? 1 : 0; }
    PyObject* result();  // a new reference: the output, or a tuple of them

    Call call;
    std::vector<Call> before;                 // calls that rearrange inputs
    std::vector<PyArrayObject*> given, made;  // arrays read from outside; arrays allocated here, outputs last

private:
    In refused();
    PyArrayObject* array(int argument, int rank);
    PyArrayObject* float_array(int argument, int rank);
    In accept(PyArrayObject* array, const Order& order);
    PyArrayObject* allocate(int rank, const npy_intp* shape, int type, const Order& order);
    bool add(void* data);
    bool whole_numbers(int argument, Py_ssize_t least, Py_ssize_t most, npy_intp* values, npy_intp& count);

    PyObject* const* arguments_;
    Py_ssize_t count_;
    int dtype_ = NPY_NOTYPE, arrays_ = 0, sizes_ = 0, numbers_ = 0, outputs_ = 0;
    bool ok_ = true, is_view_ = false;
};

extern PyTypeObject* cell_type;  // set by the module
const double* cell_address(PyObject* cell);

}  // namespace chainrule
