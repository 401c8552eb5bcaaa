// The adaptive update rules (operations/updates.py), element by element; likewise clipping and penalties; and the sums
// over all elements of an array that those need (operations/vectors.py).
#pragma once

#include <algorithm>

#include "elementwise.hpp"

namespace chainrule::CHAINRULE_ISA {

// One remembered number for each weight: f(W, dW, s) gives the new W and changes s. Arrays W dW s | W s.
template <class T, class F> void update_with_one(const Call& c, F f) {
    const T *W = c.at<const T>(0), *dW = c.at<const T>(1), *s = c.at<const T>(2);
    T *to = c.at<T>(3), *s_to = c.at<T>(4);
    parallel_ranges(c.size[0], 6 * cheap, [=](std::int64_t begin, std::int64_t end) {
#pragma GCC ivdep
        for (std::int64_t i = begin; i < end; ++i) {
            T kept = s[i];
            to[i] = f(W[i], dW[i], kept);
            s_to[i] = kept;
        }
    });
}

// Two of them: f(W, dW, a, b). Arrays W dW a b | W a b; Nadam has one more in between, hence `out`.
template <class T, class F> void update_with_two(const Call& c, int out, F f) {
    const T *W = c.at<const T>(0), *dW = c.at<const T>(1), *a = c.at<const T>(2), *b = c.at<const T>(3);
    T *to = c.at<T>(out), *a_to = c.at<T>(out + 1), *b_to = c.at<T>(out + 2);
    parallel_ranges(c.size[0], 8 * cheap, [=](std::int64_t begin, std::int64_t end) {
#pragma GCC ivdep
        for (std::int64_t i = begin; i < end; ++i) {
            T first = a[i], second = b[i];
            to[i] = f(W[i], dW[i], first, second);
            a_to[i] = first;
            b_to[i] = second;
        }
    });
}

template <class T> inline T sign(T x) { return x > 0 ? T(1) : x < 0 ? T(-1) : x; }  // NaN stays NaN

// keep · mean + take · x, with keep + take = 1: a running mean.
template <class T> struct Running {
    T keep, take;
    explicit Running(double decay) : keep(static_cast<T>(decay)), take(static_cast<T>(1 - decay)) {}
    T operator()(T mean, T x) const { return keep * mean + take * x; }
    T of_square(T mean, T x) const { return keep * mean + take * x * x; }
};

template <class T> void rmsprop_update(const Call& c) {  // numbers rate decay epsilon
    const T rate = static_cast<T>(c.scalar(0)), epsilon = static_cast<T>(c.scalar(2));
    const Running<T> running(c.scalar(1));
    update_with_one<T>(c, [=](T W, T dW, T& s) {
        s = running.of_square(s, dW);
        return W - rate * dW / (math::sqrt(s) + epsilon);
    });
}

template <class T> void centered_rmsprop_update(const Call& c) {  // numbers rate decay epsilon
    const T rate = static_cast<T>(c.scalar(0)), epsilon = static_cast<T>(c.scalar(2));
    const Running<T> running(c.scalar(1));
    update_with_two<T>(c, 4, [=](T W, T dW, T& m, T& v) {
        v = running.keep * (v + running.take * ((dW - m) * (dW - m)));
        m = running(m, dW);
        return W - rate * dW / (math::sqrt(v) + epsilon);
    });
}

template <class T> void adagrad_update(const Call& c) {  // numbers rate epsilon
    const T rate = static_cast<T>(c.scalar(0)), epsilon = static_cast<T>(c.scalar(1));
    update_with_one<T>(c, [=](T W, T dW, T& s) {
        s = s + dW * dW;
        return W - rate * dW / (math::sqrt(s) + epsilon);
    });
}

template <class T> void adadelta_update(const Call& c) {  // numbers rate decay epsilon
    const T rate = static_cast<T>(c.scalar(0)), epsilon = static_cast<T>(c.scalar(2));
    const Running<T> running(c.scalar(1));
    update_with_two<T>(c, 4, [=](T W, T dW, T& s, T& u) {
        s = running.of_square(s, dW);
        const T step = math::sqrt(u + epsilon) / math::sqrt(s + epsilon) * dW;
        u = running.of_square(u, step);
        return W - rate * step;
    });
}

template <class T> void adamw_update(const Call& c) {  // numbers step rate beta1 beta2 epsilon weight_decay
    const auto step = static_cast<std::int64_t>(c.scalar(0));
    const Running<T> mean_of(c.scalar(2)), square_of(c.scalar(3));
    // As in adam_update, with one division: m̂ / (√ŝ + ε) is scale · m / (√s + ε √b₂).
    const double bias1 = 1 - power(c.scalar(2), step), root2 = math::sqrt(1 - power(c.scalar(3), step));
    const T rate = static_cast<T>(c.scalar(1)), scale = static_cast<T>(root2 / bias1);
    const T epsilon = static_cast<T>(c.scalar(4) * root2), decay = static_cast<T>(c.scalar(5));
    update_with_two<T>(c, 4, [=](T W, T dW, T& m, T& s) {
        m = mean_of(m, dW);
        s = square_of.of_square(s, dW);
        return W - rate * (scale * m / (math::sqrt(s) + epsilon) + decay * W);
    });
}

// The momentum of Nadam in step t, with 0.96^(t ψ) by our own exp and log.
inline double nadam_momentum(double beta1, double t, double decay) {
    return beta1 * (1 - math::exp(t * decay * math::log(0.96)) / 2);
}

// Arrays W dW m s product | W m s product, numbers step rate beta1 beta2 epsilon momentum_decay.
template <class T> void nadam_update(const Call& c) {
    const double step = c.scalar(0), beta1 = c.scalar(2);
    const double now = nadam_momentum(beta1, step, c.scalar(5)), ahead = nadam_momentum(beta1, step + 1, c.scalar(5));
    const T product = *c.at<const T>(4) * static_cast<T>(now);
    const Running<T> mean_of(beta1), square_of(c.scalar(3));
    const double root2 = math::sqrt(1 - power(c.scalar(3), static_cast<std::int64_t>(step)));
    const double rate = c.scalar(1) * root2, last = static_cast<double>(product);
    const T rate_of_gradient = static_cast<T>(rate * (1 - now) / (1 - last));
    const T rate_of_mean = static_cast<T>(rate * ahead / (1 - last * ahead));
    const T epsilon = static_cast<T>(c.scalar(4) * root2);
    update_with_two<T>(c, 5, [=](T W, T dW, T& m, T& s) {
        m = mean_of(m, dW);
        s = square_of.of_square(s, dW);
        return W - (rate_of_gradient * dW + rate_of_mean * m) / (math::sqrt(s) + epsilon);
    });
    *c.at<T>(8) = product;
}

template <class T> void lion_update(const Call& c) {  // numbers rate beta1 beta2 weight_decay
    const T rate = static_cast<T>(c.scalar(0)), decay = static_cast<T>(c.scalar(3));
    const Running<T> now(c.scalar(1)), later(c.scalar(2));
    update_with_one<T>(c, [=](T W, T dW, T& m) {
        const T direction = sign(now(m, dW));
        m = later(m, dW);
        return W - rate * (direction + decay * W);
    });
}

template <class T> void average_update(const Call& c) {  // arrays a W | a, numbers step decay
    const T *a = c.at<const T>(0), *W = c.at<const T>(1);
    const double decay = c.scalar(1);
    const T share = static_cast<T>((1 - decay) / (1 - power(decay, static_cast<std::int64_t>(c.scalar(0)))));
    T* to = c.at<T>(2);
    parallel_ranges(c.size[0], 2 * cheap, [=](std::int64_t begin, std::int64_t end) {
#pragma GCC ivdep
        for (std::int64_t i = begin; i < end; ++i) to[i] = a[i] + share * (W[i] - a[i]);
    });
}

// Σ_i term(i), in double: 32 partial sums within each block of 4096 terms, then all in their order. So no bit depends on
// threads or vectors.
template <class Term> double sum_of_all(std::int64_t count, const Term& term) {
    constexpr std::int64_t block = 4096, partials = 32;
    const std::int64_t blocks = (count + block - 1) / block;
    auto* sums = static_cast<double*>(thread_scratch(3, static_cast<std::size_t>(blocks) * sizeof(double)));
    parallel_ranges(blocks, block * cheap, [=](std::int64_t first, std::int64_t last) {
        for (std::int64_t b = first; b < last; ++b) {
            const std::int64_t begin = b * block, end = std::min(begin + block, count);
            const std::int64_t rest = end - (end - begin) % partials;
            double partial[partials] = {};
            for (std::int64_t i = begin; i < rest; i += partials)
                for (std::int64_t j = 0; j < partials; ++j) partial[j] += term(i + j);
            for (std::int64_t i = rest; i < end; ++i) partial[i - rest] += term(i);
            sums[b] = 0;
            for (std::int64_t j = 0; j < partials; ++j) sums[b] += partial[j];
        }
    });
    double total = 0;
    for (std::int64_t b = 0; b < blocks; ++b) total += sums[b];
    return total;
}

template <class T> void add(const Call& c) {  // arrays x y | z
    map2<T>(c, cheap, [](T x, T y) { return x + y; });
}
template <class T> void dot(const Call& c) {  // arrays x y | z
    const T *x = c.at<const T>(0), *y = c.at<const T>(1);
    *c.at<T>(2) = static_cast<T>(
        sum_of_all(c.size[0], [=](std::int64_t i) { return static_cast<double>(x[i]) * static_cast<double>(y[i]); }));
}
template <class T> void norm(const Call& c) {  // arrays x | length
    const T* x = c.at<const T>(0);
    *c.at<T>(1) = static_cast<T>(math::sqrt(
        sum_of_all(c.size[0], [=](std::int64_t i) { return static_cast<double>(x[i]) * static_cast<double>(x[i]); })));
}
template <class T> void hypotenuse(const Call& c) {  // arrays a b | c
    const double a = static_cast<double>(*c.at<const T>(0)), b = static_cast<double>(*c.at<const T>(1));
    *c.at<T>(2) = static_cast<T>(math::sqrt(a * a + b * b));
}

template <class T> void clip_value(const Call& c) {  // arrays dW | dW, number limit
    const T limit = static_cast<T>(c.scalar(0));
    map<T>(c, cheap, [=](T dW) { return dW < -limit ? -limit : dW > limit ? limit : dW; });  // NaN stays NaN
}
template <class T> void clip_norm(const Call& c) {  // arrays dW length | dW, number limit
    const T *dW = c.at<const T>(0), length = *c.at<const T>(1), limit = static_cast<T>(c.scalar(0));
    const T factor = limit / (length <= limit ? limit : length);  // NaN stays NaN
    T* to = c.at<T>(2);
    parallel_ranges(c.size[0], cheap, [=](std::int64_t begin, std::int64_t end) {
#pragma GCC ivdep
        for (std::int64_t i = begin; i < end; ++i) to[i] = dW[i] * factor;
    });
}

template <class T> void penalty_forward(const Call& c) {  // arrays W | R, numbers l1 l2
    const T* W = c.at<const T>(0);
    const double l1 = c.scalar(0), half = c.scalar(1) / 2;
    *c.at<T>(1) = static_cast<T>(sum_of_all(c.size[0], [=](std::int64_t i) {
        const double w = static_cast<double>(W[i]);
        return l1 * (w < 0 ? -w : w) + half * (w * w);
    }));
}
template <class T> void penalty_backward(const Call& c) {  // arrays dR W | dW, numbers l1 l2
    const T dR = *c.at<const T>(0), l1 = static_cast<T>(c.scalar(0)), l2 = static_cast<T>(c.scalar(1));
    const T* W = c.at<const T>(1);
    T* dW = c.at<T>(2);
    parallel_ranges(c.size[0], cheap, [=](std::int64_t begin, std::int64_t end) {
#pragma GCC ivdep
        for (std::int64_t i = begin; i < end; ++i) dW[i] = dR * (l1 * sign(W[i]) + l2 * W[i]);
    });
}

}  // namespace chainrule::CHAINRULE_ISA
