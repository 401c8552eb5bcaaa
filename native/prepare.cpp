#define NO_IMPORT_ARRAY
#define PY_ARRAY_UNIQUE_SYMBOL chainrule_numpy
#include "prepare.hpp"

#include <algorithm>
#include <limits>

namespace chainrule {
namespace {

void check(Builder& b, bool fits) {
    if (!fits) b.refuse();
}

// Sizes are passed to the kernel only when everything has been accepted.
void sizes(Builder& b, std::initializer_list<npy_intp> all) {
    for (const npy_intp n : all) b.size(n);
}

void linear_forward(Builder& b) {
    const In x = b.floats(0, 2), W = b.floats(1, 2), bias = b.floats(2, 1);
    if (!b.ok()) return;
    check(b, W[0] == x[1] && bias[0] == W[1]);
    b.out({x[0], W[1]});
    sizes(b, {x[0], x[1], W[1]});
}

void linear_backward(Builder& b) {
    const In dy = b.floats(0, 2), x = b.floats(1, 2), W = b.floats(2, 2);
    if (!b.ok()) return;
    check(b, dy[0] == x[0] && W.is({x[1], dy[1]}));
    b.out({x[0], x[1]});
    b.out({x[1], dy[1]});
    b.out({dy[1]});
    sizes(b, {x[0], x[1], dy[1]});
}

void linear_backward_parameters(Builder& b) {
    const In dy = b.floats(0, 2), x = b.floats(1, 2);
    if (!b.ok()) return;
    check(b, dy[0] == x[0]);
    b.out({x[1], dy[1]});
    b.out({dy[1]});
    sizes(b, {x[0], x[1], dy[1]});
}

void map(Builder& b) {  // x → y
    const In x = b.elements(0);
    if (!b.ok()) return;
    b.out(x);
    sizes(b, {x.count});
}

void map2(Builder& b) {  // dy, x → dx
    const In dy = b.elements(0), x = b.elements(1, dy);
    if (!b.ok()) return;
    check(b, x.alike(dy));
    b.out(x);
    sizes(b, {x.count});
}

void map_slope(Builder& b) {
    b.number(1);
    map(b);
}

void map2_slope(Builder& b) {
    b.number(2);
    map2(b);
}

void rows(Builder& b) {  // f (N, K) → p (N, K)
    const In f = b.floats(0, 2);
    if (!b.ok()) return;
    check(b, f[1] > 0);
    b.out(f);
    sizes(b, {f[0], f[1]});
}

void rows2(Builder& b) {  // dy (N, K), y (N, K) → dx (N, K)
    const In dy = b.floats(0, 2), y = b.floats(1, 2);
    if (!b.ok()) return;
    check(b, dy.alike(y) && y[1] > 0);
    b.out(y);
    sizes(b, {y[0], y[1]});
}

void softmax_jacobian(Builder& b) {
    const In p = b.floats(0, 2);
    if (!b.ok()) return;
    b.out({p[0], p[1], p[1]});
    sizes(b, {p[0], p[1]});
}

void loss_forward(Builder& b) {  // f (N, K), t (N, K) → loss (N,)
    const In f = b.floats(0, 2), t = b.floats(1, 2);
    if (!b.ok()) return;
    check(b, f.alike(t) && f[1] > 0);
    b.out({f[0]});
    sizes(b, {f[0], f[1]});
}

void loss_backward(Builder& b) {  // dloss (N,), f (N, K), t (N, K) → df (N, K)
    const In dloss = b.floats(0, 1), f = b.floats(1, 2), t = b.floats(2, 2);
    if (!b.ok()) return;
    check(b, dloss[0] == f[0] && f.alike(t) && f[1] > 0);
    b.out(f);
    sizes(b, {f[0], f[1]});
}

void cross_entropy_forward(Builder& b) {  // f (N, K), labels (N,) → loss (N,)
    const In f = b.floats(0, 2);
    if (!b.ok()) return;
    const In labels = b.indices(1, f[1]);
    if (!b.ok()) return;
    check(b, labels[0] == f[0] && f[1] > 0);
    b.out({f[0]});
    sizes(b, {f[0], f[1]});
}

void cross_entropy_backward(Builder& b) {  // dloss (N,), f (N, K), labels (N,) → df (N, K)
    const In dloss = b.floats(0, 1), f = b.floats(1, 2);
    if (!b.ok()) return;
    const In labels = b.indices(2, f[1]);
    if (!b.ok()) return;
    check(b, labels[0] == f[0] && dloss[0] == f[0] && f[1] > 0);
    b.out(f);
    sizes(b, {f[0], f[1]});
}

void one_hot(Builder& b) {  // labels (N,), K → t (N, K); a label that is no class is a row of zeros, as in the formula
    const In labels = b.indices(0, std::numeric_limits<npy_intp>::max());
    const npy_intp K = b.whole(1);
    if (!b.ok()) return;
    check(b, K >= 0 && K < 1'000'000);
    b.out({labels[0], K}, NPY_FLOAT);
    sizes(b, {labels[0], K});
}

void mean_forward(Builder& b) {
    const In loss = b.floats(0, 1);
    if (!b.ok()) return;
    b.out({});
    sizes(b, {loss[0]});
}

void mean_backward(Builder& b) {
    const In dJ = b.floats(0, 0), loss = b.floats(1, 1);
    if (!b.ok()) return;
    b.out(loss);
    sizes(b, {loss[0]});
    (void)dJ;
}

// A loss with settings behind its arrays: `prepare` takes those, numbers follow from argument `first` on.
template <void (*prepare)(Builder&), int first, int numbers> void with_numbers(Builder& b) {
    for (int i = 0; i < numbers; ++i) b.number(first + i);
    prepare(b);
}

// A margin and a whole power, after the arrays.
template <void (*prepare)(Builder&), int first> void with_margin_and_power(Builder& b) {
    const npy_intp power = b.whole(first + 1);
    check(b, power > 0 && power < 100);
    with_numbers<prepare, first, 1>(b);
    if (b.ok()) b.size(power);
}

void pos_weighted_forward(Builder& b) {  // f (N, K), t (N, K), pos_weight (K,) → loss (N,)
    const In f = b.floats(0, 2), t = b.floats(1, 2), weight = b.floats(2, 1);
    if (!b.ok()) return;
    check(b, f.alike(t) && f[1] > 0 && weight[0] == f[1]);
    b.out({f[0]});
    sizes(b, {f[0], f[1]});
}

void pos_weighted_backward(Builder& b) {  // dloss (N,), f (N, K), t (N, K), pos_weight (K,) → df (N, K)
    const In dloss = b.floats(0, 1), f = b.floats(1, 2), t = b.floats(2, 2), weight = b.floats(3, 1);
    if (!b.ok()) return;
    check(b, dloss[0] == f[0] && f.alike(t) && f[1] > 0 && weight[0] == f[1]);
    b.out(f);
    sizes(b, {f[0], f[1]});
}

void focal_forward(Builder& b) {  // f (N, K), labels (N,), alpha (K,), gamma → loss (N,)
    const In f = b.floats(0, 2);
    if (!b.ok()) return;
    const In labels = b.indices(1, f[1]), alpha = b.floats(2, 1);
    b.number(3);
    if (!b.ok()) return;
    check(b, labels[0] == f[0] && f[1] > 0 && alpha[0] == f[1]);
    b.out({f[0]});
    sizes(b, {f[0], f[1]});
}

void focal_backward(Builder& b) {  // dloss (N,), f (N, K), labels (N,), alpha (K,), gamma → df (N, K)
    const In dloss = b.floats(0, 1), f = b.floats(1, 2);
    if (!b.ok()) return;
    const In labels = b.indices(2, f[1]), alpha = b.floats(3, 1);
    b.number(4);
    if (!b.ok()) return;
    check(b, labels[0] == f[0] && dloss[0] == f[0] && f[1] > 0 && alpha[0] == f[1]);
    b.out(f);
    sizes(b, {f[0], f[1]});
}

void weighted_mean_forward(Builder& b) {  // loss (N,), w (N,) → J ()
    const In loss = b.floats(0, 1), w = b.floats(1, 1);
    if (!b.ok()) return;
    check(b, w.alike(loss));
    b.out({});
    sizes(b, {loss[0]});
}

void weighted_mean_backward(Builder& b) {  // dJ (), loss (N,), w (N,) → dloss (N,)
    b.floats(0, 0);
    const In loss = b.floats(1, 1), w = b.floats(2, 1);
    if (!b.ok()) return;
    check(b, w.alike(loss));
    b.out(loss);
    sizes(b, {loss[0]});
}

template <int slots, int numbers> void update(Builder& b) {  // W, dW, slots …, numbers … → W, slots …
    In in[2 + slots];
    for (int i = 0; i < 2 + slots; ++i) in[i] = b.floats(i, -1);
    for (int i = 0; i < numbers; ++i) b.number(2 + slots + i);
    if (!b.ok()) return;
    for (int i = 1; i < 2 + slots; ++i) check(b, in[0].alike(in[i]));
    for (int i = 0; i < 1 + slots; ++i) b.out(in[0]);
    sizes(b, {in[0].count});
}

void nadam_update(Builder& b) {  // W, dW, m, s, product, step, rate, beta1, beta2, epsilon, momentum_decay → W, m, s, product
    In in[4];
    for (int i = 0; i < 4; ++i) in[i] = b.floats(i, -1);
    b.floats(4, 0);
    for (int i = 5; i < 11; ++i) b.number(i);
    if (!b.ok()) return;
    for (int i = 1; i < 4; ++i) check(b, in[0].alike(in[i]));
    for (int i = 0; i < 3; ++i) b.out(in[0]);
    b.out({});
    sizes(b, {in[0].count});
}

void number_of(Builder& b) {  // x, of any shape → one number
    const In x = b.floats(0, -1);
    if (!b.ok()) return;
    b.out({});
    sizes(b, {x.count});
}

void dot(Builder& b) {  // x (I,), y (I,) → one number
    const In x = b.floats(0, 1), y = b.floats(1, 1);
    if (!b.ok()) return;
    check(b, x.alike(y));
    b.out({});
    sizes(b, {x.count});
}

void clip_norm(Builder& b) {  // dW, length, limit → dW
    const In dW = b.floats(0, -1);
    b.floats(1, 0);
    b.number(2);
    if (!b.ok()) return;
    b.out(dW);
    sizes(b, {dW.count});
}

void penalty_forward(Builder& b) {  // W, l1, l2 → R
    b.number(1);
    b.number(2);
    number_of(b);
}

void penalty_backward(Builder& b) {  // dR, W, l1, l2 → dW
    b.floats(0, 0);
    const In W = b.floats(1, -1);
    b.number(2);
    b.number(3);
    if (!b.ok()) return;
    b.out(W);
    sizes(b, {W.count});
}

// The shape of x with `rows` samples.
int with_rows(const In& x, npy_intp rows, npy_intp* shape) {
    for (int axis = 1; axis < x.rank; ++axis) shape[axis] = x[axis];
    shape[0] = rows;
    return x.rank;
}

void gather_rows(Builder& b) {  // x (S, …), index (N,) → y (N, …)
    const In x = b.any(0);
    check(b, x.rank >= 1);
    if (!b.ok()) return;
    const In index = b.indices(1, x[0]);
    if (!b.ok()) return;
    npy_intp shape[most_axes];
    b.out(with_rows(x, index[0], shape), shape, x.type);
    sizes(b, {index[0], x[0] ? x.bytes / x[0] : 0, x[0]});
}

void gather_bytes(Builder& b) {  // x (S, …) bytes, index (N,), scale () → y (N, …)
    const In x = b.bytes(0);
    check(b, x.rank >= 1);
    if (!b.ok()) return;
    const In index = b.indices(1, x[0]);
    b.floats(2, 0);
    if (!b.ok()) return;
    npy_intp shape[most_axes];
    b.out(with_rows(x, index[0], shape), shape);
    sizes(b, {index[0], x[0] ? x.count / x[0] : 0, x[0]});
}

void right_labels(Builder& b) {
    const In f = b.floats(0, 2);
    if (!b.ok()) return;
    const In labels = b.indices(1, f[1]);
    if (!b.ok()) return;
    check(b, labels[0] == f[0] && f[1] > 0);
    b.out({}, NPY_INT64);
    sizes(b, {f[0], f[1]});
}

void right_targets(Builder& b) {
    const In f = b.floats(0, 2), t = b.floats(1, 2);
    if (!b.ok()) return;
    check(b, f.alike(t) && f[1] > 0);
    b.out({}, NPY_INT64);
    sizes(b, {f[0], f[1]});
}

void random_bits(Builder& b) {  // count, seed, stream, step → bits (count,)
    const npy_intp count = b.whole(0), seed = b.whole(1), stream = b.whole(2), step = b.whole(3);
    check(b, count >= 0);
    b.out({count}, NPY_UINT32);
    sizes(b, {count, seed, stream, step});
}

void shuffled(Builder& b) {  // count, seed, stream, epoch → order (count,)
    const npy_intp count = b.whole(0), seed = b.whole(1), stream = b.whole(2), epoch = b.whole(3);
    check(b, count >= 0 && count < (npy_intp{1} << 32));
    b.out({count}, NPY_INT64);
    sizes(b, {count, seed, stream, epoch});
}

void reshape(Builder& b) {  // x (N, …), shape → y (N, *shape)
    const In x = b.floats(0, -1);
    npy_intp shape[most_axes], rank = 0;
    b.shape(1, shape, rank);
    if (!b.ok()) return;
    npy_intp count = x.rank ? x[0] : 0;
    for (npy_intp axis = 1; axis <= rank; ++axis) count *= shape[axis];
    check(b, x.rank > 0 && count == x.count);
    if (!b.ok()) return;
    shape[0] = x[0];
    b.view(static_cast<int>(rank) + 1, shape);
}

// Images and windows: N C H W  O P Q  stride  padding  I J, in the order in which kernels read them.
void windows(Builder& b, const In& x, npy_intp O, const npy_intp (&size)[2], const npy_intp (&stride)[2],
             const npy_intp (&padding)[2], npy_intp (&places)[2]) {
    for (int i = 0; i < 2; ++i) {
        const npy_intp room = x[2 + i] + 2 * padding[i] - size[i];
        check(b, size[i] > 0 && stride[i] > 0 && room >= 0);
        places[i] = b.ok() ? room / stride[i] + 1 : 0;
    }
    double most = static_cast<double>(x[0]) * static_cast<double>(x[1] + O);  // bound of what kernels make room for
    for (int i = 0; i < 2; ++i) most *= static_cast<double>(x[2 + i] + 2 * padding[i] + size[i]);
    check(b, most < 0x1p44);
    sizes(b, {x[0], x[1], x[2], x[3], O, size[0], size[1], stride[0], stride[1], padding[0], padding[1], places[0], places[1]});
}

void convolution_forward(Builder& b) {  // x, W, b, stride, padding → y
    const In x = b.images(0), W = b.floats(1, 4), bias = b.floats(2, 1);
    npy_intp stride[2], padding[2], places[2];
    b.pair(3, stride);
    b.pair(4, padding);
    if (!b.ok()) return;
    check(b, W[1] == x[1] && bias[0] == W[0] && x[1] > 0 && W[0] > 0);
    windows(b, x, W[0], {W[2], W[3]}, stride, padding, places);
    const npy_intp shape[] = {x[0], W[0], places[0], places[1]};
    b.out(4, shape, -1, pixel_by_pixel);
}

void convolution_backward(Builder& b) {  // dy, x, W, stride, padding → dx, dW, db
    const In dy = b.images(0), x = b.images(1), W = b.floats(2, 4);
    npy_intp stride[2], padding[2], places[2];
    b.pair(3, stride);
    b.pair(4, padding);
    if (!b.ok()) return;
    check(b, W[1] == x[1] && x[1] > 0 && W[0] > 0);
    windows(b, x, W[0], {W[2], W[3]}, stride, padding, places);
    check(b, dy.is({x[0], W[0], places[0], places[1]}));
    b.out(4, x.shape, -1, pixel_by_pixel);
    b.out(4, W.shape);
    b.out({W[0]});
}

void convolution_backward_parameters(Builder& b) {  // dy, x, size, stride, padding → dW, db
    const In dy = b.images(0), x = b.images(1);
    npy_intp size[2], stride[2], padding[2], places[2];
    b.pair(2, size);
    b.pair(3, stride);
    b.pair(4, padding);
    if (!b.ok()) return;
    check(b, x[1] > 0 && dy[1] > 0);
    windows(b, x, dy[1], size, stride, padding, places);
    check(b, dy.is({x[0], dy[1], places[0], places[1]}));
    b.out({dy[1], x[1], size[0], size[1]});
    b.out({dy[1]});
}

// Shapes of a transposed convolution: those of the convolution from y to x.
void transposed_windows(Builder& b, const In& x, npy_intp N, npy_intp C, const npy_intp (&extent)[2],
                        const npy_intp (&size)[2], const npy_intp (&stride)[2], const npy_intp (&padding)[2]) {
    const npy_intp shape[] = {N, C, extent[0], extent[1]};
    npy_intp places[2];
    In y;
    y.rank = 4;
    y.shape = shape;
    check(b, extent[0] > 0 && extent[1] > 0 && C > 0 && x[1] > 0);
    windows(b, y, x[1], size, stride, padding, places);
    check(b, x.is({N, x[1], places[0], places[1]}));
}

void transposed_convolution_forward(Builder& b) {  // x, W, b, stride, padding, extent → y
    const In x = b.images(0), W = b.floats(1, 4), bias = b.floats(2, 1);
    npy_intp stride[2], padding[2], extent[2];
    b.pair(3, stride);
    b.pair(4, padding);
    b.pair(5, extent);
    if (!b.ok()) return;
    check(b, W[0] == x[1] && bias[0] == W[1]);
    transposed_windows(b, x, x[0], W[1], extent, {W[2], W[3]}, stride, padding);
    const npy_intp shape[] = {x[0], W[1], extent[0], extent[1]};
    b.out(4, shape, -1, pixel_by_pixel);
}

void transposed_convolution_backward(Builder& b) {  // dy, x, W, stride, padding → dx, dW, db
    const In dy = b.images(0), x = b.images(1), W = b.floats(2, 4);
    npy_intp stride[2], padding[2];
    b.pair(3, stride);
    b.pair(4, padding);
    if (!b.ok()) return;
    check(b, W[0] == x[1] && dy[1] == W[1] && dy[0] == x[0]);
    transposed_windows(b, x, dy[0], dy[1], {dy[2], dy[3]}, {W[2], W[3]}, stride, padding);
    b.out(4, x.shape, -1, pixel_by_pixel);
    b.out(4, W.shape);
    b.out({W[1]});
}

void transposed_convolution_backward_parameters(Builder& b) {  // dy, x, size, stride, padding → dW, db
    const In dy = b.images(0), x = b.images(1);
    npy_intp size[2], stride[2], padding[2];
    b.pair(2, size);
    b.pair(3, stride);
    b.pair(4, padding);
    if (!b.ok()) return;
    check(b, dy[0] == x[0]);
    transposed_windows(b, x, dy[0], dy[1], {dy[2], dy[3]}, size, stride, padding);
    b.out({x[1], dy[1], size[0], size[1]});
    b.out({dy[1]});
}

void depthwise_forward(Builder& b) {  // x, W, b, stride, padding → y
    const In x = b.images(0), W = b.floats(1, 4), bias = b.floats(2, 1);
    npy_intp stride[2], padding[2], places[2];
    b.pair(3, stride);
    b.pair(4, padding);
    if (!b.ok()) return;
    check(b, x[1] > 0 && W[0] > 0 && W[0] % std::max<npy_intp>(1, x[1]) == 0 && W[1] == 1 && bias[0] == W[0]);
    windows(b, x, W[0], {W[2], W[3]}, stride, padding, places);
    const npy_intp shape[] = {x[0], W[0], places[0], places[1]};
    b.out(4, shape, -1, pixel_by_pixel);
}

void depthwise_backward(Builder& b) {  // dy, x, W, stride, padding → dx, dW, db
    const In dy = b.images(0), x = b.images(1), W = b.floats(2, 4);
    npy_intp stride[2], padding[2], places[2];
    b.pair(3, stride);
    b.pair(4, padding);
    if (!b.ok()) return;
    check(b, x[1] > 0 && W[0] > 0 && W[0] % std::max<npy_intp>(1, x[1]) == 0 && W[1] == 1);
    windows(b, x, W[0], {W[2], W[3]}, stride, padding, places);
    check(b, dy.is({x[0], W[0], places[0], places[1]}));
    b.out(4, x.shape, -1, pixel_by_pixel);
    b.out(4, W.shape);
    b.out({W[0]});
}

void depthwise_backward_parameters(Builder& b) {  // dy, x, size, stride, padding → dW, db
    const In dy = b.images(0), x = b.images(1);
    npy_intp size[2], stride[2], padding[2], places[2];
    b.pair(2, size);
    b.pair(3, stride);
    b.pair(4, padding);
    if (!b.ok()) return;
    check(b, x[1] > 0 && dy[1] > 0 && dy[1] % std::max<npy_intp>(1, x[1]) == 0);
    windows(b, x, dy[1], size, stride, padding, places);
    check(b, dy.is({x[0], dy[1], places[0], places[1]}));
    b.out({dy[1], 1, size[0], size[1]});
    b.out({dy[1]});
}

// To or from images enlarged by whole factors, whose shape is `large`; the small ones are `small`.
void enlarged(Builder& b, const npy_intp (&small)[4], const npy_intp (&factor)[2], bool up) {
    const npy_intp large[] = {small[0], small[1], small[2] * factor[0], small[3] * factor[1]};
    double most = 1;
    for (const npy_intp n : large) most *= static_cast<double>(n);
    check(b, small[2] > 0 && small[3] > 0 && most < 0x1p44);
    b.out(4, up ? large : small, -1, pixel_by_pixel);
    sizes(b, {small[0], small[1], small[2], small[3], factor[0], factor[1]});
}

void upsample_forward(Builder& b) {  // x, factor → y
    const In x = b.images(0);
    npy_intp factor[2];
    b.pair(1, factor);
    if (!b.ok()) return;
    check(b, factor[0] > 0 && factor[1] > 0);
    enlarged(b, {x[0], x[1], x[2], x[3]}, factor, true);
}

void upsample_backward(Builder& b) {  // dy, factor → dx
    const In dy = b.images(0);
    npy_intp factor[2];
    b.pair(1, factor);
    if (!b.ok()) return;
    check(b, factor[0] > 0 && factor[1] > 0 && dy[2] % std::max<npy_intp>(1, factor[0]) == 0 &&
                 dy[3] % std::max<npy_intp>(1, factor[1]) == 0);
    if (b.ok()) enlarged(b, {dy[0], dy[1], dy[2] / factor[0], dy[3] / factor[1]}, factor, false);
}

void affine_places(Builder& b) {  // x, shift, rotation, scale, seed, stream, step → places
    const In x = b.elements(0);
    for (int i = 1; i < 4; ++i) b.number(i);
    const npy_intp seed = b.whole(4), stream = b.whole(5);
    b.number(6);
    if (!b.ok()) return;
    check(b, x.rank == 4 && b.call.number[1] >= -180 && b.call.number[1] <= 180);
    if (!b.ok()) return;
    b.out({x[0], 2, x[2], x[3]});
    sizes(b, {x[0], x[2], x[3], seed, stream});
}

void elastic_places(Builder& b) {  // places, alpha, sigma, seed, stream, step → moved
    const In places = b.floats(0, 4);
    b.number(1);
    b.number(2);
    const npy_intp seed = b.whole(3), stream = b.whole(4);
    b.number(5);
    if (!b.ok()) return;
    check(b, places[1] == 2 && b.call.number[1] > 0 && b.call.number[1] < 1000);
    b.out(places);
    sizes(b, {places[0], places[2], places[3], seed, stream});
}

void warp_forward(Builder& b) {  // x, places, fill → y
    const In x = b.images(0), places = b.floats(1, 4);
    b.number(2);
    if (!b.ok()) return;
    check(b, places.is({x[0], 2, x[2], x[3]}) && x[2] > 0 && x[3] > 0 && x[2] < (1 << 20) && x[3] < (1 << 20));
    b.out(x);
    sizes(b, {x[0], x[1], x[2], x[3]});
}

void warp_backward(Builder& b) {  // dy, places → dx
    const In dy = b.images(0), places = b.floats(1, 4);
    if (!b.ok()) return;
    check(b, places.is({dy[0], 2, dy[2], dy[3]}) && dy[2] > 0 && dy[3] > 0 && dy[2] < (1 << 20) && dy[3] < (1 << 20));
    b.out(dy);
    sizes(b, {dy[0], dy[1], dy[2], dy[3]});
}

void cutout_forward(Builder& b) {  // x, size, fill, seed, stream, step → y, mask
    const In x = b.images(0);
    const npy_intp size = b.whole(1);
    b.number(2);
    const npy_intp seed = b.whole(3), stream = b.whole(4);
    b.number(5);
    if (!b.ok()) return;
    check(b, size >= 0 && size < (npy_intp{1} << 32) && x[2] < (npy_intp{1} << 32) && x[3] < (npy_intp{1} << 32));
    b.out(x);
    b.out({x[0], x[2], x[3]}, NPY_UINT8);
    sizes(b, {x[0], x[1], x[2], x[3], size, seed, stream});
}

void cutout_backward(Builder& b) {  // dy, mask → dx
    const In dy = b.images(0), mask = b.bytes(1);
    if (!b.ok()) return;
    check(b, mask.is({dy[0], dy[2], dy[3]}));
    b.out(dy);
    sizes(b, {dy[0] * dy[2] * dy[3], dy[1]});
}

void pool_forward(Builder& b) {  // x, size, stride → y
    const In x = b.images(0);
    npy_intp size[2], stride[2], places[2];
    b.pair(1, size);
    b.pair(2, stride);
    if (!b.ok()) return;
    windows(b, x, x[1], size, stride, {0, 0}, places);
    const npy_intp shape[] = {x[0], x[1], places[0], places[1]};
    b.out(4, shape, -1, pixel_by_pixel);
}

void max_pool_backward(Builder& b) {  // dy, x, size, stride → dx
    const In dy = b.images(0), x = b.images(1);
    npy_intp size[2], stride[2], places[2];
    b.pair(2, size);
    b.pair(3, stride);
    if (!b.ok()) return;
    windows(b, x, x[1], size, stride, {0, 0}, places);
    check(b, dy.is({x[0], x[1], places[0], places[1]}));
    b.out(4, x.shape, -1, pixel_by_pixel);
}

void average_pool_backward(Builder& b) {  // dy, extent, size, stride → dx
    const In dy = b.images(0);
    npy_intp extent[2], size[2], stride[2], places[2];
    b.pair(1, extent);
    b.pair(2, size);
    b.pair(3, stride);
    if (!b.ok()) return;
    const npy_intp shape[] = {dy[0], dy[1], extent[0], extent[1]};
    In x;
    x.rank = 4;
    x.shape = shape;
    windows(b, x, dy[1], size, stride, {0, 0}, places);
    check(b, dy.is({dy[0], dy[1], places[0], places[1]}));
    b.out(4, shape, -1, pixel_by_pixel);
}

// The results of a sequence: `width` numbers for each sample and step.
void steps_out(Builder& b, npy_intp N, npy_intp steps, npy_intp width) {
    const npy_intp shape[] = {N, steps, width};
    b.out(3, shape, -1, time_by_time);
}

// What a recurrent forward pass takes, where W, U and the bias hold `gates` gates side by side; the mask is argument `last`.
In recurrent(Builder& b, npy_intp gates, int last, npy_intp& H) {
    const In x = b.sequences(0), W = b.floats(1, 2), U = b.floats(2, 2), bias = b.floats(3, 1);
    const In v = last == 5 ? b.floats(4, 1) : In{}, mask = b.bytes(last);
    if (!b.ok()) return x;
    H = U[0];
    check(b, x[1] > 0 && H > 0 && W.is({x[2], gates * H}) && U.is({H, gates * H}) && bias.is({gates * H}));
    check(b, (v.rank == 0 || v.is({H})) && mask.is({x[0], x[1]}));
    sizes(b, {x[0], x[1], x[2], H});
    return x;
}

void rnn_forward(Builder& b) {  // x, W, U, b, mask → h
    npy_intp H = 0;
    const In x = recurrent(b, 1, 4, H);
    if (b.ok()) steps_out(b, x[0], x[1], H);
}

void lstm_forward(Builder& b) {  // x, W, U, b, mask → h, c, gates
    npy_intp H = 0;
    const In x = recurrent(b, 4, 4, H);
    if (!b.ok()) return;
    for (const npy_intp width : {H, H, 4 * H}) steps_out(b, x[0], x[1], width);
}

void gru_forward(Builder& b) {  // x, W, U, b, v, mask → h, gates, q
    npy_intp H = 0;
    const In x = recurrent(b, 3, 5, H);
    if (!b.ok()) return;
    for (const npy_intp width : {H, 3 * H, H}) steps_out(b, x[0], x[1], width);
}

// dh, x, h, what forward kept besides (its widths in states), W where dx is asked for, U, mask → dx, dW, dU, db (and dv)
template <npy_intp gates, bool inputs, npy_intp... kept> void recurrent_backward(Builder& b) {
    const In dh = b.sequences(0), x = b.sequences(1), h = b.sequences(2);
    int next = 3;
    const In more[] = {(static_cast<void>(kept), b.sequences(next++))..., In{}};
    const In W = inputs ? b.floats(next++, 2) : In{}, U = b.floats(next++, 2), mask = b.bytes(next++);
    if (!b.ok()) return;
    const npy_intp N = x[0], steps = x[1], I = x[2], H = U[0], G = gates * H;
    check(b, steps > 0 && H > 0 && dh.is({N, steps, H}) && h.is({N, steps, H}) && U.is({H, G}) && mask.is({N, steps}));
    int place = 0;
    (check(b, more[place++].is({N, steps, kept * H})), ...);
    if (inputs) {
        check(b, W.is({I, G}));
        steps_out(b, N, steps, I);
    }
    b.out({I, G});
    b.out({H, G});
    b.out({G});
    if (gates == 3) b.out({H});
    sizes(b, {N, steps, I, H});
}

void unmasked_steps(Builder& b) {  // x (N, T, I), mask_value → mask (N, T)
    const In x = b.elements(0);
    b.number(1);
    check(b, x.rank == 3);
    if (!b.ok()) return;
    npy_intp stride[3], step = 1;
    for (int i = 2; i >= 0; --i) {
        stride[x.order.axis[i]] = step;
        step *= x[x.order.axis[i]];
    }
    b.out({x[0], x[1]}, NPY_UINT8);
    sizes(b, {x[0], x[1], x[2], stride[0], stride[1], stride[2]});
}

void masked_steps_forward(Builder& b) {  // h, mask, mask_value → y
    const In h = b.sequences(0), mask = b.bytes(1);
    b.number(2);
    if (!b.ok()) return;
    check(b, mask.is({h[0], h[1]}));
    steps_out(b, h[0], h[1], h[2]);
    sizes(b, {h[0], h[1], h[2]});
}

void masked_steps_backward(Builder& b) {  // dy, mask → dh
    const In dy = b.sequences(0), mask = b.bytes(1);
    if (!b.ok()) return;
    check(b, mask.is({dy[0], dy[1]}));
    steps_out(b, dy[0], dy[1], dy[2]);
    sizes(b, {dy[0], dy[1], dy[2]});
}

void last_step_forward(Builder& b) {  // h (N, T, H) → y (N, H)
    const In h = b.sequences(0);
    if (!b.ok()) return;
    check(b, h[1] > 0);
    b.out({h[0], h[2]});
    sizes(b, {h[0], h[1], h[2]});
}

void last_step_backward(Builder& b) {  // dy (N, H), steps → dh (N, T, H)
    const In dy = b.floats(0, 2);
    const npy_intp steps = b.whole(1);
    if (!b.ok()) return;
    check(b, steps > 0 && steps < (npy_intp{1} << 32));
    steps_out(b, dy[0], steps, dy[1]);
    sizes(b, {dy[0], steps, dy[1]});
}

void both_directions_forward(Builder& b) {  // x → ahead, back
    const In x = b.sequences(0);
    if (!b.ok()) return;
    steps_out(b, x[0], x[1], x[2]);
    steps_out(b, x[0], x[1], x[2]);
    sizes(b, {x[0], x[1], x[2]});
}

void both_directions_backward(Builder& b) {  // dahead, dback → dx
    const In dahead = b.sequences(0), dback = b.sequences(1);
    if (!b.ok()) return;
    check(b, dback.alike(dahead));
    steps_out(b, dback[0], dback[1], dback[2]);
    sizes(b, {dback[0], dback[1], dback[2]});
}

void joined_directions_forward(Builder& b) {  // ahead (N, T, H), back (N, T, H) → y (N, T, 2H)
    const In ahead = b.sequences(0), back = b.sequences(1);
    if (!b.ok()) return;
    check(b, ahead.alike(back));
    steps_out(b, ahead[0], ahead[1], 2 * ahead[2]);
    sizes(b, {ahead[0], ahead[1], ahead[2]});
}

void joined_directions_backward(Builder& b) {  // dy (N, T, 2H) → dahead, dback (N, T, H)
    const In dy = b.sequences(0);
    if (!b.ok()) return;
    check(b, dy[2] % 2 == 0);
    steps_out(b, dy[0], dy[1], dy[2] / 2);
    steps_out(b, dy[0], dy[1], dy[2] / 2);
    sizes(b, {dy[0], dy[1], dy[2] / 2});
}

void merged_steps_forward(Builder& b) {  // x (N, T, I) → y (N · T, I)
    const In x = b.floats(0, 3);
    if (!b.ok()) return;
    const npy_intp shape[] = {x[0] * x[1], x[2]};
    b.view(2, shape);
}

void merged_steps_backward(Builder& b) {  // dy (N · T, I), steps → dx (N, T, I)
    const In dy = b.floats(0, 2);
    const npy_intp steps = b.whole(1);
    check(b, steps > 0);
    if (!b.ok()) return;
    check(b, dy[0] % steps == 0);
    const npy_intp shape[] = {dy[0] / steps, steps, dy[1]};
    b.view(3, shape);
}

void dropout_forward(Builder& b) {  // x, rate, seed, stream, step → y, mask
    const In x = b.floats(0, -1);
    b.number(1);
    const npy_intp seed = b.whole(2), stream = b.whole(3);
    b.number(4);
    if (!b.ok()) return;
    check(b, b.call.number[0] >= 0 && b.call.number[0] < 1);
    b.out(x);
    b.out(x.rank, x.shape, NPY_UINT8);
    sizes(b, {x.count, seed, stream});
}

void dropout_backward(Builder& b) {  // dy, mask, rate → dx
    const In dy = b.floats(0, -1), mask = b.bytes(1);
    b.number(2);
    if (!b.ok()) return;
    check(b, dy.alike(mask) && b.call.number[0] < 1);
    b.out(dy);
    sizes(b, {dy.count});
}

template <int first> void map_elu(Builder& b) {  // … x, slope, depth
    b.number(first + 1);
    b.number(first + 2);
    if constexpr (first == 0) map(b);
    else map2(b);
}

void maxout_forward(Builder& b) {  // x (N, O, P, L) → y (N, O, L)
    const In x = b.floats(0, 4);
    if (!b.ok()) return;
    check(b, x[2] > 0);
    b.out({x[0], x[1], x[3]});
    sizes(b, {x[0] * x[1], x[2], x[3]});
}

void maxout_backward(Builder& b) {  // dy (N, O, L), x (N, O, P, L) → dx
    const In dy = b.floats(0, 3), x = b.floats(1, 4);
    if (!b.ok()) return;
    check(b, x[2] > 0 && dy.is({x[0], x[1], x[3]}));
    b.out(x);
    sizes(b, {x[0] * x[1], x[2], x[3]});
}

bool each_is(const In* in, int count, npy_intp length) {  // vectors of this length
    bool all = length > 0;
    for (int i = 0; i < count; ++i) all &= in[i].is({length});
    return all;
}

template <int statistics> void norm_forward(Builder& b) {  // x, gamma, beta, (mean, variance,) epsilon → y (, mean, variance)
    const In x = b.images(0);
    In in[2 + statistics];
    for (int i = 0; i < 2 + statistics; ++i) in[i] = b.floats(1 + i, 1);
    b.number(3 + statistics);
    if (!b.ok()) return;
    const npy_intp rows = x[0] * x[2] * x[3];
    check(b, rows > 0 && each_is(in, 2 + statistics, x[1]));
    b.out(4, x.shape, -1, pixel_by_pixel);
    for (int i = 0; i < 2 - statistics; ++i) b.out({x[1]});
    sizes(b, {rows, x[1]});
}

void norm_backward(Builder& b) {  // dy, x, gamma, mean, variance, epsilon → dx, dgamma, dbeta
    const In dy = b.images(0), x = b.images(1);
    In in[3];
    for (int i = 0; i < 3; ++i) in[i] = b.floats(2 + i, 1);
    b.number(5);
    if (!b.ok()) return;
    const npy_intp rows = x[0] * x[2] * x[3];
    check(b, rows > 0 && dy.alike(x) && each_is(in, 3, x[1]));
    b.out(4, x.shape, -1, pixel_by_pixel);
    b.out({x[1]});
    b.out({x[1]});
    sizes(b, {rows, x[1]});
}

void running_statistics(Builder& b) {  // mean, variance, batch_mean, batch_variance, momentum, count → mean, variance
    In in[4];
    for (int i = 0; i < 4; ++i) in[i] = b.floats(i, 1);
    b.number(4);
    const npy_intp count = b.whole(5);
    if (!b.ok()) return;
    check(b, each_is(in, 4, in[0][0]) && count > 0);
    b.out(in[0]);
    b.out(in[0]);
    sizes(b, {in[0].count, count});
}

void layer_norm_forward(Builder& b) {  // x (…, I), gamma, beta, epsilon → y, mean, variance
    const In x = b.floats(0, -1);
    const In in[2] = {b.floats(1, 1), b.floats(2, 1)};
    b.number(3);
    if (!b.ok()) return;
    check(b, x.rank > 1 && x.count > 0 && each_is(in, 2, x[x.rank - 1]));
    if (!b.ok()) return;
    b.out(x);
    b.out(x.rank - 1, x.shape);
    b.out(x.rank - 1, x.shape);
    sizes(b, {x.count / x[x.rank - 1], x[x.rank - 1]});
}

void layer_norm_backward(Builder& b) {  // dy (…, I), x, gamma, mean, variance, epsilon → dx, dgamma, dbeta
    const In dy = b.floats(0, -1), x = b.floats(1, -1), gamma = b.floats(2, 1);
    const In in[2] = {b.floats(3, -1), b.floats(4, -1)};
    b.number(5);
    if (!b.ok()) return;
    check(b, x.rank > 1 && x.count > 0 && dy.alike(x) && gamma.is({x[x.rank - 1]}));
    for (const In& one : in) check(b, one.rank == x.rank - 1 && std::equal(one.shape, one.shape + one.rank, x.shape));
    if (!b.ok()) return;
    b.out(x);
    b.out(gamma);
    b.out(gamma);
    sizes(b, {x.count / gamma[0], gamma[0]});
}

void noise_forward(Builder& b) {  // x, deviation, seed, stream, step → y
    const In x = b.floats(0, -1);
    b.number(1);
    const npy_intp seed = b.whole(2), stream = b.whole(3);
    b.number(4);
    if (!b.ok()) return;
    b.out(x);
    sizes(b, {x.count, seed, stream});
}

bool beside(const In& x, const In& y) {  // alike but for the number of features, which is axis 1
    return x.rank == y.rank && x.rank > 1 && x.rank <= most_axes && x[0] == y[0] && x.count > 0 && y.count > 0 &&
           std::equal(x.shape + 2, x.shape + x.rank, y.shape + 2);
}

void concatenate_forward(Builder& b) {  // x, y → z
    const In x = b.floats(0, -1), y = b.floats(1, -1);
    if (!b.ok()) return;
    check(b, beside(x, y));
    if (!b.ok()) return;
    npy_intp shape[most_axes];
    std::copy_n(x.shape, x.rank, shape);
    shape[1] += y[1];
    b.out(x.rank, shape);
    sizes(b, {x[0], x.count / x[0], y.count / x[0]});
}

void concatenate_backward(Builder& b) {  // dz, x, y → dx, dy
    const In dz = b.floats(0, -1), x = b.floats(1, -1), y = b.floats(2, -1);
    if (!b.ok()) return;
    check(b, beside(x, y) && beside(dz, x) && dz[1] == x[1] + y[1]);
    if (!b.ok()) return;
    b.out(x);
    b.out(y);
    sizes(b, {x[0], x.count / x[0], y.count / x[0]});
}

void whole_numbers(Builder& b) {  // x → index
    const In x = b.floats(0, -1);
    if (!b.ok()) return;
    b.out(x.rank, x.shape, NPY_INT64);
    sizes(b, {x.count});
}

void embedding_forward(Builder& b) {  // index (…), W (V, I) → y (…, I)
    const In index = b.words(0), W = b.floats(1, 2);
    if (!b.ok()) return;
    check(b, index.rank < most_axes);
    if (!b.ok()) return;
    npy_intp shape[most_axes];
    std::copy_n(index.shape, index.rank, shape);
    shape[index.rank] = W[1];
    b.out(index.rank + 1, shape);
    sizes(b, {index.count, W[0], W[1]});
}

void embedding_backward(Builder& b) {  // dy (…, I), index (…), W (V, I) → dW
    const In dy = b.floats(0, -1), index = b.words(1), W = b.floats(2, 2);
    if (!b.ok()) return;
    check(b, dy.rank == index.rank + 1 && dy[index.rank] == W[1] && std::equal(index.shape, index.shape + index.rank, dy.shape));
    b.out(W);
    sizes(b, {index.count, W[0], W[1]});
}

}  // namespace

#define TWIN(name, prepare) {#name, Kernel::name, prepare}
const Twin twins[] = {
    TWIN(linear_forward, linear_forward), TWIN(linear_backward, linear_backward),
    TWIN(linear_backward_parameters, linear_backward_parameters),
    TWIN(identity_forward, map), TWIN(identity_backward, map), TWIN(step_forward, map), TWIN(step_backward, map),
    TWIN(relu_forward, map), TWIN(relu_backward, map2), TWIN(leaky_relu_forward, map_slope),
    TWIN(leaky_relu_backward, map2_slope), TWIN(softplus_forward, map), TWIN(softplus_backward, map2),
    TWIN(sigmoid_forward, map), TWIN(sigmoid_backward, map2), TWIN(tanh_forward, map), TWIN(tanh_backward, map2),
    TWIN(softmax_forward, rows), TWIN(softmax_backward, rows2), TWIN(softmax_jacobian, softmax_jacobian),
    TWIN(log_softmax_forward, rows), TWIN(log_softmax_backward, rows2),
    TWIN(squared_error_forward, loss_forward), TWIN(squared_error_backward, loss_backward),
    TWIN(binary_cross_entropy_forward, loss_forward), TWIN(binary_cross_entropy_backward, loss_backward),
    TWIN(cross_entropy_forward, cross_entropy_forward), TWIN(cross_entropy_backward, cross_entropy_backward),
    TWIN(soft_cross_entropy_forward, loss_forward), TWIN(soft_cross_entropy_backward, loss_backward),
    TWIN(perceptron_forward, loss_forward), TWIN(perceptron_backward, loss_backward),
    TWIN(absolute_error_forward, loss_forward), TWIN(absolute_error_backward, loss_backward),
    TWIN(huber_forward, (with_numbers<loss_forward, 2, 1>)), TWIN(huber_backward, (with_numbers<loss_backward, 3, 1>)),
    TWIN(poisson_forward, loss_forward), TWIN(poisson_backward, loss_backward),
    TWIN(exponential_forward, map), TWIN(exponential_backward, map2),
    TWIN(weighted_binary_cross_entropy_forward, pos_weighted_forward),
    TWIN(weighted_binary_cross_entropy_backward, pos_weighted_backward),
    TWIN(smoothed, (with_numbers<rows, 1, 1>)),
    TWIN(smoothed_cross_entropy_forward, (with_numbers<cross_entropy_forward, 2, 1>)),
    TWIN(smoothed_cross_entropy_backward, (with_numbers<cross_entropy_backward, 3, 1>)),
    TWIN(kullback_leibler_forward, loss_forward), TWIN(kullback_leibler_backward, loss_backward),
    TWIN(binary_focal_forward, (with_numbers<loss_forward, 2, 3>)),
    TWIN(binary_focal_backward, (with_numbers<loss_backward, 3, 3>)),
    TWIN(focal_forward, focal_forward), TWIN(focal_backward, focal_backward),
    TWIN(hinge_forward, (with_margin_and_power<loss_forward, 2>)),
    TWIN(hinge_backward, (with_margin_and_power<loss_backward, 3>)),
    TWIN(crammer_singer_forward, (with_numbers<cross_entropy_forward, 2, 1>)),
    TWIN(crammer_singer_backward, (with_numbers<cross_entropy_backward, 3, 1>)),
    TWIN(weston_watkins_forward, (with_margin_and_power<cross_entropy_forward, 2>)),
    TWIN(weston_watkins_backward, (with_margin_and_power<cross_entropy_backward, 3>)),
    TWIN(weighted_mean_forward, weighted_mean_forward), TWIN(weighted_mean_backward, weighted_mean_backward),
    TWIN(one_hot, one_hot), TWIN(mean_forward, mean_forward), TWIN(mean_backward, mean_backward),
    TWIN(sgd_update, (update<0, 1>)), TWIN(momentum_update, (update<1, 2>)), TWIN(nesterov_update, (update<1, 2>)),
    TWIN(adam_update, (update<2, 5>)), TWIN(gather_rows, gather_rows), TWIN(gather_bytes, gather_bytes),
    TWIN(rmsprop_update, (update<1, 3>)), TWIN(centered_rmsprop_update, (update<2, 3>)),
    TWIN(adagrad_update, (update<1, 2>)), TWIN(adadelta_update, (update<2, 3>)), TWIN(adamw_update, (update<2, 6>)),
    TWIN(nadam_update, nadam_update), TWIN(lion_update, (update<1, 4>)),
    TWIN(average_update, (update<0, 2>)), TWIN(add, map2), TWIN(dot, dot),
    TWIN(norm, number_of), TWIN(hypotenuse, map2), TWIN(clip_value, map_slope), TWIN(clip_norm, clip_norm),
    TWIN(penalty_forward, penalty_forward), TWIN(penalty_backward, penalty_backward),
    TWIN(right_labels, right_labels), TWIN(right_rows, right_targets), TWIN(right_decisions, right_targets),
    TWIN(convolution_forward, convolution_forward), TWIN(convolution_backward, convolution_backward),
    TWIN(convolution_backward_parameters, convolution_backward_parameters),
    TWIN(transposed_convolution_forward, transposed_convolution_forward),
    TWIN(transposed_convolution_backward, transposed_convolution_backward),
    TWIN(transposed_convolution_backward_parameters, transposed_convolution_backward_parameters),
    TWIN(depthwise_forward, depthwise_forward), TWIN(depthwise_backward, depthwise_backward),
    TWIN(depthwise_backward_parameters, depthwise_backward_parameters),
    TWIN(upsample_nearest_forward, upsample_forward), TWIN(upsample_nearest_backward, upsample_backward),
    TWIN(upsample_bilinear_forward, upsample_forward), TWIN(upsample_bilinear_backward, upsample_backward),
    TWIN(affine_places, affine_places), TWIN(elastic_places, elastic_places),
    TWIN(warp_forward, warp_forward), TWIN(warp_backward, warp_backward),
    TWIN(cutout_forward, cutout_forward), TWIN(cutout_backward, cutout_backward),
    TWIN(max_pool_forward, pool_forward), TWIN(max_pool_backward, max_pool_backward),
    TWIN(average_pool_forward, pool_forward), TWIN(average_pool_backward, average_pool_backward),
    {"reshape_forward", Kernel::nothing, reshape}, {"reshape_backward", Kernel::nothing, reshape},
    TWIN(tanh_rnn_forward, rnn_forward), TWIN(tanh_rnn_backward, (recurrent_backward<1, true>)),
    TWIN(tanh_rnn_backward_parameters, (recurrent_backward<1, false>)),
    TWIN(sigmoid_rnn_forward, rnn_forward), TWIN(sigmoid_rnn_backward, (recurrent_backward<1, true>)),
    TWIN(sigmoid_rnn_backward_parameters, (recurrent_backward<1, false>)),
    TWIN(relu_rnn_forward, rnn_forward), TWIN(relu_rnn_backward, (recurrent_backward<1, true>)),
    TWIN(relu_rnn_backward_parameters, (recurrent_backward<1, false>)),
    TWIN(lstm_forward, lstm_forward), TWIN(lstm_backward, (recurrent_backward<4, true, 1, 4>)),
    TWIN(lstm_backward_parameters, (recurrent_backward<4, false, 1, 4>)),
    TWIN(gru_forward, gru_forward), TWIN(gru_backward, (recurrent_backward<3, true, 3, 1>)),
    TWIN(gru_backward_parameters, (recurrent_backward<3, false, 3, 1>)),
    TWIN(unmasked_steps, unmasked_steps), TWIN(masked_steps_forward, masked_steps_forward),
    TWIN(masked_steps_backward, masked_steps_backward),
    TWIN(last_step_forward, last_step_forward), TWIN(last_step_backward, last_step_backward),
    TWIN(both_directions_forward, both_directions_forward), TWIN(both_directions_backward, both_directions_backward),
    TWIN(joined_directions_forward, joined_directions_forward),
    TWIN(joined_directions_backward, joined_directions_backward),
    {"merged_steps_forward", Kernel::nothing, merged_steps_forward},
    {"merged_steps_backward", Kernel::nothing, merged_steps_backward},
    TWIN(gelu_forward, map), TWIN(gelu_backward, map2), TWIN(gelu_tanh_forward, map), TWIN(gelu_tanh_backward, map2),
    TWIN(silu_forward, map), TWIN(silu_backward, map2), TWIN(elu_forward, map_elu<0>), TWIN(elu_backward, map_elu<1>),
    TWIN(hard_sigmoid_forward, map), TWIN(hard_sigmoid_backward, map2),
    TWIN(maxout_forward, maxout_forward), TWIN(maxout_backward, maxout_backward),
    TWIN(batch_norm_forward, norm_forward<0>), TWIN(batch_norm_backward, norm_backward),
    TWIN(running_norm_forward, norm_forward<2>), TWIN(running_norm_backward, norm_backward),
    TWIN(running_statistics, running_statistics),
    TWIN(layer_norm_forward, layer_norm_forward), TWIN(layer_norm_backward, layer_norm_backward),
    TWIN(noise_forward, noise_forward), TWIN(noise_backward, map),
    TWIN(concatenate_forward, concatenate_forward), TWIN(concatenate_backward, concatenate_backward),
    TWIN(whole_numbers, whole_numbers), TWIN(embedding_forward, embedding_forward),
    TWIN(embedding_backward, embedding_backward),
    TWIN(random_bits, random_bits), TWIN(shuffled, shuffled),
    TWIN(dropout_forward, dropout_forward), TWIN(dropout_backward, dropout_backward),
};
#undef TWIN
const int twin_count = static_cast<int>(sizeof twins / sizeof *twins);

}  // namespace chainrule
