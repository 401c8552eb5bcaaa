// Recurrent networks, whole sequences at a time (operations/recurrent.py). In memory a sequence lies time by time: all
// samples' first steps, then all their second steps, so that what a step takes and gives is one matrix.
//
// What comes from outside, x W + b, is one product over all steps. Then blocks of samples go through the steps, each in one
// thread, which waits for no other: h(t−1) U goes on with the sums that x W + b has begun. Weights are gathered from all
// samples and steps afterwards, in products whose sums run over the steps, and within a step over the samples.
#pragma once

#include "convolution.hpp"
#include "elementwise.hpp"

namespace chainrule::CHAINRULE_ISA {

struct Sequences {  // sizes: N T I H
    std::int64_t N, steps, I, H;

    std::int64_t rows() const { return N * steps; }
};

inline Sequences sequences_of(const Call& c) { return {c.size[0], c.size[1], c.size[2], c.size[3]}; }

// B (K × N) tile by tile, the columns of a tile side by side: as the steps read it, again and again. Strides as in Product.
template <class T>
const T* in_panels(std::int64_t K, std::int64_t N, const T* B, std::int64_t b_row, std::int64_t b_column, T* panels) {
    constexpr std::int64_t columns = tile_columns<T>;
    for (std::int64_t n = 0; n < N; n += columns) {
        const std::int64_t width = std::min(columns, N - n);
        if (b_column != 1) turn(width, K, B + n * b_column, b_column, panels + n * K, columns);
        else
            for (std::int64_t k = 0; k < K; ++k) std::copy_n(B + k * b_row + n, width, panels + n * K + k * columns);
    }
    return panels;
}

template <class T> std::size_t panels_size(std::int64_t K, std::int64_t N) {
    return static_cast<std::size_t>((N + tile_columns<T> - 1) / tile_columns<T> * tile_columns<T> * K);
}

// C (R × N) = A (R × K) B, or C + A B where it is not the `start` of the sum; B in panels.
template <class T>
void step_product(std::int64_t R, std::int64_t N, std::int64_t K, const T* A, std::int64_t a_row, const T* panels, T* C,
                  std::int64_t c_row, bool start, const T* bias = nullptr) {
    if (R * N * K > 1 << 18) heed_interruption();  // a chunk goes through all steps of time
    const int height = even_rows(R);
    for (std::int64_t n = 0; n < N; n += tile_columns<T>)
        for (std::int64_t r = 0; r < R; r += height) {
            const Terms<T> terms{K, A + r * a_row, a_row, 1, panels + n * K, tile_columns<T>};
            tile_of<T, false>(static_cast<int>(std::min<std::int64_t>(height, R - r)),
                              static_cast<int>(std::min(tile_columns<T>, N - n)), terms, C + r * c_row + n, c_row, start,
                              bias ? bias + n : nullptr);
        }
}

// f(first sample, how many) for blocks of samples of nearly equal size; a state is `width` numbers wide.
template <class F> void blocks_of_samples(const Sequences& s, std::int64_t width, const F& f) {
    const std::int64_t most = s.N > 64 ? 32 : 16, count = (s.N + most - 1) / most;
    const auto block = [&](std::int64_t i) { f(s.N * i / count, s.N * (i + 1) / count - s.N * i / count); };
    constexpr std::int64_t small = 1 << 19;  // as for a product
    if (s.rows() * s.H * width < small)
        for (std::int64_t i = 0; i < count; ++i) block(i);
    else parallel(count, block);
}

// Whether step t of a sample counts, row by row of a block: f(row, counts).
template <class F>
inline void each_row(const Sequences& s, const std::uint8_t* mask, std::int64_t first, std::int64_t rows, std::int64_t t, const F& f) {
    for (std::int64_t r = 0; r < rows; ++r) f(r, mask[(first + r) * s.steps + t] != 0);
}

// The state a step began with is that which the step before it left, N rows earlier; before the first it is 0.
template <class T> inline void carry_on(const Sequences& s, std::int64_t t, T* state) {
    if (t > 0) std::copy_n(state - s.N * s.H, s.H, state);
    else std::fill_n(state, s.H, T(0));
}

// dU = Σ h(t−1)ᵀ da(t), `width` columns of it, from the second step on, for h(0) = 0. `row` is that of da and dU.
template <class T>
void state_gradient(const Sequences& s, std::int64_t width, const T* h, const T* da, std::int64_t da_row, T* dU, std::int64_t row) {
    product(Product<T>{s.H, width, s.rows() - s.N, h, 1, s.H, da + s.N * da_row, da_row, 1, dU, row});
}

template <class T> void input_gradient(const Sequences& s, std::int64_t width, const T* da, const T* W, T* dx) {
    product(Product<T>{s.rows(), s.I, width, da, width, 1, W, 1, width, dx, s.I});
}

// --- Elman's network --------------------------------------------------------------------------------------------------

struct Tanh {
    template <class T> [[gnu::always_inline]] static T value(T a) { return math::tanh(a); }
    template <class T> [[gnu::always_inline]] static T slope(T h) { return 1 - h * h; }
};
struct Sigmoid {
    template <class T> [[gnu::always_inline]] static T value(T a) { return math::sigmoid(a); }
    template <class T> [[gnu::always_inline]] static T slope(T h) { return h * (1 - h); }
};
struct Relu {
    template <class T> [[gnu::always_inline]] static T value(T a) { return a <= 0 ? T(0) : a; }
    template <class T> [[gnu::always_inline]] static T slope(T h) { return h > 0 ? T(1) : T(0); }
};

template <class T, class Activation> void rnn_forward(const Call& c) {  // arrays x W U b mask | h
    const Sequences s = sequences_of(c);
    const auto* mask = c.at<const std::uint8_t>(4);
    T* h = c.at<T>(5);
    affine(s.rows(), s.I, s.H, c.at<const T>(0), c.at<const T>(1), c.at<const T>(3), h);
    const T* U = in_panels(s.H, s.H, c.at<const T>(2), s.H, 1, scratch<T>(7, panels_size<T>(s.H, s.H)));
    blocks_of_samples(s, s.H, [=](std::int64_t first, std::int64_t rows) {
        for (std::int64_t t = 0; t < s.steps; ++t) {
            T* now = h + (t * s.N + first) * s.H;
            if (t > 0) step_product(rows, s.H, s.H, now - s.N * s.H, s.H, U, now, s.H, false);
#pragma GCC ivdep
            for (std::int64_t i = 0; i < rows * s.H; ++i) now[i] = Activation::value(now[i]);
            each_row(s, mask, first, rows, t, [=](std::int64_t r, bool counts) {
                if (!counts) carry_on(s, t, now + r * s.H);
            });
        }
    });
}

// ∂L/∂a of all steps, in room of the calling thread.
template <class T, class Activation>
const T* rnn_through_time(const Sequences& s, const T* dh, const T* h, const T* U, const std::uint8_t* mask) {
    T* da = scratch<T>(6, static_cast<std::size_t>(s.rows() * s.H));
    const T* turned = in_panels(s.H, s.H, U, 1, s.H, scratch<T>(7, panels_size<T>(s.H, s.H)));
    blocks_of_samples(s, s.H, [=](std::int64_t first, std::int64_t rows) {
        T* later = scratch<T>(3, static_cast<std::size_t>(rows * s.H));
        std::fill_n(later, rows * s.H, T(0));
        for (std::int64_t t = s.steps - 1; t >= 0; --t) {
            const std::int64_t at = (t * s.N + first) * s.H;
            each_row(s, mask, first, rows, t, [=](std::int64_t r, bool counts) {
                const T *outside = dh + at + r * s.H, *state = h + at + r * s.H;
                T *to = da + at + r * s.H, *back = later + r * s.H;
                if (counts) {
#pragma GCC ivdep
                    for (std::int64_t i = 0; i < s.H; ++i) {
                        to[i] = (outside[i] + back[i]) * Activation::slope(state[i]);
                        back[i] = 0;
                    }
                } else {
#pragma GCC ivdep
                    for (std::int64_t i = 0; i < s.H; ++i) {
                        to[i] = 0;
                        back[i] = outside[i] + back[i];
                    }
                }
            });
            if (t > 0) step_product(rows, s.H, s.H, da + at, s.H, turned, later, s.H, false);
        }
    });
    return da;
}

template <class T, class Activation> void rnn_backward(const Call& c) {  // arrays dh x h W U mask | dx dW dU db
    const Sequences s = sequences_of(c);
    const T *x = c.at<const T>(1), *h = c.at<const T>(2);
    const T* da = rnn_through_time<T, Activation>(s, c.at<const T>(0), h, c.at<const T>(4), c.at<const std::uint8_t>(5));
    input_gradient(s, s.H, da, c.at<const T>(3), c.at<T>(6));
    linear_gradients(s.rows(), s.I, s.H, da, x, c.at<T>(7), c.at<T>(9));
    state_gradient(s, s.H, h, da, s.H, c.at<T>(8), s.H);
}

template <class T, class Activation> void rnn_backward_parameters(const Call& c) {  // arrays dh x h U mask | dW dU db
    const Sequences s = sequences_of(c);
    const T *x = c.at<const T>(1), *h = c.at<const T>(2);
    const T* da = rnn_through_time<T, Activation>(s, c.at<const T>(0), h, c.at<const T>(3), c.at<const std::uint8_t>(4));
    linear_gradients(s.rows(), s.I, s.H, da, x, c.at<T>(5), c.at<T>(7));
    state_gradient(s, s.H, h, da, s.H, c.at<T>(6), s.H);
}

template <class T> void tanh_rnn_forward(const Call& c) { rnn_forward<T, Tanh>(c); }
template <class T> void tanh_rnn_backward(const Call& c) { rnn_backward<T, Tanh>(c); }
template <class T> void tanh_rnn_backward_parameters(const Call& c) { rnn_backward_parameters<T, Tanh>(c); }
template <class T> void sigmoid_rnn_forward(const Call& c) { rnn_forward<T, Sigmoid>(c); }
template <class T> void sigmoid_rnn_backward(const Call& c) { rnn_backward<T, Sigmoid>(c); }
template <class T> void sigmoid_rnn_backward_parameters(const Call& c) { rnn_backward_parameters<T, Sigmoid>(c); }
template <class T> void relu_rnn_forward(const Call& c) { rnn_forward<T, Relu>(c); }
template <class T> void relu_rnn_backward(const Call& c) { rnn_backward<T, Relu>(c); }
template <class T> void relu_rnn_backward_parameters(const Call& c) { rnn_backward_parameters<T, Relu>(c); }

// --- LSTM -------------------------------------------------------------------------------------------------------------

template <class T> void lstm_forward(const Call& call) {  // arrays x W U b mask | h c gates
    const Sequences s = sequences_of(call);
    const std::int64_t H = s.H, G = 4 * H;
    const auto* mask = call.at<const std::uint8_t>(4);
    T *h = call.at<T>(5), *c = call.at<T>(6), *gates = call.at<T>(7);
    affine(s.rows(), s.I, G, call.at<const T>(0), call.at<const T>(1), call.at<const T>(3), gates);
    const T* U = in_panels(H, G, call.at<const T>(2), G, 1, scratch<T>(7, panels_size<T>(H, G)));
    blocks_of_samples(s, G, [=](std::int64_t first, std::int64_t rows) {
        T* zeros = scratch<T>(3, static_cast<std::size_t>(H));
        std::fill_n(zeros, H, T(0));
        for (std::int64_t t = 0; t < s.steps; ++t) {
            const std::int64_t at = t * s.N + first;
            if (t > 0) step_product(rows, G, H, h + (at - s.N) * H, H, U, gates + at * G, G, false);
            each_row(s, mask, first, rows, t, [=](std::int64_t r, bool counts) {
                T *open = gates + (at + r) * G, *cell = c + (at + r) * H, *state = h + (at + r) * H;
                T *i = open, *f = open + H, *g = open + 2 * H, *o = open + 3 * H;
#pragma GCC ivdep
                for (std::int64_t k = 0; k < 2 * H; ++k) i[k] = math::sigmoid(i[k]);  // and f
#pragma GCC ivdep
                for (std::int64_t k = 0; k < H; ++k) g[k] = math::tanh(g[k]);
#pragma GCC ivdep
                for (std::int64_t k = 0; k < H; ++k) o[k] = math::sigmoid(o[k]);
                if (!counts) {
                    carry_on(s, t, cell);
                    carry_on(s, t, state);
                    return;
                }
                const T* earlier = t > 0 ? cell - s.N * H : zeros;
#pragma GCC ivdep
                for (std::int64_t k = 0; k < H; ++k) {
                    cell[k] = f[k] * earlier[k] + i[k] * g[k];
                    state[k] = o[k] * math::tanh(cell[k]);
                }
            });
        }
    });
}

template <class T>
const T* lstm_through_time(const Sequences& s, const T* dh, const T* c, const T* gates, const T* U, const std::uint8_t* mask) {
    const std::int64_t H = s.H, G = 4 * H;
    T* da = scratch<T>(6, static_cast<std::size_t>(s.rows() * G));
    const T* turned = in_panels(G, H, U, 1, G, scratch<T>(7, panels_size<T>(G, H)));
    blocks_of_samples(s, G, [=](std::int64_t first, std::int64_t rows) {
        T* later_h = scratch<T>(3, static_cast<std::size_t>((2 * rows + 1) * H));  // then ∂L/∂c, then c(0)
        T *later_c = later_h + rows * H, *zeros = later_c + rows * H;
        std::fill_n(later_h, (2 * rows + 1) * H, T(0));
        for (std::int64_t t = s.steps - 1; t >= 0; --t) {
            const std::int64_t at = t * s.N + first;
            each_row(s, mask, first, rows, t, [=](std::int64_t r, bool counts) {
                const T *outside = dh + (at + r) * H, *cell = c + (at + r) * H;
                const T* earlier = t > 0 ? cell - s.N * H : zeros;
                const T *i = gates + (at + r) * G, *f = i + H, *g = f + H, *o = g + H;
                T *to = da + (at + r) * G, *back_h = later_h + r * H, *back_c = later_c + r * H;
                if (!counts) {
                    std::fill_n(to, G, T(0));
#pragma GCC ivdep
                    for (std::int64_t k = 0; k < H; ++k) back_h[k] = outside[k] + back_h[k];
                    return;
                }
#pragma GCC ivdep
                for (std::int64_t k = 0; k < H; ++k) {
                    const T seen = math::tanh(cell[k]), total = outside[k] + back_h[k];
                    const T dc = back_c[k] + total * o[k] * (1 - seen * seen);
                    to[k] = dc * g[k] * i[k] * (1 - i[k]);
                    to[H + k] = dc * earlier[k] * f[k] * (1 - f[k]);
                    to[2 * H + k] = dc * i[k] * (1 - g[k] * g[k]);
                    to[3 * H + k] = total * seen * o[k] * (1 - o[k]);
                    back_h[k] = 0;
                    back_c[k] = dc * f[k];
                }
            });
            if (t > 0) step_product(rows, H, G, da + at * G, G, turned, later_h, H, false);
        }
    });
    return da;
}

template <class T> void lstm_backward(const Call& call) {  // arrays dh x h c gates W U mask | dx dW dU db
    const Sequences s = sequences_of(call);
    const T *x = call.at<const T>(1), *h = call.at<const T>(2);
    const T* da = lstm_through_time(s, call.at<const T>(0), call.at<const T>(3), call.at<const T>(4), call.at<const T>(6),
                                    call.at<const std::uint8_t>(7));
    input_gradient(s, 4 * s.H, da, call.at<const T>(5), call.at<T>(8));
    linear_gradients(s.rows(), s.I, 4 * s.H, da, x, call.at<T>(9), call.at<T>(11));
    state_gradient(s, 4 * s.H, h, da, 4 * s.H, call.at<T>(10), 4 * s.H);
}

template <class T> void lstm_backward_parameters(const Call& call) {  // arrays dh x h c gates U mask | dW dU db
    const Sequences s = sequences_of(call);
    const T *x = call.at<const T>(1), *h = call.at<const T>(2);
    const T* da = lstm_through_time(s, call.at<const T>(0), call.at<const T>(3), call.at<const T>(4), call.at<const T>(5),
                                    call.at<const std::uint8_t>(6));
    linear_gradients(s.rows(), s.I, 4 * s.H, da, x, call.at<T>(7), call.at<T>(9));
    state_gradient(s, 4 * s.H, h, da, 4 * s.H, call.at<T>(8), 4 * s.H);
}

// --- GRU --------------------------------------------------------------------------------------------------------------

template <class T> void gru_forward(const Call& c) {  // arrays x W U b v mask | h gates q
    const Sequences s = sequences_of(c);
    const std::int64_t H = s.H, G = 3 * H;
    const T *U = c.at<const T>(2), *v = c.at<const T>(4);
    const auto* mask = c.at<const std::uint8_t>(5);
    T *h = c.at<T>(6), *gates = c.at<T>(7), *q = c.at<T>(8);
    affine(s.rows(), s.I, G, c.at<const T>(0), c.at<const T>(1), c.at<const T>(3), gates);
    T* room = scratch<T>(7, panels_size<T>(H, 2 * H) + panels_size<T>(H, H));
    const T* U_rz = in_panels(H, 2 * H, U, G, 1, room);
    const T* U_n = in_panels(H, H, U + 2 * H, G, 1, room + panels_size<T>(H, 2 * H));
    blocks_of_samples(s, G, [=](std::int64_t first, std::int64_t rows) {
        T* zeros = scratch<T>(3, static_cast<std::size_t>(H));
        std::fill_n(zeros, H, T(0));
        for (std::int64_t t = 0; t < s.steps; ++t) {
            const std::int64_t at = t * s.N + first;
            const std::int64_t K = t > 0 ? H : 0;  // h(0) is 0, and q(1) the bias alone
            const T* before = t > 0 ? h + (at - s.N) * H : zeros;
            if (t > 0) step_product(rows, 2 * H, H, before, H, U_rz, gates + at * G, G, false);
            step_product(rows, H, K, before, H, U_n, q + at * H, H, true, v);
            each_row(s, mask, first, rows, t, [=](std::int64_t row, bool counts) {
                const T* old = t > 0 ? before + row * H : zeros;
                T *r = gates + (at + row) * G, *z = r + H, *n = z + H;
                T *seen = q + (at + row) * H, *state = h + (at + row) * H;
#pragma GCC ivdep
                for (std::int64_t k = 0; k < 2 * H; ++k) r[k] = math::sigmoid(r[k]);  // and z
#pragma GCC ivdep
                for (std::int64_t k = 0; k < H; ++k) n[k] = math::tanh(n[k] + r[k] * seen[k]);
                if (!counts) return carry_on(s, t, state);
#pragma GCC ivdep
                for (std::int64_t k = 0; k < H; ++k) state[k] = (1 - z[k]) * n[k] + z[k] * old[k];
            });
        }
    });
}

template <class T> struct GruSlopes {
    const T *da, *dq;
};

template <class T>
GruSlopes<T> gru_through_time(const Sequences& s, const T* dh, const T* h, const T* gates, const T* q, const T* U,
                              const std::uint8_t* mask) {
    const std::int64_t H = s.H, G = 3 * H;
    T *da = scratch<T>(6, static_cast<std::size_t>(s.rows() * (G + H))), *dq = da + s.rows() * G;
    T* room = scratch<T>(7, panels_size<T>(2 * H, H) + panels_size<T>(H, H));
    const T* turned_rz = in_panels(2 * H, H, U, 1, G, room);
    const T* turned_n = in_panels(H, H, U + 2 * H, 1, G, room + panels_size<T>(2 * H, H));
    blocks_of_samples(s, G, [=](std::int64_t first, std::int64_t rows) {
        T* later = scratch<T>(3, static_cast<std::size_t>((rows + 1) * H));  // then h(0)
        T* zeros = later + rows * H;
        std::fill_n(later, (rows + 1) * H, T(0));
        for (std::int64_t t = s.steps - 1; t >= 0; --t) {
            const std::int64_t at = t * s.N + first;
            each_row(s, mask, first, rows, t, [=](std::int64_t row, bool counts) {
                const T *outside = dh + (at + row) * H, *seen = q + (at + row) * H;
                const T* old = t > 0 ? h + (at + row - s.N) * H : zeros;
                const T *r = gates + (at + row) * G, *z = r + H, *n = z + H;
                T *to = da + (at + row) * G, *to_q = dq + (at + row) * H, *back = later + row * H;
                if (!counts) {
                    std::fill_n(to, G, T(0));
                    std::fill_n(to_q, H, T(0));
#pragma GCC ivdep
                    for (std::int64_t k = 0; k < H; ++k) back[k] = outside[k] + back[k];
                    return;
                }
#pragma GCC ivdep
                for (std::int64_t k = 0; k < H; ++k) {
                    const T total = outside[k] + back[k];
                    const T dn = total * (1 - z[k]) * (1 - n[k] * n[k]);
                    to[k] = dn * seen[k] * r[k] * (1 - r[k]);
                    to[H + k] = total * (old[k] - n[k]) * z[k] * (1 - z[k]);
                    to[2 * H + k] = dn;
                    to_q[k] = dn * r[k];
                    back[k] = total * z[k];
                }
            });
            if (t == 0) continue;
            step_product(rows, H, 2 * H, da + at * G, G, turned_rz, later, H, false);
            step_product(rows, H, H, dq + at * H, H, turned_n, later, H, false);
        }
    });
    return {da, dq};
}

template <class T>
void gru_gradients(const Sequences& s, const GruSlopes<T>& d, const T* x, const T* h, T* dW, T* dU, T* db, T* dv) {
    const std::int64_t H = s.H, G = 3 * H;
    linear_gradients(s.rows(), s.I, G, d.da, x, dW, db);
    state_gradient(s, 2 * H, h, d.da, G, dU, G);
    state_gradient(s, H, h, d.dq, H, dU + 2 * H, G);
    column_sums(s.rows(), H, d.dq, dv);
}

template <class T> void gru_backward(const Call& c) {  // arrays dh x h gates q W U mask | dx dW dU db dv
    const Sequences s = sequences_of(c);
    const T *x = c.at<const T>(1), *h = c.at<const T>(2);
    const GruSlopes<T> d = gru_through_time(s, c.at<const T>(0), h, c.at<const T>(3), c.at<const T>(4), c.at<const T>(6),
                                            c.at<const std::uint8_t>(7));
    input_gradient(s, 3 * s.H, d.da, c.at<const T>(5), c.at<T>(8));
    gru_gradients(s, d, x, h, c.at<T>(9), c.at<T>(10), c.at<T>(11), c.at<T>(12));
}

template <class T> void gru_backward_parameters(const Call& c) {  // arrays dh x h gates q U mask | dW dU db dv
    const Sequences s = sequences_of(c);
    const T *x = c.at<const T>(1), *h = c.at<const T>(2);
    const GruSlopes<T> d = gru_through_time(s, c.at<const T>(0), h, c.at<const T>(3), c.at<const T>(4), c.at<const T>(5),
                                            c.at<const std::uint8_t>(6));
    gru_gradients(s, d, x, h, c.at<T>(7), c.at<T>(8), c.at<T>(9), c.at<T>(10));
}

}  // namespace chainrule::CHAINRULE_ISA
