// Random bits from a counter (operations/philox.py), and what is drawn with them: dropout masks and orders of rows.
#pragma once

#include "elementwise.hpp"

namespace chainrule::CHAINRULE_ISA {

// Philox-4x32-10 at `lanes_of_blocks` counters side by side, so that the rounds vectorise. Word j of block i is word 4i + j.
constexpr int philox_width = 16;

inline void philox(std::uint64_t first_block, std::uint64_t seed, std::uint32_t stream, std::uint32_t step,
                   std::uint32_t (&words)[4][philox_width]) {
    std::uint32_t(&a)[philox_width] = words[0], (&b)[philox_width] = words[1];
    std::uint32_t(&c)[philox_width] = words[2], (&d)[philox_width] = words[3];
    for (int i = 0; i < philox_width; ++i) {
        const std::uint64_t block = first_block + static_cast<std::uint64_t>(i);
        a[i] = static_cast<std::uint32_t>(block);
        b[i] = static_cast<std::uint32_t>(block >> 32);
        c[i] = step;
        d[i] = stream;
    }
    auto key0 = static_cast<std::uint32_t>(seed), key1 = static_cast<std::uint32_t>(seed >> 32);
    for (int round = 0; round < 10; ++round, key0 += 0x9E3779B9u, key1 += 0xBB67AE85u)
        for (int i = 0; i < philox_width; ++i) {
            const std::uint64_t p = std::uint64_t{0xD2511F53u} * a[i], q = std::uint64_t{0xCD9E8D57u} * c[i];
            a[i] = static_cast<std::uint32_t>(q >> 32) ^ b[i] ^ key0;
            c[i] = static_cast<std::uint32_t>(p >> 32) ^ d[i] ^ key1;
            b[i] = static_cast<std::uint32_t>(q);
            d[i] = static_cast<std::uint32_t>(p);
        }
}

// use(i, bits of element i) for i from begin to end; begin is a multiple of 4 · philox_width.
template <class F>
inline void draw(std::int64_t begin, std::int64_t end, std::uint64_t seed, std::uint32_t stream, std::uint32_t step, F use) {
    std::uint32_t words[4][philox_width], bits[4 * philox_width];
    for (std::int64_t i = begin; i < end; i += 4 * philox_width) {
        philox(static_cast<std::uint64_t>(i) / 4, seed, stream, step, words);
        for (int block = 0; block < philox_width; ++block)
            for (int word = 0; word < 4; ++word) bits[4 * block + word] = words[word][block];
        use(i, std::min<std::int64_t>(4 * philox_width, end - i), bits);
    }
}

template <class F> void parallel_draws(std::int64_t count, F f) {
    constexpr std::int64_t group = 4 * philox_width;
    parallel_ranges((count + group - 1) / group, 60, [=](std::int64_t begin, std::int64_t end) {
        f(begin * group, std::min(end * group, count));
    });
}

template <class T> void random_bits(const Call& c) {  // arrays | bits, sizes count seed stream step
    auto* to = c.at<std::uint32_t>(0);
    const auto seed = static_cast<std::uint64_t>(c.size[1]);
    const auto stream = static_cast<std::uint32_t>(c.size[2]), step = static_cast<std::uint32_t>(c.size[3]);
    parallel_draws(c.size[0], [=](std::int64_t begin, std::int64_t end) {
        draw(begin, end, seed, stream, step, [=](std::int64_t i, std::int64_t count, const std::uint32_t* bits) {
            std::memcpy(to + i, bits, static_cast<std::size_t>(count) * sizeof *bits);
        });
    });
}

template <class T> void dropout_forward(const Call& c) {  // arrays x | y mask, sizes count seed stream, numbers rate step
    const T* x = c.at<const T>(0);
    T* y = c.at<T>(1);
    auto* mask = c.at<std::uint8_t>(2);
    const double rate = c.scalar(0);
    const auto seed = static_cast<std::uint64_t>(c.size[1]);
    const auto stream = static_cast<std::uint32_t>(c.size[2]);
    const auto step = static_cast<std::uint32_t>(static_cast<std::int64_t>(c.scalar(1)));
    const auto threshold = static_cast<std::uint32_t>(rate * 4294967296.0);
    const T scale = static_cast<T>(1 / (1 - rate));
    parallel_draws(c.size[0], [=](std::int64_t begin, std::int64_t end) {
        draw(begin, end, seed, stream, step, [=](std::int64_t i, std::int64_t count, const std::uint32_t* bits) {
            for (std::int64_t j = 0; j < count; ++j) mask[i + j] = bits[j] >= threshold;
            for (std::int64_t j = 0; j < count; ++j) y[i + j] = bits[j] >= threshold ? x[i + j] * scale : T(0);
        });
    });
}

template <class T> void dropout_backward(const Call& c) {  // arrays dy mask | dx, sizes count, number rate
    const T* dy = c.at<const T>(0);
    const auto* mask = c.at<const std::uint8_t>(1);
    T* dx = c.at<T>(2);
    const T scale = static_cast<T>(1 / (1 - c.scalar(0)));
    parallel_ranges(c.size[0], cheap, [=](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) dx[i] = mask[i] ? dy[i] * scale : T(0);
    });
}

// The order of rows for one epoch: a stable sort of random words by value.
template <class T> void shuffled(const Call& c) {  // arrays | order, sizes count seed stream epoch
    const auto count = static_cast<std::size_t>(c.size[0]);
    std::int64_t* order = c.at<std::int64_t>(0);
    thread_local std::vector<std::uint64_t> from, to;  // word | row number: rows are fewer than 2³²
    from.resize(count);
    to.resize(count);
    draw(0, c.size[0], static_cast<std::uint64_t>(c.size[1]), static_cast<std::uint32_t>(c.size[2]),
         static_cast<std::uint32_t>(c.size[3]), [&](std::int64_t i, std::int64_t n, const std::uint32_t* bits) {
             for (std::int64_t j = 0; j < n; ++j)
                 from[static_cast<std::size_t>(i + j)] = std::uint64_t{bits[j]} << 32 | static_cast<std::uint64_t>(i + j);
         });
    if (count < 256) {
        std::sort(from.begin(), from.end());  // the row number decides between equals, as a stable sort would
    } else {
        for (int shift = 32; shift < 64; shift += 8) {
            std::size_t place[257] = {};
            for (const std::uint64_t item : from) ++place[(item >> shift & 255) + 1];
            for (int digit = 0; digit < 256; ++digit) place[digit + 1] += place[digit];
            for (const std::uint64_t item : from) to[place[item >> shift & 255]++] = item;
            from.swap(to);
        }
    }
    for (std::size_t i = 0; i < count; ++i) order[i] = static_cast<std::int64_t>(from[i] & 0xFFFFFFFFu);
}

}  // namespace chainrule::CHAINRULE_ISA
