// The linear layer's products where most inputs are exactly zero, as in images of digits, or where there are few samples. fma(0, w, c) is c, so
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

// The places of the elements that are not zero, in order; `places` has room for count + 16.
template <class T> std::int64_t nonzero(std::int64_t count, const T* x, std::int32_t* places) {
    std::int64_t found = 0, i = 0;
#if defined(__AVX512F__)
    __m512i here = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    for (; i + 16 <= count; i += 16, here = _mm512_add_epi32(here, _mm512_set1_epi32(16))) {
        __mmask16 kept;
        if constexpr (sizeof(T) == 4) kept = _mm512_cmp_ps_mask(_mm512_loadu_ps(x + i), _mm512_setzero_ps(), _CMP_NEQ_UQ);
        else
            kept = static_cast<__mmask16>(_mm512_cmp_pd_mask(_mm512_loadu_pd(x + i), _mm512_setzero_pd(), _CMP_NEQ_UQ) |
                                          _mm512_cmp_pd_mask(_mm512_loadu_pd(x + i + 8), _mm512_setzero_pd(), _CMP_NEQ_UQ) << 8);
        _mm512_storeu_si512(places + found, _mm512_maskz_compress_epi32(kept, here));
        found += __builtin_popcount(kept);
    }
#elif defined(__AVX2__)
    for (; i + lanes<T> <= count; i += lanes<T>) {
        unsigned kept;
        if constexpr (sizeof(T) == 4)
            kept = static_cast<unsigned>(_mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(x + i), _mm256_setzero_ps(), _CMP_NEQ_UQ)));
        else
            kept = static_cast<unsigned>(_mm256_movemask_pd(_mm256_cmp_pd(_mm256_loadu_pd(x + i), _mm256_setzero_pd(), _CMP_NEQ_UQ)));
        for (; kept; kept &= kept - 1) places[found++] = static_cast<std::int32_t>(i) + __builtin_ctz(kept);
    }
#endif
    for (; i < count; ++i) {
        places[found] = static_cast<std::int32_t>(i);
        found += x[i] != T(0);
    }
    return found;
}

constexpr int wide = 8;  // vectors of one row of C that are summed at a time

// c ← c + Σ over the listed k of a_k · B[k], V vectors wide, the last of `last` columns where not whole.
template <class T, int V, bool whole>
inline void sum_of_rows(const std::int32_t* places, const std::int32_t* end, const T* a, const T* b, std::int64_t b_row, T* c,
                        int last, bool start, const T* bias) {
    Vector<T> sum[V];
#pragma GCC unroll 16
    for (int v = 0; v < V; ++v) sum[v] = start ? Vector<T>{} : part<T, V, whole>(c, v, last);
    for (; places < end; ++places) {
        const Vector<T> ak = spread(a[*places]);
        const T* row = b + *places * b_row;
#pragma GCC unroll 16
        for (int v = 0; v < V; ++v) sum[v] = fma(ak, part<T, V, whole>(row, v, last), sum[v]);
    }
#pragma GCC unroll 16
    for (int v = 0; v < V; ++v) {
        if (bias) sum[v] = sum[v] + part<T, V, whole>(bias, v, last);
        if (whole || v + 1 < V) store(c + v * lanes<T>, sum[v]);
        else store(c + v * lanes<T>, sum[v], last);
    }
}

template <class T, int V = wide>
inline void sum_of_rows_of(int width, const std::int32_t* places, const std::int32_t* end, const T* a, const T* b,
                           std::int64_t b_row, T* c, bool start, const T* bias) {
    const int last = width - (V - 1) * lanes<T>;
    if (last == lanes<T>) sum_of_rows<T, V, true>(places, end, a, b, b_row, c, 0, start, bias);
    else if (last > 0) sum_of_rows<T, V, false>(places, end, a, b, b_row, c, last, start, bias);
    else if constexpr (V > 1) sum_of_rows_of<T, V - 1>(width, places, end, a, b, b_row, c, start, bias);
}

