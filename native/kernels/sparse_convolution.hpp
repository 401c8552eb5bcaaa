// The gradients of a convolution where most of dy is exactly zero, as it is behind max pooling (three of four), ReLU and
// dropout. fma(0, w, c) is c, so leaving those terms out changes no bit of a sum that runs over the others in the same
// order: for dW over samples, rows, columns; for dx over the pixels of dy, row by row, and their channels. What sparse.hpp
// says of numbers that are not finite holds here too.
#pragma once

#include "images.hpp"
#include "sparse.hpp"

namespace chainrule::CHAINRULE_ISA {

constexpr int most_sums = tile_rows == 12 ? 24 : 12;  // vectors of sums that stay in registers

// What a sum runs over: the factors a[place · a_step] at the listed places, each times what stands at b + offset[place].
template <class T> struct Listed {
    const std::int32_t *place, *end;
    const T* a;
    std::int64_t a_step;
    const std::int32_t* offset;
};

// Sums of R rows of V vectors: c_r ← c_r + Σ over the listed places of a[place] · b_r[offset[place]].
template <class T, int R, int V, bool whole>
inline void sum_of_windows(Listed<T> list, const T* b, std::int64_t b_row, T* c, std::int64_t c_row, int last) {
    Vector<T> sum[R][V];
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
        for (int v = 0; v < V; ++v) sum[r][v] = part<T, V, whole>(c + r * c_row, v, last);
    for (; list.place < list.end; ++list.place) {
        const Vector<T> factor = spread(list.a[*list.place * list.a_step]);
        const T* window = b + list.offset[*list.place];
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
inline void sum_of_windows_of(int width, const Listed<T>& list, const T* b, std::int64_t b_row, T* c, std::int64_t c_row) {
    const int last = width - (V - 1) * lanes<T>;
    if (last == lanes<T>) sum_of_windows<T, R, V, true>(list, b, b_row, c, c_row, 0);
    else if (last > 0) sum_of_windows<T, R, V, false>(list, b, b_row, c, c_row, last);
    else if constexpr (V > 1) sum_of_windows_of<T, R, V - 1>(width, list, b, b_row, c, c_row);
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
inline void sum_strip(const Strip& strip, const Listed<T>& list, const T* b, std::int64_t b_row, T* c, std::int64_t c_row) {
    if (strip.R == 5) sum_of_windows_of<T, 5>(strip.width, list, b, b_row, c, c_row);
    else if (strip.R == 3) sum_of_windows_of<T, 3>(strip.width, list, b, b_row, c, c_row);
    else sum_of_windows_of<T, 1>(strip.width, list, b, b_row, c, c_row);
}

// Whether leaving out zeros saves work, judged by the first few thousand elements of dy. No bit depends on it.
template <class T> bool sparse_pays(const Shapes& s, const T* dy) {
    const auto vectors = [](std::int64_t width) { return static_cast<double>((width + lanes<T> - 1) / lanes<T>); };
    const double dense = static_cast<double>(s.Q * s.C) * vectors(s.O);  // multiply-adds for a row of windows, in vectors
    const double sparse = share_of_nonzeros(s.N * s.I * s.J * s.O, dy) * static_cast<double>(s.O) * (vectors(s.Q * s.C) + 1);
    return 1.2 * sparse < dense;
}

// The pixels at which each channel of one image dy (pixels, O) is not zero: lists (O, pixels), of which `counts` are used.
template <class T>
void list_by_channel(std::int64_t pixels, std::int64_t O, const T* dy, std::int32_t* lists, std::int32_t* counts) {
    auto* flat = scratch<std::int32_t>(5, static_cast<std::size_t>(pixels * O + 16));
    const std::int32_t* end = flat + nonzero(pixels * O, dy, flat);
    std::fill_n(counts, O, 0);
    const std::uint64_t reciprocal = (std::uint64_t{1} << 40) / static_cast<std::uint64_t>(O) + 1;  // exact below 2⁴⁰ / O
    for (const std::int32_t* place = flat; place < end; ++place) {
        const auto pixel = static_cast<std::int32_t>(static_cast<std::uint64_t>(*place) * reciprocal >> 40);
        const auto o = *place - pixel * static_cast<std::int32_t>(O);
        lists[o * pixels + counts[o]++] = pixel;
    }
}

// dW (O, C, P, Q) and db (O,). Output channels are shared out among threads, each of which goes through all samples, some
// at a time.
template <class T> void sparse_filter_gradients(const Shapes& s, const T* dy, const T* images, T* dW, T* db) {
    const std::int64_t pixels = s.I * s.J, M = s.Q * s.C, PM = s.P * M;
    const std::int64_t width = s.W + 2 * s.pad_w, image = (s.H + 2 * s.pad_h) * width * s.C;
    auto* offset = scratch<std::int32_t>(2, static_cast<std::size_t>(pixels));  // of each pixel's window
    for (std::int64_t i = 0; i < s.I; ++i)
        for (std::int64_t j = 0; j < s.J; ++j)
            offset[i * s.J + j] = static_cast<std::int32_t>((i * s.down * width + j * s.across) * s.C);
    const std::int64_t some = std::clamp<std::int64_t>((1 << 18) / (pixels * s.O), 1, std::max<std::int64_t>(s.N, 1));
    T* total = scratch<T>(3, static_cast<std::size_t>(s.O * PM));                              // (O, P, Q·C)
    auto* lists = scratch<std::int32_t>(4, static_cast<std::size_t>(some * s.O * pixels));     // (samples, O, pixels)
    auto* counts = scratch<std::int32_t>(6, static_cast<std::size_t>(some * s.O));             // of each list
    std::fill_n(total, s.O * PM, T(0));
    std::fill_n(db, s.O, T(0));
    const std::int64_t tasks = s.N * pixels * s.O * PM < (1 << 20) ? 1 : std::min<std::int64_t>(s.O, 8);
    for (std::int64_t first = 0; first < s.N; first += some) {
        const std::int64_t samples = std::min(some, s.N - first);
        parallel_ranges(samples, 0.3 * static_cast<double>(pixels * s.O), [=](std::int64_t begin, std::int64_t end) {
            for (std::int64_t n = begin; n < end; ++n)
                list_by_channel(pixels, s.O, dy + (first + n) * pixels * s.O, lists + n * s.O * pixels, counts + n * s.O);
        });
        parallel(tasks, [=](std::int64_t task) {
            for (std::int64_t n = 0; n < samples; ++n)
                for (std::int64_t o = task; o < s.O; o += tasks) {
                    const std::int32_t *list = lists + (n * s.O + o) * pixels, *last = list + counts[n * s.O + o];
                    const Listed<T> listed{list, last, dy + (first + n) * pixels * s.O + o, s.O, offset};
                    T sum = db[o];
                    for (const std::int32_t* place = list; place < last; ++place) sum += listed.a[*place * s.O];
                    db[o] = sum;
                    each_strip<T>(s, s.P, [&](const Strip& strip) {
                        sum_strip(strip, listed, images + (first + n) * image + strip.p * width * s.C + strip.m, width * s.C,
                                  total + o * PM + strip.p * M + strip.m, M);
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
                        const Listed<T> listed{place, last, from + pixel * s.O, 1, offset};
                        sum_strip(strip, listed, B + strip.p * M + strip.m, M,
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

// Some rows y (rows, J, O) from an image (·, width, C) of which many elements are zero, by the filter B (P, Q·C, O): the listed elements of a
// window are those of its pixels, which lie side by side.
template <class T>
void sparse_convolve_rows(const Shapes& s, std::int64_t rows, const T* x, std::int64_t width, const T* B, const T* bias, T* y) {
    const std::int64_t height = (rows - 1) * s.down + s.P, M = s.Q * s.C;
    auto* places = scratch<std::int32_t>(4, static_cast<std::size_t>(height * width * s.C + 16));  // within a pixel
    auto* ends = scratch<std::int32_t>(5, static_cast<std::size_t>(height * width + 1)) + 1;       // of each pixel's places
    std::int64_t found = ends[-1] = 0;
    for (std::int64_t h = 0, pixel = 0; h < height; ++h)
        for (std::int64_t w = 0; w < width; ++w, ++pixel) {
            const std::int64_t more = nonzero(s.C, x + pixel * s.C, places + found);
            for (std::int64_t k = found; k < found + more; ++k) places[k] += static_cast<std::int32_t>(w * s.C);  // within a row
            ends[pixel] = static_cast<std::int32_t>(found += more);
        }
    constexpr std::int64_t columns = wide * lanes<T>;
    for (std::int64_t o = 0; o < s.O; o += columns)
        for (std::int64_t p = 0; p < s.P; ++p)  // row by row, so that its part of the filter stays in the first cache
            for (std::int64_t i = 0; i < rows; ++i)
                for (std::int64_t j = 0; j < s.J; ++j) {
                    const std::int64_t row = (i * s.down + p) * width, first = row + j * s.across;
                    const T* from = B + (p * M - j * s.across * s.C) * s.O + o;
                    sum_of_rows_of<T>(static_cast<int>(std::min(columns, s.O - o)), places + ends[first - 1],
                                      places + ends[first + s.Q - 1], x + row * s.C, from, s.O, y + (i * s.J + j) * s.O + o, p == 0,
                                      p + 1 == s.P ? bias + o : nullptr);
                }
}

// Whether that saves work: a few vectors of outputs have to be summed side by side, and many elements to be left out.
template <class T> bool sparse_windows_pay(const Shapes& s, const T* x) {
    const bool fits = s.Q * s.C * s.O * static_cast<std::int64_t>(sizeof(T)) <= 32 << 10;  // a row of the filter in the first cache
    return s.O > 2 * lanes<T> && share_of_nonzeros(s.N * s.H * s.W * s.C, x) < (fits ? sparse_enough : 0.4);
}

}  // namespace chainrule::CHAINRULE_ISA
