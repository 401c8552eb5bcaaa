#define NO_IMPORT_ARRAY
#define PY_ARRAY_UNIQUE_SYMBOL chainrule_numpy
#include "tape.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "pool.hpp"

namespace chainrule {

thread_local Tape* recording = nullptr;

namespace {

class Uninterrupted {
public:
    Uninterrupted() : asked_(std::exchange(interrupted, nullptr)) {}
    ~Uninterrupted() { interrupted = asked_; }
    Uninterrupted(const Uninterrupted&) = delete;
    Uninterrupted& operator=(const Uninterrupted&) = delete;

private:
    bool (*asked_)();
};

double number_at(const void* at, int type) {
    if (type == NPY_FLOAT) return *static_cast<const float*>(at);
    if (type == NPY_DOUBLE) return *static_cast<const double*>(at);
    return static_cast<double>(*static_cast<const std::int64_t*>(at));
}

}  // namespace

Tape::~Tape() {
    for (PyObject* object : held_) Py_DECREF(object);
}

void Tape::know(PyArrayObject* array) {
    Py_INCREF(array);
    held_.push_back(reinterpret_cast<PyObject*>(array));
    const char* begin = PyArray_BYTES(array);
    buffers_.emplace_back(begin, begin + PyArray_NBYTES(array));
}

bool Tape::known(const void* data) const {
    const char* at = static_cast<const char*>(data);
    for (const auto& [begin, end] : buffers_)
        if (at >= begin && at < end) return true;
    return false;
}

void Tape::append(const Builder& builder, const char* name) {
    if (!failure_.empty()) return;
    for (PyArrayObject* array : builder.given)
        if (PyArray_SIZE(array) > 0 && !known(PyArray_DATA(array)))
            return fail(std::string(name) + ": an array that no operation made");
    for (PyArrayObject* array : builder.made) {
        know(array);
        bytes_ += static_cast<std::size_t>(PyArray_NBYTES(array));
        PyArray_CLEARFLAGS(array, NPY_ARRAY_WRITEABLE);  // what Python writes into it, a replay would not
    }
    calls_.insert(calls_.end(), builder.before.begin(), builder.before.end());
    calls_.push_back(builder.call);
}

void Tape::fail(const std::string& reason) {
    if (failure_.empty()) failure_ = reason;
}

bool Tape::assign(PyArrayObject* target, PyArrayObject* source) {
    if (PyArray_NBYTES(target) != PyArray_NBYTES(source) || !PyArray_IS_C_CONTIGUOUS(target)) return false;
    std::size_t first = calls_.size();
    for (std::size_t i = calls_.size(); i-- > 0;)
        for (void*& array : calls_[i].array)
            if (array == PyArray_DATA(source)) {
                array = PyArray_DATA(target);
                first = i;  // the call that makes it comes before those that read it
            }
    updates_at_ = std::min(updates_at_, first);
    return first < calls_.size();
}

Tape::Value Tape::value_of(PyArrayObject* array) { return {PyArray_DATA(array), PyArray_TYPE(array)}; }

void Tape::watch(std::size_t place, PyArrayObject* value) { watched_.at(place) = value_of(value); }

bool Tape::guard(PyArrayObject* value) {
    guarded_ = value_of(value);
    for (std::size_t i = 0; i < calls_.size(); ++i)
        for (const void* array : calls_[i].array)
            if (array == guarded_.at) {
                guard_at_ = i + 1;
                return true;
            }
    return false;
}

// The weight gradient of a layer and the SGD update that alone uses it: nothing is written in between. Not where the
// gradient takes some 20 ms: Ctrl-C leaves it undone, but not an update.
void Tape::fuse(const Table& table) {
    const auto is = [&](const Call& call, Kernel kernel, int dtype) { return call.run == table.run[static_cast<int>(kernel)][dtype]; };
    const auto uses = [](const Call& call, const void* array) {
        return std::find(std::begin(call.array), std::end(call.array), array) != std::end(call.array);
    };
    for (int dtype = 0; dtype < 2; ++dtype)
        for (std::size_t i = guard_at_; i < calls_.size(); ++i) {
            if (!is(calls_[i], Kernel::linear_backward_parameters, dtype)) continue;
            const Call gradient = calls_[i];  // arrays dy x | dW db
            if (gradient.size[0] * gradient.size[1] * gradient.size[2] > std::int64_t{1} << 30) continue;
            std::size_t j = i + 1;
            while (j < calls_.size() && !uses(calls_[j], gradient.array[2]) && !uses(calls_[j], gradient.array[3])) ++j;
            if (j == calls_.size() || !is(calls_[j], Kernel::sgd_update, dtype)) continue;
            Call& update = calls_[j];         // arrays W dW | W
            if (update.array[1] != gradient.array[2] || update.array[0] != update.array[2]) continue;
            Call both = update;
            both.run = table.run[static_cast<int>(Kernel::linear_sgd)][dtype];
            void* const arrays[] = {gradient.array[0], gradient.array[1], update.array[0], update.array[2], gradient.array[3]};
            std::copy(std::begin(arrays), std::end(arrays), both.array);
            std::copy_n(gradient.size, 3, both.size);
            const auto alone = [&](std::size_t k) { return k == i || k == j || !uses(calls_[k], gradient.array[2]); };
            bool only = true;
            for (std::size_t k = 0; k < calls_.size(); ++k) only &= alone(k);
            if (!only) continue;
            update = both;
            calls_.erase(calls_.begin() + static_cast<std::ptrdiff_t>(i));
            updates_at_ -= i < updates_at_;
        }
}

void Tape::run(std::size_t begin, std::size_t end) const {
    for (std::size_t i = begin; i < end; ++i) calls_[i].run(calls_[i]);
}

bool Tape::replay(const std::int64_t* rows, std::int64_t count, std::int64_t* index, double& step, Figures& kept) const {
    const std::size_t updates_at = std::min(updates_at_, calls_.size());
    std::memcpy(index, rows, static_cast<std::size_t>(count) * sizeof *index);
    step += 1;
    try {
        run(0, guard_at_);
        if (!std::isfinite(number_at(guarded_.at, guarded_.type))) {
            step -= 1;
            return false;
        }
        run(guard_at_, updates_at);
    } catch (...) {
        step -= 1;
        throw;
    }
    const Uninterrupted until_the_end;
    run(updates_at, calls_.size());
    for (std::size_t i = 0; i < most_watched; ++i)
        kept[i] = watched_[i].at ? number_at(watched_[i].at, watched_[i].type) : std::numeric_limits<double>::quiet_NaN();
    return true;
}

}  // namespace chainrule
