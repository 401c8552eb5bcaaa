// A program for the thread sanitizer (`make sanitize`): several threads give the pool work at once, while others change
// the number of threads and chunks fail. It says what is wrong, and ends with 1 where something is.
#include "pool.hpp"

#include <atomic>
#include <cstdio>
#include <new>
#include <thread>
#include <vector>

using namespace chainrule;

namespace {

std::atomic<int> wrong{0};

void expect(bool holds, const char* what) {
    if (!holds && wrong.fetch_add(1) < 10) std::fprintf(stderr, "%s\n", what);
}

// Every chunk runs once, and what it writes is seen when the job is done.
void each_chunk_once(std::int64_t count) {
    std::vector<int> runs(static_cast<std::size_t>(count), 0);  // plain numbers: a race on them is the sanitizer's to find
    parallel(count, [&](std::int64_t i) { ++runs[static_cast<std::size_t>(i)]; });
    for (const int n : runs) expect(n == 1, "a chunk did not run exactly once");
}

// What was written before the job is seen by all chunks, one job after the other, in the same place.
void each_job_sees_the_one_before(int jobs) {
    constexpr std::int64_t size = 64;
    std::vector<std::int64_t> numbers(size, 0);
    for (int job = 0; job < jobs; ++job)
        parallel(size / 4, [&](std::int64_t chunk) {
            for (std::int64_t i = 4 * chunk; i < 4 * chunk + 4; ++i) {
                const auto place = static_cast<std::size_t>(i);
                expect(numbers[place] == job, "a chunk did not see the job before");
                ++numbers[place];
            }
        });
}

void ranges_cover_everything_once(std::int64_t items, double cost) {
    std::vector<int> seen(static_cast<std::size_t>(items), 0);
    parallel_ranges(items, cost, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) ++seen[static_cast<std::size_t>(i)];
    });
    for (const int n : seen) expect(n == 1, "an item was not in exactly one range");
}

void room_is_a_thread_s_own(std::int64_t count) {
    parallel(count, [](std::int64_t i) {
        auto* room = static_cast<std::int64_t*>(thread_scratch(static_cast<int>(i % 8), 8 * static_cast<std::size_t>(i + 1)));
        expect(reinterpret_cast<std::uintptr_t>(room) % 64 == 0, "room is not aligned");
        for (std::int64_t j = 0; j <= i; ++j) room[j] = i;
        for (std::int64_t j = 0; j <= i; ++j) expect(room[j] == i, "another thread wrote into this one's room");
    });
}

void what_fails_is_reported_and_the_rest_is_done(std::int64_t count) {
    std::vector<int> runs(static_cast<std::size_t>(count), 0);
    bool caught = false;
    try {
        parallel(count, [&](std::int64_t i) {
            if (i == count / 2) throw std::bad_alloc();
            ++runs[static_cast<std::size_t>(i)];
        });
    } catch (const std::bad_alloc&) {
        caught = true;
    }
    expect(caught, "a chunk failed and nobody said so");
}

void what_is_interrupted_is_left(std::int64_t count) {
    std::vector<int> runs(static_cast<std::size_t>(count), 0);
    bool caught = false;
    interrupted = [] { return true; };
    try {
        parallel(count, [&](std::int64_t i) { ++runs[static_cast<std::size_t>(i)]; });
    } catch (const Interrupted&) {
        caught = true;
    }
    interrupted = nullptr;
    for (const int n : runs) expect(n == 1 || (caught && n == 0), "an interrupted chunk ran twice, or was left unsaid");
}

void work(int rounds) {
    for (int round = 0; round < rounds; ++round) {
        each_chunk_once(1 + round % 70);
        each_job_sees_the_one_before(20);
        ranges_cover_everything_once(round * 37 % 1000, 0.0);
        ranges_cover_everything_once(round * 37 % 1000, 1000.0);
        room_is_a_thread_s_own(1 + round % 40);
        what_fails_is_reported_and_the_rest_is_done(2 + round % 30);
        what_is_interrupted_is_left(2 + round % 30);
    }
}

}  // namespace

int main() {
    for (const int count : {1, 2, 3, 4, 7}) {
        set_threads(count);
        work(100);
    }
    std::atomic<bool> done{false};
    std::thread changing([&] {
        for (int i = 0; !done.load(); ++i) {
            set_threads(1 + i % 7);
            expect(threads() >= 1 && threads() <= 7, "an odd number of threads");
            std::this_thread::yield();
        }
    });
    std::vector<std::thread> working;
    for (int i = 0; i < 4; ++i) working.emplace_back(work, 200);
    for (std::thread& thread : working) thread.join();
    done.store(true);
    changing.join();
    if (wrong.load() == 0) std::puts("the pool holds");
    return wrong.load() ? 1 : 0;
}
