#define NO_IMPORT_ARRAY
#define PY_ARRAY_UNIQUE_SYMBOL chainrule_numpy
#include "program.hpp"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <stdexcept>

namespace chainrule {

Program::Program(std::int64_t rows, std::int64_t batch, bool shuffle, std::int64_t seed, std::int64_t stream,
                 const Table* table)
    : table_(table), rows_(rows), batch_(std::min(batch, rows)), shuffle_(shuffle && batch_ < rows),
      order_(static_cast<std::size_t>(rows)) {
    std::iota(order_.begin(), order_.end(), std::int64_t{0});
    order_call_.run = table->run[static_cast<int>(Kernel::shuffled)][0];
    order_call_.array[0] = order_.data();
    order_call_.size[0] = rows;
    order_call_.size[1] = seed;
    order_call_.size[2] = stream;
}

void Program::use(const Tape* tape, std::int64_t* index, std::int64_t size) {
    Part& part = parts_[size == batch_ ? 0 : 1] = {tape, index, size, {}};
    for (const Call& call : tape->calls())
        for (const Kernel kernel : {Kernel::gather_bytes, Kernel::gather_rows})
            for (const Run run : table_->run[static_cast<int>(kernel)])
                if (call.run == run && call.array[1] == index) part.sources.push_back({call.at<const char>(0), call.size[1]});
}

// Ask for the rows of the step that begins at `begin` while the one before it is taken: a shuffled order has them
// anywhere in memory. The rows of a large batch would drive one another out of the second cache.
void Program::fetch(std::int64_t begin) const {
    asm volatile("");  // else the compiler takes a function that only fetches for one that does nothing
    constexpr std::int64_t line = 64, most = 1 << 17;  // bytes
    const std::int64_t size = std::min(batch_, rows_ - begin);
    if (!shuffle_ || size <= 0) return;
    for (const Source& from : part(size).sources)
        for (std::int64_t n = begin; n < begin + size && size * from.row <= most; ++n) {
            const char* row = from.data + order_[static_cast<std::size_t>(n)] * from.row;
            for (std::int64_t at = 0; at < from.row; at += line) __builtin_prefetch(row + at, 0, 2);
            __builtin_prefetch(row + from.row - 1, 0, 2);
        }
}

void Program::arrange(std::int64_t epoch) {
    if (!shuffle_ || arranged_ == epoch) return;
    order_call_.size[3] = epoch;
    order_call_.run(order_call_);
    arranged_ = epoch;
}

bool Program::play(Place& place, std::int64_t last, double seconds, double& counter, double& rate,
                   std::vector<Tally>& tallies) {
    using Clock = std::chrono::steady_clock;
    const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
    const std::int64_t steps = (rows_ + batch_ - 1) / batch_;
    do {
        arrange(place.epoch);
        const std::int64_t begin = place.step * batch_, size = std::min(batch_, rows_ - begin);
        const Part& now = part(size);
        if (place.epoch < 1 || place.step < 0 || begin >= rows_ || now.tape == nullptr || now.size != size || rates_.empty())
            throw std::logic_error("expected a step of an epoch, rates, and a tape for each size of batch");
        const auto number = static_cast<std::size_t>((place.epoch - 1) * steps + place.step);
        rate = rates_[number < rates_.size() ? number : rates_.size() - 1];
        fetch(begin + size);
        Tape::Figures watched;
        if (!now.tape->replay(order_.data() + begin, size, now.index, counter, watched)) return false;
        Tally& tally = tallies.back();
        for (std::size_t i = 0; i < watched.size(); ++i)
            tally.sums[i] += i == Tally::right ? watched[i] : watched[i] * static_cast<double>(size);
        tally.steps += 1;
        tally.samples += size;
        if (++place.step == steps) {
            place = {place.epoch + 1, 0};
            if (place.epoch <= last) tallies.emplace_back();
        }
    } while (place.epoch <= last && Clock::now() < end);
    return true;
}

}  // namespace chainrule
