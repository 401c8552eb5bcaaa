// More losses, row by row (operations/losses.py, regression.py, margins.py); the first ones stand in rows.hpp. Sums run
// over k in order.
#pragma once

#include "rows.hpp"

namespace chainrule::CHAINRULE_ISA {

// L_n = Σ_k term(k), where k counts on from row to row: for terms that take no exponential.
template <class T, class F> void sum_terms(const Call& c, T* loss, F term) {
    rows(c, cheap, [=](std::int64_t n, std::int64_t K) {
        T sum = 0;
        for (std::int64_t k = n * K; k < n * K + K; ++k) sum += term(k);
        loss[n] = sum;
    });
}

// df_nk = dloss_n · slope(k).
template <class T, class F> void scale_slopes(const Call& c, double cost, const T* dloss, T* df, F slope) {
    rows(c, cost, [=](std::int64_t n, std::int64_t K) {
#pragma GCC ivdep
        for (std::int64_t k = n * K; k < n * K + K; ++k) df[k] = dloss[n] * slope(k);
    });
}

// L_n = Σ_k term(k), where the terms are worked out many at a time.
template <class T, class F> void sum_costly_terms(const Call& c, T* loss, const F& term) {
    groups_of_rows(c, [=](std::int64_t first, std::int64_t rows, std::int64_t K) {
        T* terms = scratch<T>(4, static_cast<std::size_t>(rows * K));
#pragma GCC ivdep
        for (std::int64_t i = 0; i < rows * K; ++i) terms[i] = term(first * K + i);
        for (std::int64_t n = 0; n < rows; ++n) loss[first + n] = sum_of(K, terms + n * K);
    });
}

// --- of numbers -------------------------------------------------------------------------------------------------------

template <class T> void absolute_error_forward(const Call& c) {  // arrays y t | loss
    const T *y = c.at<const T>(0), *t = c.at<const T>(1);
    sum_terms<T>(c, c.at<T>(2), [=](std::int64_t k) { return y[k] - t[k] < 0 ? t[k] - y[k] : y[k] - t[k]; });
}
template <class T> void absolute_error_backward(const Call& c) {  // arrays dloss y t | dy
    const T *y = c.at<const T>(1), *t = c.at<const T>(2);
    scale_slopes<T>(c, cheap, c.at<const T>(0), c.at<T>(3), [=](std::int64_t k) {
        const T e = y[k] - t[k];
        return e > 0 ? T(1) : e < 0 ? T(-1) : e;  // NaN stays NaN
    });
}

template <class T> inline T held_within(T e, T delta) { return e > delta ? delta : e < -delta ? -delta : e; }

template <class T> void huber_forward(const Call& c) {  // arrays y t | loss, number: delta
    const T *y = c.at<const T>(0), *t = c.at<const T>(1), delta = static_cast<T>(c.scalar(0));
    sum_terms<T>(c, c.at<T>(2), [=](std::int64_t k) {
        const T e = y[k] - t[k], held = held_within(e, delta);
        return held * (e - held / 2);
    });
}
template <class T> void huber_backward(const Call& c) {  // arrays dloss y t | dy, number: delta
    const T *y = c.at<const T>(1), *t = c.at<const T>(2), delta = static_cast<T>(c.scalar(0));
    scale_slopes<T>(c, cheap, c.at<const T>(0), c.at<T>(3), [=](std::int64_t k) { return held_within(y[k] - t[k], delta); });
}

template <class T> void poisson_forward(const Call& c) {  // arrays f t | loss
    const T *f = c.at<const T>(0), *t = c.at<const T>(1);
    sum_costly_terms<T>(c, c.at<T>(2), [=](std::int64_t i) { return math::exp(f[i]) - t[i] * f[i]; });
}
template <class T> void poisson_backward(const Call& c) {  // arrays dloss f t | df
    const T *f = c.at<const T>(1), *t = c.at<const T>(2);
    scale_slopes<T>(c, costly, c.at<const T>(0), c.at<T>(3),
                    [=](std::int64_t k) { return math::exp(f[k]) - t[k]; });
}
template <class T> void exponential_forward(const Call& c) { map<T>(c, costly, [](T x) { return math::exp(x); }); }
template <class T> void exponential_backward(const Call& c) { map2<T>(c, cheap, [](T dy, T y) { return dy * y; }); }

// --- of probabilities -------------------------------------------------------------------------------------------------

template <class T> void weighted_binary_cross_entropy_forward(const Call& c) {  // arrays f t pos_weight | loss
    const T *f = c.at<const T>(0), *t = c.at<const T>(1), *weight = c.at<const T>(2);
    T* loss = c.at<T>(3);
    rows(c, 2 * costly, [=](std::int64_t n, std::int64_t K) {
        T* term = scratch<T>(4, static_cast<std::size_t>(K));
        const T *from = f + n * K, *targets = t + n * K;
#pragma GCC ivdep
        for (std::int64_t k = 0; k < K; ++k)
            term[k] = weight[k] * targets[k] * math::softplus(-from[k]) + (1 - targets[k]) * math::softplus(from[k]);
        loss[n] = sum_of(K, term);
    });
}
template <class T> void weighted_binary_cross_entropy_backward(const Call& c) {  // arrays dloss f t pos_weight | df
    const T *dloss = c.at<const T>(0), *f = c.at<const T>(1), *t = c.at<const T>(2), *weight = c.at<const T>(3);
    T* df = c.at<T>(4);
    rows(c, 2 * costly, [=](std::int64_t n, std::int64_t K) {
        const T *from = f + n * K, *targets = t + n * K;
#pragma GCC ivdep
        for (std::int64_t k = 0; k < K; ++k)
            df[n * K + k] = dloss[n] * ((1 - targets[k]) * math::sigmoid(from[k]) - weight[k] * targets[k] * math::sigmoid(-from[k]));
    });
}

template <class T> void binary_focal_forward(const Call& c) {  // arrays f t | loss, numbers gamma yes no
    const T *f = c.at<const T>(0), *t = c.at<const T>(1);
    const T gamma = static_cast<T>(c.scalar(0)), yes = static_cast<T>(c.scalar(1)), no = static_cast<T>(c.scalar(2));
    sum_costly_terms<T>(c, c.at<T>(2), [=](std::int64_t i) {
        const T alpha = yes * t[i] + no * (1 - t[i]), z = (2 * t[i] - 1) * f[i];
        return alpha * math::exp(-gamma * math::softplus(z)) * math::softplus(-z);
    });
}
template <class T> void binary_focal_backward(const Call& c) {  // arrays dloss f t | df, numbers gamma yes no
    const T *f = c.at<const T>(1), *t = c.at<const T>(2);
    const T gamma = static_cast<T>(c.scalar(0)), yes = static_cast<T>(c.scalar(1)), no = static_cast<T>(c.scalar(2));
    scale_slopes<T>(c, 4 * costly, c.at<const T>(0), c.at<T>(3), [=](std::int64_t k) {
        const T alpha = yes * t[k] + no * (1 - t[k]), sign = 2 * t[k] - 1, z = sign * f[k];
        const T hit = math::softplus(z), miss = math::softplus(-z);
        const T inner = math::exp(-hit) + gamma * math::exp(-miss) * miss;
        return sign * (-alpha * math::exp(-gamma * hit) * inner);
    });
}

template <class T> void smoothed(const Call& c) {  // arrays t | y, sizes N K, number: smoothing
    const T* t = c.at<const T>(0);
    T* y = c.at<T>(1);
    const double smoothing = c.scalar(0);
    const T keep = static_cast<T>(1 - smoothing), spread = static_cast<T>(smoothing / static_cast<double>(c.size[1]));
    rows(c, cheap, [=](std::int64_t n, std::int64_t K) {
#pragma GCC ivdep
        for (std::int64_t k = n * K; k < n * K + K; ++k) y[k] = keep * t[k] + spread;
    });
}
template <class T> void smoothed_cross_entropy_forward(const Call& c) {  // arrays f labels | loss, number: smoothing
    const T* f = c.at<const T>(0);
    const std::int64_t* labels = c.at<const std::int64_t>(1);
    T* loss = c.at<T>(2);
    const double smoothing = c.scalar(0);
    const T keep = static_cast<T>(smoothing - 1), spread = static_cast<T>(smoothing / static_cast<double>(c.size[1]));
    groups_of_rows(c, [=](std::int64_t first, std::int64_t rows, std::int64_t K) {
        T* gap = scratch<T>(3, static_cast<std::size_t>(rows * K));
        T* log_sum = scratch<T>(5, static_cast<std::size_t>(rows));
        log_sums(rows, K, f + first * K, gap, log_sum);
        for (std::int64_t n = 0; n < rows; ++n) {
            T sum = 0;
            for (std::int64_t k = 0; k < K; ++k) sum += spread * (gap[n * K + k] - log_sum[n]);
            const std::int64_t label = labels[first + n];  // on a tape it may come unchecked
            loss[first + n] = label >= 0 && label < K ? keep * (gap[n * K + label] - log_sum[n]) - sum
                                                      : std::numeric_limits<T>::quiet_NaN();
        }
    });
}
template <class T> void smoothed_cross_entropy_backward(const Call& c) {  // arrays dloss f labels | df, number: smoothing
    const T *dloss = c.at<const T>(0), *f = c.at<const T>(1);
    const std::int64_t* labels = c.at<const std::int64_t>(2);
    T* df = c.at<T>(3);
    const double smoothing = c.scalar(0), spread = smoothing / static_cast<double>(c.size[1]);
    const T other = static_cast<T>(spread), label = static_cast<T>(1 - smoothing + spread);
    groups_of_rows(c, [=](std::int64_t first, std::int64_t rows, std::int64_t K) {
        softmax_rows(rows, K, f + first * K, df + first * K);
        for (std::int64_t n = first; n < first + rows; ++n)
            for (std::int64_t k = 0; k < K; ++k)
                df[n * K + k] = dloss[n] * (df[n * K + k] - (k == labels[n] ? label : other));
    });
}

template <class T> void kullback_leibler_forward(const Call& c) {  // arrays f t | loss
    const T *f = c.at<const T>(0), *t = c.at<const T>(1);
    T* loss = c.at<T>(2);
    groups_of_rows(c, [=](std::int64_t first, std::int64_t rows, std::int64_t K) {
        T* gap = scratch<T>(3, static_cast<std::size_t>(rows * K));
        T* log_sum = scratch<T>(5, static_cast<std::size_t>(rows));
        log_sums(rows, K, f + first * K, gap, log_sum);
        T* log_t = scratch<T>(4, static_cast<std::size_t>(rows * K));
        const T* targets = t + first * K;
        constexpr T tiny = std::numeric_limits<T>::min();
#pragma GCC ivdep
        for (std::int64_t i = 0; i < rows * K; ++i) log_t[i] = math::log(targets[i] < tiny ? tiny : targets[i]);
        for (std::int64_t n = 0; n < rows; ++n) {
            T sum = 0;
            for (std::int64_t i = n * K; i < n * K + K; ++i) sum += targets[i] * (log_t[i] - (gap[i] - log_sum[n]));
            loss[first + n] = sum;
        }
    });
}
template <class T> void kullback_leibler_backward(const Call& c) { soft_cross_entropy_backward<T>(c); }

// 1 − p_j, the sum of the probabilities of all classes but the label, as a logarithm; e holds e^gap, whose sum is `total`.
template <class T> inline T log_of_rest(std::int64_t K, std::int64_t label, const T* e, T total) {
    T rest = 0;
    for (std::int64_t k = 0; k < K; ++k) rest += k == label ? T(0) : e[k];
    const T q = rest / total;
    constexpr T tiny = std::numeric_limits<T>::min();
    return math::log(q < tiny ? tiny : q);
}

template <class T> void focal_forward(const Call& c) {  // arrays f labels alpha | loss, number: gamma
    const T *f = c.at<const T>(0), *alpha = c.at<const T>(2), gamma = static_cast<T>(c.scalar(0));
    const std::int64_t* labels = c.at<const std::int64_t>(1);
    T* loss = c.at<T>(3);
    groups_of_rows(c, [=](std::int64_t first, std::int64_t rows, std::int64_t K) {
        T* gap = scratch<T>(3, static_cast<std::size_t>(rows * K));
        T* e = scratch<T>(4, static_cast<std::size_t>(rows * K));
        gaps(rows, K, f + first * K, gap);
        exponentials(rows * K, gap, e);
        for (std::int64_t n = 0; n < rows; ++n) {
            const std::int64_t label = labels[first + n];  // on a tape it may come unchecked
            if (label < 0 || label >= K) {
                loss[first + n] = std::numeric_limits<T>::quiet_NaN();
                continue;
            }
            const T total = sum_of(K, e + n * K);
            const T log_q = log_of_rest(K, label, e + n * K, total), log_p = gap[n * K + label] - math::log(total);
            loss[first + n] = -alpha[label] * math::exp(gamma * log_q) * log_p;
        }
    });
}
template <class T> void focal_backward(const Call& c) {  // arrays dloss f labels alpha | df, number: gamma
    const T *dloss = c.at<const T>(0), *f = c.at<const T>(1), *alpha = c.at<const T>(3), gamma = static_cast<T>(c.scalar(0));
    const std::int64_t* labels = c.at<const std::int64_t>(2);
    T* df = c.at<T>(4);
    groups_of_rows(c, [=](std::int64_t first, std::int64_t rows, std::int64_t K) {
        T* gap = scratch<T>(3, static_cast<std::size_t>(rows * K));
        gaps(rows, K, f + first * K, gap);
        exponentials(rows * K, gap, df + first * K);
        for (std::int64_t n = 0; n < rows; ++n) {
            const std::int64_t label = labels[first + n];
            T* e = df + (first + n) * K;
            if (label < 0 || label >= K) {
                std::fill_n(e, K, std::numeric_limits<T>::quiet_NaN());
                continue;
            }
            const T total = sum_of(K, e);
            const T log_q = log_of_rest(K, label, e, total), log_p = gap[n * K + label] - math::log(total);
            const T p = e[label] / total, q = math::exp(log_q);
            const T slope = alpha[label] * (math::exp(gamma * log_q) - gamma * math::exp((gamma - 1) * log_q) * p * log_p);
            const T scale = dloss[first + n] * slope;
            for (std::int64_t k = 0; k < K; ++k) e[k] = scale * (k == label ? -q : e[k] / total);
        }
    });
}

// --- with a margin ----------------------------------------------------------------------------------------------------

template <class T> inline T at_least_0(T gap) { return gap < 0 ? T(0) : gap; }  // NaN stays NaN

template <class T> inline T to_the(std::int64_t power, T gap) {
    T value = 1;
    for (std::int64_t i = 0; i < power; ++i) value *= gap;
    return value;
}

template <class T> inline T slope_of(std::int64_t power, T gap) {  // p gap^(p−1), and 0 where nothing is lacking
    return gap > 0 ? static_cast<T>(power) * to_the(power - 1, gap) : T(0);
}

template <class T> void hinge_forward(const Call& c) {  // arrays f t | loss, sizes N K power, number: margin
    const T *f = c.at<const T>(0), *t = c.at<const T>(1), margin = static_cast<T>(c.scalar(0));
    const std::int64_t power = c.size[2];
    sum_terms<T>(c, c.at<T>(2), [=](std::int64_t k) { return to_the(power, at_least_0(margin - (2 * t[k] - 1) * f[k])); });
}
template <class T> void hinge_backward(const Call& c) {  // arrays dloss f t | df, sizes N K power, number: margin
    const T *dloss = c.at<const T>(0), *f = c.at<const T>(1), *t = c.at<const T>(2), margin = static_cast<T>(c.scalar(0));
    T* df = c.at<T>(3);
    const std::int64_t power = c.size[2];
    rows(c, cheap, [=](std::int64_t n, std::int64_t K) {
        for (std::int64_t k = n * K; k < n * K + K; ++k) {
            const T sign = 2 * t[k] - 1;
            df[k] = dloss[n] * -sign * slope_of(power, margin - sign * f[k]);
        }
    });
}

// The first largest score but the label's; −1 where the label is the only class.
template <class T> inline std::int64_t rival_of(std::int64_t K, std::int64_t label, const T* f) {
    std::int64_t place = -1;
    for (std::int64_t k = 0; k < K; ++k)
        if (k != label && (place < 0 || f[k] > f[place] || (f[k] != f[k] && f[place] == f[place]))) place = k;
    return place;
}

// What the label's score lacks to be a margin above its strongest rival.
template <class T> inline T lacking(T margin, std::int64_t rival, std::int64_t label, const T* f) {
    return margin + (rival < 0 ? -std::numeric_limits<T>::infinity() : f[rival]) - f[label];
}

template <class T> void crammer_singer_forward(const Call& c) {  // arrays f labels | loss, number: margin
    const T *f = c.at<const T>(0), margin = static_cast<T>(c.scalar(0));
    const std::int64_t* labels = c.at<const std::int64_t>(1);
    T* loss = c.at<T>(2);
    rows(c, cheap, [=](std::int64_t n, std::int64_t K) {
        const std::int64_t label = labels[n];  // on a tape it may come unchecked
        loss[n] = label >= 0 && label < K ? at_least_0(lacking(margin, rival_of(K, label, f + n * K), label, f + n * K))
                                          : std::numeric_limits<T>::quiet_NaN();
    });
}
template <class T> void crammer_singer_backward(const Call& c) {  // arrays dloss f labels | df, number: margin
    const T *dloss = c.at<const T>(0), *f = c.at<const T>(1), margin = static_cast<T>(c.scalar(0));
    const std::int64_t* labels = c.at<const std::int64_t>(2);
    T* df = c.at<T>(3);
    rows(c, cheap, [=](std::int64_t n, std::int64_t K) {
        const std::int64_t label = labels[n], rival = rival_of(K, label, f + n * K);
        const bool lacks = label >= 0 && label < K && lacking(margin, rival, label, f + n * K) > 0;
        const T scale = dloss[n] * T(lacks);
        for (std::int64_t k = 0; k < K; ++k) df[n * K + k] = scale * (T(k == rival) - T(k == label));
    });
}

template <class T> void weston_watkins_forward(const Call& c) {  // arrays f labels | loss, sizes N K power, number: margin
    const T *f = c.at<const T>(0), margin = static_cast<T>(c.scalar(0));
    const std::int64_t *labels = c.at<const std::int64_t>(1), power = c.size[2];
    T* loss = c.at<T>(2);
    rows(c, cheap, [=](std::int64_t n, std::int64_t K) {
        const std::int64_t label = labels[n];  // on a tape it may come unchecked
        const T* from = f + n * K;
        T sum = label >= 0 && label < K ? T(0) : std::numeric_limits<T>::quiet_NaN();
        for (std::int64_t k = 0; k < K && sum == sum; ++k)
            if (k != label) sum += to_the(power, at_least_0(from[k] - from[label] + margin));
        loss[n] = sum;
    });
}
template <class T> void weston_watkins_backward(const Call& c) {  // arrays dloss f labels | df, sizes N K power, number: margin
    const T *dloss = c.at<const T>(0), *f = c.at<const T>(1), margin = static_cast<T>(c.scalar(0));
    const std::int64_t *labels = c.at<const std::int64_t>(2), power = c.size[2];
    T* df = c.at<T>(3);
    rows(c, cheap, [=](std::int64_t n, std::int64_t K) {
        const std::int64_t label = labels[n];
        const T* from = f + n * K;
        T* to = df + n * K;
        const T true_score = label >= 0 && label < K ? from[label] : std::numeric_limits<T>::quiet_NaN();
        T sum = 0;
        for (std::int64_t k = 0; k < K; ++k) {
            const T slope = k == label ? T(0) : slope_of(power, from[k] - true_score + margin);
            sum += slope;
            to[k] = dloss[n] * slope;
        }
        if (label >= 0 && label < K) to[label] = dloss[n] * -sum;
    });
}

// --- weights ----------------------------------------------------------------------------------------------------------

template <class T> void weighted_mean_forward(const Call& c) {  // arrays loss w | J, sizes N
    const T *loss = c.at<const T>(0), *w = c.at<const T>(1);
    T sum = 0;
    for (std::int64_t n = 0; n < c.size[0]; ++n) sum += w[n] * loss[n];
    *c.at<T>(2) = sum / static_cast<T>(c.size[0]);
}
template <class T> void weighted_mean_backward(const Call& c) {  // arrays dJ loss w | dloss, sizes N
    const T share = *c.at<const T>(0) / static_cast<T>(c.size[0]);
    const T* w = c.at<const T>(2);
    T* dloss = c.at<T>(3);
    for (std::int64_t n = 0; n < c.size[0]; ++n) dloss[n] = w[n] * share;
}

}  // namespace chainrule::CHAINRULE_ISA
