// Depthwise convolution (operations/depthwise.py), with images laid out pixel by pixel: vectors lie along the output
// channels, each of which has one filter. Where a channel of x has several, it is repeated for them first.
#pragma once

#include "convolution.hpp"

namespace chainrule::CHAINRULE_ISA {

// What the filters see of an image x (H, W, C): padded with zeros, each channel once for each of its filters. That is x
// itself where there is nothing to do, else it is put into `room`, (height, width, O).
template <class T> const T* seen_by_filters(const Shapes& s, const T* x, T* room) {
    const std::int64_t each = s.O / s.C, height = s.H + 2 * s.pad_h, width = s.W + 2 * s.pad_w;
    if (each == 1 && !s.pad_h && !s.pad_w) return x;
    if (each == 1) {
        spread_out(s.H, s.W, s.C, x, height, width, s.pad_h, s.pad_w, 1, 1, room);
        return room;
    }
    std::fill_n(room, height * width * s.O, T(0));
    for (std::int64_t i = 0; i < s.H; ++i) {
        T* row = room + ((i + s.pad_h) * width + s.pad_w) * s.O;
        for (std::int64_t k = 0; k < s.W * s.C; ++k) std::fill_n(row + k * each, each, x[i * s.W * s.C + k]);
    }
    return room;
}

// `count` pixels of y side by side, from x and y on, in the channels from o on; the sum runs over filter rows and columns.
template <int count, class T, class N>
inline void filter_pixels(const T* x, std::int64_t width, const T* B, const Shapes& s, std::int64_t across, const T* bias,
                          T* y, std::int64_t o, N n) {
    Vector<T> sum[count] = {};
    for (std::int64_t p = 0; p < s.P; ++p)
        for (std::int64_t q = 0; q < s.Q; ++q) {
            const Vector<T> w = load(B + (p * s.Q + q) * s.O + o, n);
#pragma GCC unroll 4
            for (int k = 0; k < count; ++k) sum[k] = fma(load(x + (p * width + k * across + q) * s.O + o, n), w, sum[k]);
        }
    const Vector<T> start = bias ? load(bias + o, n) : Vector<T>{};
#pragma GCC unroll 4
    for (int k = 0; k < count; ++k) store(y + k * s.O + o, sum[k] + start, n);
}

// y (I, J, O) from an image (·, width, O) and the filters B (P, Q, O).
template <class T>
void filter_image(const T* x, std::int64_t width, const T* B, const Shapes& s, std::int64_t down, std::int64_t across,
                  const T* bias, T* y, std::int64_t I, std::int64_t J) {
    for (std::int64_t i = 0; i < I; ++i)
        each_vector<T>(s.O, [&](std::int64_t o, auto n) {
            const T* row = x + i * down * width * s.O;
            T* to = y + i * J * s.O;
            std::int64_t j = 0;
            for (; j + 4 <= J; j += 4)
                filter_pixels<4>(row + j * across * s.O, width, B, s, across, bias, to + j * s.O, o, n);
            for (; j < J; ++j) filter_pixels<1>(row + j * across * s.O, width, B, s, across, bias, to + j * s.O, o, n);
        });
}

inline double depthwise_cost(const Shapes& s, std::int64_t pixels) {
    return 0.05 * static_cast<double>(pixels * s.O * s.P * s.Q);
}

template <class T> void depthwise_forward(const Call& c) {  // arrays x W b | y
    const Shapes s = shapes_of(c);
    const std::int64_t PQ = s.P * s.Q, height = s.H + 2 * s.pad_h, width = s.W + 2 * s.pad_w;
    const T *x = c.at<const T>(0), *W = c.at<const T>(1), *bias = c.at<const T>(2);
    T *B = scratch<T>(2, static_cast<std::size_t>(PQ * s.O)), *y = c.at<T>(3);
    for (std::int64_t o = 0; o < s.O; ++o)
        for (std::int64_t pq = 0; pq < PQ; ++pq) B[pq * s.O + o] = W[o * PQ + pq];
    parallel_ranges(s.N, depthwise_cost(s, s.I * s.J), [=](std::int64_t begin, std::int64_t end) {
        T* room = scratch<T>(0, static_cast<std::size_t>(height * width * s.O));
        for (std::int64_t n = begin; n < end; ++n) {
            const T* image = seen_by_filters(s, x + n * s.H * s.W * s.C, room);
            filter_image(image, width, B, s, s.down, s.across, bias, y + n * s.I * s.J * s.O, s.I, s.J);
        }
    });
}

// One row p of the filters of some channels, over all windows in order: sums (Q, lanes) in memory.
template <class T, class N>
inline void filter_row_gradient(const Shapes& s, const T* dy, const T* images, std::int64_t p, std::int64_t o, N n,
                                T* sums) {
    const std::int64_t height = s.H + 2 * s.pad_h, width = s.W + 2 * s.pad_w;
    std::fill_n(sums, s.Q * lanes<T>, T(0));
    for (std::int64_t i = 0; i < s.N * s.I; ++i) {
        const T* row = images + ((i / s.I * height + i % s.I * s.down + p) * width) * s.O + o;
        for (std::int64_t j = 0; j < s.J; ++j) {
            const Vector<T> slope = load(dy + (i * s.J + j) * s.O + o, n);
            for (std::int64_t q = 0; q < s.Q; ++q) {
                T* sum = sums + q * lanes<T>;
                store(sum, fma(slope, load(row + (j * s.across + q) * s.O, n), load(sum)));
            }
        }
    }
}

// dW (O, 1, P, Q) and db (O,): a thread has some channels and one row of their filters.
template <class T> void depthwise_filter_gradients(const Shapes& s, const T* dy, const T* x, T* dW, T* db) {
    const std::int64_t each = s.O / s.C, size = (s.H + 2 * s.pad_h) * (s.W + 2 * s.pad_w) * s.O;
    const T* images = x;
    if (each > 1 || s.pad_h || s.pad_w) {
        T* all = scratch<T>(0, static_cast<std::size_t>(s.N * size));
        for (std::int64_t n = 0; n < s.N; ++n) seen_by_filters(s, x + n * s.H * s.W * s.C, all + n * size);
        images = all;
    }
    const std::int64_t tasks = (s.O + lanes<T> - 1) / lanes<T> * s.P;
    const double cost = 0.05 * static_cast<double>(s.N * s.I * s.J * s.Q * lanes<T>);
    parallel_ranges(tasks, cost, [=](std::int64_t begin, std::int64_t end) {
        T* sums = scratch<T>(1, static_cast<std::size_t>(s.Q * lanes<T>));
        for (std::int64_t task = begin; task < end; ++task) {
            const std::int64_t o = task / s.P * lanes<T>, p = task % s.P, count = std::min<std::int64_t>(lanes<T>, s.O - o);
            if (count == lanes<T>) filter_row_gradient(s, dy, images, p, o, Whole{}, sums);
            else filter_row_gradient(s, dy, images, p, o, static_cast<int>(count), sums);
            for (std::int64_t k = 0; k < count; ++k)
                for (std::int64_t q = 0; q < s.Q; ++q) dW[((o + k) * s.P + p) * s.Q + q] = sums[q * lanes<T> + k];
        }
    });
    column_sums(s.N * s.I * s.J, s.O, dy, db);
}

// dx: dy is filtered by the filters turned round, and what belongs to one channel of x is added up.
template <class T> void depthwise_input_gradient(const Shapes& s, const T* dy, const T* W, T* dx) {
    const std::int64_t PQ = s.P * s.Q, each = s.O / s.C, width = s.W + s.Q - 1, pixels = s.H * s.W;
    T* B = scratch<T>(2, static_cast<std::size_t>(PQ * s.O));
    for (std::int64_t o = 0; o < s.O; ++o)
        for (std::int64_t pq = 0; pq < PQ; ++pq) B[(PQ - 1 - pq) * s.O + o] = W[o * PQ + pq];
    parallel_ranges(s.N, depthwise_cost(s, pixels), [=](std::int64_t begin, std::int64_t end) {
        T* spread = scratch<T>(0, static_cast<std::size_t>((s.H + s.P - 1) * width * s.O));
        T* shares = each > 1 ? scratch<T>(1, static_cast<std::size_t>(pixels * s.O)) : nullptr;
        for (std::int64_t n = begin; n < end; ++n) {
            T* to = dx + n * pixels * s.C;
            spread_gradient(s, s.O, dy + n * s.I * s.J * s.O, spread);
            filter_image<T>(spread, width, B, s, 1, 1, nullptr, shares ? shares : to, s.H, s.W);
            for (std::int64_t i = 0; shares && i < pixels * s.C; ++i) {
                T sum = 0;
                for (std::int64_t m = 0; m < each; ++m) sum += shares[i * each + m];
                to[i] = sum;
            }
        }
    });
}

template <class T> void depthwise_backward(const Call& c) {  // arrays dy x W | dx dW db
    const Shapes s = shapes_of(c);
    depthwise_filter_gradients(s, c.at<const T>(0), c.at<const T>(1), c.at<T>(4), c.at<T>(5));
    depthwise_input_gradient(s, c.at<const T>(0), c.at<const T>(2), c.at<T>(3));
}

template <class T> void depthwise_backward_parameters(const Call& c) {  // arrays dy x | dW db
    depthwise_filter_gradients(shapes_of(c), c.at<const T>(0), c.at<const T>(1), c.at<T>(2), c.at<T>(3));
}

}  // namespace chainrule::CHAINRULE_ISA
