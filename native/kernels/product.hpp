// C = A B, and its relatives: one register-tiled outer-product kernel for every matrix product of the library.
//
// Each c_mn is one chain of fused multiply-adds over k = 0, 1, 2, …, in that order, in one thread: c ← fma(a_mk, b_kn, c).
// Blocking over k stores the chain and takes it up again, which changes no bit. A is read element by element and
// broadcast, so any strides will do; rows of B are contiguous, or turned so a block at a time, so vectors lie along n
// and never across the sum.
#pragma once

#include <algorithm>

#include "../pool.hpp"
#include "../vector.hpp"

namespace chainrule::CHAINRULE_ISA {

template <class T> struct Product {
    std::int64_t M, N, K;
    const T* A;
    std::int64_t a_row, a_column;  // strides of A: from m to m + 1, from k to k + 1
    const T* B;
    std::int64_t b_row, b_column;  // strides of B, one of which is 1: from k to k + 1, from n to n + 1
    T* C;
    std::int64_t c_row;
    const T* bias = nullptr;       // added at the end, one for each n
};

// Vector v of a row: whole, or its first `last` columns where it is the last of V and not whole.
template <class T, int V, bool whole> inline Vector<T> part(const T* p, int v, int last) {
    return whole || v + 1 < V ? load(p + v * lanes<T>) : load(p + v * lanes<T>, last);
}

constexpr int tile_vectors = 2;
constexpr std::int64_t block_k = 256;   // a block of B (256 × one tile wide) stays in the first cache
constexpr std::int64_t block_m = 48;    // a block of A (48 × 256) in the second
constexpr std::int64_t most_rows = 144;
template <class T> constexpr std::int64_t tile_columns = tile_vectors * lanes<T>;

// The terms of a tile's sums: `runs` runs of K, from one to the next `a_jump` and `b_jump` further. A matrix product has
// one run; a convolution has one for each row of the filter.
template <class T> struct Terms {
    std::int64_t K;
    const T* a;
    std::int64_t a_row, a_column;
    const T* b;
    std::int64_t b_row;
    std::int64_t runs = 1, a_jump = 0, b_jump = 0;
};

// One tile of C, kept in registers (hence the unrolling): R rows by V vectors, of which the last has `last` columns. A packed A has its rows side by side.
template <class T, int R, int V, bool whole, bool packed>
inline void tile(const Terms<T>& t, T* __restrict c, std::int64_t c_row, int last, bool start, const T* bias) {
    Vector<T> sum[R][V];
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 16
        for (int v = 0; v < V; ++v) sum[r][v] = start ? Vector<T>{} : part<T, V, whole>(c + r * c_row, v, last);
    const std::int64_t a_row = t.a_row, a_column = packed ? tile_rows : t.a_column, b_row = t.b_row;
    for (std::int64_t run = 0; run < t.runs; ++run) {
        const T *__restrict a = t.a + run * t.a_jump, *__restrict b = t.b + run * t.b_jump;
        for (std::int64_t k = t.K; k > 0; --k) {
            Vector<T> bk[V];
#pragma GCC unroll 16
            for (int v = 0; v < V; ++v) bk[v] = part<T, V, whole>(b, v, last);
#pragma GCC unroll 16
            for (int r = 0; r < R; ++r) {
                const Vector<T> ark = spread(packed ? a[r] : a[r * a_row]);
#pragma GCC unroll 16
                for (int v = 0; v < V; ++v) sum[r][v] = fma(ark, bk[v], sum[r][v]);
            }
            a += a_column;
            b += b_row;
        }
    }
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 16
        for (int v = 0; v < V; ++v) {
            if (bias) sum[r][v] = sum[r][v] + part<T, V, whole>(bias, v, last);
            if (whole || v + 1 < V) store(c + r * c_row + v * lanes<T>, sum[r][v]);
            else store(c + r * c_row + v * lanes<T>, sum[r][v], last);
        }
}

template <class T, bool packed, int R = tile_rows>
inline void tile_of(int rows, int width, const Terms<T>& t, T* c, std::int64_t c_row, bool start, const T* bias) {
    if (rows == R) {
        const auto run = [&](auto chosen, int last) { chosen(t, c, c_row, last, start, bias); };
        if (width == 2 * lanes<T>) run(tile<T, R, 2, true, packed>, 0);
        else if (width > lanes<T>) run(tile<T, R, 2, false, packed>, width - lanes<T>);
        else if (width == lanes<T>) run(tile<T, R, 1, true, packed>, 0);
        else run(tile<T, R, 1, false, packed>, width);
    } else if constexpr (R > 1) {
        tile_of<T, packed, R - 1>(rows, width, t, c, c_row, start, bias);
    }
}

// Rows of a tile, so that `count` rows make tiles of nearly equal height.
inline int even_rows(std::int64_t count) {
    const std::int64_t tiles = (count + tile_rows - 1) / tile_rows;
    return static_cast<int>((count + tiles - 1) / tiles);
}

// Room for `count` numbers that the calling thread may use until it asks for the same room again.
template <class T> T* scratch(int which, std::size_t count) {
    return static_cast<T*>(thread_scratch(which, count * sizeof(T)));
}

// to[j * to_row + i] = from[i * from_row + j] for i < rows, j < columns.
template <class T>
void turn(std::int64_t rows, std::int64_t columns, const T* from, std::int64_t from_row, T* to, std::int64_t to_row) {
    constexpr int n = lanes<T>;
    for (std::int64_t i = 0; i < rows; i += n)
        for (std::int64_t j = 0; j < columns; j += n) {
            const T* square = from + i * from_row + j;
            T* turned = to + j * to_row + i;
            if (i + n <= rows && j + n <= columns) turn_square(square, from_row, turned, to_row);
            else turn_square(square, from_row, turned, to_row, static_cast<int>(std::min<std::int64_t>(n, rows - i)),
                             static_cast<int>(std::min<std::int64_t>(n, columns - j)));
        }
}

// One block of C: rows m0 … m1, columns n0 … n1.
template <class T> void product_block(const Product<T>& p, std::int64_t m0, std::int64_t m1, std::int64_t n0, std::int64_t n1) {
    constexpr std::int64_t columns = tile_columns<T>;
    const bool pack_a = n1 - n0 > 2 * columns, pack_b = p.b_column != 1;
    const int height = even_rows(m1 - m0);
    T* packed_a = pack_a ? scratch<T>(0, static_cast<std::size_t>(most_rows * block_k)) : nullptr;
    T* packed_b = pack_b ? scratch<T>(1, static_cast<std::size_t>(columns * block_k)) : nullptr;
    for (std::int64_t k0 = 0; k0 < p.K || k0 == 0; k0 += block_k) {
        const std::int64_t K = std::min(block_k, p.K - k0);
        const bool start = k0 == 0, end = k0 + K == p.K;
        if (pack_a) {                              // tile by tile, each k's rows side by side
            for (std::int64_t m = m0; m < m1; m += height) {
                const std::int64_t rows = std::min<std::int64_t>(height, m1 - m);
                T* to = packed_a + (m - m0) / height * tile_rows * block_k;
                if (p.a_row == 1) {                // along the rows, which lie side by side in A too
                    for (std::int64_t k = 0; k < K; ++k)
                        for (std::int64_t r = 0; r < rows; ++r) to[k * tile_rows + r] = p.A[m + r + (k0 + k) * p.a_column];
                    continue;
                }
                for (std::int64_t r = 0; r < rows; ++r)
                    for (std::int64_t k = 0; k < K; ++k)
                        to[k * tile_rows + r] = p.A[(m + r) * p.a_row + (k0 + k) * p.a_column];
            }
        }
        for (std::int64_t n = n0; n < n1; n += columns) {
            const int width = static_cast<int>(std::min(columns, n1 - n));
            const T* b = p.B + k0 * p.b_row + n * p.b_column;
            std::int64_t b_row = p.b_row;
            if (pack_b) {
                turn(width, K, b, p.b_column, packed_b, columns);
                b = packed_b;
                b_row = columns;
            }
            for (std::int64_t m = m0; m < m1; m += height) {
                const int rows = static_cast<int>(std::min<std::int64_t>(height, m1 - m));
                T* c = p.C + m * p.c_row + n;
                const T* bias = end && p.bias ? p.bias + n : nullptr;
                if (pack_a) {
                    const T* a = packed_a + (m - m0) / height * tile_rows * block_k;
                    tile_of<T, true>(rows, width, {K, a, 0, 0, b, b_row}, c, p.c_row, start, bias);
                } else {
                    const T* a = p.A + m * p.a_row + k0 * p.a_column;
                    tile_of<T, false>(rows, width, {K, a, p.a_row, p.a_column, b, b_row}, c, p.c_row, start, bias);
                }
            }
        }
    }
}

template <class T> void product(const Product<T>& p) {
    if (p.M == 0 || p.N == 0) return;
    constexpr std::int64_t block_n = 8 * tile_columns<T>;
    const std::int64_t most = p.b_column == 1 ? block_m : most_rows;  // turning a block of B is worth more rows
    const std::int64_t across = (p.N + block_n - 1) / block_n;
    std::int64_t down = (p.M + most - 1) / most;
    if (down > 1 && down < 8) down += down * across % 2;  // few blocks: an even number, which two threads share evenly
    const std::int64_t rows = (p.M + down - 1) / down;
    auto block = [&](std::int64_t i) {
        const std::int64_t m0 = i / across * rows, n0 = i % across * block_n;
        if (m0 < p.M) product_block(p, m0, std::min(m0 + rows, p.M), n0, std::min(n0 + block_n, p.N));
    };
    constexpr std::int64_t small = 1 << 19;  // multiply-adds that one thread does sooner than it wakes another
    if (p.M * p.N * p.K < small) {
        for (std::int64_t i = 0; i < down * across; ++i) block(i);
    } else {
        parallel(down * across, block);
    }
}

}  // namespace chainrule::CHAINRULE_ISA
