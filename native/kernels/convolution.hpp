// Convolution and its gradients (operations/convolution.py), with images laid out pixel by pixel: (N, height, width, C).
//
// In that layout the three of them are the outer-product tile with other strides, and nothing is unfolded into a matrix:
// a row of output pixels is C, its windows are the rows of A (they overlap, which strides allow), the filter is B.
// The sums run over filter rows, filter columns, channels; those of dW over samples, rows, columns.
#pragma once

#include "images.hpp"
#include "linear.hpp"
#include "sparse_convolution.hpp"

namespace chainrule::CHAINRULE_ISA {

// y (I, J, O) = the filter B (P, Q·C, O) at every window of the image x (·, width, C).
template <class T>
void convolve_image(const T* x, std::int64_t width, std::int64_t C, const T* B, std::int64_t P, std::int64_t Q,
                    std::int64_t O, std::int64_t down, std::int64_t across, const T* bias, T* y, std::int64_t I,
                    std::int64_t J) {
    const int rows = even_rows(J);
    for (std::int64_t i = 0; i < I; ++i)
        for (std::int64_t o = 0; o < O; o += tile_columns<T>) {
            const int wide = static_cast<int>(std::min(tile_columns<T>, O - o));
            for (std::int64_t j = 0; j < J; j += rows) {
                const Terms<T> terms{Q * C, x + (i * down * width + j * across) * C, across * C, 1, B + o, O,
                                     P,     width * C, Q * C * O};
                tile_of<T, false>(static_cast<int>(std::min<std::int64_t>(rows, J - j)), wide, terms,
                                  y + (i * J + j) * O + o, O, true, bias ? bias + o : nullptr);
            }
        }
}

// How many pixels side by side to work out together, as channels of one: where channels are few, vectors are fuller. The
// filter gets zeros for the columns that one of them does not see, and fma(x, 0, c) is c.
template <class T> std::int64_t pixels_together(const Shapes& s) {
    const auto cost = [&](std::int64_t pixels) {
        const std::int64_t columns = s.Q + (pixels - 1) * s.across, vectors = (pixels * s.O + lanes<T> - 1) / lanes<T>;
        return static_cast<double>(columns * vectors) / static_cast<double>(pixels);
    };
    std::int64_t best = 1;
    for (std::int64_t pixels = 2; pixels <= 8; ++pixels)
        if (s.J % pixels == 0 && cost(pixels) < 0.9 * cost(best)) best = pixels;
    return best;
}

// The filter of so many pixels: to (P, Q + (pixels − 1) · across, C, pixels, O) from B (P, Q, C, O).
template <class T> void filter_together(const Shapes& s, std::int64_t pixels, const T* B, T* to) {
    const std::int64_t columns = s.Q + (pixels - 1) * s.across, row = pixels * s.O;
    std::fill_n(to, s.P * columns * s.C * row, T(0));
    for (std::int64_t p = 0; p < s.P; ++p)
        for (std::int64_t pixel = 0; pixel < pixels; ++pixel)
            for (std::int64_t k = 0; k < s.Q * s.C; ++k)
                std::copy_n(B + (p * s.Q * s.C + k) * s.O, s.O, to + ((p * columns + pixel * s.across) * s.C + k) * row + pixel * s.O);
}

// The filter W (O, C, P, Q) as B (P, Q, C, O); turned round as B (P, Q, O, C) for the gradient at the input.
template <class T> void filter_as_rows(const Shapes& s, const T* W, T* B) {
    for (std::int64_t o = 0; o < s.O; ++o)
        for (std::int64_t c = 0; c < s.C; ++c)
            for (std::int64_t pq = 0; pq < s.P * s.Q; ++pq) B[(pq * s.C + c) * s.O + o] = W[(o * s.C + c) * s.P * s.Q + pq];
}
template <class T> void filter_turned(const Shapes& s, const T* W, T* B) {
    const std::int64_t PQ = s.P * s.Q;
    for (std::int64_t o = 0; o < s.O; ++o)
        for (std::int64_t c = 0; c < s.C; ++c)
            for (std::int64_t pq = 0; pq < PQ; ++pq) B[((PQ - 1 - pq) * s.O + o) * s.C + c] = W[(o * s.C + c) * PQ + pq];
}

// f(bands): some output rows of an image each, which is whole where there are many images. `x` is what the first of these
// rows sees of image n, padded with zeros, and `width` that of the padded image.
template <class T> struct Band { std::int64_t n, row, rows; const T* x; std::int64_t width; };
template <class T, class F> void each_band(const Shapes& s, const T* x, const F& f) {
    const std::int64_t height = s.H + 2 * s.pad_h, width = s.W + 2 * s.pad_w, rows = s.N < 8 ? 1 : s.I;
    const double cost = 0.02 * static_cast<double>(rows * s.J * s.O * s.P * s.Q * s.C);
    parallel_ranges(s.N * s.I / rows, cost, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin * rows; row < end * rows;) {
            const std::int64_t n = row / s.I, first = row % s.I, some = std::min(s.I - first, end * rows - row);
            const T* image = x + n * s.H * s.W * s.C;
            if (s.pad_h || s.pad_w) {
                T* padded = scratch<T>(0, static_cast<std::size_t>(height * width * s.C));
                spread_out(s.H, s.W, s.C, image, height, width, s.pad_h, s.pad_w, 1, 1, padded);
                image = padded;
            }
            f(Band<T>{n, first, some, image + first * s.down * width * s.C, width});
            row += some;
        }
    });
}

