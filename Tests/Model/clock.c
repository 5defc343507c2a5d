// Preloaded into the daemon under test. The driver controls the daemon's clock and the turns of its loop. Time stands still
// until the driver moves it. The loop gets events from the kernel only after a message of the driver, and until it reports
// that there is nothing left to do.
//
// The descriptor in $MODEL_CONTROL is a SOCK_SEQPACKET. A message to the daemon is the time in nanoseconds; $MODEL_NOW is the
// time at its start. A message from the daemon is a `struct rest`. If the socket is closed, the daemon ends.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { MOST_CHILDREN = 64, MANY_TURNS = 20000 };

struct rest {
    int64_t deadline;  // When the loop wants to wake up by itself; INT64_MAX for never.
    int32_t turns;     // Since the last message.
    int32_t count;     // Of children started since the last message.
    int32_t children[MOST_CHILDREN];
};

static int control = -1;
static int is_running;
static int64_t now;
static struct rest rest;

static int (*real_epoll_wait)(int, struct epoll_event *, int, int);
static int (*real_clock_gettime)(clockid_t, struct timespec *);
static int (*real_posix_spawn)(pid_t *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *,
                               char *const[], char *const[]);

__attribute__((constructor)) static void prepare(void) {
    real_epoll_wait = dlsym(RTLD_NEXT, "epoll_wait");
    real_clock_gettime = dlsym(RTLD_NEXT, "clock_gettime");
    real_posix_spawn = dlsym(RTLD_NEXT, "posix_spawn");
    const char *number = getenv("MODEL_CONTROL");
    if (number == NULL) return;
    control = atoi(number);
    const char *start = getenv("MODEL_NOW");
    if (start != NULL) now = atoll(start);
    unsetenv("MODEL_CONTROL");
    unsetenv("LD_PRELOAD");
    // The parent could not know this process's number.
    char text[16];
    snprintf(text, sizeof text, "%d", (int)getpid());
    setenv("LISTEN_PID", text, 1);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    // A sanitizer calls this before `prepare`.
    if (real_clock_gettime == NULL) return (int)syscall(SYS_clock_gettime, clock, time);
    if (control < 0 || clock == CLOCK_REALTIME) return real_clock_gettime(clock, time);
    time->tv_sec = now / 1000000000;
    time->tv_nsec = now % 1000000000;
    return 0;
}

static void report(int64_t deadline) {
    rest.deadline = deadline;
    while (send(control, &rest, sizeof rest, MSG_NOSIGNAL) < 0) {
        if (errno != EINTR) _exit(98);
    }
    rest.turns = 0;
    rest.count = 0;
    is_running = 0;
}

static void await_message(void) {
    int64_t time;
    ssize_t count;
    do count = recv(control, &time, sizeof time, 0);
    while (count < 0 && errno == EINTR);
    if (count != sizeof time) _exit(99);
    if (time > now) now = time;
    is_running = 1;
}

// Helps to find out why the loop spins. The lower half of an event's data is the descriptor.
static void tell_events(const struct epoll_event *events, int count) {
    for (int index = 0; index < count; index++) {
        char path[64], target[128] = "";
        snprintf(path, sizeof path, "/proc/self/fd/%d", (int)(int32_t)events[index].data.u64);
        if (readlink(path, target, sizeof target - 1) < 0) strcpy(target, "nothing");
        dprintf(STDERR_FILENO, "turns for %s: %#x\n", target, (unsigned)events[index].events);
    }
}

int epoll_wait(int epoll, struct epoll_event *events, int capacity, int timeout) {
    if (control < 0) return real_epoll_wait(epoll, events, capacity, timeout);
    rest.turns++;
    const int64_t deadline = timeout < 0 ? INT64_MAX : now + timeout * 1000000ll;
    for (;;) {
        if (is_running) {
            int count = real_epoll_wait(epoll, events, capacity, 0);
            if (rest.turns == MANY_TURNS) tell_events(events, count);
            if (count != 0 || now >= deadline) return count;
            report(deadline);
        }
        await_message();
    }
}

int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                const posix_spawnattr_t *attributes, char *const arguments[], char *const environment[]) {
    int failure = real_posix_spawn(pid, path, actions, attributes, arguments, environment);
    if (failure == 0 && rest.count < MOST_CHILDREN) rest.children[rest.count++] = *pid;
    return failure;
}
