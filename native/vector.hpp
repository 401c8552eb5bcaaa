// Vectors of the instruction set this file is compiled for: load, store, multiply-add. Nothing else is needed by hand:
// element-wise kernels are plain loops, which the compiler vectorises without changing a bit.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#if defined(__AVX512F__) || defined(__AVX2__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

// The address sanitizer sees plain copies of part of a vector, but not masked loads and stores.
#if !defined(__SANITIZE_ADDRESS__) && defined(__AVX512F__)
#define CHAINRULE_MASKS_512
#elif !defined(__SANITIZE_ADDRESS__) && defined(__AVX2__)
#define CHAINRULE_MASKS_256
#endif

namespace chainrule::CHAINRULE_ISA {

#if defined(__AVX512F__)
constexpr int vector_bytes = 64;
constexpr int tile_rows = 12;  // 12 × 2 accumulators, 2 rows of B, 1 broadcast: 27 of 32 registers
#elif defined(__AVX2__)
constexpr int vector_bytes = 32;
constexpr int tile_rows = 6;   // 6 × 2 + 2 + 1 of 16
#else
constexpr int vector_bytes = 16;
constexpr int tile_rows = 8;
#endif

template <class T> struct Vectors {
    using V [[gnu::vector_size(vector_bytes), gnu::aligned(alignof(T)), gnu::may_alias]] = T;
};
template <class T> using Vector = typename Vectors<T>::V;
template <class T> constexpr int lanes = vector_bytes / static_cast<int>(sizeof(T));

template <class T> using Places = decltype(Vector<T>{} == Vector<T>{});  // whole numbers as wide as T, such as comparisons give

template <class T> inline Vector<T> load(const T* p) { return *reinterpret_cast<const Vector<T>*>(p); }
template <class T> inline void store(T* p, Vector<T> v) { *reinterpret_cast<Vector<T>*>(p) = v; }

#if defined(__AVX512F__)
inline Vector<float> spread(float x) { return (Vector<float>)_mm512_set1_ps(x); }
inline Vector<double> spread(double x) { return (Vector<double>)_mm512_set1_pd(x); }
inline Vector<float> fma(Vector<float> a, Vector<float> b, Vector<float> c) {
    return (Vector<float>)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
}
inline Vector<double> fma(Vector<double> a, Vector<double> b, Vector<double> c) {
    return (Vector<double>)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
}
#elif defined(__AVX2__)
inline Vector<float> spread(float x) { return (Vector<float>)_mm256_set1_ps(x); }
inline Vector<double> spread(double x) { return (Vector<double>)_mm256_set1_pd(x); }
inline Vector<float> fma(Vector<float> a, Vector<float> b, Vector<float> c) {
    return (Vector<float>)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
}
inline Vector<double> fma(Vector<double> a, Vector<double> b, Vector<double> c) {
    return (Vector<double>)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
}
#else
inline Vector<float> spread(float x) { return (Vector<float>)vdupq_n_f32(x); }
inline Vector<double> spread(double x) { return (Vector<double>)vdupq_n_f64(x); }
inline Vector<float> fma(Vector<float> a, Vector<float> b, Vector<float> c) {
    return (Vector<float>)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
}
inline Vector<double> fma(Vector<double> a, Vector<double> b, Vector<double> c) {
    return (Vector<double>)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b);
}
#endif

// The first `count` lanes of a vector.
#if defined(CHAINRULE_MASKS_512)
inline Vector<float> load(const float* p, int count) { return (Vector<float>)_mm512_maskz_loadu_ps((1u << count) - 1, p); }
inline Vector<double> load(const double* p, int count) { return (Vector<double>)_mm512_maskz_loadu_pd((1u << count) - 1, p); }
inline void store(float* p, Vector<float> v, int count) { _mm512_mask_storeu_ps(p, (1u << count) - 1, (__m512)v); }
inline void store(double* p, Vector<double> v, int count) { _mm512_mask_storeu_pd(p, (1u << count) - 1, (__m512d)v); }
#elif defined(CHAINRULE_MASKS_256)
alignas(64) inline constexpr std::int32_t first_lanes[16] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};
inline __m256i mask32(int count) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(first_lanes + 8 - count)); }
inline __m256i mask64(int count) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(first_lanes + 8 - 2 * count)); }
inline Vector<float> load(const float* p, int count) { return (Vector<float>)_mm256_maskload_ps(p, mask32(count)); }
inline Vector<double> load(const double* p, int count) { return (Vector<double>)_mm256_maskload_pd(p, mask64(count)); }
inline void store(float* p, Vector<float> v, int count) { _mm256_maskstore_ps(p, mask32(count), (__m256)v); }
inline void store(double* p, Vector<double> v, int count) { _mm256_maskstore_pd(p, mask64(count), (__m256d)v); }
#else
template <class T> inline Vector<T> load(const T* p, int count) {
    Vector<T> v{};
    std::memcpy(&v, p, static_cast<std::size_t>(count) * sizeof(T));
    return v;
}
template <class T> inline void store(T* p, Vector<T> v, int count) {
    std::memcpy(p, &v, static_cast<std::size_t>(count) * sizeof(T));
}
#endif

// f(i, n) for the vectors that `count` elements make, from element i on: n is `Whole`, or how many are left at the end.
struct Whole {};
template <class T> inline Vector<T> load(const T* p, Whole) { return load(p); }
template <class T> inline void store(T* p, Vector<T> v, Whole) { store(p, v); }
template <class T, class F> inline void each_vector(std::int64_t count, const F& f) {
    std::int64_t i = 0;
    for (; i + lanes<T> <= count; i += lanes<T>) f(i, Whole{});
    if (i < count) f(i, static_cast<int>(count - i));
}

// Turns the square whose rows are given: element j of row i becomes element i of row j, in log₂(lanes) rounds of exchanges
// between pairs of rows.
template <class T> inline void turn_rows(Vector<T> (&row)[lanes<T>]) {
    constexpr int n = lanes<T>;
    using Index [[gnu::vector_size(vector_bytes)]] = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
#pragma GCC unroll 4
    for (int half = n / 2; half > 0; half /= 2) {
        Index upper, lower;  // from (a, b): a's lanes without `half` with b's, and those with
        for (int lane = 0; lane < n; ++lane) {
            upper[lane] = lane & half ? n + lane - half : lane;
            lower[lane] = lane & half ? n + lane : lane + half;
        }
#pragma GCC unroll 16
        for (int i = 0; i < n; ++i)
            if (!(i & half)) {
                const Vector<T> a = row[i], b = row[i + half];
                row[i] = __builtin_shuffle(a, b, upper);
                row[i + half] = __builtin_shuffle(a, b, lower);
            }
    }
}

// A square of lanes × lanes elements, or its first `rows` and `columns`, turned: row i of `to` is column i of `from`.
template <class T> inline void turn_square(const T* from, std::int64_t from_row, T* to, std::int64_t to_row) {
    Vector<T> row[lanes<T>];
    for (int i = 0; i < lanes<T>; ++i) row[i] = load(from + i * from_row);
    turn_rows<T>(row);
    for (int i = 0; i < lanes<T>; ++i) store(to + i * to_row, row[i]);
}
template <class T>
inline void turn_square(const T* from, std::int64_t from_row, T* to, std::int64_t to_row, int rows, int columns) {
    Vector<T> row[lanes<T>] = {};
    for (int i = 0; i < rows; ++i) row[i] = load(from + i * from_row, columns);
    turn_rows<T>(row);
    for (int i = 0; i < columns; ++i) store(to + i * to_row, row[i], rows);
}

}  // namespace chainrule::CHAINRULE_ISA