// C (R × O) = A (R × K) B (K × O) (+ bias), over the nonzero elements of A. A block of B that stays in the first cache is
// used for all rows of A before the next.
template <class T>
void sparse_product(std::int64_t R, std::int64_t K, std::int64_t O, const T* a, const T* b, T* c, const T* bias) {
    constexpr std::int64_t columns = wide * lanes<T>, rows = 32, block = 96;
    const std::int64_t across = (O + columns - 1) / columns, down = (R + rows - 1) / rows;
    const std::int64_t parts = down == 1 ? across : 1;  // few rows: share out their columns
    auto work = [&](std::int64_t i) {
        const std::int64_t r0 = i / parts * rows, r1 = std::min(r0 + rows, R);
        const std::int64_t n0 = parts > 1 ? i * columns : 0, n1 = parts > 1 ? n0 + columns : across * columns;
        std::int32_t* places = scratch<std::int32_t>(4, static_cast<std::size_t>(rows * (K + 1) + 16));
        std::int32_t ends[rows];                                                 // of each row's list
        for (std::int64_t r = r0; r < r1; ++r)
            ends[r - r0] = static_cast<std::int32_t>(nonzero(K, a + r * K, places + (r - r0) * (K + 1)));
        for (std::int64_t n = n0; n < n1; n += columns) {
            const int width = static_cast<int>(std::min(columns, O - n));
            std::int32_t at[rows] = {};                                          // how far each row's list is done
            for (std::int64_t k0 = 0; k0 < K || k0 == 0; k0 += block) {
                const bool end = k0 + block >= K;
                for (std::int64_t r = r0; r < r1; ++r) {
                    const std::int32_t* list = places + (r - r0) * (K + 1);
                    std::int32_t from = at[r - r0], to = from;
                    while (to < ends[r - r0] && list[to] < k0 + block) ++to;
                    at[r - r0] = to;
                    if (from == to && k0 > 0 && !end) continue;
                    sum_of_rows_of<T>(width, list + from, list + to, a + r * K, b + n, O, c + r * O + n, k0 == 0,
                                      end && bias ? bias + n : nullptr);
                }
            }
        }
    };
    constexpr std::int64_t small = 1 << 17;
    if (R * K * O < small)
        for (std::int64_t i = 0; i < down * parts; ++i) work(i);
    else parallel(down * parts, work);
}

template <class T>
void sparse_forward(std::int64_t N, std::int64_t I, std::int64_t O, const T* x, const T* W, const T* b, T* y) {
    sparse_product(N, I, O, x, W, y, b);
}

// dW_i = Σ_n x_ni dy_n for i from `begin` to `end`, V vectors wide, where bit n of some[i] says that x_ni is not zero.
template <class T, int V, bool whole>
inline void sums_of_few(std::int64_t begin, std::int64_t end, const std::uint32_t* some, std::int64_t I, std::int64_t O,
                        const T* x, const T* dy, T* dW, int last) {
    for (std::int64_t i = begin; i < end; ++i) {
        Vector<T> sum[V] = {};
        for (std::uint32_t bits = some[i]; bits; bits &= bits - 1) {
            const int n = __builtin_ctz(bits);
            const Vector<T> xni = spread(x[n * I + i]);
#pragma GCC unroll 16
            for (int v = 0; v < V; ++v) sum[v] = fma(xni, part<T, V, whole>(dy + n * O, v, last), sum[v]);
        }
#pragma GCC unroll 16
        for (int v = 0; v < V; ++v) {
            if (whole || v + 1 < V) store(dW + i * O + v * lanes<T>, sum[v]);
            else store(dW + i * O + v * lanes<T>, sum[v], last);
        }
    }
}

template <class T, int V = wide>
inline void sums_of_few_of(int width, std::int64_t begin, std::int64_t end, const std::uint32_t* some, std::int64_t I,
                           std::int64_t O, const T* x, const T* dy, T* dW) {
    const int last = width - (V - 1) * lanes<T>;
    if (last == lanes<T>) sums_of_few<T, V, true>(begin, end, some, I, O, x, dy, dW, 0);
    else if (last > 0) sums_of_few<T, V, false>(begin, end, some, I, O, x, dy, dW, last);
    else if constexpr (V > 1) sums_of_few_of<T, V - 1>(width, begin, end, some, I, O, x, dy, dW);
}

// The same sums for up to 32 samples, whose nonzero x of one feature fit into the bits of a word.
template <class T>
void sparse_weight_gradient_of_few(std::int64_t N, std::int64_t I, std::int64_t O, const T* x, const T* dy, T* dW) {
    auto* some = scratch<std::uint32_t>(4, static_cast<std::size_t>(I));
    std::fill_n(some, I, 0u);
    for (std::int64_t n = 0; n < N; ++n)
        for (std::int64_t i = 0; i < I; ++i) some[i] |= static_cast<std::uint32_t>(x[n * I + i] != T(0)) << n;
    constexpr std::int64_t columns = wide * lanes<T>;
    parallel_ranges(I, 0.05 * static_cast<double>(N * (O + lanes<T>) / lanes<T>), [=](std::int64_t begin, std::int64_t end) {
        for (std::int64_t o = 0; o < O; o += columns)
            sums_of_few_of<T>(static_cast<int>(std::min(columns, O - o)), begin, end, some, I, O, x, dy + o, dW + o);
    });
}

template <class T>
void sparse_weight_gradient(std::int64_t N, std::int64_t I, std::int64_t O, const T* x, const T* dy, T* dW) {
    if (N <= 32) return sparse_weight_gradient_of_few(N, I, O, x, dy, dW);
    T* turned = scratch<T>(2, static_cast<std::size_t>(N * I));  // x with i first: the samples of one feature side by side
    turn(N, I, x, I, turned, N);
    sparse_product(I, N, O, turned, dy, dW, static_cast<const T*>(nullptr));
}

}  // namespace chainrule::CHAINRULE_ISA
