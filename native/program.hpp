// The steps of a training, epoch after epoch: which rows come next, and the tape that takes them.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "tape.hpp"

namespace chainrule {

struct Place {
    std::int64_t epoch = 1, step = 0;  // the epoch, from 1, and how many of its steps are done
};

// Steps of one epoch: how many were taken, and the sums of what their tapes watched. What is a mean over the samples of its
// batch counts as often as there are samples; how many were decided right is a count.
struct Tally {
    static constexpr std::size_t right = 1;  // the place of the count
    Tape::Figures sums = {};
    std::int64_t steps = 0, samples = 0;
};

class Program {
public:
    // `rows` samples in batches of `batch`; the last of an epoch may be smaller. Each size has its tape and the buffer it
    // reads its row numbers from. Epochs take the rows in the order of `order_call`, or in their own where it is empty.
    Program(std::int64_t rows, std::int64_t batch, bool shuffle, std::int64_t seed, std::int64_t stream, const Table* table);

    // The learning rate of each step of the training; one alone is that of all.
    void rates(std::vector<double> all) { rates_ = std::move(all); }

    void use(const Tape* tape, std::int64_t* index, std::int64_t size);

    // Take steps from `place` on until `seconds` have passed, `last` epoch has ended or a cost is not finite; `place` and
    // `counter` move with the whole steps taken, `rate` is set before each, and what the tapes watch is summed up: in the last
    // of `tallies`, and in a new one for each epoch that begins. False: not finite.
    bool play(Place& place, std::int64_t last, double seconds, double& counter, double& rate, std::vector<Tally>& tallies);

private:
    struct Source { const char* data; std::int64_t row; };  // what rows are gathered from: where it is, bytes of a row
    struct Part {
        const Tape* tape = nullptr;
        std::int64_t* index = nullptr;
        std::int64_t size = 0;
        std::vector<Source> sources;
    };
    const Part& part(std::int64_t size) const { return size == parts_[0].size ? parts_[0] : parts_[1]; }
    void arrange(std::int64_t epoch);
    void fetch(std::int64_t begin) const;

    const Table* table_;
    std::int64_t rows_, batch_;
    bool shuffle_;
    Call order_call_;
    Part parts_[2];
    std::vector<std::int64_t> order_;
    std::vector<double> rates_;
    std::int64_t arranged_ = 0;  // the epoch `order_` is for
};

}  // namespace chainrule
