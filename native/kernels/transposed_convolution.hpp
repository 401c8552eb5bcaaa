// Transposed convolution (operations/transposed_convolution.py): a convolution from y to x, run backwards. In its Shapes
// C H W are those of y, and O I J those of x.
#pragma once

#include "convolution.hpp"

namespace chainrule::CHAINRULE_ISA {

template <class T> void transposed_convolution_forward(const Call& c) {  // arrays x W b | y
    dense_input_gradient(shapes_of(c), c.at<const T>(0), c.at<const T>(1), c.at<T>(3), c.at<const T>(2));
}

template <class T> void transposed_filter_gradients(const Shapes& s, const T* dy, const T* x, T* dW, T* db) {
    filter_gradients(s, x, dy, dW, scratch<T>(1, static_cast<std::size_t>(s.O)));  // nobody asks for the sums of x
    column_sums(s.N * s.H * s.W, s.C, dy, db);
}

template <class T> void transposed_convolution_backward(const Call& c) {  // arrays dy x W | dx dW db
    const Shapes s = shapes_of(c);
    T* no_bias = scratch<T>(1, static_cast<std::size_t>(s.O));
    std::fill_n(no_bias, s.O, T(0));
    convolve<T>(s, c.at<const T>(0), c.at<const T>(2), no_bias, c.at<T>(3));
    transposed_filter_gradients(s, c.at<const T>(0), c.at<const T>(1), c.at<T>(4), c.at<T>(5));
}

template <class T> void transposed_convolution_backward_parameters(const Call& c) {  // arrays dy x | dW db
    transposed_filter_gradients(shapes_of(c), c.at<const T>(0), c.at<const T>(1), c.at<T>(2), c.at<T>(3));
}

}  // namespace chainrule::CHAINRULE_ISA
