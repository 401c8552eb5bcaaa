// Row by row: softmax, its relatives and the losses (operations/softmax.py, losses.py). Sums run over k in order.
#pragma once

#include <limits>

#include "elementwise.hpp"
#include "product.hpp"

namespace chainrule::CHAINRULE_ISA {

template <class T> inline T below(T f, T largest) {  // f − max f, by halves, so that it is finite
    const T gap = f / 2 - largest / 2, least = std::numeric_limits<T>::lowest() / 2;
    return (gap > least ? gap : gap != gap ? gap : least) * 2;
}

// work(K), where the numbers of classes that are met most are known to the compiler, which then unrolls what runs over them.
template <class F> inline void unrolled(std::int64_t K, const F& work) {
    if (K == 2) work(std::integral_constant<std::int64_t, 2>());
    else if (K == 3) work(std::integral_constant<std::int64_t, 3>());
    else if (K == 10) work(std::integral_constant<std::int64_t, 10>());
    else work(K);
}

template <class T, class Count> inline T largest_of(Count K, const T* f) {
    T largest = f[0];
    for (std::int64_t k = 1; k < K; ++k) largest = f[k] > largest || f[k] != f[k] ? f[k] : largest;
    return largest;
}

template <class T, class Count> inline std::int64_t largest_place(Count K, const T* f) {  // the first of them, as argmax says
    std::int64_t place = 0;
    for (std::int64_t k = 1; k < K; ++k)
        if (f[k] > f[place] || (f[k] != f[k] && f[place] == f[place])) place = k;
    return place;
}

template <class T, class Count> inline T sum_of(Count K, const T* x) {
    T sum = 0;
    for (std::int64_t k = 0; k < K; ++k) sum += x[k];
    return sum;
}

template <class F> void rows(const Call& c, double cost, F f) {  // f(n, K) for each n; sizes N K
    const std::int64_t K = c.size[1];
    parallel_ranges(c.size[0], cost * static_cast<double>(K), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t n = begin; n < end; ++n) f(n, K);
    });
}

constexpr std::int64_t some_numbers = 4096;

// Rows of K in groups of up to some 4096 numbers, so that exp and log run over many at a time: f(first row, rows, K).
template <class F> void groups_of_rows(const Call& c, const F& f) {
    const std::int64_t K = c.size[1], most = K < some_numbers ? some_numbers / K : 1;
    parallel_ranges(c.size[0], 2.0 * static_cast<double>(K), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t n = begin; n < end; n += most) f(n, std::min(most, end - n), K);
    });
}

// gap = f − max f, row by row.
template <class T> inline void gaps(std::int64_t rows, std::int64_t K, const T* f, T* gap) {
    unrolled(K, [=](auto count) {
        for (std::int64_t n = 0; n < rows; ++n) {
            const T largest = largest_of(count, f + n * count);
            for (std::int64_t k = 0; k < count; ++k) gap[n * count + k] = below(f[n * count + k], largest);
        }
    });
}

template <class T> inline void exponentials(std::int64_t count, const T* x, T* e) {
#pragma GCC ivdep
    for (std::int64_t i = 0; i < count; ++i) e[i] = math::exp(x[i]);
}

// p = softmax(f), row by row.
template <class T> inline void softmax_rows(std::int64_t rows, std::int64_t K, const T* f, T* p) {
    gaps(rows, K, f, p);
    exponentials(rows * K, p, p);
    unrolled(K, [=](auto count) {
        for (std::int64_t n = 0; n < rows; ++n) {
            const T sum = sum_of(count, p + n * count);
            for (std::int64_t k = 0; k < count; ++k) p[n * count + k] = p[n * count + k] / sum;
        }
    });
}

// gap = f − max f, and log Σ e^gap of each row.
template <class T> inline void log_sums(std::int64_t rows, std::int64_t K, const T* f, T* gap, T* log_sum) {
    T* e = scratch<T>(4, static_cast<std::size_t>(rows * K));
    gaps(rows, K, f, gap);
    exponentials(rows * K, gap, e);
    unrolled(K, [=](auto count) {
        for (std::int64_t n = 0; n < rows; ++n) log_sum[n] = sum_of(count, e + n * count);
    });
#pragma GCC ivdep
    for (std::int64_t n = 0; n < rows; ++n) log_sum[n] = math::log(log_sum[n]);
}

