// What moves numbers without changing them: maxout, parts side by side, rows of a vocabulary (operations/maxout.py,
// joins.py, embedding.py).
#pragma once

#include "rows.hpp"

namespace chainrule::CHAINRULE_ISA {

// f(first, y's place) for every group of pieces: piece p is at x[first + p·L]. Sizes groups P L.
template <class F> void each_group(const Call& c, const F& f) {
    const std::int64_t P = c.size[1], L = c.size[2];
    parallel_ranges(c.size[0], 5 * cheap * static_cast<double>(P * L), [=](std::int64_t begin, std::int64_t end) {
        for (std::int64_t group = begin; group < end; ++group)
            for (std::int64_t l = 0; l < L; ++l) f(group * P * L + l, group * L + l);
    });
}

template <class T> inline std::int64_t largest_piece(std::int64_t P, std::int64_t L, const T* x) {  // the first; NaN is largest
    std::int64_t place = 0;
    for (std::int64_t p = 1; p < P; ++p)
        if (!(x[p * L] <= x[place * L]) && x[place * L] == x[place * L]) place = p;
    return place;
}

template <class T> void maxout_forward(const Call& c) {  // arrays x | y
    const std::int64_t P = c.size[1], L = c.size[2];
    const T* x = c.at<const T>(0);
    T* y = c.at<T>(1);
    each_group(c, [=](std::int64_t first, std::int64_t to) { y[to] = x[first + largest_piece(P, L, x + first) * L]; });
}

template <class T> void maxout_backward(const Call& c) {  // arrays dy x | dx
    const std::int64_t P = c.size[1], L = c.size[2];
    const T *dy = c.at<const T>(0), *x = c.at<const T>(1);
    T* dx = c.at<T>(2);
    each_group(c, [=](std::int64_t first, std::int64_t from) {
        const std::int64_t place = largest_piece(P, L, x + first);
        for (std::int64_t p = 0; p < P; ++p) dx[first + p * L] = p == place ? dy[from] : T(0);
    });
}

// Rows of `left` and `right` numbers beside each other (sizes rows left right).
template <class T> void concatenate_forward(const Call& c) {  // arrays x y | z
    const std::int64_t left = c.size[1], right = c.size[2];
    const T *x = c.at<const T>(0), *y = c.at<const T>(1);
    T* z = c.at<T>(2);
    parallel_ranges(c.size[0], cheap * static_cast<double>(left + right), [=](std::int64_t begin, std::int64_t end) {
        for (std::int64_t n = begin; n < end; ++n) {
            std::copy_n(x + n * left, left, z + n * (left + right));
            std::copy_n(y + n * right, right, z + n * (left + right) + left);
        }
    });
}

template <class T> void concatenate_backward(const Call& c) {  // arrays dz x y | dx dy
    const std::int64_t left = c.size[1], right = c.size[2];
    const T* dz = c.at<const T>(0);
    T *dx = c.at<T>(3), *dy = c.at<T>(4);
    parallel_ranges(c.size[0], cheap * static_cast<double>(left + right), [=](std::int64_t begin, std::int64_t end) {
        for (std::int64_t n = begin; n < end; ++n) {
            std::copy_n(dz + n * (left + right), left, dx + n * left);
            std::copy_n(dz + n * (left + right) + left, right, dy + n * right);
        }
    });
}

template <class T> void whole_numbers(const Call& c) {  // arrays x | index, sizes count
    const T* x = c.at<const T>(0);
    auto* index = c.at<std::int64_t>(1);
    parallel_ranges(c.size[0], cheap, [=](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            const bool inside = x[i] >= 0 && x[i] < T(2147483648.0);
            const auto number = static_cast<std::int64_t>(inside ? x[i] : T(0));
            index[i] = inside && static_cast<T>(number) == x[i] ? number : -1;
        }
    });
}

// Sizes places V I. On a tape words may come unchecked: one that is not there is NaN, and has no gradient.
template <class T> void embedding_forward(const Call& c) {  // arrays index W | y
    const std::int64_t V = c.size[1], I = c.size[2];
    const auto* index = c.at<const std::int64_t>(0);
    const T* W = c.at<const T>(1);
    T* y = c.at<T>(2);
    parallel_ranges(c.size[0], cheap * static_cast<double>(I) + 5, [=](std::int64_t begin, std::int64_t end) {
        for (std::int64_t t = begin; t < end; ++t)
            if (index[t] >= 0 && index[t] < V) std::copy_n(W + index[t] * I, I, y + t * I);
            else std::fill_n(y + t * I, I, std::numeric_limits<T>::quiet_NaN());
    });
}

template <class T> void embedding_backward(const Call& c) {  // arrays dy index W | dW
    const std::int64_t places = c.size[0], V = c.size[1], I = c.size[2];
    const T* dy = c.at<const T>(0);
    const auto* index = c.at<const std::int64_t>(1);
    T* dW = c.at<T>(3);
    const std::int64_t columns = 4 * lanes<T>;  // each thread has columns of its own, and goes through all places
    parallel_ranges((I + columns - 1) / columns, cheap * static_cast<double>((places + V) * columns),
                    [=](std::int64_t begin, std::int64_t end) {
        const std::int64_t first = begin * columns, count = std::min(I, end * columns) - first;
        for (std::int64_t v = 0; v < V; ++v) std::fill_n(dW + v * I + first, count, T(0));
        for (std::int64_t t = 0; t < places; ++t) {
            if (index[t] < 0 || index[t] >= V) continue;
            const T* from = dy + t * I + first;
            T* to = dW + index[t] * I + first;
#pragma GCC ivdep
            for (std::int64_t i = 0; i < count; ++i) to[i] = to[i] + from[i];
        }
    });
}

}  // namespace chainrule::CHAINRULE_ISA