template <class T> void convolve(const Shapes& s, const T* x, const T* W, const T* bias, T* y) {
    T* B = scratch<T>(2, static_cast<std::size_t>(s.P * s.Q * s.C * s.O));
    filter_as_rows(s, W, B);
    if (sparse_windows_pay(s, x)) {
        each_band(s, x, [=](const Band<T>& band) {
            sparse_convolve_rows(s, band.rows, band.x, band.width, B, bias, y + (band.n * s.I + band.row) * s.J * s.O);
        });
        return;
    }
    const std::int64_t pixels = pixels_together<T>(s), columns = s.Q + (pixels - 1) * s.across, O = pixels * s.O;
    if (pixels > 1) {
        T* together = scratch<T>(3, static_cast<std::size_t>((s.P * columns * s.C + 1) * O));
        filter_together(s, pixels, B, together);
        T* biases = together + s.P * columns * s.C * O;
        for (std::int64_t pixel = 0; pixel < pixels; ++pixel) std::copy_n(bias, s.O, biases + pixel * s.O);
        B = together;
        bias = biases;
    }
    each_band(s, x, [=](const Band<T>& band) {
        convolve_image(band.x, band.width, s.C, B, s.P, columns, O, s.down, pixels * s.across, bias,
                       y + (band.n * s.I + band.row) * s.J * s.O, band.rows, s.J / pixels);
    });
}

template <class T> void convolution_forward(const Call& c) {  // arrays x W b | y
    convolve(shapes_of(c), c.at<const T>(0), c.at<const T>(1), c.at<const T>(2), c.at<T>(3));
}

// dW (O, C, P, Q) from images that have their padding. Tiles of dW are shared out among a few threads, each of which
// goes through all samples.
template <class T> void dense_filter_gradient(const Shapes& s, const T* dy, const T* images, T* dW) {
    const std::int64_t M = s.Q * s.C, height = s.H + 2 * s.pad_h, width = s.W + 2 * s.pad_w;
    const int rows = even_rows(M);
    const std::int64_t down = (M + rows - 1) / rows, across = (s.O + tile_columns<T> - 1) / tile_columns<T>;
    const std::int64_t tiles = s.P * down * across;
    T* total = scratch<T>(2, static_cast<std::size_t>(s.P * M * s.O));  // (P, Q·C, O)
    if (s.N == 0) std::fill_n(total, s.P * M * s.O, T(0));
    const std::int64_t most = s.N * s.I * s.J * s.P * M * s.O < (1 << 19) ? 1 : 4, groups = std::min(most, tiles);
    parallel(groups, [&](std::int64_t group) {
        for (std::int64_t n = 0; n < s.N; ++n) {
            if (n % 8 == 0) heed_interruption();
            for (std::int64_t i = group; i < tiles; i += groups) {
                const std::int64_t p = i / (down * across), m = i / across % down * rows, o = i % across * tile_columns<T>;
                const Terms<T> terms{s.J, images + ((n * height + p) * width) * s.C + m, 1, s.across * s.C,
                                     dy + n * s.I * s.J * s.O + o, s.O,
                                     s.I, s.down * width * s.C, s.J * s.O};
                tile_of<T, false>(static_cast<int>(std::min<std::int64_t>(rows, M - m)),
                                  static_cast<int>(std::min(tile_columns<T>, s.O - o)), terms,
                                  total + (p * M + m) * s.O + o, s.O, n == 0, static_cast<const T*>(nullptr));
            }
        }
    });
    for (std::int64_t o = 0; o < s.O; ++o)
        for (std::int64_t ch = 0; ch < s.C; ++ch)
            for (std::int64_t pq = 0; pq < s.P * s.Q; ++pq)
                dW[(o * s.C + ch) * s.P * s.Q + pq] = total[(pq * s.C + ch) * s.O + o];
}