template <class T> void softmax_forward(const Call& c) {  // arrays f | p
    const T* f = c.at<const T>(0);
    T* p = c.at<T>(1);
    groups_of_rows(c, [=](std::int64_t n, std::int64_t rows, std::int64_t K) { softmax_rows(rows, K, f + n * K, p + n * K); });
}
template <class T> void softmax_backward(const Call& c) {  // arrays dp p | df
    const T *dp = c.at<const T>(0), *p = c.at<const T>(1);
    T* df = c.at<T>(2);
    rows(c, 1, [=](std::int64_t n, std::int64_t K) {
        T mean = 0;
        for (std::int64_t k = n * K; k < n * K + K; ++k) mean += dp[k] * p[k];
        for (std::int64_t k = n * K; k < n * K + K; ++k) df[k] = p[k] * (dp[k] - mean);
    });
}
template <class T> void softmax_jacobian(const Call& c) {  // arrays p | J
    const T* p = c.at<const T>(0);
    T* J = c.at<T>(1);
    rows(c, static_cast<double>(c.size[1]), [=](std::int64_t n, std::int64_t K) {
        for (std::int64_t i = 0; i < K; ++i)
            for (std::int64_t k = 0; k < K; ++k) J[(n * K + i) * K + k] = p[n * K + i] * (T(i == k) - p[n * K + k]);
    });
}
template <class T> void log_softmax_forward(const Call& c) {  // arrays f | y
    const T* f = c.at<const T>(0);
    T* y = c.at<T>(1);
    groups_of_rows(c, [=](std::int64_t first, std::int64_t rows, std::int64_t K) {
        T* log_sum = scratch<T>(5, static_cast<std::size_t>(rows));
        log_sums(rows, K, f + first * K, y + first * K, log_sum);
        for (std::int64_t n = 0; n < rows; ++n)
            for (std::int64_t k = (first + n) * K; k < (first + n + 1) * K; ++k) y[k] = y[k] - log_sum[n];
    });
}
template <class T> void log_softmax_backward(const Call& c) {  // arrays dy y | df
    const T *dy = c.at<const T>(0), *y = c.at<const T>(1);
    T* df = c.at<T>(2);
    rows(c, 1, [=](std::int64_t n, std::int64_t K) {
        const T sum = sum_of(K, dy + n * K);
        for (std::int64_t k = n * K; k < n * K + K; ++k) df[k] = dy[k] - math::exp(y[k]) * sum;
    });
}

