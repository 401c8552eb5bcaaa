// The gradients of a convolution where most of dy is exactly zero, as it is behind max pooling (three of four), ReLU and
// dropout. fma(0, w, c) is c, so leaving those terms out changes no bit of a sum that runs over the others in the same
// order: for dW over samples, rows, columns; for dx over the pixels of dy, row by row, and their channels.
#pragma once

#include "images.hpp"
#include "sparse.hpp"

namespace chainrule::CHAINRULE_ISA {

constexpr int most_sums = tile_rows == 12 ? 24 : 12;  // vectors of sums that stay in registers

// Sums of R rows of V vectors: c_r ← c_r + Σ over the listed places of a[place] · b_r[offset[place]].
template <class T, int R, int V, bool whole>
inline void sum_of_windows(const std::int32_t* place, const std::int32_t* end, const T* a, const std::int32_t* offset,
                           const T* b, std::int64_t b_row, T* c, std::int64_t c_row, int last) {
    Vector<T> sum[R][V];
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
        for (int v = 0; v < V; ++v) sum[r][v] = part<T, V, whole>(c + r * c_row, v, last);
    for (; place < end; ++place) {
        const Vector<T> factor = spread(a[*place]);
        const T* window = b + offset[*place];
#pragma GCC unroll 8
        for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
            for (int v = 0; v < V; ++v) sum[r][v] = fma(factor, part<T, V, whole>(window + r * b_row, v, last), sum[r][v]);
    }
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
        for (int v = 0; v < V; ++v) {
            if (whole || v + 1 < V) store(c + r * c_row + v * lanes<T>, sum[r][v]);
            else store(c + r * c_row + v * lanes<T>, sum[r][v], last);
        }
}

// The same for a width of up to 8 vectors.
template <class T, int R, int V = most_sums / R < 8 ? most_sums / R : 8>
inline void sum_of_windows_of(int width, const std::int32_t* place, const std::int32_t* end, const T* a,
                              const std::int32_t* offset, const T* b, std::int64_t b_row, T* c, std::int64_t c_row) {
    const int last = width - (V - 1) * lanes<T>;
    if (last == lanes<T>) sum_of_windows<T, R, V, true>(place, end, a, offset, b, b_row, c, c_row, 0);
    else if (last > 0) sum_of_windows<T, R, V, false>(place, end, a, offset, b, b_row, c, c_row, last);
    else if constexpr (V > 1) sum_of_windows_of<T, R, V - 1>(width, place, end, a, offset, b, b_row, c, c_row);
}

// A part of a window that is summed at a time: rows p … p + R − 1, columns m … m + width − 1 of its Q · C.
struct Strip { std::int64_t p, m; int R, width; };

// The strips of a window, last rows and columns first: f(strip). `at_once` is how many of its rows may be summed at a time.
template <class T, class F> void each_strip(const Shapes& s, std::int64_t at_once, const F& f) {
    const std::int64_t M = s.Q * s.C, vectors = (M + lanes<T> - 1) / lanes<T>, parts = (vectors + 7) / 8;
    const std::int64_t step = (vectors + parts - 1) / parts * lanes<T>;
    for (std::int64_t end = s.P; end > 0;) {
        const std::int64_t room = std::min({end, at_once, most_sums / (step / lanes<T>)});
        const int R = room >= 5 ? 5 : room >= 3 ? 3 : 1;
        end -= R;
        for (std::int64_t m = (M - 1) / step * step; m >= 0; m -= step) f(Strip{end, m, R, static_cast<int>(std::min(step, M - m))});
    }
}

template <class T>
inline void sum_strip(const Strip& strip, const std::int32_t* place, const std::int32_t* end, const T* a,
                      const std::int32_t* offset, const T* b, std::int64_t b_row, T* c, std::int64_t c_row) {
    if (strip.R == 5) sum_of_windows_of<T, 5>(strip.width, place, end, a, offset, b, b_row, c, c_row);
    else if (strip.R == 3) sum_of_windows_of<T, 3>(strip.width, place, end, a, offset, b, b_row, c, c_row);
    else sum_of_windows_of<T, 1>(strip.width, place, end, a, offset, b, b_row, c, c_row);
}

// Whether leaving out zeros saves work, judged by the first few thousand elements of dy. No bit depends on it.
template <class T> bool sparse_pays(const Shapes& s, const T* dy) {
    const std::int64_t count = std::min<std::int64_t>(s.N * s.I * s.J * s.O, 1 << 15);
    std::int64_t nonzeros = 0;
    for (std::int64_t i = 0; i < count; ++i) nonzeros += dy[i] != T(0);
    const auto vectors = [](std::int64_t width) { return static_cast<double>((width + lanes<T> - 1) / lanes<T>); };
    const double dense = static_cast<double>(s.Q * s.C) * vectors(s.O);  // multiply-adds for a row of windows, in vectors
    const double sparse = static_cast<double>(s.O) * (vectors(s.Q * s.C) + 1) * static_cast<double>(nonzeros) / static_cast<double>(count + 1);
    return 1.2 * sparse < dense;
}

// dW (O, C, P, Q). Output channels are shared out among threads, each of which goes through all samples: a few of them at a
// time, whose dy has been turned so that the pixels of one channel lie side by side.
template <class T> void sparse_filter_gradient(const Shapes& s, const T* dy, const T* images, T* dW) {
    const std::int64_t pixels = s.I * s.J, M = s.Q * s.C, PM = s.P * M;
    const std::int64_t width = s.W + 2 * s.pad_w, image = (s.H + 2 * s.pad_h) * width * s.C;
    constexpr std::int64_t cache = (1 << 20) / sizeof(T);
    const std::int64_t at_once = std::clamp<std::int64_t>(cache / (pixels * s.O), 1, std::max<std::int64_t>(s.N, 1));
    auto* offset = scratch<std::int32_t>(2, static_cast<std::size_t>(pixels));  // of each pixel's window
    for (std::int64_t i = 0; i < s.I; ++i)
        for (std::int64_t j = 0; j < s.J; ++j)
            offset[i * s.J + j] = static_cast<std::int32_t>((i * s.down * width + j * s.across) * s.C);
    T* total = scratch<T>(3, static_cast<std::size_t>(s.O * PM));                         // (O, P, Q·C)
    T* turned = scratch<T>(4, static_cast<std::size_t>(at_once * s.O * pixels));          // (samples, O, pixels)
    std::fill_n(total, s.O * PM, T(0));
    const std::int64_t tasks = s.N * pixels * s.O * PM < (1 << 20) ? 1 : std::min<std::int64_t>(s.O, 8);
    for (std::int64_t first = 0; first < s.N; first += at_once) {
        const std::int64_t samples = std::min(at_once, s.N - first);
        parallel_ranges(samples, 0.4 * static_cast<double>(pixels * s.O), [=](std::int64_t begin, std::int64_t end) {
            for (std::int64_t n = begin; n < end; ++n)
                turn(pixels, s.O, dy + (first + n) * pixels * s.O, s.O, turned + n * s.O * pixels, pixels);
        });
        parallel(tasks, [=, &s](std::int64_t task) {
            auto* places = scratch<std::int32_t>(5, static_cast<std::size_t>(pixels + 16));  // of a channel's nonzeros
            for (std::int64_t n = 0; n < samples; ++n)
                for (std::int64_t o = task; o < s.O; o += tasks) {
                    const T* a = turned + (n * s.O + o) * pixels;
                    const std::int32_t* end = places + nonzero(pixels, a, places);
                    each_strip<T>(s, s.P, [&](const Strip& strip) {
                        sum_strip(strip, places, end, a, offset, images + (first + n) * image + strip.p * width * s.C + strip.m,
                                  width * s.C, total + o * PM + strip.p * M + strip.m, M);
                    });
                }
        });
    }
    for (std::int64_t o = 0; o < s.O; ++o)
        for (std::int64_t ch = 0; ch < s.C; ++ch)
            for (std::int64_t pq = 0; pq < s.P * s.Q; ++pq)
                dW[(o * s.C + ch) * s.P * s.Q + pq] = total[o * PM + pq * s.C + ch];
}

// dx (N, H, W, C): each dy that is not zero adds its filter, times dy, to its window.
template <class T> void sparse_input_gradient(const Shapes& s, const T* dy, const T* W, T* dx) {
    const std::int64_t pixels = s.I * s.J, M = s.Q * s.C, PM = s.P * M;
    const std::int64_t height = s.H + 2 * s.pad_h, width = s.W + 2 * s.pad_w;
    const bool padded = s.pad_h || s.pad_w;
    T* B = scratch<T>(2, static_cast<std::size_t>(s.O * PM));  // the filter as (O, P, Q, C)
    std::int32_t* offset = scratch<std::int32_t>(3, static_cast<std::size_t>(s.O));
    for (std::int64_t o = 0; o < s.O; ++o) {
        offset[o] = static_cast<std::int32_t>(o * PM);
        for (std::int64_t ch = 0; ch < s.C; ++ch)
            for (std::int64_t pq = 0; pq < s.P * s.Q; ++pq) B[o * PM + pq * s.C + ch] = W[(o * s.C + ch) * s.P * s.Q + pq];
    }
    // Strips go from the last to the first, so that pixels of dy come in their order; where a row is cut into several, only
    // row by row. So is a filter too large for the first cache.
    constexpr std::int64_t cache = 24 << 10;
    const bool whole_rows = M <= 8 * lanes<T>, fits = s.O * PM * static_cast<std::int64_t>(sizeof(T)) <= cache;
    const std::int64_t at_once = whole_rows && fits ? s.P : 1;
    parallel_ranges(s.N, 0.005 * static_cast<double>(pixels * s.O * PM), [=, &s](std::int64_t begin, std::int64_t end) {
        auto* places = scratch<std::int32_t>(4, static_cast<std::size_t>(pixels * s.O + 16));
        auto* ends = scratch<std::int32_t>(5, static_cast<std::size_t>(pixels));  // of each pixel's places
        T* whole = padded ? scratch<T>(0, static_cast<std::size_t>(height * width * s.C)) : nullptr;
        for (std::int64_t n = begin; n < end; ++n) {
            const T* from = dy + n * pixels * s.O;
            std::int64_t found = 0;
            for (std::int64_t pixel = 0; pixel < pixels; ++pixel)
                ends[pixel] = static_cast<std::int32_t>(found += nonzero(s.O, from + pixel * s.O, places + found));
            T* image = padded ? whole : dx + n * s.H * s.W * s.C;
            std::fill_n(image, height * width * s.C, T(0));
            each_strip<T>(s, at_once, [&](const Strip& strip) {
                const std::int32_t* place = places;
                for (std::int64_t i = 0, pixel = 0; i < s.I; ++i)
                    for (std::int64_t j = 0; j < s.J; ++j, ++pixel) {
                        const std::int32_t* last = places + ends[pixel];
                        if (place == last) continue;
                        sum_strip(strip, place, last, from + pixel * s.O, offset, B + strip.p * M + strip.m, M,
                                  image + ((i * s.down + strip.p) * width + j * s.across) * s.C + strip.m, width * s.C);
                        place = last;
                    }
            });
            if (padded)
                for (std::int64_t h = 0; h < s.H; ++h)
                    std::copy_n(whole + ((h + s.pad_h) * width + s.pad_w) * s.C, s.W * s.C, dx + (n * s.H + h) * s.W * s.C);
        }
    });
}

}  // namespace chainrule::CHAINRULE_ISA
