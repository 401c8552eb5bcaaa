// What this machine can do at most: fused multiply-adds in registers, and a triad a = b + s c in memory.
//
//     g++ -std=gnu++20 -O3 -march=native -pthread benchmarks/peak.cpp -o peak && ./peak THREADS [BYTES …]
//
// prints one JSON object: GFLOP/s with vectors of 64 and of 32 bytes (AVX-512 and AVX2), counting a multiply-add as two,
// and for each size in bytes, that of the three arrays together, the GB/s of the triad: two reads and one write counted.
// Each figure is the best of ten repetitions of about 30 ms.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

using Clock = std::chrono::steady_clock;

// Seconds that f(0) … f(threads − 1), one on each thread, take together; all of them start at once.
template <class F> double together(int threads, const F& f) {
    std::atomic<int> waiting{threads};
    std::vector<std::thread> others;
    const auto start_and_run = [&](int i) {
        for (--waiting; waiting > 0;) {}
        f(i);
    };
    for (int i = 1; i < threads; ++i) others.emplace_back(start_and_run, i);
    while (waiting > 1) {}
    const auto begin = Clock::now();
    start_and_run(0);
    for (std::thread& thread : others) thread.join();
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

// The most work per second, over ten repetitions; `work(n)` seconds for n rounds.
template <class F> double best_rate(double work_per_round, const F& seconds_for) {
    long rounds = 1;
    while (seconds_for(rounds) < 0.03) rounds *= 2;
    double best = 0;
    for (int i = 0; i < 10; ++i) best = std::max(best, work_per_round * static_cast<double>(rounds) / seconds_for(rounds));
    return best;
}

volatile float keep;  // what is written here cannot be left out by the compiler

constexpr int chains = 12;  // two units of latency 4 to 5 are kept busy, and 16 registers suffice

typedef float V64 __attribute__((vector_size(64)));
typedef float V32 __attribute__((vector_size(32)));

template <class V> void multiply_add(long rounds, float factor, float term) {
    const V a = V{} + factor, b = V{} + term;
    V sum[chains];
    for (int i = 0; i < chains; ++i) sum[i] = a + static_cast<float>(i);
    for (long round = 0; round < rounds; ++round)
        for (int i = 0; i < chains; ++i) sum[i] = sum[i] * a + b;
    for (int i = 0; i < chains; ++i) keep = sum[i][0];
}

template <class V> double flops(int threads) {
    constexpr int lanes = sizeof(V) / sizeof(float);
    static volatile float factor = 0.999f, term = 0.001f;
    return best_rate(2.0 * chains * lanes * threads, [&](long rounds) {
        return together(threads, [&](int) { multiply_add<V>(rounds, factor, term); });
    });
}

__attribute__((noinline)) void triad(float* __restrict a, const float* __restrict b, const float* __restrict c, long count) {
    for (long i = 0; i < count; ++i) a[i] = b[i] + 3.0f * c[i];
}

double bandwidth(int threads, long bytes) {
    const long count = bytes / (3 * static_cast<long>(sizeof(float))), slice = count / threads;
    std::vector<float> a(count, 1.0f), b(count, 2.0f), c(count, 3.0f);
    return best_rate(3.0 * sizeof(float) * static_cast<double>(slice * threads), [&](long rounds) {
        return together(threads, [&](int i) {
            for (long round = 0; round < rounds; ++round)
                triad(a.data() + i * slice, b.data() + i * slice, c.data() + i * slice, slice);
            keep = a[i * slice];
        });
    });
}

int main(int count, char** arguments) {
    const int threads = count > 1 ? std::atoi(arguments[1]) : 1;
    std::printf("{\"threads\": %d, \"gflops\": {\"64\": %.1f, \"32\": %.1f}, \"triad\": {", threads, flops<V64>(threads) / 1e9,
                flops<V32>(threads) / 1e9);
    for (int i = 2; i < count; ++i)
        std::printf("%s\"%s\": %.1f", i > 2 ? ", " : "", arguments[i], bandwidth(threads, std::atol(arguments[i])) / 1e9);
    std::printf("}}\n");
}