template <class T> void squared_error_forward(const Call& c) {  // arrays y t | loss
    const T *y = c.at<const T>(0), *t = c.at<const T>(1);
    T* loss = c.at<T>(2);
    rows(c, cheap, [=](std::int64_t n, std::int64_t K) {
        T sum = 0;
        for (std::int64_t k = n * K; k < n * K + K; ++k) sum += (y[k] - t[k]) * (y[k] - t[k]);
        loss[n] = sum / 2;
    });
}
template <class T> void squared_error_backward(const Call& c) {  // arrays dloss y t | dy
    const T *dloss = c.at<const T>(0), *y = c.at<const T>(1), *t = c.at<const T>(2);
    T* dy = c.at<T>(3);
    rows(c, cheap, [=](std::int64_t n, std::int64_t K) {
        for (std::int64_t k = n * K; k < n * K + K; ++k) dy[k] = dloss[n] * (y[k] - t[k]);
    });
}
template <class T> void binary_cross_entropy_forward(const Call& c) {  // arrays f t | loss
    const T *f = c.at<const T>(0), *t = c.at<const T>(1);
    T* loss = c.at<T>(2);
    groups_of_rows(c, [=](std::int64_t first, std::int64_t rows, std::int64_t K) {
        T* term = scratch<T>(4, static_cast<std::size_t>(rows * K));
        const T *from = f + first * K, *targets = t + first * K;
#pragma GCC ivdep
        for (std::int64_t i = 0; i < rows * K; ++i) term[i] = math::softplus(from[i]) - targets[i] * from[i];
        if (K == 1)
            for (std::int64_t n = 0; n < rows; ++n) loss[first + n] = T(0) + term[n];
        else
            for (std::int64_t n = 0; n < rows; ++n) loss[first + n] = sum_of(K, term + n * K);
    });
}
template <class T> void binary_cross_entropy_backward(const Call& c) {  // arrays dloss f t | df
    const T *dloss = c.at<const T>(0), *f = c.at<const T>(1), *t = c.at<const T>(2);
    T* df = c.at<T>(3);
    groups_of_rows(c, [=](std::int64_t first, std::int64_t rows, std::int64_t K) {
        const T* from = f + first * K;
        T* p = df + first * K;
#pragma GCC ivdep
        for (std::int64_t i = 0; i < rows * K; ++i) p[i] = math::sigmoid(from[i]);
        if (K == 1)
            for (std::int64_t n = first; n < first + rows; ++n) df[n] = dloss[n] * (df[n] - t[n]);
        else
            for (std::int64_t n = first; n < first + rows; ++n)
                for (std::int64_t k = n * K; k < n * K + K; ++k) df[k] = dloss[n] * (df[k] - t[k]);
    });
}
template <class T> void cross_entropy_forward(const Call& c) {  // arrays f labels | loss
    const T* f = c.at<const T>(0);
    const std::int64_t* labels = c.at<const std::int64_t>(1);
    T* loss = c.at<T>(2);
    groups_of_rows(c, [=](std::int64_t first, std::int64_t rows, std::int64_t K) {
        T* gap = scratch<T>(3, static_cast<std::size_t>(rows * K));
        log_sums(rows, K, f + first * K, gap, loss + first);
        for (std::int64_t n = 0; n < rows; ++n) {
            const std::int64_t label = labels[first + n];  // on a tape it may come unchecked
            loss[first + n] = label >= 0 && label < K ? loss[first + n] - gap[n * K + label] : std::numeric_limits<T>::quiet_NaN();
        }
    });
}
template <class T> void cross_entropy_backward(const Call& c) {  // arrays dloss f labels | df
    const T *dloss = c.at<const T>(0), *f = c.at<const T>(1);
    const std::int64_t* labels = c.at<const std::int64_t>(2);
    T* df = c.at<T>(3);
    groups_of_rows(c, [=](std::int64_t first, std::int64_t rows, std::int64_t K) {
        softmax_rows(rows, K, f + first * K, df + first * K);
        unrolled(K, [=](auto count) {
            for (std::int64_t n = first; n < first + rows; ++n)
                for (std::int64_t k = 0; k < count; ++k) df[n * count + k] = dloss[n] * (df[n * count + k] - T(k == labels[n]));
        });
    });
}
template <class T> void soft_cross_entropy_forward(const Call& c) {  // arrays f t | loss
    const T *f = c.at<const T>(0), *t = c.at<const T>(1);
    T* loss = c.at<T>(2);
    groups_of_rows(c, [=](std::int64_t first, std::int64_t rows, std::int64_t K) {
        T* gap = scratch<T>(3, static_cast<std::size_t>(rows * K));
        T* log_sum = scratch<T>(5, static_cast<std::size_t>(rows));
        log_sums(rows, K, f + first * K, gap, log_sum);
        for (std::int64_t n = 0; n < rows; ++n) {
            T sum = 0;
            for (std::int64_t k = 0; k < K; ++k) sum += t[(first + n) * K + k] * (gap[n * K + k] - log_sum[n]);
            loss[first + n] = -sum;
        }
    });
}
template <class T> void soft_cross_entropy_backward(const Call& c) {  // arrays dloss f t | df
    const T *dloss = c.at<const T>(0), *f = c.at<const T>(1), *t = c.at<const T>(2);
    T* df = c.at<T>(3);
    groups_of_rows(c, [=](std::int64_t first, std::int64_t rows, std::int64_t K) {
        softmax_rows(rows, K, f + first * K, df + first * K);
        for (std::int64_t n = first; n < first + rows; ++n)
            for (std::int64_t k = n * K; k < n * K + K; ++k) df[k] = dloss[n] * (df[k] - t[k]);
    });
}
template <class T> void perceptron_forward(const Call& c) {  // arrays f t | loss
    const T *f = c.at<const T>(0), *t = c.at<const T>(1);
    T* loss = c.at<T>(2);
    rows(c, cheap, [=](std::int64_t n, std::int64_t K) {
        T sum = 0;
        for (std::int64_t k = n * K; k < n * K + K; ++k) sum += (T(f[k] >= 0) - t[k]) * f[k];
        loss[n] = sum;
    });
}
template <class T> void perceptron_backward(const Call& c) {  // arrays dloss f t | df
    const T *dloss = c.at<const T>(0), *f = c.at<const T>(1), *t = c.at<const T>(2);
    T* df = c.at<T>(3);
    rows(c, cheap, [=](std::int64_t n, std::int64_t K) {
        for (std::int64_t k = n * K; k < n * K + K; ++k) df[k] = dloss[n] * (T(f[k] >= 0) - t[k]);
    });
}
template <class T> void one_hot(const Call& c) {  // arrays labels | t (float32 whatever T), sizes N K
    const std::int64_t* labels = c.at<const std::int64_t>(0);
    float* t = c.at<float>(1);
    rows(c, cheap, [=](std::int64_t n, std::int64_t K) {
        for (std::int64_t k = 0; k < K; ++k) t[n * K + k] = labels[n] == k ? 1.0f : 0.0f;
    });
}
template <class T> void mean_forward(const Call& c) {  // arrays loss | J, sizes N
    *c.at<T>(1) = sum_of(c.size[0], c.at<const T>(0)) / static_cast<T>(c.size[0]);
}
template <class T> void mean_backward(const Call& c) {  // arrays dJ loss | dloss, sizes N
    std::fill_n(c.at<T>(2), c.size[0], *c.at<const T>(0) / static_cast<T>(c.size[0]));
}