// dW (O, C, P, Q) and db (O,).
template <class T> void filter_gradients(const Shapes& s, const T* dy, const T* x, T* dW, T* db) {
    const std::int64_t height = s.H + 2 * s.pad_h, width = s.W + 2 * s.pad_w;
    const bool padded = s.pad_h || s.pad_w;
    const T* images = x;
    if (padded) {
        T* all = scratch<T>(0, static_cast<std::size_t>(s.N * height * width * s.C));
        for (std::int64_t n = 0; n < s.N; ++n)
            spread_out(s.H, s.W, s.C, x + n * s.H * s.W * s.C, height, width, s.pad_h, s.pad_w, 1, 1, all + n * height * width * s.C);
        images = all;
    }
    if (sparse_pays(s, dy)) {
        sparse_filter_gradients(s, dy, images, dW, db);
    } else {
        dense_filter_gradient(s, dy, images, dW);
        column_sums(s.N * s.I * s.J, s.O, dy, db);
    }
}

// What the gradient at one image is a convolution of: dy (I, J, channels) with gaps for the stride and zeros around it.
template <class T> void spread_gradient(const Shapes& s, std::int64_t channels, const T* dy, T* to) {
    const std::int64_t height = s.H + s.P - 1, width = s.W + s.Q - 1;
    const std::int64_t top = s.P - 1 - s.pad_h, left = s.Q - 1 - s.pad_w;
    std::fill_n(to, height * width * channels, T(0));
    for (std::int64_t i = 0; i < s.I; ++i)
        for (std::int64_t j = 0; j < s.J; ++j) {
            const std::int64_t h = top + i * s.down, w = left + j * s.across;
            if (h >= 0 && h < height && w >= 0 && w < width)  // beyond lie pixels that only padding sees
                std::copy_n(dy + (i * s.J + j) * channels, channels, to + (h * width + w) * channels);
        }
}

// dx is a convolution too, by the filter turned round; transposed convolution adds a bias to it.
template <class T>
void dense_input_gradient(const Shapes& s, const T* dy, const T* W, T* dx, const T* bias = nullptr) {
    T* B = scratch<T>(2, static_cast<std::size_t>(s.P * s.Q * s.C * s.O));
    filter_turned(s, W, B);
    const std::int64_t height = s.H + s.P - 1, width = s.W + s.Q - 1;
    parallel_ranges(s.N, 0.02 * static_cast<double>(s.H * s.W * s.O * s.P * s.Q * s.C),
                    [=](std::int64_t begin, std::int64_t end) {
        T* spread = scratch<T>(0, static_cast<std::size_t>(height * width * s.O));
        for (std::int64_t n = begin; n < end; ++n) {
            spread_gradient(s, s.O, dy + n * s.I * s.J * s.O, spread);
            convolve_image(spread, width, s.O, B, s.P, s.Q, s.C, 1, 1, bias, dx + n * s.H * s.W * s.C, s.H, s.W);
        }
    });
}

template <class T> void convolution_backward(const Call& c) {  // arrays dy x W | dx dW db
    const Shapes s = shapes_of(c);
    const T *dy = c.at<const T>(0), *x = c.at<const T>(1);
    filter_gradients(s, dy, x, c.at<T>(4), c.at<T>(5));
    if (sparse_pays(s, dy)) sparse_input_gradient(s, dy, c.at<const T>(2), c.at<T>(3));
    else dense_input_gradient(s, dy, c.at<const T>(2), c.at<T>(3));
}

template <class T> void convolution_backward_parameters(const Call& c) {  // arrays dy x | dW db
    filter_gradients(shapes_of(c), c.at<const T>(0), c.at<const T>(1), c.at<T>(2), c.at<T>(3));
}

}  // namespace chainrule::CHAINRULE_ISA
