// A forward pass by tape: the scores of so many samples at a time, without Python in between.
#pragma once

#include <sys/types.h>

#include <atomic>

#include "tape.hpp"

namespace chainrule {

class Pass {
public:
    // `tape` works out y from x, both of them buffers of its own; `table` holds the kernels it was recorded with.
    Pass(const Tape& tape, PyArrayObject* x, PyArrayObject* y, const Table* table) : tape_(tape), x_(x), y_(y), table_(table) {}

    // Whether `given` is an array like x, in C order and aligned.
    bool takes(PyArrayObject* given) const;

    // One caller has the buffers at a time. A forked child does not wait for a thread that only its parent has.
    class Turn {
    public:
        explicit Turn(const Pass& pass);
        ~Turn() { if (mine_) holder_ = 0; }
        Turn(const Turn&) = delete;
        Turn& operator=(const Turn&) = delete;
        explicit operator bool() const { return mine_; }

    private:
        std::atomic<pid_t>& holder_;
        bool mine_;
    };

    // y of the samples at `given`; false where a number of either is not finite. Needs a turn, and nothing of Python.
    bool run(const void* given) const;

    PyArrayObject* y() const { return y_; }
    const Table* table() const { return table_; }

private:
    const Tape& tape_;
    PyArrayObject *x_, *y_;  // kept alive by whoever made this
    const Table* table_;
    mutable std::atomic<pid_t> holder_{0};
};

// What these objects hold: the items of a list, the names and values of a dictionary or of anything's attributes.
template <class F> void contents(PyObject* owners, const F& f) {
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(owners); ++i) {
        PyObject* owner = PyTuple_GET_ITEM(owners, i);
        if (PyList_Check(owner)) {
            for (Py_ssize_t at = 0; at < PyList_GET_SIZE(owner); ++at) f(PyList_GET_ITEM(owner, at));
            continue;
        }
        PyObject* named = PyDict_Check(owner) ? Py_NewRef(owner) : PyObject_GenericGetDict(owner, nullptr);
        PyObject *name = nullptr, *value = nullptr;
        if (named == nullptr) PyErr_Clear();  // nothing has a name
        for (Py_ssize_t at = 0; named && PyDict_Next(named, &at, &name, &value); f(value)) f(name);
        Py_XDECREF(named);
    }
}

}  // namespace chainrule
