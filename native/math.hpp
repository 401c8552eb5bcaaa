// Elementary functions with one set of bits.
//
// exp, expm1, log, log1p, tanh, sigmoid, softplus and the normal distribution for float and double, built only of
// operations that IEEE 754 rounds in one way (add, multiply, divide, fused multiply-add) and of integer operations on
// the bits, in an order that the source fixes. No libm, no intrinsics, no branches: the compiler vectorises a plain
// loop over any of them, and every instruction set, vector width and place in the array gives the same bytes. Only a
// NaN's sign and payload may differ from one processor family to another; a NaN in always gives a NaN out. Infinities,
// zeros and denormals are right.
//
// Compile with -ffp-contract=off, never with -ffast-math; -fno-math-errno and -fno-trapping-math let loops vectorise.
// Wrap a call only in functions or lambdas that are themselves always inlined, or the loop around them stays scalar.
//
// Largest errors in units in the last place, from benchmarks/math_accuracy.py (float: all 2³² inputs; double: samples):
//
//   exp 0.92 and 0.87, log 0.91 and 0.90, log1p 0.85 and 0.82, tanh 0.90 and 1.11, sigmoid 0.97 and 0.97,
//   softplus 0.97 and 0.97.

#pragma once

#include <cstdint>
#include <limits>

#define CHAINRULE_INLINE [[gnu::always_inline]] inline

namespace chainrule::math {

namespace detail {

CHAINRULE_INLINE float fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
CHAINRULE_INLINE double fma(double a, double b, double c) { return __builtin_fma(a, b, c); }

// c0 + c1 x + c2 x² + …, two terms at a time: as many operations as Horner's rule, half as many that wait for the one
// before. `square` is x², which every caller needs anyway.
template <class T>
CHAINRULE_INLINE T polynomial(T, T, T c0) {
    return c0;
}
template <class T>
CHAINRULE_INLINE T polynomial(T x, T, T c0, T c1) {
    return fma(x, c1, c0);
}
template <class T, class... Rest>
CHAINRULE_INLINE T polynomial(T x, T square, T c0, T c1, Rest... rest) {
    return fma(square, polynomial(x, square, rest...), fma(x, c1, c0));
}

// What differs between float and double.
//
// ln2_high + ln2_low = ln 2, with so few bits in ln2_high that n · ln2_high is exact for every exponent n.
// The polynomials are minimax fits (Remez exchange in 80 digits with the first coefficient held, the rest then rounded
// to T); beside each stands the largest relative error that it causes:
//   exp_tail(r) ≈ (eʳ − 1 − r) / r²        for |r| ≤ ln 2 / 2, weighted so that r² · error is relative to eʳ
//   log_tail(f) ≈ (log(1 + f) − f) / f²    for √½ − 1 ≤ f ≤ √2 − 1, weighted likewise relative to log(1 + f)
//   normal_tail(t) ≈ (1 + a) e^(a²/2) Φ(−a)   with t = (a − 4) / (a + 4), for 0 ≤ a ≤ normal_limit; by interpolation
template <class T>
struct Format;

template <>
struct Format<float> {
    using Bits = std::uint32_t;
    static constexpr int mantissa_bits = 23;
    static constexpr Bits bias = 127;
    static constexpr float log2_e = 0x1.715476p+0f;
    static constexpr float ln2_high = 0x1.62e4p-1f;
    static constexpr float ln2_low = 0x1.7f7d1cp-20f;
    static constexpr float exp_limit = 104.0f;  // beyond this eˣ rounds to ∞, e⁻ˣ to 0
    static constexpr float tanh_limit = 10.0f;  // beyond this tanh rounds to 1

    CHAINRULE_INLINE static float exp_tail(float r, float square) {  // error 2⁻²⁷·⁹
        return polynomial(r, square, 0.5f, 0x1.5554a2p-3f, 0x1.55568ap-5f, 0x1.123006p-7f, 0x1.6b6dfap-10f);
    }
    CHAINRULE_INLINE static float log_tail(float f, float square) {  // error 2⁻²⁷·²
        return polynomial(f, square, -0.5f, 0x1.555554p-2f, -0x1.000226p-2f, 0x1.99a00ap-3f, -0x1.547250p-3f,
                          0x1.22da0ap-3f, -0x1.0d84cep-3f, 0x1.055bacp-3f, -0x1.38b83cp-4f);
    }
    static constexpr float normal_limit = 15.0f;  // beyond this e^(−x²/2) rounds to 0

