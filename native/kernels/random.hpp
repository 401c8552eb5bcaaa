// Random bits from a counter (operations/philox.py), and what is drawn with them: dropout masks, noise and orders of rows.
#pragma once

#include <bit>

#include "elementwise.hpp"
#include "product.hpp"

namespace chainrule::CHAINRULE_ISA {

// Philox-4x32-10 at several counters side by side: word[j] holds word j of the blocks from `first` on.
constexpr int philox_width = vector_bytes / 4;
using Words [[gnu::vector_size(vector_bytes)]] = std::uint32_t;

// The 64-bit products of 32-bit words with a constant, as their high and low halves.
inline void multiply(Words x, std::uint32_t by, Words& high, Words& low) {
#if defined(__AVX512F__)
    const __m512i even = _mm512_mul_epu32((__m512i)x, _mm512_set1_epi32(static_cast<int>(by)));
    const __m512i odd = _mm512_mul_epu32(_mm512_srli_epi64((__m512i)x, 32), _mm512_set1_epi32(static_cast<int>(by)));
    high = (Words)_mm512_mask_blend_epi32(0xAAAA, _mm512_srli_epi64(even, 32), odd);
    low = (Words)_mm512_mask_blend_epi32(0xAAAA, even, _mm512_slli_epi64(odd, 32));
#elif defined(__AVX2__)
    const __m256i even = _mm256_mul_epu32((__m256i)x, _mm256_set1_epi32(static_cast<int>(by)));
    const __m256i odd = _mm256_mul_epu32(_mm256_srli_epi64((__m256i)x, 32), _mm256_set1_epi32(static_cast<int>(by)));
    high = (Words)_mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xAA);
    low = (Words)_mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xAA);
#else
    for (int i = 0; i < philox_width; ++i) {
        const std::uint64_t product = std::uint64_t{by} * x[i];
        high[i] = static_cast<std::uint32_t>(product >> 32);
        low[i] = static_cast<std::uint32_t>(product);
    }
#endif
}

inline void philox(std::uint64_t first, std::uint64_t seed, std::uint32_t stream, std::uint32_t step, Words (&word)[4]) {
    Words lane;
    for (int i = 0; i < philox_width; ++i) lane[i] = static_cast<std::uint32_t>(i);
    const auto low = static_cast<std::uint32_t>(first), high = static_cast<std::uint32_t>(first >> 32);
    Words a = lane + low, b = (Words{} + high) - (Words)(a < lane), c = Words{} + step, d = Words{} + stream;
    auto key0 = static_cast<std::uint32_t>(seed), key1 = static_cast<std::uint32_t>(seed >> 32);
    for (int round = 0; round < 10; ++round, key0 += 0x9E3779B9u, key1 += 0xBB67AE85u) {
        Words p_high, p_low, q_high, q_low;
        multiply(a, 0xD2511F53u, p_high, p_low);
        multiply(c, 0xCD9E8D57u, q_high, q_low);
        a = q_high ^ b ^ key0;
        c = p_high ^ d ^ key1;
        b = q_low;
        d = p_low;
    }
    word[0] = a, word[1] = b, word[2] = c, word[3] = d;
}

// use(i, n, bits): the bits of elements i … i + n − 1, in some order of i. Word j of block i is element j · blocks + i.
// n is a constant wherever it can be, so that what is done with them is done for a whole vector.
template <class F>
inline void draw(std::int64_t count, std::uint64_t seed, std::uint32_t stream, std::uint32_t step, const F& use) {
    const std::int64_t blocks = (count + 3) / 4, groups = (blocks + philox_width - 1) / philox_width;
    parallel_ranges(groups, 50, [=](std::int64_t begin, std::int64_t end) {
        for (std::int64_t first = begin * philox_width; first < std::min(end * philox_width, blocks); first += philox_width) {
            Words word[4];
            philox(static_cast<std::uint64_t>(first), seed, stream, step, word);
            for (int j = 0; j < 4; ++j) {
                const std::int64_t i = j * blocks + first;
                const std::int64_t n = std::min<std::int64_t>({philox_width, blocks - first, count - i});
                if (n == philox_width) use(i, std::integral_constant<std::int64_t, philox_width>{}, word[j]);
                else use(i, n, word[j]);
            }
        }
    });
}

template <class T> void random_bits(const Call& c) {  // arrays | bits, sizes count seed stream step
    auto* to = c.at<std::uint32_t>(0);
    draw(c.size[0], static_cast<std::uint64_t>(c.size[1]), static_cast<std::uint32_t>(c.size[2]),
         static_cast<std::uint32_t>(c.size[3]), [=](std::int64_t i, auto n, const Words& bits) {
             for (std::int64_t j = 0; j < n; ++j) to[i + j] = bits[j];
         });
}

template <class T> void dropout_forward(const Call& c) {  // arrays x | y mask, sizes count seed stream, numbers rate step
    const T* x = c.at<const T>(0);
    T* y = c.at<T>(1);
    auto* mask = c.at<std::uint8_t>(2);
    const double rate = c.scalar(0);
    const auto step = static_cast<std::uint32_t>(static_cast<std::int64_t>(c.scalar(1)));
    const auto threshold = static_cast<std::uint32_t>(rate * 4294967296.0);
    const T scale = static_cast<T>(1 / (1 - rate));
    draw(c.size[0], static_cast<std::uint64_t>(c.size[1]), static_cast<std::uint32_t>(c.size[2]), step,
         [=](std::int64_t i, auto n, const Words& bits) {
             const Words kept = (Words)(bits >= threshold);  // all ones or all zeros
             if constexpr (sizeof(T) == 4 && !std::is_same_v<decltype(n), std::int64_t>) {
                 using Bytes [[gnu::vector_size(philox_width), gnu::aligned(1), gnu::may_alias]] = std::uint8_t;
                 store(y + i, (Vector<T>)((Words)(load(x + i) * scale) & kept));
                 *reinterpret_cast<Bytes*>(mask + i) = __builtin_convertvector(kept & 1, Bytes);
             } else {
                 for (std::int64_t j = 0; j < n; ++j) {
                     mask[i + j] = kept[j] & 1;
                     y[i + j] = kept[j] ? x[i + j] * scale : T(0);
                 }
             }
         });
}

