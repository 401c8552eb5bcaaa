// BatchNorm and LayerNorm (operations/normalization.py). Images lie pixel by pixel, so that for both the array is a matrix
// of R rows (pixels, or places) and C columns (channels, or features).
//
// A sum down the rows goes block by block, blocks of a fixed number of rows, and then over the sums of the blocks; a sum
// along a row goes from left to right. Neither depends on the number of threads.
#pragma once

#include "rows.hpp"

namespace chainrule::CHAINRULE_ISA {

constexpr std::int64_t summed_rows = 128;

// total[s·C + c] = Σ_r of what f(c, r·C + c, n, sum) adds to sum[s], for vectors of n columns from c on.
template <class T, int S, class F> void sums_over_rows(std::int64_t R, std::int64_t C, T* total, const F& f) {
    const std::int64_t blocks = (R + summed_rows - 1) / summed_rows, width = S * C;
    T* part = scratch<T>(6, static_cast<std::size_t>(blocks * width));
    parallel_ranges(blocks, cheap * static_cast<double>(summed_rows * width), [=](std::int64_t begin, std::int64_t end) {
        for (std::int64_t block = begin; block < end; ++block)
            each_vector<T>(C, [=](std::int64_t c, auto n) {
                Vector<T> sum[S] = {};
                const std::int64_t last = std::min(R, (block + 1) * summed_rows);
                for (std::int64_t r = block * summed_rows; r < last; ++r) f(c, r * C + c, n, sum);
                for (int s = 0; s < S; ++s) store(part + block * width + s * C + c, sum[s], n);
            });
    });
    each_vector<T>(width, [=](std::int64_t c, auto n) {
        Vector<T> sum = {};
        for (std::int64_t block = 0; block < blocks; ++block) sum += load(part + block * width + c, n);
        store(total + c, sum, n);
    });
}

// f(c, r·C + c, n) for every vector of every row.
template <class T, class F> void each_of_rows(std::int64_t R, std::int64_t C, const F& f) {
    parallel_ranges(R, 2 * cheap * static_cast<double>(C), [=](std::int64_t begin, std::int64_t end) {
        for (std::int64_t r = begin; r < end; ++r) each_vector<T>(C, [=](std::int64_t c, auto n) { f(c, r * C + c, n); });
    });
}

template <class T> void deviations(std::int64_t C, const T* variance, double epsilon, T* deviation) {
    const T little = static_cast<T>(epsilon);
    for (std::int64_t c = 0; c < C; ++c) deviation[c] = math::sqrt(variance[c] + little);
}

// y = γ (x − μ) / √(σ² + ε) + β, with one of each for every column.
template <class T>
void normalize_columns(std::int64_t R, std::int64_t C, const T* x, const T* gamma, const T* beta, const T* mean,
                       const T* variance, double epsilon, T* y) {
    T* deviation = scratch<T>(5, static_cast<std::size_t>(C));
    deviations(C, variance, epsilon, deviation);
    each_of_rows<T>(R, C, [=](std::int64_t c, std::int64_t i, auto n) {
        const Vector<T> z = (load(x + i, n) - load(mean + c, n)) / load(deviation + c, n);
        store(y + i, load(gamma + c, n) * z + load(beta + c, n), n);
    });
}

template <class T> void batch_norm_forward(const Call& c) {  // arrays x γ β | y μ σ², sizes R C, number ε
    const std::int64_t R = c.size[0], C = c.size[1];
    const T* x = c.at<const T>(0);
    T *mean = c.at<T>(4), *variance = c.at<T>(5);
    const T m = static_cast<T>(R);
    sums_over_rows<T, 1>(R, C, mean, [=](std::int64_t, std::int64_t i, auto n, Vector<T>* sum) { sum[0] += load(x + i, n); });
    for (std::int64_t ch = 0; ch < C; ++ch) mean[ch] = mean[ch] / m;
    sums_over_rows<T, 1>(R, C, variance, [=](std::int64_t ch, std::int64_t i, auto n, Vector<T>* sum) {
        const Vector<T> gap = load(x + i, n) - load(mean + ch, n);
        sum[0] += gap * gap;
    });
    for (std::int64_t ch = 0; ch < C; ++ch) variance[ch] = variance[ch] / m;
    normalize_columns(R, C, x, c.at<const T>(1), c.at<const T>(2), mean, variance, c.scalar(0), c.at<T>(3));
}

template <class T> void running_norm_forward(const Call& c) {  // arrays x γ β μ σ² | y
    normalize_columns(c.size[0], c.size[1], c.at<const T>(0), c.at<const T>(1), c.at<const T>(2), c.at<const T>(3),
                      c.at<const T>(4), c.scalar(0), c.at<T>(5));
}

// ∂L/∂γ = Σ ∂L/∂y z and ∂L/∂β = Σ ∂L/∂y of every column; arrays dy x γ μ σ² | dx dγ dβ.
template <class T> void column_gradients(const Call& c, T* deviation) {
    const std::int64_t C = c.size[1];
    const T *dy = c.at<const T>(0), *x = c.at<const T>(1), *mean = c.at<const T>(3);
    T* both = scratch<T>(4, static_cast<std::size_t>(2 * C));
    deviations(C, c.at<const T>(4), c.scalar(0), deviation);
    sums_over_rows<T, 2>(c.size[0], C, both, [=](std::int64_t ch, std::int64_t i, auto n, Vector<T>* sum) {
        const Vector<T> slope = load(dy + i, n);
        sum[0] += slope * ((load(x + i, n) - load(mean + ch, n)) / load(deviation + ch, n));
        sum[1] += slope;
    });
    std::copy_n(both, C, c.at<T>(6));
    std::copy_n(both + C, C, c.at<T>(7));
}

template <class T> void batch_norm_backward(const Call& c) {
    const std::int64_t R = c.size[0], C = c.size[1];
    const T *dy = c.at<const T>(0), *x = c.at<const T>(1), *gamma = c.at<const T>(2), *mean = c.at<const T>(3);
    T *dx = c.at<T>(5), *deviation = scratch<T>(5, static_cast<std::size_t>(C));
    column_gradients(c, deviation);
    T* means = scratch<T>(4, static_cast<std::size_t>(2 * C));  // of ∂L/∂y z and ∂L/∂y
    for (std::int64_t i = 0; i < C; ++i) means[i] = c.at<T>(6)[i] / static_cast<T>(R), means[C + i] = c.at<T>(7)[i] / static_cast<T>(R);
    each_of_rows<T>(R, C, [=](std::int64_t ch, std::int64_t i, auto n) {
        const Vector<T> z = (load(x + i, n) - load(mean + ch, n)) / load(deviation + ch, n);
        const Vector<T> inner = load(dy + i, n) - load(means + C + ch, n) - z * load(means + ch, n);
        store(dx + i, load(gamma + ch, n) / load(deviation + ch, n) * inner, n);
    });
}

template <class T> void running_norm_backward(const Call& c) {
    const T *dy = c.at<const T>(0), *gamma = c.at<const T>(2);
    T *dx = c.at<T>(5), *deviation = scratch<T>(5, static_cast<std::size_t>(c.size[1]));
    column_gradients(c, deviation);
    each_of_rows<T>(c.size[0], c.size[1], [=](std::int64_t ch, std::int64_t i, auto n) {
        store(dx + i, load(gamma + ch, n) / load(deviation + ch, n) * load(dy + i, n), n);
    });
}

template <class T> void running_statistics(const Call& c) {  // arrays μ σ² batch's μ σ² | μ σ², sizes C count, number momentum
    const T *mean = c.at<const T>(0), *variance = c.at<const T>(1), *now = c.at<const T>(2), *spread_now = c.at<const T>(3);
    T *mean_to = c.at<T>(4), *variance_to = c.at<T>(5);
    const double count = static_cast<double>(c.size[1]), momentum = c.scalar(0);
    const T keep = static_cast<T>(1 - momentum), take = static_cast<T>(momentum);
    const T take_variance = static_cast<T>(momentum * (count / std::max(1.0, count - 1)));
#pragma GCC ivdep
    for (std::int64_t i = 0; i < c.size[0]; ++i) {
        mean_to[i] = keep * mean[i] + take * now[i];
        variance_to[i] = keep * variance[i] + take_variance * spread_now[i];
    }
}

template <class T> void layer_norm_forward(const Call& c) {  // arrays x γ β | y μ σ², sizes R I, number ε
    const T *x = c.at<const T>(0), *gamma = c.at<const T>(1), *beta = c.at<const T>(2);
    T *y = c.at<T>(3), *mean = c.at<T>(4), *variance = c.at<T>(5);
    const T little = static_cast<T>(c.scalar(0));
    rows(c, 1, [=](std::int64_t r, std::int64_t I) {
        const T *from = x + r * I, m = static_cast<T>(I), middle = sum_of(I, from) / m;
        T* to = y + r * I;
        for (std::int64_t i = 0; i < I; ++i) to[i] = (from[i] - middle) * (from[i] - middle);
        const T spread = sum_of(I, to) / m, deviation = math::sqrt(spread + little);
        for (std::int64_t i = 0; i < I; ++i) to[i] = gamma[i] * ((from[i] - middle) / deviation) + beta[i];
        mean[r] = middle;
        variance[r] = spread;
    });
}

template <class T> void layer_norm_backward(const Call& c) {  // arrays dy x γ μ σ² | dx dγ dβ
    const std::int64_t R = c.size[0], C = c.size[1];
    const T *dy = c.at<const T>(0), *x = c.at<const T>(1), *gamma = c.at<const T>(2), *mean = c.at<const T>(3);
    T *dx = c.at<T>(5), *deviation = scratch<T>(5, static_cast<std::size_t>(R));
    deviations(R, c.at<const T>(4), c.scalar(0), deviation);
    rows(c, 2, [=](std::int64_t r, std::int64_t I) {
        const T *slope = dy + r * I, *from = x + r * I, m = static_cast<T>(I);
        T *to = dx + r * I, along = 0, across = 0;
        for (std::int64_t i = 0; i < I; ++i) {
            const T dz = gamma[i] * slope[i];
            along += dz * ((from[i] - mean[r]) / deviation[r]);
            across += dz;
        }
        along = along / m;
        across = across / m;
        for (std::int64_t i = 0; i < I; ++i)
            to[i] = (gamma[i] * slope[i] - across - (from[i] - mean[r]) / deviation[r] * along) / deviation[r];
    });
    T* both = scratch<T>(4, static_cast<std::size_t>(2 * C));
    sums_over_rows<T, 2>(R, C, both, [=](std::int64_t, std::int64_t i, auto n, Vector<T>* sum) {
        const std::int64_t r = i / C;
        sum[0] += load(dy + i, n) * ((load(x + i, n) - mean[r]) / deviation[r]);
        sum[1] += load(dy + i, n);
    });
    std::copy_n(both, C, c.at<T>(6));
    std::copy_n(both + C, C, c.at<T>(7));
}

}  // namespace chainrule::CHAINRULE_ISA
