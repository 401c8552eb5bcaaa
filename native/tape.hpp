// A training step as a list of kernel calls on fixed buffers, recorded once and replayed without Python.
#pragma once

#include <Python.h>

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "builder.hpp"

namespace chainrule {

class Tape {
public:
    // What a step keeps: the mean cost of its batch, how many samples were decided right, and other figures.
    static constexpr std::size_t most_watched = 8;
    using Figures = std::array<double, most_watched>;

    Tape() = default;
    ~Tape();
    Tape(const Tape&) = delete;
    Tape& operator=(const Tape&) = delete;

    void know(PyArrayObject* array);                            // a buffer that is there, with the right content, at each step
    void append(const Builder& builder, const char* name);      // a call that has just run
    void fail(const std::string& reason);                       // something happened that a replay could not repeat
    bool assign(PyArrayObject* target, PyArrayObject* source);  // source's call shall write into target, others read it there
    void watch(std::size_t place, PyArrayObject* value);        // a 0-d array whose value is kept for each step, at a place
    bool guard(PyArrayObject* value);                           // a step ends before its updates where this is not finite

    void fuse(const Table& table);                              // put one call in the place of two where a kernel does both

    const std::string& failure() const { return failure_; }
    const std::vector<Call>& calls() const { return calls_; }
    bool known(const void* data) const;                         // whether this is in one of the buffers
    std::size_t bytes() const { return bytes_; }                // of the buffers that calls made

    // Take one step: copy the row numbers into `index`, count the step, run the calls, and keep the watched values; where
    // none is watched it is NaN. False, with nothing updated and the step not counted, where the guarded value is not finite;
    // likewise where it throws. Once the updates have begun, the step is taken to its end.
    bool replay(const std::int64_t* rows, std::int64_t count, std::int64_t* index, double& step, Figures& kept) const;

private:
    void run(std::size_t begin, std::size_t end) const;
    struct Value { const void* at; int type; };
    Value value_of(PyArrayObject* array);

    std::vector<Call> calls_;
    std::vector<PyObject*> held_;
    std::vector<std::pair<const char*, const char*>> buffers_;
    std::array<Value, most_watched> watched_{};
    Value guarded_{nullptr, 0};
    std::size_t guard_at_ = 0;
    std::size_t updates_at_ = std::numeric_limits<std::size_t>::max();  // the first call that changes weights or slots
    std::size_t bytes_ = 0;
    std::string failure_;
};

extern thread_local Tape* recording;

}  // namespace chainrule
