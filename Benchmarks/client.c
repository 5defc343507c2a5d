// The clients of the benchmark. Each prints its measurements in microseconds, one sample per line, and leaves the
// statistics to its caller. None runs longer than LIFETIME seconds.
//
//   client sequential SOCKET LINE COUNT    a sample per request, one request after another
//   client pipelined SOCKET LINE COUNT     a sample per batch of BATCH lines that are sent in one write
//   client bulk SOCKET LINE BYTES          one request; its reply must have this number of bytes
//   client probe SOCKET LINE PAUSE         a sample per request, PAUSE µs apart, until stdin ends
//   client idle SOCKET LINE COUNT          connections that send one request each and stay open until stdin ends
//   client first SOCKET LINE PROGRAM…      starts the program, and measures the time until its first reply
//
// With an empty LINE, `idle` sends nothing.

#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LIFETIME = 600, BATCH = 100, BIG = 1 << 20, RETRY_NS = 50 * 1000 };

static char bytes[BIG];
static const char *path;
static char *line;
static size_t line_length;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void refuse(const char *what) {
    fprintf(stderr, "client: %s\n", what);
    exit(1);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static void print(double microseconds) { printf("%.3f\n", microseconds); }

static int try_connect(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) refuse("the socket's path is too long");
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) fail("socket");
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd;
    close(fd);
    return -1;
}

static int connected(void) {
    int fd = try_connect();
    if (fd < 0) fail(path);
    return fd;
}

static void send_all(int fd, const char *from, size_t count) {
    while (count > 0) {
        ssize_t sent = send(fd, from, count, MSG_NOSIGNAL);
        if (sent < 0) fail("send");
        from += sent, count -= (size_t)sent;
    }
}

static size_t receive(int fd, char *to, size_t size) {
    ssize_t count = recv(fd, to, size, 0);
    if (count < 0) fail("recv");
    if (count == 0) refuse("the server closed the connection");
    return (size_t)count;
}

// Reads this number of lines, after which nothing may follow. Returns the number of bytes.
static size_t receive_lines(int fd, long lines) {
    size_t total = 0;
    while (lines > 0) {
        size_t count = receive(fd, bytes, sizeof bytes);
        const char *at = bytes, *end = bytes + count;
        while ((at = memchr(at, '\n', (size_t)(end - at))) && lines-- > 0 && ++at < end) {}
        if (at && at < end) refuse("more came than was asked for");
        total += count;
    }
    return total;
}

static double exchange(int fd) {
    double start = now();
    send_all(fd, line, line_length);
    receive_lines(fd, 1);
    return now() - start;
}

static void sequential(long count) {
    int fd = connected();
    while (count-- > 0) print(exchange(fd));
}

static void pipelined(long count) {
    int fd = connected();
    char *batch = malloc(BATCH * line_length);
    if (!batch) fail("malloc");
    for (int i = 0; i < BATCH; i++) memcpy(batch + (size_t)i * line_length, line, line_length);
    while (count-- > 0) {
        double start = now();
        send_all(fd, batch, BATCH * line_length);
        receive_lines(fd, BATCH);
        print(now() - start);
    }
}

static void bulk(long expected) {
    static const char opening[] = "{\"ok\":true,\"output\":\"", ending[] = "\"}\n";
    size_t length = (size_t)expected;
    char first[sizeof opening] = "", last[sizeof ending] = "";
    int fd = connected();
    double start = now();
    send_all(fd, line, line_length);
    size_t total = 0;
    for (int ended = 0; !ended;) {
        size_t count = receive(fd, bytes, sizeof bytes);
        for (size_t i = 0; i < count && total + i < sizeof opening - 1; i++) first[total + i] = bytes[i];
        for (size_t i = count < 3 ? 0 : count - 3; i < count; i++) memmove(last, last + 1, 2), last[2] = bytes[i];
        ended = bytes[count - 1] == '\n';
        total += count;
    }
    double took = now() - start;
    if (strcmp(first, opening) || strcmp(last, ending)) refuse("the reply is not of the form expected");
    if (total != length) {
        fprintf(stderr, "client: %zu bytes instead of %zu\n", total, length);
        exit(1);
    }
    print(took);
}

static int stdin_ended(int milliseconds) {
    struct pollfd input = {.fd = 0, .events = POLLIN};
    if (poll(&input, 1, milliseconds) < 0) fail("poll");
    return input.revents != 0;
}

static void probe(long pause) {
    int fd = connected();
    print(exchange(fd));
    fflush(stdout); // tells that it has begun
    while (!stdin_ended(0)) {
        nanosleep(&(struct timespec){.tv_nsec = pause * 1000}, NULL);
        print(exchange(fd));
    }
}

static void idle(long count) {
    double start = now();
    for (long i = 0; i < count; i++) {
        int fd = connected();
        if (line_length > 1) exchange(fd);
    }
    print(now() - start);
    fflush(stdout);
    stdin_ended(-1);
}

static void first(char **program) {
    unlink(path);
    double start = now();
    pid_t pid = fork();
    if (pid < 0) fail("fork");
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execv(program[0], program);
        perror(program[0]);
        _exit(127);
    }
    int fd;
    while ((fd = try_connect()) < 0) {
        if (waitpid(pid, NULL, WNOHANG) != 0) refuse("the program ended");
        nanosleep(&(struct timespec){.tv_nsec = RETRY_NS}, NULL);
    }
    exchange(fd);
    print(now() - start);
    close(fd);
    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);
}

int main(int count, char **arguments) {
    if (count < 5) refuse("too few arguments: see the head of client.c");
    const char *mode = arguments[1];
    long number = strtol(arguments[4], NULL, 10);
    path = arguments[2];
    if (asprintf(&line, "%s\n", arguments[3]) < 0) fail("asprintf");
    line_length = strlen(line);
    alarm(LIFETIME);
    if (!strcmp(mode, "sequential")) sequential(number);
    else if (!strcmp(mode, "pipelined")) pipelined(number);
    else if (!strcmp(mode, "bulk")) bulk(number);
    else if (!strcmp(mode, "probe")) probe(number);
    else if (!strcmp(mode, "idle")) idle(number);
    else if (!strcmp(mode, "first")) first(arguments + 4);
    else refuse("no such mode: see the head of client.c");
    return 0;
}
