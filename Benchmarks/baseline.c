// A server with the daemon's structure (one epoll loop, a pipe and a pidfd per command, posix_spawn, JSON replies) that does
// the minimum: it has no rules, limits, log or spool, and keeps everything in memory.
//
//   baseline        runs the program DOKKU_DAEMON_DOKKU with each line's words, one command at a time
//   baseline bound  the same, with the daemon's promises to its children: a session of their own, default
//                   signals, an empty pipe as standard input, and the lock at DOKKU_LOCK_PATH
//   baseline echo   answers each line with itself
//
// Each of them listens on DOKKU_SOCK_PATH.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EVENTS = 64, READ_SIZE = 64 * 1024, WORDS = 64, KEPT = 64 * 1024 };

struct buffer {
    char *bytes;
    size_t used, size;
};

struct client {
    int fd; // -1 once it has gone while its line waited
    int queued;
    uint32_t events;
    struct buffer in, out;
    size_t sent;
    struct client *next;
};

static int epoll_fd, listen_fd, echo, bound, lock_fd;
static const char *program;
static struct client *head, **tail = &head; // clients with a complete line, one place each
static struct {
    struct client *client;
    pid_t pid;
    int pid_fd, pipe_fd; // -1 once each has ended
    struct buffer output;
} job = {.pid_fd = -1, .pipe_fd = -1};

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void reserve(struct buffer *buffer, size_t more) {
    if (buffer->size - buffer->used >= more) return;
    while (buffer->size - buffer->used < more) buffer->size = buffer->size ? buffer->size * 2 : 256;
    buffer->bytes = realloc(buffer->bytes, buffer->size);
    if (!buffer->bytes) fail("realloc");
}

static void append(struct buffer *buffer, const char *bytes, size_t count) {
    reserve(buffer, count);
    memcpy(buffer->bytes + buffer->used, bytes, count);
    buffer->used += count;
}

static void release(struct buffer *buffer) {
    free(buffer->bytes);
    *buffer = (struct buffer){0};
}

// A large buffer is returned to the system; a small one is kept for the next command.
static void clear(struct buffer *buffer) {
    buffer->used = 0;
    if (buffer->size > KEPT) release(buffer);
}

static void consume(struct buffer *buffer, size_t count) {
    buffer->used -= count;
    memmove(buffer->bytes, buffer->bytes + count, buffer->used);
}

static void append_escaped(struct buffer *to, const char *bytes, size_t count) {
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0; i < count; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        reserve(to, 6);
        char *at = to->bytes + to->used;
        if (byte == '"' || byte == '\\') {
            at[0] = '\\', at[1] = (char)byte;
            to->used += 2;
        } else if (byte == '\n') {
            at[0] = '\\', at[1] = 'n';
            to->used += 2;
        } else if (byte < 0x20) {
            memcpy(at, "\\u00", 4);
            at[4] = hex[byte >> 4], at[5] = hex[byte & 15];
            to->used += 6;
        } else {
            at[0] = (char)byte;
            to->used += 1;
        }
    }
}

static void watch(int fd, void *token) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = token};
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) fail("epoll_ctl");
}

static void want(struct client *client, uint32_t events) {
    if (client->events == events) return;
    client->events = events;
    struct epoll_event event = {.events = events, .data.ptr = client};
    if (epoll_ctl(epoll_fd, EPOLL_CTL_MOD, client->fd, &event) < 0) fail("epoll_ctl");
}

static void flush(struct client *client) {
    while (client->sent < client->out.used) {
        ssize_t count = send(client->fd, client->out.bytes + client->sent, client->out.used - client->sent,
                             MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && errno == EAGAIN) {
            want(client, EPOLLIN | EPOLLOUT);
            return;
        }
        if (count < 0) break; // it has gone: the hang-up that follows ends it
        client->sent += (size_t)count;
    }
    client->sent = 0;
    clear(&client->out);
    want(client, EPOLLIN);
}

static void enqueue(struct client *client) {
    if (client->queued || !client->in.used || !memchr(client->in.bytes, '\n', client->in.used)) return;
    client->queued = 1;
    client->next = NULL;
    *tail = client;
    tail = &client->next;
}

static struct client *dequeue(void) {
    struct client *client = head;
    head = client->next;
    if (!head) tail = &head;
    client->queued = 0;
    return client;
}

static void destroy(struct client *client) {
    release(&client->in);
    release(&client->out);
    free(client);
}

static void leave(struct client *client) {
    close(client->fd);
    client->fd = -1;
    if (job.client == client) job.client = NULL;
    if (!client->queued) destroy(client);
}

static void bind_child(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes) {
    static int empty[2] = {-1, -1};
    if (empty[0] < 0 && (pipe2(empty, O_CLOEXEC) < 0 || close(empty[1]) < 0)) fail("pipe2");
    lock_fd = open(getenv("DOKKU_LOCK_PATH"), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0640);
    if (lock_fd < 0 || flock(lock_fd, LOCK_EX | LOCK_NB) < 0) fail("lock");
    posix_spawn_file_actions_adddup2(actions, empty[0], 0);
    posix_spawn_file_actions_adddup2(actions, lock_fd, 3);
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setsigdefault(attributes, &all);
    posix_spawnattr_setsigmask(attributes, &none);
}

