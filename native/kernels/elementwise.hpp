// One number in, one number out, element by element (operations/activations.py, updates.py). Plain loops: the compiler
// vectorises them for the instruction set at hand, and with contraction off no bit depends on how. An output is either
// an array of its own or exactly one of the inputs (a tape updates weights in place); `ivdep` says that much.
#pragma once

#include "../call.hpp"
#include "../math.hpp"
#include "../pool.hpp"

namespace chainrule::CHAINRULE_ISA {

constexpr double cheap = 0.1, costly = 0.6;  // nanoseconds per element, roughly: arithmetic; exp, log, tanh

template <class T, class F> void map(const Call& c, double cost, F f) {  // arrays x | y, sizes count
    const T* x = c.at<const T>(0);
    T* y = c.at<T>(1);
    parallel_ranges(c.size[0], cost, [=](std::int64_t begin, std::int64_t end) {
#pragma GCC ivdep
        for (std::int64_t i = begin; i < end; ++i) y[i] = f(x[i]);
    });
}

template <class T, class F> void map2(const Call& c, double cost, F f) {  // arrays dy x | dx, sizes count
    const T *dy = c.at<const T>(0), *x = c.at<const T>(1);
    T* dx = c.at<T>(2);
    parallel_ranges(c.size[0], cost, [=](std::int64_t begin, std::int64_t end) {
#pragma GCC ivdep
        for (std::int64_t i = begin; i < end; ++i) dx[i] = f(dy[i], x[i]);
    });
}

template <class T> void identity_forward(const Call& c) { map<T>(c, cheap, [](T x) { return x; }); }
template <class T> void identity_backward(const Call& c) { identity_forward<T>(c); }
template <class T> void step_forward(const Call& c) { map<T>(c, cheap, [](T x) { return x >= 0 ? T(1) : T(0); }); }
template <class T> void step_backward(const Call& c) { map<T>(c, cheap, [](T) { return T(0); }); }

template <class T> void relu_forward(const Call& c) {
    map<T>(c, cheap, [](T x) { return x <= 0 ? T(0) : x; });  // NaN stays NaN
}
template <class T> void relu_backward(const Call& c) {
    map2<T>(c, cheap, [](T dy, T y) { return y > 0 ? dy : T(0); });
}
template <class T> void leaky_relu_forward(const Call& c) {
    const T slope = static_cast<T>(c.scalar(0));
    map<T>(c, cheap, [=](T x) { return x > 0 ? x : slope * x; });
}
template <class T> void leaky_relu_backward(const Call& c) {
    const T slope = static_cast<T>(c.scalar(0));
    map2<T>(c, cheap, [=](T dy, T x) { return x > 0 ? dy : slope * dy; });
}
template <class T> void softplus_forward(const Call& c) { map<T>(c, costly, [](T x) { return math::softplus(x); }); }
template <class T> void softplus_backward(const Call& c) {
    map2<T>(c, costly, [](T dy, T x) { return dy * math::sigmoid(x); });
}
template <class T> void sigmoid_forward(const Call& c) { map<T>(c, costly, [](T x) { return math::sigmoid(x); }); }
template <class T> void sigmoid_backward(const Call& c) { map2<T>(c, cheap, [](T dy, T y) { return dy * y * (1 - y); }); }
template <class T> void tanh_forward(const Call& c) { map<T>(c, costly, [](T x) { return math::tanh(x); }); }
template <class T> void tanh_backward(const Call& c) { map2<T>(c, cheap, [](T dy, T y) { return dy * (1 - y * y); }); }

template <class T> void gelu_forward(const Call& c) {
    map<T>(c, 2 * costly, [](T x) { return x * math::normal_share(x); });
}
template <class T> void gelu_backward(const Call& c) {
    constexpr T height = T(0.39894228040143267794);  // 1 / √(2π)
    map2<T>(c, 3 * costly, [](T dy, T x) { return dy * (math::normal_share(x) + x * (height * math::bell(x))); });
}
constexpr double root_8_by_pi = 1.5957691216057307117;
template <class T> inline T within(T x, T limit) { return x > limit ? limit : x < -limit ? -limit : x; }
template <class T> void gelu_tanh_forward(const Call& c) {
    map<T>(c, costly, [](T x) {
        const T near = within(x, T(30));
        return x * math::sigmoid(T(root_8_by_pi) * (near + T(0.044715) * near * near * near));
    });
}
template <class T> void gelu_tanh_backward(const Call& c) {
    map2<T>(c, 2 * costly, [](T dy, T x) {
        const T near = within(x, T(30)), square = near * near, twice = T(root_8_by_pi) * (near + T(0.044715) * square * near);
        const T s = math::sigmoid(twice), slope = T(root_8_by_pi) * (1 + T(0.134145) * square);
        return dy * (s + near * s * math::sigmoid(-twice) * slope);
    });
}
template <class T> void silu_forward(const Call& c) { map<T>(c, costly, [](T x) { return x * math::sigmoid(x); }); }
template <class T> void silu_backward(const Call& c) {
    map2<T>(c, 2 * costly, [](T dy, T x) {
        const T s = math::sigmoid(x);
        return dy * (s + x * s * math::sigmoid(-x));
    });
}
template <class T> void elu_forward(const Call& c) {
    const T slope = static_cast<T>(c.scalar(0)), depth = static_cast<T>(c.scalar(1));
    map<T>(c, costly, [=](T x) { return x > 0 ? slope * x : depth * math::expm1_of_negative(x > 0 ? T(0) : x); });
}
template <class T> void elu_backward(const Call& c) {
    const T slope = static_cast<T>(c.scalar(0)), depth = static_cast<T>(c.scalar(1));
    map2<T>(c, costly, [=](T dy, T x) { return dy * (x > 0 ? slope : depth * math::exp(x > 0 ? T(0) : x)); });
}
template <class T> void hard_sigmoid_forward(const Call& c) {
    map<T>(c, cheap, [](T x) {
        const T line = x / 6 + T(0.5);
        return line > 1 ? T(1) : line < 0 ? T(0) : line;
    });
}
template <class T> void hard_sigmoid_backward(const Call& c) {
    map2<T>(c, cheap, [](T dy, T x) { return x > -3 && x < 3 ? dy / 6 : T(0); });
}

template <class T> void sgd_update(const Call& c) {  // arrays W dW | W, number: rate
    const T *W = c.at<const T>(0), *dW = c.at<const T>(1), rate = static_cast<T>(c.scalar(0));
    T* to = c.at<T>(2);
    parallel_ranges(c.size[0], cheap, [=](std::int64_t begin, std::int64_t end) {
#pragma GCC ivdep
        for (std::int64_t i = begin; i < end; ++i) to[i] = W[i] - rate * dW[i];
    });
}

template <class T, class Step> void velocity_update(const Call& c, Step step) {  // arrays W dW v | W v, numbers rate momentum
    const T *W = c.at<const T>(0), *dW = c.at<const T>(1), *v = c.at<const T>(2);
    const T rate = static_cast<T>(c.scalar(0)), momentum = static_cast<T>(c.scalar(1));
    T *to = c.at<T>(3), *v_to = c.at<T>(4);
    parallel_ranges(c.size[0], 2 * cheap, [=](std::int64_t begin, std::int64_t end) {
#pragma GCC ivdep
        for (std::int64_t i = begin; i < end; ++i) {
            const T velocity = momentum * v[i] + dW[i];
            to[i] = W[i] - rate * step(dW[i], momentum, velocity);
            v_to[i] = velocity;
        }
    });
}
template <class T> void momentum_update(const Call& c) {
    velocity_update<T>(c, [](T, T, T velocity) { return velocity; });
}
template <class T> void nesterov_update(const Call& c) {
    velocity_update<T>(c, [](T dW, T momentum, T velocity) { return dW + momentum * velocity; });
}

inline double power(double base, std::int64_t exponent) {  // by squaring: the same on every machine
    double result = 1;
    for (; exponent > 0; exponent >>= 1, base *= base)
        if (exponent & 1) result *= base;
    return result;
}

// β₁ᵗ and β₂ᵗ, which all arrays of a step t have in common.
struct Powers { double beta1 = 0, beta2 = 0; std::int64_t step = 0; double of1 = 1, of2 = 1; };
inline const Powers& powers(double beta1, double beta2, std::int64_t step) {
    thread_local Powers last;
    if (last.step != step || last.beta1 != beta1 || last.beta2 != beta2)
        last = {beta1, beta2, step, power(beta1, step), power(beta2, step)};
    return last;
}

template <class T> void adam_update(const Call& c) {  // arrays W dW m s | W m s, numbers step rate beta1 beta2 epsilon
    const T *W = c.at<const T>(0), *dW = c.at<const T>(1), *m = c.at<const T>(2), *s = c.at<const T>(3);
    const auto step = static_cast<std::int64_t>(c.scalar(0));
    const double beta1 = c.scalar(2), beta2 = c.scalar(3);
    const T keep1 = static_cast<T>(beta1), take1 = static_cast<T>(1 - beta1);
    const T keep2 = static_cast<T>(beta2), take2 = static_cast<T>(1 - beta2);
    // W − η (m / b₁) / (√(s / b₂) + ε) with one division: both sides of it times √b₂.
    const Powers& power_of = powers(beta1, beta2, step);
    const double bias1 = 1 - power_of.of1, root2 = math::sqrt(1 - power_of.of2);
    const T rate_now = static_cast<T>(c.scalar(1) * root2 / bias1), epsilon_now = static_cast<T>(c.scalar(4) * root2);
    T *to = c.at<T>(4), *m_to = c.at<T>(5), *s_to = c.at<T>(6);
    parallel_ranges(c.size[0], 6 * cheap, [=](std::int64_t begin, std::int64_t end) {
#pragma GCC ivdep
        for (std::int64_t i = begin; i < end; ++i) {
            const T mean = keep1 * m[i] + take1 * dW[i];
            const T square = keep2 * s[i] + take2 * dW[i] * dW[i];
            to[i] = W[i] - rate_now * mean / (math::sqrt(square) + epsilon_now);
            m_to[i] = mean;
            s_to[i] = square;
        }
    });
}

}  // namespace chainrule::CHAINRULE_ISA
