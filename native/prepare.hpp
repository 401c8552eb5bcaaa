// What each operation's arguments must look like for its kernel: one function per signature.
#pragma once

#include "builder.hpp"

namespace chainrule {

using Prepare = void (*)(Builder&);

struct Twin {
    const char* name;
    Kernel kernel;
    Prepare prepare;
};

extern const Twin twins[];
extern const int twin_count;

}  // namespace chainrule
