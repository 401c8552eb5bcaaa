// The Python module: every kernel under its operation's name, the tape, the threads, and what they run on.
#define PY_ARRAY_UNIQUE_SYMBOL chainrule_numpy
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "pass.hpp"
#include "pool.hpp"
#include "prepare.hpp"
#include "program.hpp"
#include "tape.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace chainrule {

#if defined(__x86_64__)
namespace v3 { extern const Table table; }
namespace v4 { extern const Table table; }
#else
namespace generic { extern const Table table; }
#endif

PyTypeObject* cell_type = nullptr;

namespace {

struct Cell { double value = 0; };  // a scalar that changes from step to step

struct InstructionSet { const char* name; const Table* table; bool here; };

const InstructionSet* instruction_sets() {  // best first
    static const InstructionSet all[] = {
#if defined(__x86_64__)
        {"x86-64-v4", &v4::table, __builtin_cpu_supports("x86-64-v4") != 0},
        {"x86-64-v3", &v3::table, __builtin_cpu_supports("x86-64-v3") != 0},
#else
        {"arm64", &generic::table, true},
#endif
        {nullptr, nullptr, false},
    };
    return all;
}

const InstructionSet* chosen = nullptr;

// While it lives, other threads of Python may run, and kernels look now and then whether Ctrl-C was pressed. If so they
// throw Interrupted, and only then is Python's handler called: it may do anything, also call kernels.
class Released {
public:
    Released() : state_(PyEval_SaveThread()), look_at_(Clock::now() + look_every) {
        here = this;
        interrupted = [] { return here->ctrl_c(); };
    }
    ~Released() {
        interrupted = nullptr;
        take_back();
    }
    Released(const Released&) = delete;
    Released& operator=(const Released&) = delete;

private:
    using Clock = std::chrono::steady_clock;
    static constexpr auto look_every = std::chrono::milliseconds(50);
    static inline thread_local Released* here = nullptr;

    // Whether Ctrl-C is waiting to be answered; asking takes it away, so it is put back.
    bool ctrl_c() {
        if (Clock::now() < look_at_) return false;
        take_back();
        const bool pressed = PyOS_InterruptOccurred();
        if (pressed) PyErr_SetInterrupt();
        state_ = PyEval_SaveThread();
        look_at_ = Clock::now() + look_every;
        return pressed;
    }

    // Where the interpreter has gone down meanwhile, it ends this thread by unwinding its stack, which no C++ code in
    // between can survive: so the thread waits here for the end of the process.
    void take_back() {
        try {
            PyEval_RestoreThread(state_);
        } catch (...) {
            for (;;) pause();
        }
    }

