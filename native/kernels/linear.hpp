// y = x W + b and its gradients (operations/linear.py), as matrix products that skip zeros where there are many.
#pragma once

#include "../call.hpp"
#include "product.hpp"
#include "sparse.hpp"

namespace chainrule::CHAINRULE_ISA {

// db_o = Σ_n dy_no, in the order of n. Adding takes some cycles, so several vectors go down the rows together.
template <class T, int V, bool whole>
inline void sums_down(std::int64_t N, const T* dy, std::int64_t row, T* db, int last) {
    Vector<T> sum[V] = {};
    for (std::int64_t n = 0; n < N; ++n, dy += row)
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) sum[v] += part<T, V, whole>(dy, v, last);
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
        if (whole || v + 1 < V) store(db + v * lanes<T>, sum[v]);
        else store(db + v * lanes<T>, sum[v], last);
    }
}
template <class T, int V = 4> inline void sums_down_of(int width, std::int64_t N, const T* dy, std::int64_t row, T* db) {
    const int last = width - (V - 1) * lanes<T>;
    if (last == lanes<T>) sums_down<T, V, true>(N, dy, row, db, 0);
    else if (last > 0) sums_down<T, V, false>(N, dy, row, db, last);
    else if constexpr (V > 1) sums_down_of<T, V - 1>(width, N, dy, row, db);
}

template <class T> void column_sums(std::int64_t N, std::int64_t O, const T* dy, T* db) {
    constexpr std::int64_t some = 4 * lanes<T>;
    const std::int64_t parts = (O + some - 1) / some;
    const auto columns = [=](std::int64_t part) {
        sums_down_of<T>(static_cast<int>(std::min(some, O - part * some)), N, dy + part * some, O, db + part * some);
    };
    if (N * O < (1 << 18))
        for (std::int64_t part = 0; part < parts; ++part) columns(part);
    else parallel(parts, columns);
}

// y = x W + b for one output. Where whole samples fill a vector, as many vectors are turned together, so that a feature of
// one sample after another lies side by side; the rest goes the way of every product.
template <class T> void single_forward(std::int64_t N, std::int64_t I, const T* x, const T* W, T b, T* y) {
    constexpr int n = lanes<T>;
    std::int64_t done = 0;
    if (I > 0 && n % I == 0) {
        const std::int64_t group = n / I;  // samples in a vector
        for (; done + n * group <= N; done += n * group) {
            Vector<T> row[n];
            for (int i = 0; i < n; ++i) row[i] = load(x + done * I + i * n);
            turn_rows<T>(row);
            T* to = y + done;
            for (std::int64_t g = 0; g < group; ++g) {
                Vector<T> sum = {};
                for (std::int64_t k = 0; k < I; ++k) sum = fma(row[g * I + k], spread(W[k]), sum);
                for (int i = 0; i < n; ++i) to[i * group + g] = sum[i];
            }
        }
    }
    product(Product<T>{1, N - done, I, W, 0, 1, x + done * I, 1, I, y + done, N});
    for (std::int64_t i = 0; i < N; ++i) y[i] = y[i] + b;
}

template <class T>
void affine(std::int64_t N, std::int64_t I, std::int64_t O, const T* x, const T* W, const T* b, T* y) {
    if (O == 1) single_forward(N, I, x, W, b[0], y);
    else if (N > 1 && I >= 64 && O <= 2 * lanes<T>) narrow_forward(N, I, O, x, W, b, y);
    else if (N <= 4 || share_of_nonzeros(N * I, x) < sparse_enough) sparse_forward(N, I, O, x, W, b, y);
    else product(Product<T>{N, O, I, x, I, 1, W, O, 1, y, O, b});
}

template <class T> void linear_forward(const Call& c) {  // arrays x W b | y, sizes N I O
    affine(c.size[0], c.size[1], c.size[2], c.at<const T>(0), c.at<const T>(1), c.at<const T>(2), c.at<T>(3));
}

// dW alone, into `dW`.
template <class T> void weight_gradient(std::int64_t N, std::int64_t I, std::int64_t O, const T* dy, const T* x, T* dW) {
    if (O == 1) {
        product(Product<T>{1, I, N, dy, 0, 1, x, I, 1, dW, I});
    } else if (narrow<T>(N, I, O)) {
        std::fill_n(dW, I * O, T(0));
        narrow_weight_gradient(N, I, O, x, dy, [=](std::int64_t i, int v, Vector<T> sum, auto count) {
            store(dW + i * O + v * lanes<T>, sum, count);
        });
    } else if (O > 2 * lanes<T> && share_of_nonzeros(N * I, x) < sparse_enough) {
        sparse_weight_gradient(N, I, O, x, dy, dW);
    } else {
        product(Product<T>{I, O, N, x, 1, I, dy, O, 1, dW, O});
    }
}