template <class T> void dropout_backward(const Call& c) {  // arrays dy mask | dx, sizes count, number rate
    const T* dy = c.at<const T>(0);
    const auto* mask = c.at<const std::uint8_t>(1);
    T* dx = c.at<T>(2);
    const T scale = static_cast<T>(1 / (1 - c.scalar(0)));
    parallel_ranges(c.size[0], cheap, [=](std::int64_t begin, std::int64_t end) {
        using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
#pragma GCC ivdep
        for (std::int64_t i = begin; i < end; ++i)  // by bits, since a choice might become a branch
            dx[i] = std::bit_cast<T>(std::bit_cast<Bits>(dy[i] * scale) & (Bits{0} - Bits{mask[i] != 0}));
    });
}

// c0 + c1 x + c2 x² + …, by Horner's rule.
template <class T> inline T horner(T, double c0) { return static_cast<T>(c0); }
template <class T, class... Rest> inline T horner(T x, double c0, Rest... rest) {
    return horner(x, rest...) * x + static_cast<T>(c0);
}

// The number that a normal variable stays below with probability (w + ½) / 2³², by AS 241 (Wichura 1988). Its outermost
// part, for probabilities below e^−25, is not needed for 32 bits.
template <class T> inline T normal_of(std::uint32_t w) {
    const std::uint32_t rest = w < 0x80000000u ? w : ~w;  // from the nearer end
    const T tail = (static_cast<T>(rest) + T(0.5)) * T(0x1p-32), q = T(0.5) - tail;
    const T r = T(0.180625) - q * q, s = math::sqrt(-math::log(tail)) - T(1.6);
    const T middle = q *
        horner(r, 3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
               4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3) /
        horner(r, 1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3,
               2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3);
    const T outer =
        horner(s, 1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
               1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4) /
        horner(s, 1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
               1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9);
    const T z = q <= T(0.425) ? middle : outer;
    return w < 0x80000000u ? -z : z;
}

template <class T> void noise_forward(const Call& c) {  // arrays x | y, sizes count seed stream, numbers deviation step
    const T *x = c.at<const T>(0), deviation = static_cast<T>(c.scalar(0));
    T* y = c.at<T>(1);
    const auto step = static_cast<std::uint32_t>(static_cast<std::int64_t>(c.scalar(1)));
    draw(c.size[0], static_cast<std::uint64_t>(c.size[1]), static_cast<std::uint32_t>(c.size[2]), step,
         [=](std::int64_t i, auto n, const Words& bits) {
             for (std::int64_t j = 0; j < n; ++j) y[i + j] = x[i + j] + deviation * normal_of<T>(bits[j]);
         });
}
template <class T> void noise_backward(const Call& c) { identity_forward<T>(c); }

// The order of rows for one epoch: a stable sort of random words by value.
template <class T> void shuffled(const Call& c) {  // arrays | order, sizes count seed stream epoch
    const auto count = static_cast<std::size_t>(c.size[0]);
    std::int64_t* order = c.at<std::int64_t>(0);
    auto* items = scratch<std::uint64_t>(4, count);  // word | row number: rows are fewer than 2³²
    auto* other = scratch<std::uint64_t>(5, count);
    draw(c.size[0], static_cast<std::uint64_t>(c.size[1]), static_cast<std::uint32_t>(c.size[2]),
         static_cast<std::uint32_t>(c.size[3]), [=](std::int64_t i, auto n, const Words& bits) {
             for (std::int64_t j = 0; j < n; ++j)
                 items[i + j] = std::uint64_t{bits[j]} << 32 | static_cast<std::uint64_t>(i + j);
         });
    if (count < 256) {  // each goes behind those that are less: items all differ, as row numbers do
        std::int64_t at[256];
        for (std::size_t i = 0; i < count; ++i) {
            const std::uint64_t item = items[i];
            std::uint64_t less = 0;
            for (std::size_t j = 0; j < count; ++j) less += items[j] < item;
            at[i] = static_cast<std::int64_t>(less);
        }
        for (std::size_t i = 0; i < count; ++i) other[at[i]] = items[i];
        std::swap(items, other);
    } else {            // by the four bytes of the word, the lowest first
        for (int shift = 32; shift < 64; shift += 8) {
            std::size_t place[257] = {};
            for (std::size_t i = 0; i < count; ++i) ++place[(items[i] >> shift & 255) + 1];
            for (int digit = 0; digit < 256; ++digit) place[digit + 1] += place[digit];
            for (std::size_t i = 0; i < count; ++i) other[place[items[i] >> shift & 255]++] = items[i];
            std::swap(items, other);
        }
    }
    for (std::size_t i = 0; i < count; ++i) order[i] = static_cast<std::int64_t>(items[i] & 0xFFFFFFFFu);
}

}  // namespace chainrule::CHAINRULE_ISA
