// Sequences time by time: their mask, their last step, both directions (operations/sequences.py). Sizes N T I.
#pragma once

#include "recurrent.hpp"

namespace chainrule::CHAINRULE_ISA {

template <class T> void unmasked_steps(const Call& c) {  // arrays x | mask, sizes N T I and the strides of x, number: mask_value
    const std::int64_t N = c.size[0], steps = c.size[1], I = c.size[2];
    const std::int64_t sample = c.size[3], step = c.size[4], feature = c.size[5];
    const T *x = c.at<const T>(0), none = static_cast<T>(c.scalar(0));
    auto* mask = c.at<std::uint8_t>(1);
    for (std::int64_t n = 0; n < N; ++n)
        for (std::int64_t t = 0; t < steps; ++t) {
            const T* at = x + n * sample + t * step;
            std::int64_t i = 0;
            while (i < I && at[i * feature] == none) ++i;
            mask[n * steps + t] = i < I;
        }
}

// f(sample, step, row) for every row of a sequence in memory; rows are `width` numbers wide.
template <class F> void each_step(const Call& c, std::int64_t width, const F& f) {
    const std::int64_t N = c.size[0], steps = c.size[1];
    parallel_ranges(N * steps, cheap * static_cast<double>(width), [=](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) f(row % N, row / N, row);
    });
}

template <class T> void masked_steps_forward(const Call& c) {  // arrays h mask | y, number: mask_value
    const std::int64_t steps = c.size[1], H = c.size[2];
    const T *h = c.at<const T>(0), none = static_cast<T>(c.scalar(0));
    const auto* mask = c.at<const std::uint8_t>(1);
    T* y = c.at<T>(2);
    each_step(c, H, [=](std::int64_t n, std::int64_t t, std::int64_t row) {
        if (mask[n * steps + t]) std::copy_n(h + row * H, H, y + row * H);
        else std::fill_n(y + row * H, H, none);
    });
}

template <class T> void masked_steps_backward(const Call& c) { masked_steps_forward<T>(c); }  // its number is 0

template <class T> void last_step_forward(const Call& c) {  // arrays h | y
    const std::int64_t row = c.size[0] * c.size[2];
    std::copy_n(c.at<const T>(0) + (c.size[1] - 1) * row, row, c.at<T>(1));
}

template <class T> void last_step_backward(const Call& c) {  // arrays dy | dh
    const std::int64_t row = c.size[0] * c.size[2], others = (c.size[1] - 1) * row;
    T* dh = c.at<T>(1);
    std::fill_n(dh, others, T(0));
    std::copy_n(c.at<const T>(0), row, dh + others);
}

template <class T> void both_directions_forward(const Call& c) {  // arrays x | ahead back
    const std::int64_t N = c.size[0], steps = c.size[1], I = c.size[2];
    const T* x = c.at<const T>(0);
    T *ahead = c.at<T>(1), *back = c.at<T>(2);
    each_step(c, 2 * I, [=](std::int64_t n, std::int64_t t, std::int64_t row) {
        std::copy_n(x + row * I, I, ahead + row * I);
        std::copy_n(x + row * I, I, back + ((steps - 1 - t) * N + n) * I);
    });
}

template <class T> void both_directions_backward(const Call& c) {  // arrays dahead dback | dx
    const std::int64_t N = c.size[0], steps = c.size[1], I = c.size[2];
    const T *dahead = c.at<const T>(0), *dback = c.at<const T>(1);
    T* dx = c.at<T>(2);
    each_step(c, I, [=](std::int64_t n, std::int64_t t, std::int64_t row) {
        const T *one = dahead + row * I, *other = dback + ((steps - 1 - t) * N + n) * I;
        T* to = dx + row * I;
#pragma GCC ivdep
        for (std::int64_t i = 0; i < I; ++i) to[i] = one[i] + other[i];
    });
}

template <class T> void joined_directions_forward(const Call& c) {  // arrays ahead back | y; sizes N T H
    const std::int64_t N = c.size[0], steps = c.size[1], H = c.size[2];
    const T *ahead = c.at<const T>(0), *back = c.at<const T>(1);
    T* y = c.at<T>(2);
    each_step(c, 2 * H, [=](std::int64_t n, std::int64_t t, std::int64_t row) {
        std::copy_n(ahead + row * H, H, y + row * 2 * H);
        std::copy_n(back + ((steps - 1 - t) * N + n) * H, H, y + row * 2 * H + H);
    });
}

template <class T> void joined_directions_backward(const Call& c) {  // arrays dy | dahead dback; sizes N T H
    const std::int64_t N = c.size[0], steps = c.size[1], H = c.size[2];
    const T* dy = c.at<const T>(0);
    T *dahead = c.at<T>(1), *dback = c.at<T>(2);
    each_step(c, 2 * H, [=](std::int64_t n, std::int64_t t, std::int64_t row) {
        std::copy_n(dy + row * 2 * H, H, dahead + row * H);
        std::copy_n(dy + row * 2 * H + H, H, dback + ((steps - 1 - t) * N + n) * H);
    });
}

}  // namespace chainrule::CHAINRULE_ISA