// dW and db of a small layer in one pass over the samples: R rows of W, of one vector, with db as one row more.
template <class T, int R>
inline void small_gradients(std::int64_t N, std::int64_t O, const T* dy, const T* x, T* dW, T* db) {
    const int count = static_cast<int>(O);
    Vector<T> sum[R] = {}, total = {};
    for (std::int64_t n = 0; n < N; ++n) {
        const Vector<T> row = load(dy + n * O, count);
#pragma GCC unroll 16
        for (int r = 0; r < R; ++r) sum[r] = fma(spread(x[n * R + r]), row, sum[r]);
        total += row;
    }
    for (int r = 0; r < R; ++r) store(dW + r * O, sum[r], count);
    store(db, total, count);
}
template <class T, int R = 8>
inline void small_gradients_of(std::int64_t rows, std::int64_t N, std::int64_t O, const T* dy, const T* x, T* dW, T* db) {
    if (rows == R) small_gradients<T, R>(N, O, dy, x, dW, db);
    else if constexpr (R > 1) small_gradients_of<T, R - 1>(rows, N, O, dy, x, dW, db);
}

// The same for one output and up to one vector of inputs, with dx (N, I) where it is wanted.
template <class T>
void single_gradients(std::int64_t N, std::int64_t I, const T* dy, const T* x, const T* W, T* dx, T* dW, T* db) {
    const int count = static_cast<int>(I);
    Vector<T> sum = {};
    const Vector<T> w = dx ? load(W, count) : sum;
    T total = 0;
    for (std::int64_t n = 0; n < N; ++n) {
        const Vector<T> factor = spread(dy[n]);
        sum = fma(factor, load(x + n * I, count), sum);
        total += dy[n];
        if (dx) store(dx + n * I, fma(factor, w, Vector<T>{}), count);
    }
    store(dW, sum, count);
    *db = total;
}

template <class T> void linear_gradients(std::int64_t N, std::int64_t I, std::int64_t O, const T* dy, const T* x, T* dW, T* db) {
    if (O == 1 && I <= lanes<T>) return single_gradients<T>(N, I, dy, x, nullptr, nullptr, dW, db);
    if (O <= lanes<T> && I > 0 && I <= 8) return small_gradients_of<T>(I, N, O, dy, x, dW, db);
    weight_gradient(N, I, O, dy, x, dW);
    column_sums(N, O, dy, db);
}

template <class T> void linear_backward(const Call& c) {  // arrays dy x W | dx dW db, sizes N I O
    const std::int64_t N = c.size[0], I = c.size[1], O = c.size[2];
    const T *dy = c.at<const T>(0), *x = c.at<const T>(1), *W = c.at<const T>(2);
    if (O == 1 && I <= lanes<T>) return single_gradients(N, I, dy, x, W, c.at<T>(3), c.at<T>(4), c.at<T>(5));
    linear_gradients(N, I, O, dy, x, c.at<T>(4), c.at<T>(5));
    const bool sparse = N >= 32 && I > 2 * lanes<T> && share_of_nonzeros(N * O, dy) < sparse_enough;
    if (sparse) sparse_input_gradient(N, I, O, dy, W, c.at<T>(3));
    else product(Product<T>{N, I, O, dy, O, 1, W, 1, O, c.at<T>(3), I});
}

template <class T> void linear_backward_parameters(const Call& c) {  // arrays dy x | dW db, sizes N I O
    linear_gradients(c.size[0], c.size[1], c.size[2], c.at<const T>(0), c.at<const T>(1), c.at<T>(2), c.at<T>(3));
}

// W ← W − η dW, the two in one where there are few samples: rows of W whose inputs are all zero stay as they are.
template <class T> void linear_sgd(const Call& c) {  // arrays dy x W | W db, sizes N I O, number: rate
    const std::int64_t N = c.size[0], I = c.size[1], O = c.size[2];
    const T *dy = c.at<const T>(0), *x = c.at<const T>(1), rate = static_cast<T>(c.scalar(0));
    T* W = c.at<T>(3);
    T* db = c.at<T>(4);
    if (narrow<T>(N, I, O) && O > 1) {
        column_sums(N, O, dy, db);
        narrow_weight_gradient(N, I, O, x, dy, [=](std::int64_t i, int v, Vector<T> dW, auto count) {
            T* row = W + i * O + v * lanes<T>;
            store(row, load(row, count) - rate * dW, count);
        });
    } else {
        T* dW = scratch<T>(3, static_cast<std::size_t>(I * O));
        linear_gradients(N, I, O, dy, x, dW, db);
        for (std::int64_t i = 0; i < I * O; ++i) W[i] = W[i] - rate * dW[i];
    }
}

}  // namespace chainrule::CHAINRULE_ISA
