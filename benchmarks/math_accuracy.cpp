// How exact and how fast native/math.hpp is. benchmarks/math_accuracy.py compiles this for each instruction set and
// prints the tables; each command below writes one line per function, fields separated by spaces.
//
//   float STEP THREADS   every STEP-th of the 2³² float inputs against glibc in double
//   double COUNT         random double inputs of all sizes against libquadmath (113 bits)
//                        each: name, largest error in ulp, its input, results not correctly rounded, special results
//                        that are wrong, inputs, largest relative error among normal results not correctly rounded
//   digest STEP COUNT    the bytes of every STEP-th float result and of COUNT double results, summed up (not NaNs)
//   speed                nanoseconds per element on arrays in the first-level cache: ours and glibc's, float and double

#include "../native/math.hpp"

#include <algorithm>
#include <chrono>
#include <cinttypes>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#if defined(__x86_64__)
#include <quadmath.h>
using Quad = __float128;
#else
using Quad = long double;  // 113 bits on 64-bit Arm
inline Quad expq(Quad x) { return std::exp(x); }
inline Quad logq(Quad x) { return std::log(x); }
inline Quad log1pq(Quad x) { return std::log1p(x); }
inline Quad tanhq(Quad x) { return std::tanh(x); }
#endif

namespace math = chainrule::math;

namespace {

double wide_exp(double x) { return std::exp(x); }
double wide_log(double x) { return std::log(x); }
double wide_log1p(double x) { return std::log1p(x); }
double wide_tanh(double x) { return std::tanh(x); }
Quad wide_exp(Quad x) { return expq(x); }
Quad wide_log(Quad x) { return logq(x); }
Quad wide_log1p(Quad x) { return log1pq(x); }
Quad wide_tanh(Quad x) { return tanhq(x); }

template <class W>
W wide_sigmoid(W x) {
    const W e = wide_exp(x < 0 ? x : -x);
    return (x < 0 ? e : W(1)) / (1 + e);
}
template <class W>
W wide_softplus(W x) {
    return (x > 0 ? x : (x < 0 || x == 0 ? W(0) : x)) + wide_log1p(wide_exp(x < 0 ? x : -x));
}

// Each function: ours, the reference in a wider format, and glibc's own in the same format, for the race.
#define FUNCTION(NAME, RACE)                          \
    struct NAME {                                     \
        static constexpr const char* name = #NAME;    \
        template <class T>                            \
        [[gnu::always_inline]] static inline T ours(T x) {   \
            return math::NAME(x);                     \
        }                                             \
        template <class W>                            \
        static W wide(W x) {                          \
            return wide_##NAME(x);                    \
        }                                             \
        template <class T>                            \
        static T race(T x) {                          \
            return RACE;                              \
        }                                             \
    };
FUNCTION(exp, std::exp(x))
FUNCTION(log, std::log(x))
FUNCTION(log1p, std::log1p(x))
FUNCTION(tanh, std::tanh(x))
FUNCTION(sigmoid, T(1) / (T(1) + std::exp(-x)))
FUNCTION(softplus, std::max(x, T(0)) + std::log1p(std::exp(-std::fabs(x))))
#undef FUNCTION

template <class Visit>
void each_function(Visit visit) {
    visit(exp{});
    visit(log{});
    visit(log1p{});
    visit(tanh{});
    visit(sigmoid{});
    visit(softplus{});
}

constexpr std::size_t block = 4096;  // elements per call: input and output lie in the first-level cache

template <class F, class T>
[[gnu::noinline]] void ours(const T* __restrict x, T* __restrict y, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) y[i] = F::ours(x[i]);
}
template <class F, class T>
[[gnu::noinline]] void race(const T* __restrict x, T* __restrict y, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) y[i] = F::race(x[i]);
}

