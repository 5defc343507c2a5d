// The dokku of parts (f) and (g). Its commands cost what the real one's cost, as STAND_IN_COSTS says: the microseconds of
// `apps:list`, of `ps:report` and of `ps:rebuild`, and how many in a thousand of the last are work. All else is work. It is
// static, so that its own start costs almost nothing.
//
// A command prints its words, some text, and when it started: CLOCK_MONOTONIC, in nanoseconds. So a client can tell whether
// the answer is its own, and whether it is younger than the question. Each run adds a byte to the file STAND_IN_RUNS.

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { STEPS = 100 };

static const char catalogue[] =
    "usage: dokku [--quiet|--trace|--force] COMMAND <app> [command-specific-options]\n\nCommands:\n\n"
    "    apps:list                           List your apps\n"
    "    ps:rebuild <app>                    Rebuild an app\n"
    "    ps:report <app>                     Display a process report\n";

static long long now(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

// Works until this process, from its birth on, has used so much of a core.
static void work_until(long long used) {
    while (now(CLOCK_PROCESS_CPUTIME_ID) < used)
        for (volatile int i = 0; i < 10000; i++) {}
}

// Mostly sleeps, and works a little in each of many equal steps.
static void deploy(long long start, long long length, long long permille) {
    for (long long step = 1; step <= STEPS; step++) {
        work_until(length * step / STEPS * permille / 1000);
        long long end = start + length * step / STEPS;
        struct timespec time = {.tv_sec = end / 1000000000, .tv_nsec = end % 1000000000};
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL)) {}
    }
}

static void count_run(void) {
    const char *path = getenv("STAND_IN_RUNS");
    int file = path ? open(path, O_WRONLY | O_APPEND | O_CLOEXEC) : -1;
    if (file < 0 || write(file, "+", 1) != 1) exit(EXIT_FAILURE);
    close(file);
}

int main(int count, char **words) {
    long long start = now(CLOCK_MONOTONIC);
    long long list, report, rebuild, permille;
    const char *costs = getenv("STAND_IN_COSTS");
    const char *command = count > 1 ? words[1] : "";

    if (!strcmp(command, "help")) return fputs(catalogue, stdout) < 0;
    if (!costs || sscanf(costs, "%lld %lld %lld %lld", &list, &report, &rebuild, &permille) != 4) return EXIT_FAILURE;
    count_run();
    if (!strcmp(command, "apps:list"))
        work_until(list * 1000);
    else if (!strcmp(command, "ps:report"))
        work_until(report * 1000);
    else if (!strcmp(command, "ps:rebuild"))
        deploy(start, rebuild * 1000, permille);
    else
        return EXIT_FAILURE;

    for (int i = 1; i < count; i++) printf("%s%c", words[i], i + 1 < count ? ' ' : '\n');
    for (int i = 1; i <= 12; i++) printf("       Process %2d:                    running (CID: 0123456789ab)\n", i);
    printf("%lld\n", start);
    return fflush(stdout) != 0;
}