// Rows `index` of x, whatever they are made of (arrays x index | y, sizes rows, bytes of a row, rows of x). On a tape row
// numbers may come unchecked; a row that is not there becomes all ones, which is NaN.
template <class T> void gather_rows(const Call& c) {
    const char* x = c.at<const char>(0);
    const std::int64_t* index = c.at<const std::int64_t>(1);
    char* y = c.at<char>(2);
    const std::int64_t bytes = c.size[1], there = c.size[2];
    parallel_ranges(c.size[0], 0.05 * static_cast<double>(bytes) + 5, [=](std::int64_t begin, std::int64_t end) {
        for (std::int64_t n = begin; n < end; ++n)
            if (index[n] >= 0 && index[n] < there)
                std::memcpy(y + n * bytes, x + index[n] * bytes, static_cast<std::size_t>(bytes));
            else std::memset(y + n * bytes, 255, static_cast<std::size_t>(bytes));
    });
}

// b / 255, rounded once. Its reciprocal in two parts: the sum is right for each of the 256 bytes, as a test shows.
inline float share_of_255(std::uint8_t b) {
    constexpr float high = 1.0f / 255, low = static_cast<float>(1.0 / 255 - static_cast<double>(high));
    return math::detail::fma(static_cast<float>(b), high, static_cast<float>(b) * low);
}

// Rows `index` of bytes as shares of 255 (arrays bytes index scale | y, sizes rows, bytes of a row, rows of bytes); likewise.
template <class T> void gather_bytes(const Call& c) {
    const auto* x = c.at<const std::uint8_t>(0);
    const std::int64_t* index = c.at<const std::int64_t>(1);
    const T scale = *c.at<const T>(2);
    T* y = c.at<T>(3);
    const std::int64_t there = c.size[2];
    rows(c, 4 * cheap, [=](std::int64_t n, std::int64_t K) {
        if (index[n] < 0 || index[n] >= there) {
            std::fill_n(y + n * K, K, std::numeric_limits<T>::quiet_NaN());
            return;
        }
        const std::uint8_t* from = x + index[n] * K;
        T* to = y + n * K;
#pragma GCC ivdep
        for (std::int64_t k = 0; k < K; ++k) to[k] = scale * static_cast<T>(share_of_255(from[k]));
    });
}

// How many samples are decided right (arrays f labels | right).
template <class T> void right_labels(const Call& c) {
    const T* f = c.at<const T>(0);
    const std::int64_t* labels = c.at<const std::int64_t>(1);
    std::int64_t right = 0;
    unrolled(c.size[1], [&](auto count) {
        for (std::int64_t n = 0; n < c.size[0]; ++n) right += largest_place(count, f + n * count) == labels[n];
    });
    *c.at<std::int64_t>(2) = right;
}
template <class T> void right_rows(const Call& c) {
    const T *f = c.at<const T>(0), *t = c.at<const T>(1);
    const std::int64_t K = c.size[1];
    std::int64_t right = 0;
    for (std::int64_t n = 0; n < c.size[0]; ++n) right += largest_place(K, f + n * K) == largest_place(K, t + n * K);
    *c.at<std::int64_t>(2) = right;
}
template <class T> void right_decisions(const Call& c) {
    const T *f = c.at<const T>(0), *t = c.at<const T>(1);
    const std::int64_t N = c.size[0], K = c.size[1];
    std::int64_t right = 0;
    if (K == 1) {
        for (std::int64_t n = 0; n < N; ++n) right += (f[n] >= 0) == (t[n] >= T(0.5));
    } else {
        for (std::int64_t n = 0; n < N; ++n) {
            bool all = true;
            for (std::int64_t k = n * K; k < n * K + K; ++k) all &= (f[k] >= 0) == (t[k] >= T(0.5));
            right += all;
        }
    }
    *c.at<std::int64_t>(2) = right;
}

}  // namespace chainrule::CHAINRULE_ISA
