// A small thread pool: one job at a time, cut into chunks by the size of the problem and never by the number of threads.
#pragma once

#include <cstddef>
#include <cstdint>

namespace chainrule {

using Chunk = void (*)(const void* job, std::int64_t chunk);

// Run chunk(job, 0) … chunk(job, count − 1), in any order, on the pool and the calling thread. Returns when all are done.
// Throws std::bad_alloc, after the others are done, where a chunk threw: all that kernels can run out of is memory.
void run_chunks(std::int64_t count, Chunk chunk, const void* job);

// How Ctrl-C ends a kernel: before each chunk, the thread that called run_chunks asks its `interrupted`, where it has one;
// if that says so, no other chunk is begun, and run_chunks throws Interrupted. What the kernel was to write is half done.
struct Interrupted {};
extern thread_local bool (*interrupted)();

// Asks between chunks too: for chunks that take long.
void heed_interruption();

// Room of the calling thread's own, aligned to 64 bytes, one for each of `which` from 0 to 7; what was in it may be gone.
void* thread_scratch(int which, std::size_t bytes);

int threads();
void set_threads(int count);  // at least 1; the calling thread is one of them

// parallel(count, f): f(0) … f(count − 1).
template <class F> void parallel(std::int64_t count, const F& f) {
    if (count == 1) {
        f(0);
    } else if (count > 1) {
        run_chunks(count, [](const void* job, std::int64_t i) { (*static_cast<const F*>(job))(i); }, &f);
    }
}

// Cut `items` of roughly `cost` nanoseconds each into ranges worth a thread's while: f(begin, end).
template <class F> void parallel_ranges(std::int64_t items, double cost, const F& f) {
    constexpr double worthwhile = 3000;  // nanoseconds per chunk; waking a thread costs some microseconds
    const std::int64_t grain = static_cast<std::int64_t>(worthwhile / (cost + 1e-3)) + 1;  // items may be empty rows
    const std::int64_t count = (items + grain - 1) / grain;
    if (count < 3) {                     // two small chunks are quicker on one thread
        f(std::int64_t{0}, items);
        return;
    }
    parallel(count, [&](std::int64_t i) {
        const F own = f;  // what it has captured may stay in registers: nothing else can point to it
        const std::int64_t begin = i * grain, end = begin + grain;
        own(begin, end < items ? end : items);
    });
}

}  // namespace chainrule
