// The linear layer's products where most inputs are exactly zero, as in images of digits, or where there are few samples.
// fma(0, w, c) is c for every finite w, so leaving those terms out changes no bit of the sum, which still runs over the
// others in the same order. Only 0 · ∞ and 0 · NaN, which the formula would make NaN, are left out as well. Weights that
// are not finite are refused by training and model files, and gradients that are not finite show in those of the bias.
#pragma once

#include "product.hpp"

namespace chainrule::CHAINRULE_ISA {

constexpr double sparse_enough = 0.6;  // below this share of nonzeros leaving zeros out pays, as measured

// The share of x that is not zero, judged by its first few thousand elements. No bit depends on it.
template <class T> double share_of_nonzeros(std::int64_t count, const T* x) {
    constexpr std::int64_t some = 1 << 14, group = 1 << 12;
    count = std::min(count, some);
    std::int64_t zeros = 0;
    for (std::int64_t begin = 0; begin < count; begin += group) {
        std::int32_t here = 0;
        for (std::int64_t i = begin; i < std::min(begin + group, count); ++i) here += x[i] == T(0);
        zeros += here;
    }
    return count == 0 ? 1 : 1 - static_cast<double>(zeros) / static_cast<double>(count);
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

// C (R × O) = A (R × K) B (K × O) (+ bias), over the nonzero elements of A. A block of B is copied into the first cache,
// where rows of a power of two would drive one another out, and used for many rows of A before the next.
template <class T>
void sparse_product(std::int64_t R, std::int64_t K, std::int64_t O, const T* a, const T* b, T* c, const T* bias) {
    constexpr std::int64_t columns = wide * lanes<T>, block = 48;
    const std::int64_t rows = R > 96 ? 64 : 32;
    const std::int64_t across = (O + columns - 1) / columns, down = (R + rows - 1) / rows;
    const std::int64_t parts = down == 1 ? across : 1;  // few rows: share out their columns
    const bool packed = O > columns && R > 8;
    auto work = [=](std::int64_t i) {
        const std::int64_t r0 = i / parts * rows, r1 = std::min(r0 + rows, R);
        const std::int64_t n0 = parts > 1 ? i * columns : 0, n1 = parts > 1 ? n0 + columns : across * columns;
        const std::int64_t blocks = std::max<std::int64_t>(1, (K + block - 1) / block);
        auto* places = scratch<std::int32_t>(4, static_cast<std::size_t>((r1 - r0) * K + 16));          // within a block of K
        auto* ends = scratch<std::int32_t>(5, static_cast<std::size_t>((r1 - r0) * blocks + 1)) + 1;   // of each list of them
        T* near = packed ? scratch<T>(1, static_cast<std::size_t>(block * columns)) : nullptr;
        std::int64_t found = ends[-1] = 0;
        for (std::int64_t k0 = 0, list = 0; list < (r1 - r0) * blocks; k0 += block)
            for (std::int64_t r = r0; r < r1; ++r, ++list)
                ends[list] = static_cast<std::int32_t>(found += nonzero(std::min(block, K - k0), a + r * K + k0, places + found));
        for (std::int64_t n = n0; n < n1; n += columns) {
            const int width = static_cast<int>(std::min(columns, O - n));
            for (std::int64_t k0 = 0, list = 0; list < (r1 - r0) * blocks; k0 += block) {
                const bool end = k0 + block >= K;
                const T* from = b + k0 * O + n;
                if (packed) {
                    for (std::int64_t k = 0; k < std::min(block, K - k0); ++k) std::copy_n(from + k * O, width, near + k * columns);
                    from = near;
                }
                for (std::int64_t r = r0; r < r1; ++r, ++list)
                    if (ends[list] > ends[list - 1] || k0 == 0 || end)
                        sum_of_rows_of<T>(width, places + ends[list - 1], places + ends[list], a + r * K + k0, from,
                                          packed ? columns : O, c + r * O + n, k0 == 0, end && bias ? bias + n : nullptr);
            }
        }
    };
    constexpr std::int64_t small = 1 << 17;
    if (R * K * O < small)
        for (std::int64_t i = 0; i < down * parts; ++i) work(i);
    else parallel(down * parts, work);
}

// The features that are not zero in all of some samples, in order; `list` has room for I + 16.
template <class T> std::int64_t active(std::int64_t samples, std::int64_t I, const T* x, std::int32_t* list) {
    T* any = scratch<T>(5, static_cast<std::size_t>(I));
    each_vector<T>(I, [=](std::int64_t i, auto count) {
        auto found = load(x + i, count) != T(0);
        for (std::int64_t n = 1; n < samples; ++n) found |= load(x + n * I + i, count) != T(0);
        store(any + i, (Vector<T>)found, count);  // all ones is NaN, which is not zero
    });
    return nonzero(I, any, list);
}

// R rows of y by V vectors, over the listed features.
template <class T, int R, int V, bool whole>
inline void listed_tile(const std::int32_t* list, const std::int32_t* end, std::int64_t I, std::int64_t O, const T* x, const T* W,
                        T* y, int last, const T* bias) {
    Vector<T> sum[R][V] = {};
    for (; list < end; ++list) {
        Vector<T> w[V];
#pragma GCC unroll 16
        for (int v = 0; v < V; ++v) w[v] = part<T, V, whole>(W + *list * O, v, last);
#pragma GCC unroll 16
        for (int r = 0; r < R; ++r)
#pragma GCC unroll 16
            for (int v = 0; v < V; ++v) sum[r][v] = fma(spread(x[r * I + *list]), w[v], sum[r][v]);
    }
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 16
        for (int v = 0; v < V; ++v) {
            sum[r][v] = sum[r][v] + part<T, V, whole>(bias, v, last);
            if (whole || v + 1 < V) store(y + r * O + v * lanes<T>, sum[r][v]);
            else store(y + r * O + v * lanes<T>, sum[r][v], last);
        }
}
template <class T, int R = tile_rows>
inline void listed_tile_of(int rows, const std::int32_t* list, const std::int32_t* end, std::int64_t I, std::int64_t O, const T* x,
                           const T* W, T* y, const T* bias) {
    if (rows == R) {
        const int last = static_cast<int>(O) - lanes<T>;
        if (last == lanes<T>) listed_tile<T, R, 2, true>(list, end, I, O, x, W, y, 0, bias);
        else if (last > 0) listed_tile<T, R, 2, false>(list, end, I, O, x, W, y, last, bias);
        else listed_tile<T, R, 1, false>(list, end, I, O, x, W, y, static_cast<int>(O), bias);
    } else if constexpr (R > 1) {
        listed_tile_of<T, R - 1>(rows, list, end, I, O, x, W, y, bias);
    }
}

// y = x W + b for up to two vectors of outputs, over the features that are not zero in all samples of a tile.
template <class T>
void narrow_forward(std::int64_t N, std::int64_t I, std::int64_t O, const T* x, const T* W, const T* b, T* y) {
    const std::int64_t tiles = (N + tile_rows - 1) / tile_rows;
    parallel_ranges(tiles, 0.6 * static_cast<double>(I * tile_rows), [=](std::int64_t begin, std::int64_t end) {
        auto* list = scratch<std::int32_t>(4, static_cast<std::size_t>(I + 16));
        for (std::int64_t n = begin * tile_rows; n < std::min(N, end * tile_rows); n += tile_rows) {
            const std::int64_t rows = std::min<std::int64_t>(tile_rows, N - n), found = active(rows, I, x + n * I, list);
            listed_tile_of<T>(static_cast<int>(rows), list, list + found, I, O, x + n * I, W, y + n * O, b);
        }
    });
}

template <class T>
void sparse_forward(std::int64_t N, std::int64_t I, std::int64_t O, const T* x, const T* W, const T* b, T* y) {
    sparse_product(N, I, O, x, W, y, b);
}

// dx = dy Wᵀ, over the nonzero elements of dy.
template <class T> void sparse_input_gradient(std::int64_t N, std::int64_t I, std::int64_t O, const T* dy, const T* W, T* dx) {
    T* turned = scratch<T>(2, static_cast<std::size_t>(O * I));
    constexpr std::int64_t some = 64;  // rows of W at a time
    parallel_ranges((I + some - 1) / some, 0.4 * static_cast<double>(some * O), [=](std::int64_t begin, std::int64_t end) {
        const std::int64_t i = begin * some;
        turn(std::min(I, end * some) - i, O, W + i * O, O, turned + i, I);
    });
    sparse_product(N, O, I, dy, turned, dx, static_cast<const T*>(nullptr));
}

// The gradient of W where there are few samples and up to two vectors of outputs: finish(i, v, sum, count) is given vector
// v of row i for each feature that is not zero in all samples.
template <class T, int R, int V, bool whole, class F>
inline void narrow_rows(const std::int32_t* list, std::int64_t N, std::int64_t I, std::int64_t O, const T* x, const T* dy, int last, const F& finish) {
    Vector<T> sum[R][V] = {};
    for (std::int64_t n = 0; n < N; ++n) {
        Vector<T> row[V];
#pragma GCC unroll 16
        for (int v = 0; v < V; ++v) row[v] = part<T, V, whole>(dy + n * O, v, last);
#pragma GCC unroll 16
        for (int r = 0; r < R; ++r)
#pragma GCC unroll 16
            for (int v = 0; v < V; ++v) sum[r][v] = fma(spread(x[n * I + list[r]]), row[v], sum[r][v]);
    }
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 16
        for (int v = 0; v < V; ++v) {
            if (whole || v + 1 < V) finish(list[r], v, sum[r][v], Whole{});
            else finish(list[r], v, sum[r][v], last);
        }
}
template <class T, class F>
void narrow_weight_gradient(std::int64_t N, std::int64_t I, std::int64_t O, const T* x, const T* dy, const F& finish) {
    if (N == 0) return;  // there is no row to look at
    constexpr int R = 6;
    auto* list = scratch<std::int32_t>(4, static_cast<std::size_t>(I + 16));
    const std::int64_t found = active(N, I, x, list);
    const int last = static_cast<int>(O) - lanes<T>;
    const auto rows = [&]<int count>(std::int64_t k, std::integral_constant<int, count>) {
        if (last == lanes<T>) narrow_rows<T, count, 2, true>(list + k, N, I, O, x, dy, 0, finish);
        else if (last > 0) narrow_rows<T, count, 2, false>(list + k, N, I, O, x, dy, last, finish);
        else narrow_rows<T, count, 1, false>(list + k, N, I, O, x, dy, static_cast<int>(O), finish);
    };
    std::int64_t k = 0;
    for (; k + R <= found; k += R) rows(k, std::integral_constant<int, R>{});
    for (; k < found; ++k) rows(k, std::integral_constant<int, 1>{});
}
template <class T> bool narrow(std::int64_t N, std::int64_t I, std::int64_t O) {
    return N <= 32 && O <= 2 * lanes<T> && I * N * O < (1 << 20);
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