    CHAINRULE_INLINE static float normal_tail(float t, float square) {  // error 2⁻²⁵·⁸
        return polynomial(t, square, 0x1.e361eap-2f, -0x1.8c18f0p-4f, 0x1.cabd76p-7f, 0x1.d4953cp-6f, -0x1.07c3b6p-5f, 0x1.25eb82p-6f,
                          -0x1.47d200p-8f, -0x1.3a7cd4p-12f, 0x1.6a33a0p-11f, -0x1.17ea82p-14f, -0x1.37f310p-14f);
    }
};

template <>
struct Format<double> {
    using Bits = std::uint64_t;
    static constexpr int mantissa_bits = 52;
    static constexpr Bits bias = 1023;
    static constexpr double log2_e = 0x1.71547652b82fep+0;
    static constexpr double ln2_high = 0x1.62e42fefa3p-1;
    static constexpr double ln2_low = 0x1.3de6af278ece6p-42;
    static constexpr double exp_limit = 746.0;
    static constexpr double tanh_limit = 20.0;

    CHAINRULE_INLINE static double exp_tail(double r, double square) {  // error 2⁻⁵⁷·²
        return polynomial(r, square, 0.5, 0x1.5555555555501p-3, 0x1.55555555531ccp-5, 0x1.1111111128a6bp-7,
                          0x1.6c16c17cd883ap-10, 0x1.a01a011ba16a9p-13, 0x1.a019aae2725b9p-16, 0x1.71df55e53a9f4p-19,
                          0x1.289fdc55ca44bp-22, 0x1.ad2001fc93ed2p-26);
    }
    CHAINRULE_INLINE static double log_tail(double f, double square) {  // error 2⁻⁵⁶·¹
        return polynomial(f, square, -0.5, 0x1.5555555555533p-2, -0x1.fffffffffef1ep-3, 0x1.999999999f6eep-3,
                          -0x1.555555566abffp-3, 0x1.24924922a5ff4p-3, -0x1.ffffff2c3a4efp-4, 0x1.c71c71df7e3cap-4,
                          -0x1.9999c261556b9p-4, 0x1.745d3f25830b9p-4, -0x1.5550ef48e2f9ep-4, 0x1.3b0b892311657p-4,
                          -0x1.24d74450fda66p-4, 0x1.11ccf8a5561c2p-4, -0x1.fba253c6a32c7p-5, 0x1.d05b22c235c02p-5,
                          -0x1.d11dcd920ae8ap-5, 0x1.0a608ed0a14ebp-4, -0x1.ea07b3cec1b27p-5, 0x1.ac7d4c7eb7478p-6);
    }
    static constexpr double normal_limit = 40.0;

