// y = x W + b and its gradients (operations/linear.py), as matrix products that skip zeros where there are many.
#pragma once

#include "../call.hpp"
#include "product.hpp"
#include "sparse.hpp"

namespace chainrule::CHAINRULE_ISA {

// db_o = Σ_n dy_no, in the order of n.
template <class T> void column_sums(std::int64_t N, std::int64_t O, const T* dy, T* db) {
    std::fill_n(db, O, T(0));
    for (std::int64_t n = 0; n < N; ++n)
        for (std::int64_t o = 0; o < O; ++o) db[o] += dy[n * O + o];
}

template <class T> void linear_forward(const Call& c) {  // arrays x W b | y, sizes N I O
    const std::int64_t N = c.size[0], I = c.size[1], O = c.size[2];
    const T *x = c.at<const T>(0), *W = c.at<const T>(1), *b = c.at<const T>(2);
    T* y = c.at<T>(3);
    if (mostly_zero(N * I, x)) sparse_forward(N, I, O, x, W, b, y);
    else product(Product<T>{N, O, I, x, I, 1, W, O, 1, y, O, b});
}

template <class T> void linear_gradients(std::int64_t N, std::int64_t I, std::int64_t O, const T* dy, const T* x, T* dW, T* db) {
    if (mostly_zero(N * I, x)) sparse_weight_gradient(N, I, O, x, dy, dW);
    else product(Product<T>{I, O, N, x, 1, I, dy, O, 1, dW, O});
    column_sums(N, O, dy, db);
}

template <class T> void linear_backward(const Call& c) {  // arrays dy x W | dx dW db, sizes N I O
    const std::int64_t N = c.size[0], I = c.size[1], O = c.size[2];
    const T *dy = c.at<const T>(0), *x = c.at<const T>(1), *W = c.at<const T>(2);
    linear_gradients(N, I, O, dy, x, c.at<T>(4), c.at<T>(5));
    product(Product<T>{N, I, O, dy, O, 1, W, 1, O, c.at<T>(3), I});
}

template <class T> void linear_backward_parameters(const Call& c) {  // arrays dy x | dW db, sizes N I O
    linear_gradients(c.size[0], c.size[1], c.size[2], c.at<const T>(0), c.at<const T>(1), c.at<T>(2), c.at<T>(3));
}

}  // namespace chainrule::CHAINRULE_ISA
