// Enlarging images by whole factors (operations/upsampling.py), pixel by pixel: the channels of a pixel are worked on
// together, an image by one thread.
#pragma once

#include "images.hpp"

namespace chainrule::CHAINRULE_ISA {

struct Enlarged {  // sizes: N C H W of the small images, factors down and across
    std::int64_t N, C, H, W, down, across;
    std::int64_t height() const { return H * down; }
    std::int64_t width() const { return W * across; }
};

inline Enlarged enlarged(const Call& c) {
    const std::int64_t* s = c.size;
    return {s[0], s[1], s[2], s[3], s[4], s[5]};
}

// f(n, h, w) for every pixel of the large images, in order within an image.
template <class F> void each_large_pixel(const Enlarged& s, double cost, const F& f) {
    const double image = cost * static_cast<double>(s.height() * s.width() * s.C);
    parallel_ranges(s.N, image, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t n = begin; n < end; ++n)
            for (std::int64_t h = 0; h < s.height(); ++h)
                for (std::int64_t w = 0; w < s.width(); ++w) f(n, h, w);
    });
}

template <class T> void upsample_nearest_forward(const Call& c) {  // arrays x | y
    const Enlarged s = enlarged(c);
    const T* x = c.at<const T>(0);
    T* y = c.at<T>(1);
    each_large_pixel(s, 0.1, [=](std::int64_t n, std::int64_t h, std::int64_t w) {
        const T* from = x + ((n * s.H + h / s.down) * s.W + w / s.across) * s.C;
        std::copy_n(from, s.C, y + ((n * s.height() + h) * s.width() + w) * s.C);
    });
}

template <class T> void upsample_nearest_backward(const Call& c) {  // arrays dy | dx
    const Enlarged s = enlarged(c);
    const T* dy = c.at<const T>(0);
    T* dx = c.at<T>(1);
    std::fill_n(dx, s.N * s.H * s.W * s.C, T(0));
    each_large_pixel(s, 0.1, [=](std::int64_t n, std::int64_t h, std::int64_t w) {
        const T* from = dy + ((n * s.height() + h) * s.width() + w) * s.C;
        T* to = dx + ((n * s.H + h / s.down) * s.W + w / s.across) * s.C;
        for (std::int64_t ch = 0; ch < s.C; ++ch) to[ch] += from[ch];
    });
}

// Between which two pixels of `length` a large pixel's centre lies, and the weight of the second.
template <class T> struct Between { std::int64_t first, second; T weight; };
template <class T> inline Between<T> between(std::int64_t large, std::int64_t factor, std::int64_t length) {
    const double centre = (static_cast<double>(large) + 0.5) / static_cast<double>(factor) - 0.5;
    const double place = std::min(std::max(centre, 0.0), static_cast<double>(length - 1));
    const auto first = static_cast<std::int64_t>(place);
    return {first, std::min(first + 1, length - 1), static_cast<T>(place - static_cast<double>(first))};
}

template <class T> void upsample_bilinear_forward(const Call& c) {  // arrays x | y
    const Enlarged s = enlarged(c);
    const T* x = c.at<const T>(0);
    T* y = c.at<T>(1);
    each_large_pixel(s, 0.5, [=](std::int64_t n, std::int64_t h, std::int64_t w) {
        const auto row = between<T>(h, s.down, s.H), column = between<T>(w, s.across, s.W);
        const T* image = x + n * s.H * s.W * s.C;
        const T *a = image + (row.first * s.W + column.first) * s.C, *b = image + (row.first * s.W + column.second) * s.C;
        const T *d = image + (row.second * s.W + column.first) * s.C, *e = image + (row.second * s.W + column.second) * s.C;
        T* to = y + ((n * s.height() + h) * s.width() + w) * s.C;
        for (std::int64_t ch = 0; ch < s.C; ++ch) {
            const T above = (1 - column.weight) * a[ch] + column.weight * b[ch];
            const T below = (1 - column.weight) * d[ch] + column.weight * e[ch];
            to[ch] = (1 - row.weight) * above + row.weight * below;
        }
    });
}

template <class T> void upsample_bilinear_backward(const Call& c) {  // arrays dy | dx
    const Enlarged s = enlarged(c);
    const T* dy = c.at<const T>(0);
    T* dx = c.at<T>(1);
    std::fill_n(dx, s.N * s.H * s.W * s.C, T(0));
    each_large_pixel(s, 1, [=](std::int64_t n, std::int64_t h, std::int64_t w) {
        const auto row = between<T>(h, s.down, s.H), column = between<T>(w, s.across, s.W);
        const T* from = dy + ((n * s.height() + h) * s.width() + w) * s.C;
        const auto add = [&](std::int64_t i, std::int64_t j, T weight) {
            T* to = dx + ((n * s.H + i) * s.W + j) * s.C;
            for (std::int64_t ch = 0; ch < s.C; ++ch) to[ch] += weight * from[ch];
        };
        add(row.first, column.first, (1 - row.weight) * (1 - column.weight));
        add(row.first, column.second, (1 - row.weight) * column.weight);
        add(row.second, column.first, row.weight * (1 - column.weight));
        add(row.second, column.second, row.weight * column.weight);
    });
}

}  // namespace chainrule::CHAINRULE_ISA
