// The linear layer's products where most inputs are exactly zero, as in images of digits. fma(0, w, c) is c, so
// leaving those terms out changes no bit of the sum, which still runs over the others in the same order.
#pragma once

#include "product.hpp"

namespace chainrule::CHAINRULE_ISA {

// Whether at least two thirds of x are zero, judged by every element: it is read soon after anyway.
template <class T> bool mostly_zero(std::int64_t count, const T* x) {
    if (count < 1024) return false;
    std::int64_t zeros = 0;
    for (std::int64_t begin = 0; begin < count; begin += 4096) {
        std::int32_t here = 0;
        for (std::int64_t i = begin; i < std::min(begin + 4096, count); ++i) here += x[i] == T(0);
        zeros += here;
    }
    return 3 * zeros >= 2 * count;
}

inline std::int32_t* scratch_places(std::size_t count) {
    thread_local std::vector<std::int32_t> space;
    if (space.size() < count + 1) space.resize(count + 1);
    return space.data();
}

// The places of the elements that are not zero, in order.
template <class T> std::int64_t nonzero(std::int64_t count, const T* x, std::int64_t stride, std::int32_t* places) {
    std::int64_t found = 0;
    for (std::int64_t i = 0; i < count; ++i) {
        places[found] = static_cast<std::int32_t>(i);
        found += x[i * stride] != T(0);
    }
    return found;
}

constexpr int wide = 8;  // vectors of one row of C that are summed at a time

// c = Σ over the listed k of a_k · B[k] (+ bias), V vectors wide, the last of `last` columns where not whole.
template <class T, int V, bool whole>
inline void sum_of_rows(std::int64_t count, const std::int32_t* places, const T* a, std::int64_t a_step, const T* b,
                        std::int64_t b_row, T* c, int last, const T* bias) {
    Vector<T> sum[V] = {};
    for (std::int64_t i = 0; i < count; ++i) {
        const std::int64_t k = places[i];
        const Vector<T> ak = spread(a[k * a_step]);
        for (int v = 0; v < V; ++v) sum[v] = fma(ak, part<T, V, whole>(b + k * b_row, v, last), sum[v]);
    }
    for (int v = 0; v < V; ++v) {
        if (bias) sum[v] = sum[v] + part<T, V, whole>(bias, v, last);
        if (whole || v + 1 < V) store(c + v * lanes<T>, sum[v]);
        else store(c + v * lanes<T>, sum[v], last);
    }
}

template <class T, int V = wide>
inline void sum_of_rows_of(int width, std::int64_t count, const std::int32_t* places, const T* a, std::int64_t a_step,
                           const T* b, std::int64_t b_row, T* c, const T* bias) {
    const int last = width - (V - 1) * lanes<T>;
    if (last == lanes<T>) sum_of_rows<T, V, true>(count, places, a, a_step, b, b_row, c, 0, bias);
    else if (last > 0) sum_of_rows<T, V, false>(count, places, a, a_step, b, b_row, c, last, bias);
    else if constexpr (V > 1) sum_of_rows_of<T, V - 1>(width, count, places, a, a_step, b, b_row, c, bias);
}

// Rows r of C (R × O): c_r = Σ_k a_rk B_k (+ bias) over the nonzero a_rk, k < K.
template <class T>
void sparse_product(std::int64_t R, std::int64_t K, std::int64_t O, const T* a, std::int64_t a_row, std::int64_t a_step,
                    const T* b, T* c, const T* bias) {
    constexpr std::int64_t columns = wide * lanes<T>;
    const std::int64_t across = (O + columns - 1) / columns, rows = 32;
    const std::int64_t down = (R + rows - 1) / rows;
    auto block = [&](std::int64_t i) {
        std::int32_t* places = scratch_places(static_cast<std::size_t>(K));
        const std::int64_t r0 = i % down * rows, n = i / down * columns;
        const int width = static_cast<int>(std::min(columns, O - n));
        for (std::int64_t r = r0; r < std::min(r0 + rows, R); ++r) {
            const std::int64_t count = nonzero(K, a + r * a_row, a_step, places);
            sum_of_rows_of<T>(width, count, places, a + r * a_row, a_step, b + n, O, c + r * O + n, bias ? bias + n : nullptr);
        }
    };
    constexpr std::int64_t small = 1 << 20;
    if (R * K * O < small)
        for (std::int64_t i = 0; i < down * across; ++i) block(i);
    else parallel(down * across, block);
}

template <class T>
void sparse_forward(std::int64_t N, std::int64_t I, std::int64_t O, const T* x, const T* W, const T* b, T* y) {
    sparse_product(N, I, O, x, I, 1, W, y, b);
}

template <class T>
void sparse_weight_gradient(std::int64_t N, std::int64_t I, std::int64_t O, const T* x, const T* dy, T* dW) {
    T* turned = scratch<T>(2, static_cast<std::size_t>(N * I));  // x with i first: the samples of one feature side by side
    transpose(N, I, x, turned);
    sparse_product(I, N, O, turned, N, 1, dy, dW, static_cast<const T*>(nullptr));
}

}  // namespace chainrule::CHAINRULE_ISA
