/* The load generator's instruments: the clock, the CPU time of a process, a histogram of latencies.
 *
 * Knows nothing of sockets or of what is measured.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

static inline int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* CPU nanoseconds of this process. */
static inline int64_t own_cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* CPU nanoseconds of all living threads of `pid`, by /proc/PID/task/N/schedstat; -1 when there is no such process.
 *
 * /proc/PID/stat counts in ticks of 10 ms and /proc/PID/schedstat has the main thread only; a durable log commits on others. */
static inline int64_t process_cpu_ns(int pid)
{
    char path[300];
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *tasks = opendir(path);
    if (!tasks)
        return -1;
    int64_t sum = 0;
    for (struct dirent *task; (task = readdir(tasks));) {
        if (task->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", pid, task->d_name);
        FILE *file = fopen(path, "r");
        if (!file)
            continue; /* the thread has ended since readdir */
        long long ns;
        if (fscanf(file, "%lld", &ns) == 1)
            sum += ns;
        fclose(file);
    }
    closedir(tasks);
    return sum;
}

/* Log-linear buckets of microseconds: 64 to each power of two, so a quantile is right to 1.6 %; the last one is ~ 1 h. */
enum { SUB_BITS = 6, SUBS = 1 << SUB_BITS, BUCKETS = 27 * SUBS };

struct histogram {
    uint64_t counts[BUCKETS];
    uint64_t total;
    int64_t highest_ns;
};

static inline int bucket_of(uint64_t us)
{
    if (us < SUBS)
        return (int)us;
    int shift = 63 - __builtin_clzll(us) - SUB_BITS;
    int bucket = (shift + 1) * SUBS + (int)((us >> shift) - SUBS);
    return bucket < BUCKETS ? bucket : BUCKETS - 1;
}

static inline void histogram_add(struct histogram *h, int64_t ns)
{
    if (ns < 0)
        ns = 0;
    if (ns > h->highest_ns)
        h->highest_ns = ns;
    h->counts[bucket_of((uint64_t)ns / 1000)]++;
    h->total++;
}

/* The upper edge, in milliseconds, of the bucket that holds quantile `q`; 0 when nothing was added. */
static inline double histogram_ms(const struct histogram *h, double q)
{
    uint64_t rank = (uint64_t)(q * (double)h->total), seen = 0;
    for (int b = 0; b < BUCKETS; b++) {
        seen += h->counts[b];
        if (seen > rank) {
            int shift = b < SUBS ? 0 : b / SUBS - 1;
            uint64_t low = b < SUBS ? (uint64_t)b : (uint64_t)(SUBS + b % SUBS) << shift;
            return (double)(low + (1ull << shift)) / 1000.0;
        }
    }
    return (double)h->highest_ns / 1e6;
}

#endif