    PyThreadState* state_;
    Clock::time_point look_at_;
};

PyObject* run_twin(const Twin& twin, PyObject* const* arguments, Py_ssize_t count) {
    Builder builder(arguments, count);
    twin.prepare(builder);
    if (PyErr_Occurred()) return nullptr;
    if (!builder.ok()) {
        if (recording && !builder.is_view()) recording->fail(std::string(twin.name) + ": arguments its kernel does not take");
        Py_RETURN_NOTIMPLEMENTED;
    }
    builder.call.run = chosen->table->run[static_cast<int>(twin.kernel)][builder.dtype()];
    for (Call& arrange : builder.before) arrange.run = chosen->table->run[static_cast<int>(Kernel::arranged)][0];
    for (bool done = false; !done;) {
        try {
            const Released released;
            for (const Call& arrange : builder.before) arrange.run(arrange);
            builder.call.run(builder.call);
            done = true;
        } catch (const std::bad_alloc&) {
            return PyErr_NoMemory();
        } catch (const Interrupted&) {
            if (PyErr_CheckSignals() < 0) return nullptr;
        }
    }
    if (recording) recording->append(builder, twin.name);
    return builder.result();
}

PyArrayObject* array_of(nb::handle object, const char* name) {
    if (!PyArray_Check(object.ptr())) throw nb::type_error((std::string(name) + ": expected a NumPy array").c_str());
    return reinterpret_cast<PyArrayObject*>(object.ptr());
}

template <class T> T* buffer(nb::handle object, const char* name, int type, npy_intp count) {
    PyArrayObject* array = array_of(object, name);
    if (PyArray_TYPE(array) != type || !PyArray_IS_C_CONTIGUOUS(array) || PyArray_SIZE(array) != count)
        throw nb::value_error((std::string(name) + ": expected a contiguous array of another dtype or size").c_str());
    return static_cast<T*>(PyArray_DATA(array));
}

// One play: (epoch, step, a row for each epoch it touched, whether every cost was finite). A row is the sums over the epoch
// so far, which go on from `sums`, and how many steps and samples this play added.
nb::object play(Program& program, std::int64_t epoch, std::int64_t step, std::int64_t last, double seconds, Cell& counter,
                Cell& rate, const std::vector<double>& sums) {
    Place place{epoch, step};
    std::vector<Tally> tallies(1);
    std::copy_n(sums.begin(), std::min(sums.size(), Tape::most_watched), tallies[0].sums.begin());
    bool finite = true;
    for (bool done = false; !done;) {
        try {
            const Released released;
            finite = program.play(place, last, seconds, counter.value, rate.value, tallies);
            done = true;
        } catch (const Interrupted&) {  // in the middle of a step, which is as if it had not begun
            if (PyErr_CheckSignals() < 0) throw nb::python_error();
        }
    }
    nb::list rows;
    for (const Tally& tally : tallies) {
        const std::vector<double> values(tally.sums.begin(), tally.sums.end());
        if (tally.steps > 0) rows.append(nb::make_tuple(tally.steps, tally.samples, values));
    }
    return nb::make_tuple(place.epoch, place.step, rows, finite);
}

// Whether `owners` hold the very objects that `held` lists, and the kernels are those of the tape.
bool is_current(const Pass& pass, nb::tuple owners, nb::tuple held) {
    const std::size_t count = held.size();
    std::size_t at = 0;
    bool same = pass.table() == chosen->table;
    contents(owners.ptr(), [&](PyObject* one) {
        same = same && at < count && PyTuple_GET_ITEM(held.ptr(), static_cast<Py_ssize_t>(at)) == one;
        ++at;
    });
    return same && at == count;
}

// The scores of x; None where Python has to work them out: x is of another kind, what the tape depends on has changed,
// another thread has the pass, or a number is not finite.
nb::object scores(const Pass& pass, nb::handle x, nb::tuple owners, nb::tuple held) {
    if (recording || !PyArray_CheckExact(x.ptr())) return nb::none();
    auto* given = reinterpret_cast<PyArrayObject*>(x.ptr());
    if (!pass.takes(given) || !is_current(pass, owners, held)) return nb::none();
    const Pass::Turn turn(pass);
    if (!turn) return nb::none();
    bool finite = true;
    for (bool done = false; !done;) {
        try {
            const Released released;
            finite = pass.run(PyArray_DATA(given));
            done = true;
        } catch (const Interrupted&) {
            if (PyErr_CheckSignals() < 0) throw nb::python_error();
        }
    }
    if (!finite) return nb::none();
    PyObject* y = PyArray_NewCopy(pass.y(), NPY_CORDER);
    if (y == nullptr) throw nb::python_error();
    return nb::steal(y);
}

}  // namespace

const double* cell_address(PyObject* cell) { return &nb::inst_ptr<Cell>(nb::handle(cell))->value; }

}  // namespace chainrule

using namespace chainrule;

static bool import_numpy() {
    import_array1(false);
    return true;
}

