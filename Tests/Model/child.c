// Plays dokku. It connects to the socket in $MODEL_CHILDREN, sends its words, and then carries out one order per message.
// It answers each order except the one to end. It also ends when the socket is closed.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char message[256 * 1024];
static int control = -1;

static void tell(const void *bytes, size_t count) {
    if (send(control, bytes, count, MSG_NOSIGNAL) < 0) _exit(97);
}

static void meet(const void *bytes, size_t count) {
    const char *path = getenv("MODEL_CHILDREN");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (control >= 0) close(control);
    control = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (path == NULL || control < 0) _exit(96);
    // A high number, away from the descriptors that the daemon hands over.
    int high = fcntl(control, F_DUPFD_CLOEXEC, 64);
    close(control);
    control = high;
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    if (connect(control, (struct sockaddr *)&address, sizeof address) < 0) _exit(95);
    tell(bytes, count);
}

static int write_all(int number, const char *bytes, size_t count) {
    while (count > 0) {
        ssize_t sent = write(number, bytes, count);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0) return errno;
        bytes += sent;
        count -= (size_t)sent;
    }
    return 0;
}

// Writes lines of 63 `x`, `count` bytes in all.
static int write_pattern(int number, size_t count) {
    static char lines[64 * 1024];
    if (lines[0] == 0) {
        memset(lines, 'x', sizeof lines);
        for (size_t index = 63; index < sizeof lines; index += 64) lines[index] = '\n';
    }
    while (count > 0) {
        size_t part = count < sizeof lines ? count : sizeof lines;
        int failure = write_all(number, lines, part);
        if (failure != 0) return failure;
        count -= part;
    }
    return 0;
}

// Reads standard input up to `limit` bytes or its end. Answers with the number of bytes, their CRC-32 (IEEE 802.3), and the
// kind of file.
static void read_input(size_t limit) {
    static char bytes[64 * 1024];
    uint32_t sum = 0xffffffff;
    size_t count = 0;
    int failure = 0;
    while (count < limit) {
        size_t part = limit - count < sizeof bytes ? limit - count : sizeof bytes;
        ssize_t got = read(0, bytes, part);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) failure = errno;
        if (got <= 0) break;
        count += (size_t)got;
        for (ssize_t index = 0; index < got; index++) {
            sum ^= (unsigned char)bytes[index];
            for (int bit = 0; bit < 8; bit++) sum = sum >> 1 ^ (sum & 1 ? 0xedb88320 : 0);
        }
    }
    struct stat status;
    const char *kind = fstat(0, &status) == 0 && S_ISFIFO(status.st_mode) ? "pipe" : "file";
    char text[64];
    tell(text, (size_t)snprintf(text, sizeof text, "k%d %zu %u %s", failure, count, ~sum, kind));
}

static void answer(int failure) {
    char text[16];
    tell(text, (size_t)snprintf(text, sizeof text, "k%d", failure));
}

// Tries to write to its own standard input.
static int inject(const char *bytes, size_t count) {
    int number = open("/proc/self/fd/0", O_WRONLY | O_NONBLOCK);
    if (number < 0) return errno;
    int failure = write_all(number, bytes, count);
    close(number);
    return failure;
}

static void leave_another(void) {
    char text[32];
    pid_t parent = getpid();
    if (fork() != 0) return answer(0);
    // As a deploy's process does: no signal to the group reaches it.
    setsid();
    meet(text, (size_t)snprintf(text, sizeof text, "F%d", (int)parent));
}

static void obey(size_t count) {
    switch (message[0]) {
    case 'w': return answer(write_all(message[1] - '0', message + 2, count - 2));
    case 'p': return answer(write_pattern(message[1] - '0', strtoul(message + 2, NULL, 10)));
    case 'r': return read_input(strtoul(message + 1, NULL, 10));
    case 'c': return answer(close(message[1] - '0') < 0 ? errno : 0);
    case 'i': return answer(signal(SIGTERM, SIG_IGN) == SIG_ERR);
    case 'e': return answer(inject(message + 1, count - 1));
    case 'f': return leave_another();
    case 'P': return answer(0);
    case 'x': _exit(atoi(message + 1));
    case 's': signal(atoi(message + 1), SIG_DFL); raise(atoi(message + 1)); _exit(94);
    default: _exit(93);
    }
}

int main(int count, char **words) {
    size_t length = 0;
    // Where its outputs go, and whether it has an input: 'j' joined, 's' separate, 'r' to a file; 'i' or '-'.
    struct stat input, output, errors;
    memset(&input, 0, sizeof input);
    if (fstat(0, &input) < 0 || fstat(1, &output) < 0 || fstat(2, &errors) < 0) _exit(92);
    message[length++] = 'C';
    message[length++] = S_ISREG(output.st_mode) ? 'r' : output.st_ino == errors.st_ino ? 'j' : 's';
    message[length++] = S_ISFIFO(input.st_mode) || input.st_size > 0 ? 'i' : '-';
    for (int index = 1; index < count; index++) {
        size_t size = strlen(words[index]) + 1;
        if (length + size >= sizeof message / 2) break;
        memcpy(message + length, words[index], size);
        length += size;
    }
    signal(SIGPIPE, SIG_IGN);
    meet(message, length);
    for (;;) {
        ssize_t got = recv(control, message, sizeof message - 1, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) _exit(0);
        message[got] = 0;
        obey((size_t)got);
    }
}
