// From the arguments of an operation to a kernel call: what the kernel can take is checked, or repaired by a copy, and
// anything else is left to the operation's formula. After this nothing can be read or written out of bounds.
#pragma once

#define NPY_NO_DEPRECATED_API NPY_2_0_API_VERSION
#include <Python.h>
#include <numpy/arrayobject.h>

#include <initializer_list>
#include <vector>

#include "call.hpp"

namespace chainrule {

struct In {
    const void* data = nullptr;
    int rank = 0;
    const npy_intp* shape = nullptr;
    npy_intp count = 0, bytes = 0;
    int type = NPY_NOTYPE;

    npy_intp operator[](int axis) const { return shape[axis]; }
    bool is(std::initializer_list<npy_intp> expected) const;
};

class Builder {
public:
    Builder(PyObject* const* arguments, Py_ssize_t count) : arguments_(arguments), count_(count) {}
    ~Builder();
    Builder(const Builder&) = delete;
    Builder& operator=(const Builder&) = delete;

    // The next input: an array of floats, all of one dtype (any rank where rank is −1) …
    In floats(int argument, int rank);
    // … whole numbers (int64), each from 0 to below `below`; …
    In indices(int argument, npy_intp below);
    // … bytes; or elements of any plain type.
    In bytes(int argument);
    In any(int argument);
    // The next scalar: a number, or a Cell whose value is looked up at each run.
    void number(int argument);
    npy_intp whole(int argument);  // a whole number that does not change from step to step

    // The next output, of the inputs' dtype or of `type`.
    void* out(std::initializer_list<npy_intp> shape, int type = -1);
    void* out(const In& like);
    void* out(int rank, const npy_intp* shape, int type = -1);

    void refuse() { ok_ = false; }
    void size(npy_intp n) { call.size[sizes_++] = n; }
    bool ok() const { return ok_ && !PyErr_Occurred(); }
    bool repaired() const { return repaired_; }
    int dtype() const { return dtype_ == NPY_DOUBLE ? 1 : 0; }
    int outputs() const { return outputs_; }
    const std::vector<PyArrayObject*>& held() const { return held_; }
    PyObject* result();  // a new reference: the output, or a tuple of them

    Call call;

private:
    In refused();
    In accept(PyArrayObject* array, bool contiguous);
    PyArrayObject* array(int argument, int rank);
    bool add(void* data);

    PyObject* const* arguments_;
    Py_ssize_t count_;
    std::vector<PyArrayObject*> held_;  // inputs as used, then outputs
    int dtype_ = NPY_NOTYPE, arrays_ = 0, sizes_ = 0, numbers_ = 0, outputs_ = 0;
    bool ok_ = true, repaired_ = false;
};

extern PyTypeObject* cell_type;             // set by the module
double cell_value(PyObject* cell);
const double* cell_address(PyObject* cell);

}  // namespace chainrule
