// Images moved, turned, enlarged, distorted and cut out at random (operations/augmentation.py). An image is worked on by
// one thread; what is drawn for it depends on its number in the batch alone.
#pragma once

#include "images.hpp"
#include "random.hpp"

namespace chainrule::CHAINRULE_ISA {

constexpr double whole_turn = 6.283185307179586;

// f(i, n, words) for so many words of random bits, where size `seed` of the call is the seed, the next one the stream, and
// number `step` the step.
template <class F> inline void draw_for(const Call& c, std::int64_t count, int seed, int step, const F& use) {
    draw(count, static_cast<std::uint64_t>(c.size[seed]), static_cast<std::uint32_t>(c.size[seed + 1]),
         static_cast<std::uint32_t>(static_cast<std::int64_t>(c.scalar(step))), use);
}
inline const std::uint32_t* words_for(const Call& c, std::int64_t count, int seed, int step) {
    auto* to = scratch<std::uint32_t>(4, static_cast<std::size_t>(count));
    draw_for(c, count, seed, step, [=](std::int64_t i, auto n, const Words& drawn) {
        for (std::int64_t j = 0; j < n; ++j) to[i + j] = drawn[j];
    });
    return to;
}

inline double even(std::uint32_t bits) { return static_cast<double>(bits) * 0x1p-31 - 1.0; }  // from −1 to 1

// Sine and cosine of up to half a turn, by their power series.
inline void sine_and_cosine(double angle, double& sine, double& cosine) {
    sine = cosine = 0;
    double term = 1;
    for (int k = 0; k < 36; ++k, term *= angle / k) {  // term = angle^k / k!
        double& sum = k & 1 ? sine : cosine;
        sum += k & 2 ? -term : term;
    }
}

// Arrays x | places, sizes N H W seed stream, numbers shift rotation scale step.
template <class T> void affine_places(const Call& c) {
    const std::int64_t N = c.size[0], H = c.size[1], W = c.size[2];
    const std::uint32_t* bits = words_for(c, 4 * N, 3, 3);
    const double shift = c.scalar(0), rotation = c.scalar(1) / 360 * whole_turn, scale = c.scalar(2);
    T* places = c.at<T>(1);
    parallel_ranges(N, 200 + 1.0 * static_cast<double>(H * W), [=](std::int64_t begin, std::int64_t end) {
        for (std::int64_t n = begin; n < end; ++n) {
            const double down = shift * even(bits[n]), across = shift * even(bits[N + n]);
            const double size = 1 + scale * even(bits[3 * N + n]);
            const double middle_h = static_cast<double>(H - 1) / 2, middle_w = static_cast<double>(W - 1) / 2;
            double sine, cosine;
            sine_and_cosine(rotation * even(bits[2 * N + n]), sine, cosine);
            sine /= size;
            cosine /= size;
            T *row = places + n * 2 * H * W, *column = row + H * W;
            for (std::int64_t h = 0; h < H; ++h) {
                const double u = static_cast<double>(h) - middle_h - down;
#pragma GCC ivdep
                for (std::int64_t w = 0; w < W; ++w) {
                    const double v = static_cast<double>(w) - middle_w - across;
                    row[h * W + w] = static_cast<T>(cosine * u - sine * v + middle_h);
                    column[h * W + w] = static_cast<T>(sine * u + cosine * v + middle_w);
                }
            }
        }
    });
}

// A bell curve from −radius to radius, of sum 1.
template <class T> void bell(double sigma, std::int64_t radius, T* taps) {
    double total = 0;
    const auto height = [=](std::int64_t k) {
        const double offset = static_cast<double>(k - radius) / sigma;
        return math::exp(-offset * offset / 2);
    };
    for (std::int64_t k = 0; k <= 2 * radius; ++k) total += height(k);
    for (std::int64_t k = 0; k <= 2 * radius; ++k) taps[k] = static_cast<T>(height(k) / total);
}

// to (H, W) = the noise (H, W) smoothed along its rows, then along its columns; beyond the edges it is 0.
template <class T>
void smooth(std::int64_t H, std::int64_t W, const T* taps, std::int64_t radius, const T* noise, T* padded, T* along, T* to) {
    std::fill_n(padded, W + 2 * radius, T(0));
    for (std::int64_t h = 0; h < H; ++h) {
        std::copy_n(noise + h * W, W, padded + radius);
        each_vector<T>(W, [=](std::int64_t w, auto n) {
            Vector<T> sum = {};
            for (std::int64_t k = 0; k <= 2 * radius; ++k) sum = fma(spread(taps[k]), load(padded + w + k, n), sum);
            store(along + h * W + w, sum, n);
        });
    }
    for (std::int64_t h = 0; h < H; ++h) {
        const std::int64_t first = std::max<std::int64_t>(0, h - radius), last = std::min(H - 1, h + radius);
        each_vector<T>(W, [=](std::int64_t w, auto n) {
            Vector<T> sum = {};
            for (std::int64_t i = first; i <= last; ++i)
                sum = fma(spread(taps[i - h + radius]), load(along + i * W + w, n), sum);
            store(to + h * W + w, sum, n);
        });
    }
}

// Arrays places | moved, sizes N H W seed stream, numbers alpha sigma step.
template <class T> void elastic_places(const Call& c) {
    const std::int64_t N = c.size[0], H = c.size[1], W = c.size[2];
    const double sigma = c.scalar(1);
    const auto whole = static_cast<std::int64_t>(3 * sigma), radius = whole + (static_cast<double>(whole) < 3 * sigma);
    const T alpha = static_cast<T>(c.scalar(0)), *places = c.at<const T>(0);
    T *to = c.at<T>(1), *taps = scratch<T>(3, static_cast<std::size_t>(2 * radius + 1));
    bell(sigma, radius, taps);
    draw_for(c, N * 2 * H * W, 3, 2, [=](std::int64_t i, auto n, const Words& drawn) {
        for (std::int64_t j = 0; j < n; ++j) to[i + j] = static_cast<T>(even(drawn[j]));
    });
    parallel_ranges(N * 2, 0.1 * static_cast<double>(H * W * radius), [=](std::int64_t begin, std::int64_t end) {
        T* padded = scratch<T>(0, static_cast<std::size_t>(W + 2 * radius));
        T* along = scratch<T>(1, static_cast<std::size_t>(H * W));
        for (std::int64_t plane = begin; plane < end; ++plane) {
            T* moved = to + plane * H * W;
            smooth(H, W, taps, radius, moved, padded, along, moved);
            for (std::int64_t i = 0; i < H * W; ++i) moved[i] = places[plane * H * W + i] + alpha * moved[i];
        }
    });
}

// The two pixels of a line of `length`, which has one more at either end, that a place lies between, and the weight of
// the second. Beyond the ends, and where it is no number, it lies at one of them.
template <class T> struct Place { std::int64_t first; T weight; };
template <class T> inline Place<T> place_on(T at, std::int64_t length) {
    const T below = at < static_cast<T>(length) ? at : static_cast<T>(length);
    const T held = below > T(-1) ? below : T(-1);
    const auto up = static_cast<std::int32_t>(held);  // towards 0
    const std::int64_t whole = std::min<std::int64_t>(up - (static_cast<T>(up) > held), length - 1);
    return {whole, held - static_cast<T>(whole)};
}

// f(pixel, offset, a, b) for every pixel of an image: the offset, in an image (H + 2, W + 2, C), of the first of the four
// pixels that its place lies between, and the weights of the second row and the second column.
template <class T, class F>
inline void each_place(std::int64_t H, std::int64_t W, std::int64_t C, const T* places, const F& f) {
    for (std::int64_t i = 0; i < H * W; ++i) {
        const Place<T> row = place_on(places[i], H), column = place_on(places[H * W + i], W);
        f(i, ((row.first + 1) * (W + 2) + column.first + 1) * C, row.weight, column.weight);
    }
}

template <class T> void warp_forward(const Call& c) {  // arrays x places | y, sizes N C H W, number fill
    const std::int64_t N = c.size[0], C = c.size[1], H = c.size[2], W = c.size[3], wide = (W + 2) * C;
    const T *x = c.at<const T>(0), *places = c.at<const T>(1), fill = static_cast<T>(c.scalar(0));
    T* y = c.at<T>(2);
    const double cost = static_cast<double>(H * W) * (2 + 0.5 * static_cast<double>(C));
    parallel_ranges(N, cost, [=](std::int64_t begin, std::int64_t end) {
        T* padded = scratch<T>(0, static_cast<std::size_t>((H + 2) * wide));
        std::fill_n(padded, (H + 2) * wide, fill);
        for (std::int64_t n = begin; n < end; ++n) {
            for (std::int64_t h = 0; h < H; ++h) std::copy_n(x + (n * H + h) * W * C, W * C, padded + (h + 1) * wide + C);
            T* to = y + n * H * W * C;
            each_place(H, W, C, places + n * 2 * H * W, [=](std::int64_t pixel, std::int64_t offset, T a, T b) {
                const T* from = padded + offset;
                for (std::int64_t ch = 0; ch < C; ++ch) {
                    const T above = (1 - b) * from[ch] + b * from[C + ch];
                    const T below = (1 - b) * from[wide + ch] + b * from[wide + C + ch];
                    to[pixel * C + ch] = (1 - a) * above + a * below;
                }
            });
        }
    });
}

template <class T> void warp_backward(const Call& c) {  // arrays dy places | dx, sizes N C H W
    const std::int64_t N = c.size[0], C = c.size[1], H = c.size[2], W = c.size[3], wide = (W + 2) * C;
    const T *dy = c.at<const T>(0), *places = c.at<const T>(1);
    T* dx = c.at<T>(2);
    parallel_ranges(N, static_cast<double>(H * W) * (2 + static_cast<double>(C)), [=](std::int64_t begin, std::int64_t end) {
        T* padded = scratch<T>(0, static_cast<std::size_t>((H + 2) * wide));
        for (std::int64_t n = begin; n < end; ++n) {
            std::fill_n(padded, (H + 2) * wide, T(0));
            const T* from = dy + n * H * W * C;
            each_place(H, W, C, places + n * 2 * H * W, [=](std::int64_t pixel, std::int64_t offset, T a, T b) {
                T* to = padded + offset;
                for (std::int64_t ch = 0; ch < C; ++ch) {
                    const T slope = from[pixel * C + ch];
                    to[ch] += (1 - a) * (1 - b) * slope;
                    to[C + ch] += (1 - a) * b * slope;
                    to[wide + ch] += a * (1 - b) * slope;
                    to[wide + C + ch] += a * b * slope;
                }
            });
            for (std::int64_t h = 0; h < H; ++h) std::copy_n(padded + (h + 1) * wide + C, W * C, dx + (n * H + h) * W * C);
        }
    });
}

// Arrays x | y mask, sizes N C H W size seed stream, numbers fill step.
template <class T> void cutout_forward(const Call& c) {
    const std::int64_t N = c.size[0], C = c.size[1], H = c.size[2], W = c.size[3], size = c.size[4];
    const T *x = c.at<const T>(0), fill = static_cast<T>(c.scalar(0));
    T* y = c.at<T>(1);
    auto* mask = c.at<std::uint8_t>(2);
    const std::uint32_t* bits = words_for(c, 2 * N, 5, 1);
    const auto below = [](std::uint32_t word, std::int64_t count) {
        return static_cast<std::int64_t>(std::uint64_t{word} * static_cast<std::uint64_t>(count) >> 32);
    };
    parallel_ranges(N, 0.3 * static_cast<double>(H * W * C), [=](std::int64_t begin, std::int64_t end) {
        std::copy(x + begin * H * W * C, x + end * H * W * C, y + begin * H * W * C);
        std::fill(mask + begin * H * W, mask + end * H * W, std::uint8_t{1});
        for (std::int64_t n = begin; n < end; ++n) {
            const std::int64_t top = below(bits[n], H) - size / 2, left = below(bits[N + n], W) - size / 2;
            const std::int64_t from = std::max<std::int64_t>(0, left), wide = std::min(W, left + size) - from;
            for (std::int64_t h = std::max<std::int64_t>(0, top); h < std::min(H, top + size); ++h) {
                const std::int64_t first = (n * H + h) * W + from;
                std::fill_n(y + first * C, wide * C, fill);
                std::fill_n(mask + first, wide, std::uint8_t{0});
            }
        }
    });
}

template <class T> void cutout_backward(const Call& c) {  // arrays dy mask | dx, sizes pixels C
    const std::int64_t C = c.size[1];
    const T* dy = c.at<const T>(0);
    const auto* mask = c.at<const std::uint8_t>(1);
    T* dx = c.at<T>(2);
    parallel_ranges(c.size[0], 0.1 * static_cast<double>(C), [=](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i)
            for (std::int64_t ch = 0; ch < C; ++ch) dx[i * C + ch] = mask[i] ? dy[i * C + ch] : T(0);
    });
}

}  // namespace chainrule::CHAINRULE_ISA
