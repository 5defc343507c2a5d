// The stand-in for dokku: a command that leaves a mark of its own on a disk that is always there, and only then says so.
//   mark test:args MARK MILLISECONDS BYTES     MARKS: the file for the marks
// It prints a line of BYTES bytes that only this command can print, in two halves with a pause between them.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void pause_for(long milliseconds) {
    struct timespec rest = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    nanosleep(&rest, NULL);
}

static int put(const char *bytes, size_t count) {
    while (count > 0) {
        ssize_t written = write(STDOUT_FILENO, bytes, count);
        if (written < 0) return -1;
        bytes += written;
        count -= (size_t)written;
    }
    return 0;
}

int main(int count, char **words) {
    const char *listing = getenv("LISTING"), *marks = getenv("MARKS");
    if (count < 5 || strcmp(words[1], "test:args") != 0 || listing == NULL || marks == NULL) {
        if (listing != NULL) execv(listing, words);
        return 127;
    }
    char line[256];
    int length = snprintf(line, sizeof line, "%s\n", words[2]);
    int file = open(marks, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0 || write(file, line, (size_t)length) != length || fsync(file) != 0) return 126;
    size_t size = strtoul(words[4], NULL, 10), word = strlen(words[2]);
    char *text = malloc(size + 1);
    if (text == NULL) return 125;
    for (size_t index = 0; index < size; index++) text[index] = words[2][index % word];
    if (put(text, size / 2) < 0) return 124;
    pause_for(strtol(words[3], NULL, 10));
    if (put(text + size / 2, size - size / 2) < 0) return 124;
    return (int)(size % 3);
}
