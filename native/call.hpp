// One kernel call, ready to run: which function, on which arrays, of which sizes. The tape is a list of these.
#pragma once

#include <cstdint>

namespace chainrule {

struct Call;
using Run = void (*)(const Call&);

struct Call {
    Run run = nullptr;
    void* array[16] = {};             // inputs, then outputs
    std::int64_t size[16] = {};       // dimensions and other whole numbers
    double number[6] = {};            // scalars that stay as they are
    const double* cell[6] = {};       // scalars that change from step to step: where they stand

    template <class T> T* at(int i) const { return static_cast<T*>(array[i]); }
    double scalar(int i) const { return cell[i] ? *cell[i] : number[i]; }
};

// Every kernel, by the name of its operation. Each has a float and a double form in each instruction set.
#define CHAINRULE_KERNELS(X) \
    X(linear_forward) X(linear_backward) X(linear_backward_parameters) X(linear_sgd) \
    X(identity_forward) X(identity_backward) X(step_forward) X(step_backward) \
    X(relu_forward) X(relu_backward) X(leaky_relu_forward) X(leaky_relu_backward) \
    X(softplus_forward) X(softplus_backward) X(sigmoid_forward) X(sigmoid_backward) \
    X(tanh_forward) X(tanh_backward) \
    X(softmax_forward) X(softmax_backward) X(softmax_jacobian) X(log_softmax_forward) X(log_softmax_backward) \
    X(squared_error_forward) X(squared_error_backward) \
    X(binary_cross_entropy_forward) X(binary_cross_entropy_backward) \
    X(cross_entropy_forward) X(cross_entropy_backward) \
    X(soft_cross_entropy_forward) X(soft_cross_entropy_backward) \
    X(perceptron_forward) X(perceptron_backward) X(one_hot) X(mean_forward) X(mean_backward) \
    X(absolute_error_forward) X(absolute_error_backward) X(huber_forward) X(huber_backward) \
    X(poisson_forward) X(poisson_backward) X(exponential_forward) X(exponential_backward) \
    X(weighted_binary_cross_entropy_forward) X(weighted_binary_cross_entropy_backward) \
    X(smoothed) X(smoothed_cross_entropy_forward) X(smoothed_cross_entropy_backward) \
    X(kullback_leibler_forward) X(kullback_leibler_backward) \
    X(binary_focal_forward) X(binary_focal_backward) X(focal_forward) X(focal_backward) \
    X(hinge_forward) X(hinge_backward) X(crammer_singer_forward) X(crammer_singer_backward) \
    X(weston_watkins_forward) X(weston_watkins_backward) X(weighted_mean_forward) X(weighted_mean_backward) \
    X(sgd_update) X(momentum_update) X(nesterov_update) X(adam_update) \
    X(rmsprop_update) X(centered_rmsprop_update) X(adagrad_update) X(adadelta_update) X(adamw_update) X(nadam_update) \
    X(lion_update) X(average_update) X(add) X(dot) X(norm) X(hypotenuse) X(clip_value) X(clip_norm) X(penalty_forward) X(penalty_backward) \
    X(gather_rows) X(gather_bytes) X(right_labels) X(right_rows) X(right_decisions) \
    X(random_bits) X(dropout_forward) X(dropout_backward) X(shuffled) \
    X(convolution_forward) X(convolution_backward) X(convolution_backward_parameters) \
    X(tanh_rnn_forward) X(tanh_rnn_backward) X(tanh_rnn_backward_parameters) \
    X(sigmoid_rnn_forward) X(sigmoid_rnn_backward) X(sigmoid_rnn_backward_parameters) \
    X(relu_rnn_forward) X(relu_rnn_backward) X(relu_rnn_backward_parameters) \
    X(lstm_forward) X(lstm_backward) X(lstm_backward_parameters) \
    X(gru_forward) X(gru_backward) X(gru_backward_parameters) \
    X(unmasked_steps) X(masked_steps_forward) X(masked_steps_backward) X(last_step_forward) X(last_step_backward) \
    X(both_directions_forward) X(both_directions_backward) \
    X(joined_directions_forward) X(joined_directions_backward) \
    X(gelu_forward) X(gelu_backward) X(gelu_tanh_forward) X(gelu_tanh_backward) X(silu_forward) X(silu_backward) \
    X(elu_forward) X(elu_backward) X(hard_sigmoid_forward) X(hard_sigmoid_backward) X(maxout_forward) X(maxout_backward) \
    X(batch_norm_forward) X(batch_norm_backward) X(running_norm_forward) X(running_norm_backward) \
    X(running_statistics) X(layer_norm_forward) X(layer_norm_backward) X(noise_forward) X(noise_backward) \
    X(concatenate_forward) X(concatenate_backward) X(whole_numbers) X(embedding_forward) X(embedding_backward) \
    X(transposed_convolution_forward) X(transposed_convolution_backward) X(transposed_convolution_backward_parameters) \
    X(depthwise_forward) X(depthwise_backward) X(depthwise_backward_parameters) \
    X(upsample_nearest_forward) X(upsample_nearest_backward) X(upsample_bilinear_forward) X(upsample_bilinear_backward) \
    X(affine_places) X(elastic_places) X(warp_forward) X(warp_backward) X(cutout_forward) X(cutout_backward) \
    X(max_pool_forward) X(max_pool_backward) X(average_pool_forward) X(average_pool_backward) X(arranged) X(nothing)

enum class Kernel : int {
#define CHAINRULE_NAME(name) name,
    CHAINRULE_KERNELS(CHAINRULE_NAME)
#undef CHAINRULE_NAME
    count
};

struct Table {                        // the kernels of one instruction set
    Run run[static_cast<int>(Kernel::count)][2];         // [kernel][0 float, 1 double]
};

}  // namespace chainrule
