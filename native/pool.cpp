#include "pool.hpp"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <mutex>
#include <new>

#if defined(__x86_64__)
#include <immintrin.h>
static inline void relax() { _mm_pause(); }
#else
static inline void relax() { asm volatile("yield" ::: "memory"); }
#endif

namespace chainrule {
namespace {

constexpr int spins = 20000;  // some 50 µs of looking for work before a worker sleeps
constexpr int patience = 4000;  // some 10 µs of waiting for a worker's last chunk
constexpr int most_threads = 64;

// The ticket holds everything a thread needs to take a chunk: job number | end | begin of the chunks not yet taken.
// Taking one is a single compare-and-swap, which fails if the job has changed; and a job does not end before every
// chunk that was taken is finished. So what the job points to is there whenever a chunk of it runs.
//
// The calling thread takes the first, a worker the last: with two threads each comes to have about the same half of
// every array, step by step, and finds it in its own cache.
constexpr int bits = 20;
constexpr std::uint64_t mask = (std::uint64_t{1} << bits) - 1;
constexpr std::int64_t most_chunks = static_cast<std::int64_t>(mask);

struct Pool;
thread_local const Pool* employer = nullptr;  // of a worker

struct Pool {
    std::mutex one_job;
    std::atomic<std::uint64_t> ticket{0};
    std::atomic<std::int64_t> finished{0};
    std::atomic<bool> failed{false};
    std::atomic<bool> left{false};        // no other chunk of this job shall be begun
    std::atomic<int> sleeping{0};
    std::atomic<std::uint32_t> bell{0};   // changes when there may be work
    Chunk chunk = nullptr;
    const void* job = nullptr;
    int workers = 0;
    std::atomic<int> started{0};
    pid_t owner = getpid();

    bool take_one(bool first) {
        std::uint64_t now = ticket.load(std::memory_order_acquire);
        for (;;) {
            const std::uint64_t begin = now & mask, end = (now >> bits) & mask;
            if (begin >= end) return false;
            const std::uint64_t taken = first ? begin : end - 1, rest = first ? now + 1 : now - (std::uint64_t{1} << bits);
            if (ticket.compare_exchange_weak(now, rest, std::memory_order_acq_rel)) {
                try {
                    if (!left.load(std::memory_order_relaxed)) {
                        heed_interruption();
                        chunk(job, static_cast<std::int64_t>(taken));
                    }
                } catch (const Interrupted&) {
                    left.store(true, std::memory_order_relaxed);
                } catch (...) {
                    failed.store(true, std::memory_order_relaxed);
                }
                finished.fetch_add(1, std::memory_order_release);
                return true;
            }
        }
    }

    void work(int worker) {  // the first is number 0
        employer = this;
        for (;;) {
            const std::uint32_t heard = bell.load(std::memory_order_acquire);
            const bool on_duty = worker < threads() - 1;
            while (on_duty && take_one(false)) {}
            for (int i = 0; on_duty && i < spins && bell.load(std::memory_order_acquire) == heard; ++i) relax();
            if (bell.load(std::memory_order_acquire) != heard) continue;
            sleeping.fetch_add(1);
            bell.wait(heard);
            sleeping.fetch_sub(1);
        }
    }

    void start(int wanted) {
        for (; workers < wanted; ++workers) {
            pthread_t thread;
            auto body = [](void* pool) -> void* {
                auto* mine = static_cast<Pool*>(pool);
                mine->work(mine->started.fetch_add(1));
                return nullptr;
            };
            if (pthread_create(&thread, nullptr, body, this) != 0) return;
            pthread_detach(thread);
        }
    }
};

int available() {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
    const int count = CPU_COUNT(&set);
    return count < most_threads ? count : most_threads;
}

std::atomic<int> wanted{0};
std::atomic<Pool*> current{nullptr};

// The pool of this process. A forked child has none of its parent's threads: it leaves the parent's pool alone and
// makes its own. Pools are never destroyed: threads that are joined while the interpreter goes down can deadlock.
Pool& pool() {
    Pool* found = current.load(std::memory_order_acquire);
    if (found == nullptr || found->owner != getpid()) {
        Pool* made = new Pool;
        if (current.compare_exchange_strong(found, made)) return *made;
        delete made;
        return *found;
    }
    return *found;
}

}  // namespace

thread_local bool (*interrupted)() = nullptr;

void heed_interruption() {
    if (employer ? employer->left.load(std::memory_order_relaxed) : interrupted && interrupted()) throw Interrupted();
}

void* thread_scratch(int which, std::size_t bytes) {
    struct Room {
        void* at = nullptr;
        std::size_t size = 0;
        ~Room() { std::free(at); }
    };
    thread_local Room rooms[8];
    Room& room = rooms[which];
    if (room.size < bytes) {
        std::free(room.at);
        room.size = (bytes + bytes / 4 + 63) / 64 * 64;
        room.at = std::aligned_alloc(64, room.size);
        if (room.at == nullptr) {
            room.size = 0;
            throw std::bad_alloc();
        }
    }
    return room.at;
}

int threads() {
    int none = 0;
    if (wanted.load() == 0) wanted.compare_exchange_strong(none, available());
    return wanted.load();
}

void set_threads(int count) { wanted.store(count < 1 ? 1 : count > most_threads ? most_threads : count); }

void run_chunks(std::int64_t count, Chunk chunk, const void* job) {
    const int extra = threads() - 1;
    Pool* shared = extra > 0 && count <= most_chunks ? &pool() : nullptr;
    if (shared == nullptr || !shared->one_job.try_lock()) {  // another Python thread has the pool: do it alone
        for (std::int64_t i = 0; i < count; ++i) {
            heed_interruption();
            chunk(job, i);
        }
        return;
    }
    Pool& p = *shared;
    p.start(extra);
    p.chunk = chunk;
    p.job = job;
    p.finished.store(0, std::memory_order_relaxed);
    const std::uint64_t number = (p.ticket.load(std::memory_order_relaxed) >> (2 * bits)) + 1;
    p.ticket.store(number << (2 * bits) | static_cast<std::uint64_t>(count) << bits, std::memory_order_release);
    p.bell.fetch_add(1, std::memory_order_release);
    if (p.sleeping.load() > 0) p.bell.notify_all();
    while (p.take_one(true)) {}
    for (int i = 0; p.finished.load(std::memory_order_acquire) < count; ++i) {
        if (i < patience) relax();
        else sched_yield();  // the system has taken a worker's core away: let it have this one
    }
    const bool failed = p.failed.exchange(false, std::memory_order_relaxed);
    const bool left = p.left.exchange(false, std::memory_order_relaxed);
    p.one_job.unlock();
    if (failed) throw std::bad_alloc();
    if (left) throw Interrupted();
}

}  // namespace chainrule