NB_MODULE(_native, m) {
    if (!import_numpy()) throw nb::python_error();
    nb::set_leak_warnings(false);  // a daemon thread still at work when the process ends is no fault of its user's

    nb::class_<Cell>(m, "Cell", "A number that changes from step to step; kernels look it up at each run.")
        .def(nb::init<>())
        .def_rw("value", &Cell::value)
        .def("__eq__", [](const Cell&, nb::handle) -> bool {  // a tape would repeat the answer in every step
            throw nb::type_error("a Cell's number is known when a kernel runs, not before; it cannot be compared");
        }, "other"_a.none());
    cell_type = reinterpret_cast<PyTypeObject*>(nb::type<Cell>().ptr());

    nb::class_<Tape>(m, "Tape", "A training step as a list of kernel calls on fixed buffers.")
        .def(nb::init<>())
        .def("know", [](Tape& tape, nb::handle array) { tape.know(array_of(array, "array")); }, "array"_a)
        .def("assign", [](Tape& tape, nb::handle target, nb::handle source) {
            return tape.assign(array_of(target, "target"), array_of(source, "source"));
        }, "target"_a, "source"_a)
        .def("watch", [](Tape& tape, std::size_t place, nb::handle value) { tape.watch(place, array_of(value, "value")); },
             "place"_a, "value"_a)
        .def("guard", [](Tape& tape, nb::handle value) { return tape.guard(array_of(value, "value")); }, "value"_a)
        .def("fuse", [](Tape& tape) { tape.fuse(*chosen->table); })
        .def("fail", &Tape::fail, "reason"_a)
        .def("start", [](Tape& tape) { recording = &tape; })
        .def("stop", [](Tape&) { recording = nullptr; })
        .def("knows", [](const Tape& tape, nb::handle array) { return tape.known(PyArray_DATA(array_of(array, "array"))); },
             "array"_a)
        .def_prop_ro("bytes", &Tape::bytes)
        .def_prop_ro("failure", &Tape::failure)
        .def_prop_ro("calls", [](const Tape& tape) { return tape.calls().size(); });

    nb::class_<Program>(m, "Program", "The steps of a training, epoch after epoch, by tape.")
        .def("__init__", [](Program* made, std::int64_t rows, std::int64_t batch, bool shuffle, std::uint64_t seed, std::int64_t stream) {
            new (made) Program(rows, batch, shuffle, static_cast<std::int64_t>(seed), stream, chosen->table);
        }, "rows"_a, "batch"_a, "shuffle"_a, "seed"_a, "stream"_a)
        .def("use", [](Program& program, const Tape& tape, nb::handle index) {
            const npy_intp size = PyArray_SIZE(array_of(index, "index"));
            program.use(&tape, buffer<std::int64_t>(index, "index", NPY_INT64, size), size);
        }, "tape"_a, "index"_a, nb::keep_alive<1, 2>(), nb::keep_alive<1, 3>())
        .def("rates", [](Program& program, nb::handle rates) {
            const npy_intp count = PyArray_SIZE(array_of(rates, "rates"));
            const double* all = buffer<double>(rates, "rates", NPY_DOUBLE, count);
            if (count < 1) throw nb::value_error("rates: expected at least one");
            program.rates(std::vector<double>(all, all + count));
        }, "rates"_a)
        .def("play", &play, "epoch"_a, "step"_a, "last"_a, "seconds"_a, "counter"_a, "rate"_a,
             "sums"_a = std::vector<double>{});

    nb::class_<Pass>(m, "Pass", "A forward pass by tape: scores y of samples x, which are buffers of the tape.")
        .def("__init__", [](Pass* made, const Tape& tape, nb::handle x, nb::handle y) {
            for (nb::handle array : {x, y})
                if (const int type = PyArray_TYPE(array_of(array, "buffers")); (type != NPY_FLOAT && type != NPY_DOUBLE) ||
                    !PyArray_IS_C_CONTIGUOUS(array_of(array, "buffers")) || !tape.known(PyArray_DATA(array_of(array, "buffers"))))
                    throw nb::value_error("buffers: expected contiguous floats that the tape knows");
            new (made) Pass(tape, array_of(x, "x"), array_of(y, "y"), chosen->table);
        }, "tape"_a, "x"_a, "y"_a, nb::keep_alive<1, 2>(), nb::keep_alive<1, 3>(), nb::keep_alive<1, 4>())
        .def("__call__", &scores, "x"_a, "owners"_a, "held"_a)
        .def("is_current", &is_current, "owners"_a, "held"_a);
    m.def("recording", [] { return recording != nullptr; }, "Whether a tape records what this thread calls.");
    m.def("contents", [](nb::tuple owners) {
        nb::list found;
        contents(owners.ptr(), [&](PyObject* one) { found.append(nb::handle(one)); });
        return nb::tuple(found);
    }, "owners"_a, "What these objects hold: names and values of attributes, items of lists.");

    m.def("threads", &threads, "How many threads the kernels use.");
    m.def("set_threads", &set_threads, "count"_a, "Use `count` threads from now on. No result depends on it.");
    m.def("instruction_sets", [] {
        std::vector<std::string> names;
        for (const InstructionSet* set = instruction_sets(); set->name; ++set)
            if (set->here) names.emplace_back(set->name);
        return names;
    }, "The instruction sets that this machine has kernels for, best first.");
    m.def("choose", [](const std::string& name) {
        for (const InstructionSet* set = instruction_sets(); set->name; ++set)
            if (set->here && name == set->name) chosen = set;
        return chosen != nullptr && name == chosen->name;
    }, "name"_a, "Use the kernels of this instruction set from now on. No result depends on it.");
    m.def("chosen", [] { return std::string(chosen ? chosen->name : ""); });
    nb::list built_for;
    for (const InstructionSet* set = instruction_sets(); set->name; ++set) built_for.append(set->name);
    m.attr("built_for") = built_for;  // best first, whether this machine can run them or not
    m.attr("compiler") = "GCC " __VERSION__;

    for (int i = 0; i < twin_count; ++i) {
        const Twin& twin = twins[i];
        m.def(twin.name, [&twin](nb::args arguments) {
            PyObject* result = run_twin(twin, &PyTuple_GET_ITEM(arguments.ptr(), 0), PyTuple_GET_SIZE(arguments.ptr()));
            if (result == nullptr) throw nb::python_error();
            return nb::steal(result);
        });
    }
}