    CHAINRULE_INLINE static double normal_tail(double t, double square) {  // error 2⁻⁵³·⁵
        return polynomial(t, square, 0x1.e361ea6fba141p-2, -0x1.8c18f2086e32ep-4, 0x1.cabd72a61052ep-7, 0x1.d4969f10dd36bp-6,
                          -0x1.07c3c258368d1p-5, 0x1.25dd720654e66p-6, -0x1.47d5fc6d307dap-8, -0x1.2b7f5f1fda92ep-12,
                          0x1.6c53807e65727p-11, -0x1.8c11907ee4759p-14, -0x1.707b2be56e50fp-14, 0x1.6481b71b68250p-16,
                          0x1.c92e13424fd83p-17, -0x1.cc75e52d5536dp-19, -0x1.5e04ab22066aap-19, 0x1.b01a6c7628b43p-22,
                          0x1.2385e6809c0f3p-21, 0x1.432a4a305ba00p-29, -0x1.b1fdbdf2e45cep-24, -0x1.3e7d5ece0cbf2p-26,
                          0x1.87bb1822d29b6p-27, 0x1.23391eb2d7c28p-28, 0x1.5524e5a8031a2p-33);
    }
};

template <class T>
using Bits = typename Format<T>::Bits;

template <class T>
CHAINRULE_INLINE Bits<T> to_bits(T x) {
    return __builtin_bit_cast(Bits<T>, x);
}
template <class T>
CHAINRULE_INLINE T from_bits(Bits<T> bits) {
    return __builtin_bit_cast(T, bits);
}
template <class T>
CHAINRULE_INLINE T absolute(T x) {
    return from_bits<T>(to_bits(x) & (~Bits<T>(0) >> 1));
}
template <class T>
CHAINRULE_INLINE T minus_absolute(T x) {
    return from_bits<T>(to_bits(x) | ~(~Bits<T>(0) >> 1));
}
template <class T>
CHAINRULE_INLINE T with_sign_of(T magnitude, T sign) {
    constexpr Bits<T> rest = ~Bits<T>(0) >> 1;
    return from_bits<T>((to_bits(magnitude) & rest) | (to_bits(sign) & ~rest));
}

// A number too precise for one T: high + low, with low a small correction. What an addition or a multiply-add loses is
// had exactly as (big − sum) + small, which is why these lines must never be reordered.
template <class T>
struct Pair {
    T high, low;
};

// (a.high + a.low) / (b.high + b.low), rounded to T: one division and one Newton step on its remainder.
template <class T>
CHAINRULE_INLINE T quotient(Pair<T> a, Pair<T> b) {
    const T inverse = T(1) / b.high;
    const T guess = a.high * inverse;
    const T remainder = fma(-guess, b.high, a.high) + fma(-guess, b.low, a.low);
    return fma(remainder, inverse, guess);
}

// x = n ln 2 + r with a whole n and |r| ≤ ln 2 / 2, for |x| ≤ exp_limit. Adding `shift`, 1.5 · 2^mantissa_bits and
// the offset, rounds to a whole number and leaves n + offset in the lowest bits of `shifted`.
template <class T>
struct Reduced {
    Bits<T> shifted;
    T r;
};
template <class T>
CHAINRULE_INLINE Reduced<T> reduce(T x, Bits<T> offset) {
    using F = Format<T>;
    const T shift = T(Bits<T>(3) << (F::mantissa_bits - 1)) + T(offset);
    const T shifted = fma(x, F::log2_e, shift);
    const T n = shifted - shift;
    return {to_bits(shifted), fma(n, -F::ln2_low, fma(n, -F::ln2_high, x))};  // the inner one is exact
}

// e^−|x| as a pair, for sigmoid and softplus. NaN stays NaN.
template <class T>
CHAINRULE_INLINE Pair<T> exp_of_minus_absolute(T x) {
    using F = Format<T>;
    constexpr Bits<T> lift = 64;  // keeps the exponent in range on the way to a denormal scale
    const T negative = minus_absolute(x);
    const T a = negative < -F::exp_limit ? -F::exp_limit : negative;
    const auto [shifted, r] = reduce<T>(a, F::bias + lift);
    const T scale = from_bits<T>(shifted << F::mantissa_bits) * from_bits<T>((F::bias - lift) << F::mantissa_bits);
    const T slope = fma(r, F::exp_tail(r, r * r), T(1));
    const T high = fma(r, slope, T(1));
    return {scale * high, scale * fma(r, slope, T(1) - high)};
}

// The smaller of x and a limit; NaN stays NaN.
template <class T>
CHAINRULE_INLINE T up_to(T x, T limit) {
    return x > limit ? limit : x;
}

// eˣ − 1 = (2ⁿ − 1) + 2ⁿ (eʳ − 1) as a pair, for −2 tanh_limit ≤ x ≤ 0: it keeps its precision near 0.
template <class T>
CHAINRULE_INLINE Pair<T> exp_minus_1(T x) {
    using F = Format<T>;
    const auto [shifted, r] = reduce<T>(x, F::bias);
    const T scale = from_bits<T>(shifted << F::mantissa_bits);  // 2ⁿ
    const T square = r * r;
    const T tail = F::exp_tail(r, square);
    const T part = fma(square, tail, r);  // eʳ − 1
    const T part_low = fma(square, tail, r - part);
    const T whole = scale - T(1);
    const T whole_low = (T(-1) - whole) + scale;
    const T high = fma(scale, part, whole);
    return {high, fma(scale, part, whole - high) + fma(scale, part_low, whole_low)};
}

// u = 2ᵏ (1 + f) with √½ ≤ 1 + f < √2, for a normal u > 0; `exponent` is k + bias.
template <class T>
struct Split {
    Bits<T> exponent;
    T f;
};
template <class T>
CHAINRULE_INLINE Split<T> split(T u) {
    using F = Format<T>;
    constexpr Bits<T> one = F::bias << F::mantissa_bits;
    constexpr Bits<T> root_half = __builtin_bit_cast(Bits<T>, T(0.70710678118654752440));
    const Bits<T> moved = to_bits(u) + (one - root_half);
    const Bits<T> mantissa = moved & ((Bits<T>(1) << F::mantissa_bits) - 1);
    return {moved >> F::mantissa_bits, from_bits<T>(mantissa + root_half) - T(1)};
}

// exponent − offset as a T: the small whole number set in the lowest bits of 2^mantissa_bits, and that taken off again.
template <class T>
CHAINRULE_INLINE T exponent_value(Bits<T> exponent, T offset) {
    constexpr T magic = T(Bits<T>(1) << Format<T>::mantissa_bits);
    return from_bits<T>(to_bits(magic) | exponent) - (magic + offset);
}

// k ln 2 + log(1 + f) + low, the big terms added without loss; still to be added up.
template <class T>
CHAINRULE_INLINE Pair<T> log_from_parts(T k, T f, T low) {
    using F = Format<T>;
    const T square = f * f;
    const T sum = fma(k, F::ln2_high, f);
    const T lost = fma(k, F::ln2_high, -sum) + f;
    return {sum, fma(square, F::log_tail(f, square), fma(k, F::ln2_low, low)) + lost};
}

// log(1 + x + low) for x > −1, low much smaller than x; still to be added up.
//
// u = 1 + x rounded; what the rounding lost comes back as a first-order term, log(u + c) ≈ log u + c / u.
// Where k = 0, f is x itself and nothing is lost.
template <class T>
CHAINRULE_INLINE Pair<T> log1p_of_pair(T x, T low) {
    using F = Format<T>;
    const T u = T(1) + x;
    const auto [exponent, f_of_u] = split(u);
    const bool near_one = exponent == F::bias;
    const T f = near_one ? x : f_of_u;
    const T c = near_one ? low : (x - (u - T(1))) + low;
    const T twice_scale = from_bits<T>((2 * F::bias + 1 - exponent) << F::mantissa_bits);  // 2¹⁻ᵏ
    const T slope = fma(T(-0.5), f, T(0.56));  // ½ / (1 + f), nearly: best where |f| is large; and −log_tail(f), roughly
    const T square_low = fma(f, f, -(f * f));
    return log_from_parts(exponent_value<T>(exponent, T(F::bias)), f, fma(c, twice_scale, -square_low) * slope);
}

}  // namespace detail

// The square root: every instruction set rounds it correctly.
CHAINRULE_INLINE float sqrt(float x) { return __builtin_sqrtf(x); }
CHAINRULE_INLINE double sqrt(double x) { return __builtin_sqrt(x); }

// eˣ = 2ⁿ eʳ. The factor 2ⁿ goes in as two halves, so that overflow gives ∞ and underflow is gradual.
template <class T>
CHAINRULE_INLINE T exp(T x) {
    using F = detail::Format<T>;
    const T a = detail::absolute(x) > F::exp_limit ? detail::with_sign_of(F::exp_limit, x) : x;  // NaN stays NaN
    const auto [shifted, r] = detail::reduce<T>(a, 2 * F::bias);
    const T slope = detail::fma(r, F::exp_tail(r, r * r), T(1));  // (eʳ − 1) / r
    const T power = detail::fma(r, slope, T(1));
    const auto half = shifted >> 1;
    return power * detail::from_bits<T>(half << F::mantissa_bits) *
           detail::from_bits<T>((shifted - half) << F::mantissa_bits);
}

// log x = k ln 2 + log(1 + f), with x = 2ᵏ (1 + f).
template <class T>
CHAINRULE_INLINE T log(T x) {
    using F = detail::Format<T>;
    using Limits = std::numeric_limits<T>;
    constexpr T lift = T(detail::Bits<T>(1) << F::mantissa_bits);
    const bool denormal = x < Limits::min();
    const auto [exponent, f] = detail::split(denormal ? x * lift : x);
    const T k = detail::exponent_value<T>(exponent, denormal ? T(F::bias + F::mantissa_bits) : T(F::bias));
    const auto [high, low] = detail::log_from_parts(k, f, T(0));
    T value = high + low;
    value = x < Limits::infinity() ? value : x;  // ∞ and NaN
    value = x < T(0) ? Limits::quiet_NaN() : value;
    return x == T(0) ? -Limits::infinity() : value;
}

// log(1 + x), exact to the last bit also where 1 + x would lose x.
template <class T>
CHAINRULE_INLINE T log1p(T x) {
    using Limits = std::numeric_limits<T>;
    const auto [high, low] = detail::log1p_of_pair(x, T(0));
    T value = high + low;
    value = x < Limits::infinity() ? value : x;  // ∞ and NaN
    value = x < T(-1) ? Limits::quiet_NaN() : value;
    value = x == T(-1) ? -Limits::infinity() : value;
    return detail::with_sign_of(value, x);  // for −0
}

// tanh x = (1 − e) / (1 + e) with e = e^−2|x|, and the sign of x.
template <class T>
CHAINRULE_INLINE T tanh(T x) {
    const auto [high, low] = detail::exp_minus_1(T(-2) * detail::up_to(detail::absolute(x), detail::Format<T>::tanh_limit));
    const T below = T(2) + high;
    const T value = detail::quotient<T>({high, low}, {below, ((T(2) - below) + high) + low});
    return detail::with_sign_of(value, x);
}

// eˣ − 1 for x ≤ 0, exact to the last bit also near 0.
template <class T>
CHAINRULE_INLINE T expm1_of_negative(T x) {
    const auto [high, low] = detail::exp_minus_1(-detail::up_to(-x, T(2) * detail::Format<T>::tanh_limit));
    return high + low;
}

// 1 / (1 + e^−x) = 1 / (1 + e) for x ≥ 0 and e / (1 + e) for x < 0, with e = e^−|x|.
template <class T>
CHAINRULE_INLINE T sigmoid(T x) {
    const auto [high, low] = detail::exp_of_minus_absolute(x);
    const T below = T(1) + high;
    const bool negative = x < T(0);
    return detail::quotient<T>({negative ? high : T(1), negative ? low : T(0)},
                               {below, ((T(1) - below) + high) + low});
}

// log(1 + eˣ) = max(x, 0) + log(1 + e^−|x|).
template <class T>
CHAINRULE_INLINE T softplus(T x) {
    const auto [e, e_low] = detail::exp_of_minus_absolute(x);
    const auto [high, low] = detail::log1p_of_pair(e, e_low);
    const T above = x > T(0) ? x : T(0);
    const T sum = above + high;
    const T part = sum - above;
    const T lost = (above - (sum - part)) + (high - part);  // exactly, whichever of the two is larger
    return x < std::numeric_limits<T>::infinity() ? sum + (lost + low) : x;  // ∞ and NaN
}

// e^(−x²/2): what x² loses in rounding is put back.
template <class T>
CHAINRULE_INLINE T bell(T x) {
    const T a = detail::up_to(detail::absolute(x), detail::Format<T>::normal_limit);
    const T square = a * a, lost = detail::fma(a, a, -square);
    const T value = exp(T(-0.5) * square);
    return detail::fma(value, T(-0.5) * lost, value);
}

// The normal distribution Φ(x), with full precision far below 0, where it is e^(−x²/2) times something slow.
template <class T>
CHAINRULE_INLINE T normal_share(T x) {
    using F = detail::Format<T>;
    const T a = detail::up_to(detail::absolute(x), F::normal_limit);
    const T t = (a - T(4)) / (a + T(4));
    const T below = bell(a) * F::normal_tail(t, t * t) / (T(1) + a);  // Φ(−a)
    return x > T(0) ? T(1) - below : below;
}

}  // namespace chainrule::math

#undef CHAINRULE_INLINE
