// The dokku of the benchmark. It is static and has no libc, so that running it costs almost nothing.
// It exits at once, except for `help` (prints a small catalogue), `logs MEGABYTES` (prints that much log text) and `db:import`
// (reads its input to the end).

#if defined(__x86_64__)
__asm__(".globl _start\n_start: mov %rsp, %rdi\n and $-16, %rsp\n call start\n");
enum { READ = 0, WRITE = 1, EXIT = 60 };
#elif defined(__aarch64__)
__asm__(".globl _start\n_start: mov x0, sp\n bl start\n");
enum { READ = 63, WRITE = 64, EXIT = 93 };
#else
#error "the system calls of this processor are missing here"
#endif

static long system_call(long number, long a, long b, long c) {
#if defined(__x86_64__)
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c)
                     : "rcx", "r11", "memory");
    return result;
#else
    register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
    return x0;
#endif
}

static const char catalogue[] =
    "usage: dokku [--quiet|--trace|--force] COMMAND <app> [command-specific-options]\n\nCommands:\n\n"
    "    apps:create <app>                   Create a new app\n"
    "    apps:list                           List your apps\n"
    "    db:import <db>                      Import a dump\n"
    "    logs <app>                          Display recent log output\n";

// Lines of 80 to 130 bytes, some with quotes, like those of routers and apps.
static const char text[] =
    "2026-11-22T12:00:00.123456789Z app[web.1]: Started GET \"/articles/17\" for 10.0.0.7 at 2026-11-22 12:00\n"
    "2026-11-22T12:00:00.131200415Z app[web.1]: Processing by ArticlesController#show as HTML, id 17\n"
    "2026-11-22T12:00:00.140017733Z app[web.1]: Article Load (0.4ms) SELECT articles.* FROM articles WHERE id = 17\n"
    "2026-11-22T12:00:00.155873120Z app[web.1]: Completed 200 OK in 31ms (Views: 22.1ms | ActiveRecord: 1.9ms)\n"
    "2026-11-22T12:00:01.002216654Z app[worker.1]: performing MailJob with [42] enqueued at 12:00:00\n"
    "2026-11-22T12:00:01.040975318Z app[web.2]: 10.0.0.9 - - \"POST /login HTTP/1.1\" 302 0 \"-\" \"curl/8.5.0\" 0.0140\n"
    "2026-11-22T12:00:01.046310002Z app[worker.1]: performed MailJob in 43.2ms, 0 retries left in the queue\n"
    "2026-11-22T12:00:02.400718206Z app[web.1]: worker 12 (pid 31) booted in 0.71s, phase 0, threads 5 to 5\n";

static int equal(const char *left, const char *right) {
    while (*left && *left == *right) left++, right++;
    return *left == *right;
}

static int write_all(const char *bytes, long count) {
    while (count > 0) {
        long written = system_call(WRITE, 1, (long)bytes, count);
        if (written <= 0) return 1;
        bytes += written, count -= written;
    }
    return 0;
}

static int write_log(long count) {
    char block[64 * (sizeof text - 1)];
    for (unsigned long i = 0; i < sizeof block; i++) {
        block[i] = text[i % (sizeof text - 1)];
        __asm__ volatile(""); // keeps the compiler from calling the memcpy that is not there
    }
    for (; count > 0; count -= (long)sizeof block)
        if (write_all(block, count < (long)sizeof block ? count : (long)sizeof block)) return 1;
    return 0;
}

static int read_all(void) {
    static char block[1 << 16];
    for (;;) {
        long count = system_call(READ, 0, (long)block, sizeof block);
        if (count <= 0) return count < 0;
    }
}

__attribute__((noreturn, used)) void start(const long *stack) {
    long count = stack[0];
    char *const *arguments = (char *const *)(stack + 1);
    int status = 0;
    if (count > 1 && equal(arguments[1], "help")) {
        status = write_all(catalogue, sizeof catalogue - 1);
    } else if (count > 2 && equal(arguments[1], "logs")) {
        long megabytes = 0;
        for (const char *digit = arguments[2]; *digit >= '0' && *digit <= '9'; digit++)
            megabytes = megabytes * 10 + (*digit - '0');
        status = write_log(megabytes * 1000000);
    } else if (count > 1 && equal(arguments[1], "db:import")) {
        status = read_all();
    }
    for (;;) system_call(EXIT, status, 0, 0);
}
