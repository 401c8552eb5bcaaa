// Pooling (operations/pooling.py), with images laid out pixel by pixel: the channels of a pixel are worked on together.
#pragma once

#include "convolution.hpp"

namespace chainrule::CHAINRULE_ISA {

// f(n, i, j, its output pixel's offset) for every window; O is C, P × Q the window. `first` offsets are in elements of x.
template <class F> void each_window(const Shapes& s, const F& f) {
    parallel_ranges(s.N, 0.1 * static_cast<double>(s.I * s.J * s.P * s.Q * s.C), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t n = begin; n < end; ++n)
            for (std::int64_t i = 0; i < s.I; ++i)
                for (std::int64_t j = 0; j < s.J; ++j)
                    f(((n * s.H + i * s.down) * s.W + j * s.across) * s.C, ((n * s.I + i) * s.J + j) * s.C);
    });
}

// work(P, Q), where the compiler knows the window that is met most and unrolls it.
template <class F> void unrolled_window(const Shapes& s, const F& work) {
    constexpr std::integral_constant<std::int64_t, 2> two;
    if (s.P == 2 && s.Q == 2) work(two, two);
    else work(s.P, s.Q);
}

// Where a > b, or a is the first NaN: NaN is the largest number, as in NumPy.
template <class T> inline auto larger(Vector<T> a, Vector<T> b) { return ~(a <= b) & (b == b); }

template <class T> void max_pool_forward(const Call& c) {  // arrays x | y
    const Shapes s = shapes_of(c);
    const T* x = c.at<const T>(0);
    T* y = c.at<T>(1);
    unrolled_window(s, [=](auto P, auto Q) {
        each_window(s, [=](std::int64_t from, std::int64_t to) {
            each_vector<T>(s.C, [=](std::int64_t ch, auto n) {
                Vector<T> best = load(x + from + ch, n);
                for (std::int64_t p = 0; p < P; ++p)
                    for (std::int64_t q = 0; q < Q; ++q) {
                        const Vector<T> pixel = load(x + from + (p * s.W + q) * s.C + ch, n);
                        best = larger<T>(pixel, best) ? pixel : best;
                    }
                store(y + to + ch, best, n);
            });
        });
    });
}

template <class T> void max_pool_backward(const Call& c) {  // arrays dy x | dx
    const Shapes s = shapes_of(c);
    const T *dy = c.at<const T>(0), *x = c.at<const T>(1);
    T* dx = c.at<T>(2);
    const bool apart = s.down >= s.P && s.across >= s.Q;  // no pixel lies in two windows
    if (!apart || s.I * s.P != s.H || s.J * s.Q != s.W) std::fill_n(dx, s.N * s.H * s.W * s.C, T(0));
    const auto number = [=](std::int64_t p, std::int64_t q) {
        return Places<T>{} + static_cast<std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>>(p * s.Q + q);
    };
    unrolled_window(s, [=](auto P, auto Q) {
        each_window(s, [=](std::int64_t from, std::int64_t to) {
            each_vector<T>(s.C, [=](std::int64_t ch, auto n) {
                Vector<T> best = load(x + from + ch, n);
                Places<T> place = {};  // of the largest so far: the number of its pixel in the window
                for (std::int64_t p = 0; p < P; ++p)
                    for (std::int64_t q = 0; q < Q; ++q) {
                        const Vector<T> pixel = load(x + from + (p * s.W + q) * s.C + ch, n);
                        const auto wins = larger<T>(pixel, best);
                        best = wins ? pixel : best;
                        place = wins ? number(p, q) : place;
                    }
                const Vector<T> gradient = load(dy + to + ch, n);
                for (std::int64_t p = 0; p < P; ++p)
                    for (std::int64_t q = 0; q < Q; ++q) {
                        T* pixel = dx + from + (p * s.W + q) * s.C + ch;
                        const Vector<T> share = place == number(p, q) ? gradient : Vector<T>{};
                        store(pixel, apart ? share : load(pixel, n) + share, n);
                    }
            });
        });
    });
}

template <class T> void average_pool_forward(const Call& c) {  // arrays x | y
    const Shapes s = shapes_of(c);
    const T* x = c.at<const T>(0);
    T* y = c.at<T>(1);
    each_window(s, [=](std::int64_t from, std::int64_t to) {
        each_vector<T>(s.C, [=](std::int64_t ch, auto n) {
            Vector<T> sum = {};
            for (std::int64_t p = 0; p < s.P; ++p)
                for (std::int64_t q = 0; q < s.Q; ++q) sum += load(x + from + (p * s.W + q) * s.C + ch, n);
            store(y + to + ch, sum / static_cast<T>(s.P * s.Q), n);
        });
    });
}

template <class T> void average_pool_backward(const Call& c) {  // arrays dy | dx
    const Shapes s = shapes_of(c);
    const T* dy = c.at<const T>(0);
    T* dx = c.at<T>(1);
    std::fill_n(dx, s.N * s.H * s.W * s.C, T(0));
    each_window(s, [=](std::int64_t from, std::int64_t to) {
        each_vector<T>(s.C, [=](std::int64_t ch, auto n) {
            const Vector<T> share = load(dy + to + ch, n) / static_cast<T>(s.P * s.Q);
            for (std::int64_t p = 0; p < s.P; ++p)
                for (std::int64_t q = 0; q < s.Q; ++q) {
                    T* pixel = dx + from + (p * s.W + q) * s.C + ch;
                    store(pixel, load(pixel, n) + share, n);
                }
        });
    });
}

// Any array of up to 6 axes into one without gaps (arrays from | to; sizes rank, element bytes, shape, strides in bytes).
template <class T> void arranged(const Call& c) {
    const auto rank = static_cast<int>(c.size[0]);
    const std::int64_t bytes = c.size[1], *shape = c.size + 2, *strides = c.size + 8;
    std::int64_t inner = 1;
    for (int axis = 1; axis < rank; ++axis) inner *= shape[axis];
    const char* from = c.at<const char>(0);
    char* to = c.at<char>(1);
    const auto put = [=]<class U>(U) {
        parallel_ranges(shape[0], 1.0 * static_cast<double>(inner), [=](std::int64_t begin, std::int64_t end) {
            for (std::int64_t n = begin; n < end; ++n) {
                U* at = reinterpret_cast<U*>(to) + n * inner;
                std::int64_t place[6] = {};
                const char* row = from + n * strides[0];
                const std::int64_t last = rank > 1 ? shape[rank - 1] : 1, step = rank > 1 ? strides[rank - 1] : 0;
                for (std::int64_t done = 0; done < inner; done += last) {
                    for (std::int64_t i = 0; i < last; ++i) std::memcpy(at++, row + i * step, sizeof(U));
                    for (int axis = rank - 2; axis > 0; --axis) {
                        row += strides[axis];
                        if (++place[axis] < shape[axis]) break;
                        row -= shape[axis] * strides[axis];
                        place[axis] = 0;
                    }
                }
            }
        });
    };
    if (inner == 0) return;
    if (bytes == 8) put(std::uint64_t{});
    else if (bytes == 4) put(std::uint32_t{});
    else if (bytes == 1) put(std::uint8_t{});
    else put(std::uint16_t{});
}

template <class T> void nothing(const Call&) {}  // all was done by arranging the input

}  // namespace chainrule::CHAINRULE_ISA
