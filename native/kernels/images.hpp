// Images laid out pixel by pixel, (N, height, width, C), and the windows that slide over them.
#pragma once

#include "../call.hpp"
#include "product.hpp"

namespace chainrule::CHAINRULE_ISA {

struct Shapes {  // sizes: N C H W  O P Q  stride (2)  padding (2)  I J
    std::int64_t N, C, H, W, O, P, Q, down, across, pad_h, pad_w, I, J;
};

inline Shapes shapes_of(const Call& c) {
    const std::int64_t* s = c.size;
    return {s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[8], s[9], s[10], s[11], s[12]};
}

// One image with zeros around it, and between its pixels where `down` and `across` exceed 1; `to` is (height, width, C).
template <class T>
void spread_out(std::int64_t H, std::int64_t W, std::int64_t C, const T* from, std::int64_t height, std::int64_t width,
                std::int64_t top, std::int64_t left, std::int64_t down, std::int64_t across, T* to) {
    std::fill_n(to, height * width * C, T(0));
    for (std::int64_t i = 0; i < H; ++i)
        for (std::int64_t j = 0; j < W; ++j)
            std::copy_n(from + (i * W + j) * C, C, to + ((top + i * down) * width + left + j * across) * C);
}

}  // namespace chainrule::CHAINRULE_ISA
