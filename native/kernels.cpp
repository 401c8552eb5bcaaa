// Every kernel, compiled once for each instruction set. CMake says which: CHAINRULE_ISA names the namespace.
#include "call.hpp"
#include "kernels/choices.hpp"
#include "kernels/augmentation.hpp"
#include "kernels/depthwise.hpp"
#include "kernels/elementwise.hpp"
#include "kernels/linear.hpp"
#include "kernels/losses.hpp"
#include "kernels/normalization.hpp"
#include "kernels/pooling.hpp"
#include "kernels/random.hpp"
#include "kernels/recurrent.hpp"
#include "kernels/rows.hpp"
#include "kernels/sequences.hpp"
#include "kernels/transposed_convolution.hpp"
#include "kernels/updates.hpp"
#include "kernels/upsampling.hpp"

namespace chainrule::CHAINRULE_ISA {

extern const Table table;
const Table table = {{
#define CHAINRULE_ENTRY(name) {name<float>, name<double>},
    CHAINRULE_KERNELS(CHAINRULE_ENTRY)
#undef CHAINRULE_ENTRY
}};

}  // namespace chainrule::CHAINRULE_ISA