// Uniform random bits from a counter (the finaliser of splitmix64).
std::uint64_t random_bits(std::uint64_t counter) {
    std::uint64_t z = (counter + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

// Doubles that reach every part of every function: any bit pattern, and the ranges where something happens.
double random_double(std::uint64_t i) {
    const std::uint64_t bits = random_bits(i);
    const double unit = static_cast<double>(static_cast<std::int64_t>(bits)) * 0x1p-63;  // −1 … 1
    switch (i % 8) {
        case 0: return __builtin_bit_cast(double, bits);
        case 1: return unit * 750;
        case 2: return unit * 40;
        case 3: return unit * 3;
        case 4: return unit;
        case 5: return 1 + unit * 0.75;
        case 6: return std::ldexp(unit, -static_cast<int>(bits % 60));
        default: return 1 + std::ldexp(unit, -static_cast<int>(bits % 50));
    }
}

struct Findings {
    double largest = 0;   // error in units in the last place
    double relative = 0;  // largest relative error among normal results
    double at = 0;
    std::uint64_t misrounded = 0, wrong = 0, inputs = 0;

    void add(const Findings& other) {
        if (other.largest > largest) largest = other.largest, at = other.at;
        relative = std::max(relative, other.relative);
        misrounded += other.misrounded, wrong += other.wrong, inputs += other.inputs;
    }
};

// Compares one result with the wide value. An infinite result counts as the power of two above the largest number.
template <class T, class W>
void judge(Findings& found, T x, T y, W truth) {
    using Limits = std::numeric_limits<T>;
    const T nearest = static_cast<T>(truth);
    ++found.inputs;
    if (std::memcmp(&y, &nearest, sizeof y) == 0) return;  // correctly rounded: the error is at most half
    if (std::isnan(y) || std::isnan(nearest) || (y == 0 && nearest == 0)) {
        found.wrong += !(std::isnan(y) && std::isnan(nearest));  // any NaN will do; the sign of a zero must be right
        return;
    }
    ++found.misrounded;
    const W top = W(Limits::max()) + std::ldexp(1.0, Limits::max_exponent - Limits::digits);
    const W value = std::isinf(y) ? (y > 0 ? top : -top) : W(y);
    const W error = value > truth ? value - truth : truth - value;
    if (!(error <= top)) {  // the truth is infinite and the result is not, or the other way round
        ++found.wrong;
        return;
    }
    int exponent = Limits::max_exponent;
    if (!std::isinf(nearest)) std::frexp(static_cast<double>(nearest), &exponent);
    exponent = std::max(exponent, Limits::min_exponent);
    const double ulps = static_cast<double>(error / W(std::ldexp(1.0, exponent - Limits::digits)));
    if (ulps > found.largest) found.largest = ulps, found.at = static_cast<double>(x);
    if (std::fabs(nearest) >= Limits::min()) {
        found.relative = std::max(found.relative, static_cast<double>(error / W(std::fabs(nearest))));
    }
}

void print(const char* name, const Findings& f) {
    std::printf("%s %.4f %a %" PRIu64 " %" PRIu64 " %" PRIu64 " %.3e\n", name, f.largest, f.at, f.misrounded, f.wrong,
                f.inputs, f.relative);
    std::fflush(stdout);
}

template <class F>
Findings check_floats(std::uint64_t start, std::uint64_t step, std::uint64_t stride) {
    Findings found;
    std::vector<float> x(block), y(block);
    for (std::uint64_t first = start * block * step; first < (1ull << 32); first += stride * block * step) {
        std::size_t count = 0;
        for (; count < block && first + count * step < (1ull << 32); ++count) {
            x[count] = __builtin_bit_cast(float, static_cast<std::uint32_t>(first + count * step));
        }
        ours<F>(x.data(), y.data(), count);
        for (std::size_t i = 0; i < count; ++i) judge(found, x[i], y[i], F::wide(static_cast<double>(x[i])));
    }
    return found;
}

void command_float(std::uint64_t step, unsigned threads) {
    each_function([&]<class F>(F) {
        std::vector<Findings> parts(threads);
        std::vector<std::thread> team;
        for (unsigned t = 0; t < threads; ++t) {
            team.emplace_back([&, t] { parts[t] = check_floats<F>(t, step, threads); });
        }
        for (auto& thread : team) thread.join();
        Findings all;
        for (const auto& part : parts) all.add(part);
        print(F::name, all);
    });
}

void command_double(std::uint64_t total) {
    each_function([&]<class F>(F) {
        Findings found;
        std::vector<double> x(block), y(block);
        for (std::uint64_t first = 0; first < total; first += block) {
            for (std::size_t i = 0; i < block; ++i) x[i] = random_double(first + i);
            ours<F>(x.data(), y.data(), block);
            for (std::size_t i = 0; i < block; ++i) judge(found, x[i], y[i], F::wide(static_cast<Quad>(x[i])));
        }
        print(F::name, found);
    });
}

template <class F, class T, class Input>
std::uint64_t digest(std::uint64_t total, Input input) {
    std::uint64_t sum = 0;
    std::vector<T> x(block), y(block);
    for (std::uint64_t first = 0; first < total; first += block) {
        for (std::size_t i = 0; i < block; ++i) x[i] = input(first + i);
        ours<F>(x.data(), y.data(), block);
        for (std::size_t i = 0; i < block; ++i) {
            const T result = std::isnan(y[i]) ? T(0) : y[i];  // which NaN it is depends on the processor
            sum += math::detail::to_bits(result) * (2 * (first + i) + 1);
        }
    }
    return sum;
}

void command_digest(std::uint64_t step, std::uint64_t total) {
    each_function([&]<class F>(F) {
        std::uint64_t of_float = 0, of_double = 0;
        std::thread other([&] { of_double = digest<F, double>(total, random_double); });
        of_float = digest<F, float>((1ull << 32) / step, [step](std::uint64_t i) {
            return __builtin_bit_cast(float, static_cast<std::uint32_t>(i * step));
        });
        other.join();
        std::printf("%s %016" PRIx64 " %016" PRIx64 "\n", F::name, of_float, of_double);
        std::fflush(stdout);
    });
}

// The best of many short runs: what the machine does when nobody disturbs it.
template <class T>
double nanoseconds(void (*run)(const T*, T*, std::size_t), const std::vector<T>& x) {
    std::vector<T> y(x.size());
    double best = 1e9;
    for (int round = 0; round < 400; ++round) {
        const auto begin = std::chrono::steady_clock::now();
        for (int i = 0; i < 4; ++i) run(x.data(), y.data(), x.size());
        const std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - begin;
        best = std::min(best, spent.count() / 4 / static_cast<double>(x.size()));
    }
    return best;
}

template <class F, class T>
void race_one() {
    std::vector<T> x(1024);
    const bool positive = std::strncmp(F::name, "log", 3) == 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        const T unit = static_cast<T>(random_bits(i) >> 40) * T(0x1p-24);
        x[i] = positive ? T(0.001) + 16 * unit : 16 * unit - 8;
    }
    std::printf(" %.4f %.4f", nanoseconds<T>(ours<F, T>, x), nanoseconds<T>(race<F, T>, x));
}

void command_speed() {
    each_function([]<class F>(F) {
        std::printf("%s", F::name);
        race_one<F, float>();
        race_one<F, double>();
        std::printf("\n");
    });
}

}  // namespace

int main(int count, char** words) {
    const std::string command = count > 1 ? words[1] : "";
    const auto number = [&](int i) { return i < count ? std::strtoull(words[i], nullptr, 10) : 1; };
    if (command == "float") {
        command_float(number(2), static_cast<unsigned>(number(3)));
    } else if (command == "double") {
        command_double(number(2));
    } else if (command == "digest") {
        command_digest(number(2), number(3));
    } else if (command == "speed") {
        command_speed();
    } else {
        std::fprintf(stderr, "usage: math_accuracy float STEP THREADS | double COUNT | digest STEP COUNT | speed\n");
        return 2;
    }
}