static void spawn(char *line) {
    char *words[WORDS + 2] = {(char *)program};
    int count = 1;
    for (char *rest = line, *word; count <= WORDS && (word = strtok_r(rest, " \r", &rest));) words[count++] = word;

    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) fail("pipe2");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    if (bound) bind_child(&actions, &attributes);
    errno = posix_spawn(&job.pid, program, &actions, bound ? &attributes : NULL, words, environ);
    if (errno) fail(program);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);

    job.pipe_fd = ends[0];
    job.pid_fd = (int)syscall(SYS_pidfd_open, job.pid, 0);
    if (job.pid_fd < 0) fail("pidfd_open");
    watch(job.pipe_fd, &job.pipe_fd);
    watch(job.pid_fd, &job.pid_fd);
}

static void start_next(void) {
    while (head && job.pipe_fd < 0 && job.pid_fd < 0) {
        struct client *client = dequeue();
        if (client->fd < 0) {
            destroy(client);
            continue;
        }
        char *end = memchr(client->in.bytes, '\n', client->in.used);
        *end = 0;
        job.client = client;
        spawn(client->in.bytes);
        consume(&client->in, (size_t)(end + 1 - client->in.bytes));
    }
}

static void finish(int status) {
    if (bound) {
        flock(lock_fd, LOCK_UN);
        close(lock_fd);
    }
    struct client *client = job.client;
    if (client) {
        while (job.output.used && job.output.bytes[job.output.used - 1] == '\n') job.output.used--;
        const char *opening = status ? "{\"ok\":false,\"output\":\"" : "{\"ok\":true,\"output\":\"";
        append(&client->out, opening, strlen(opening));
        append_escaped(&client->out, job.output.bytes, job.output.used);
        append(&client->out, "\"}\n", 3);
        flush(client);
        enqueue(client);
    }
    clear(&job.output);
    job.client = NULL;
}

static void end_part(int *fd) {
    static int status;
    close(*fd);
    *fd = -1;
    if (fd == &job.pid_fd && waitpid(job.pid, &status, 0) < 0) fail("waitpid");
    if (job.pid_fd < 0 && job.pipe_fd < 0) finish(status);
}

// One read per wake-up. That read cannot block, so the pipe may be blocking, which saves a system call per command.
static void read_output(void) {
    reserve(&job.output, READ_SIZE);
    ssize_t count = read(job.pipe_fd, job.output.bytes + job.output.used, READ_SIZE);
    if (count < 0 && errno != EINTR) fail("read");
    if (count > 0) job.output.used += (size_t)count;
    if (count == 0) end_part(&job.pipe_fd);
}

static void accept_client(void) {
    int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED) return;
        fail("accept4");
    }
    struct client *client = calloc(1, sizeof *client);
    if (!client) fail("calloc");
    client->fd = fd;
    client->events = EPOLLIN;
    watch(fd, client);
}

// Line by line, as any server must, but with all answers in one write.
static void answer_lines(struct client *client) {
    char *start = client->in.bytes, *end;
    size_t left = client->in.used;
    while ((end = memchr(start, '\n', left))) {
        size_t length = (size_t)(end + 1 - start);
        append(&client->out, start, length);
        start += length, left -= length;
    }
    consume(&client->in, (size_t)(start - client->in.bytes));
    flush(client);
}

static void read_client(struct client *client) {
    static char bytes[READ_SIZE];
    ssize_t count = read(client->fd, bytes, sizeof bytes);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (count <= 0) return leave(client);
    append(&client->in, bytes, (size_t)count);
    if (echo) answer_lines(client);
    else enqueue(client);
}

int main(int count, char **arguments) {
    const char *path = getenv("DOKKU_SOCK_PATH");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    echo = count == 2 && !strcmp(arguments[1], "echo");
    bound = count == 2 && !strcmp(arguments[1], "bound");
    program = getenv("DOKKU_DAEMON_DOKKU");
    if (count > 2 || (count == 2 && !echo && !bound) || (!echo && !program)
        || !path || strlen(path) >= sizeof address.sun_path) {
        fprintf(stderr, "Usage: DOKKU_SOCK_PATH=… DOKKU_DAEMON_DOKKU=… baseline [bound|echo]\n");
        return 64;
    }
    strcpy(address.sun_path, path);
    unlink(path);
    listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listen_fd < 0 || bind(listen_fd, (struct sockaddr *)&address, sizeof address) < 0
        || listen(listen_fd, SOMAXCONN) < 0)
        fail(path);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_fd < 0) fail("epoll_create1");
    watch(listen_fd, &listen_fd);

    for (;;) {
        struct epoll_event events[EVENTS];
        int ready = epoll_wait(epoll_fd, events, EVENTS, -1);
        if (ready < 0 && errno != EINTR) fail("epoll_wait");
        for (int i = 0; i < ready; i++) {
            void *token = events[i].data.ptr;
            if (token == &listen_fd) accept_client();
            else if (token == &job.pipe_fd) read_output();
            else if (token == &job.pid_fd) end_part(&job.pid_fd);
            else {
                if (events[i].events & EPOLLOUT) flush(token);
                if (events[i].events & ~(uint32_t)EPOLLOUT) read_client(token);
            }
        }
        start_next();
    }
}
