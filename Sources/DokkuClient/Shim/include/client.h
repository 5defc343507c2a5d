// What Swift cannot reach by itself, or what a program needs before Swift begins. Each function is a system call, or the few
// that always go together; none decides anything.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// The program's arguments. Swift reads them from /proc, which an empty image does not have.
int client_argument_count(void);
const char *client_argument(int index);

// A unix stream socket with SOCK_CLOEXEC, connected to the path. Returns -1 with ENAMETOOLONG if sun_path cannot hold it, and with
// EAGAIN if the backlog is full for so many milliseconds; 0 waits for ever.
int client_connect(const char *path, int milliseconds);
// signalfd(2) of these signals, with SFD_CLOEXEC and SFD_NONBLOCK. They are blocked in this process from then on.
int client_catch(const int signals[], size_t count);
// The number of the next signal of that descriptor; 0 if there is none.
int client_next_signal(int descriptor);
// 1 if the signal is ignored, as nohup(1) and a shell's background leave it.
int client_ignores(int signal);
// Ends the program as the signal would have, so that a shell sees it.
void client_die_of(int signal);

// Starts arguments[0], searched in PATH, with these three as its standard descriptors, no signal blocked, and the default action
// for SIGPIPE and SIGCHLD. `arguments` ends with NULL. Returns its process number.
pid_t client_spawn(char *const arguments[], const int descriptors[3]);
// Whether the child has ended: 0 if not; 1 with its exit status; 2 with the signal that ended it.
int client_wait(pid_t child, int *value);
// pipe2(2) with O_CLOEXEC. Only the reading end, ends[0], has O_NONBLOCK.
int client_pipe(int ends[2]);

// Sends the bytes and, with their first one, the descriptors (SCM_RIGHTS, unix(7)).
ssize_t client_send(int socket, const void *bytes, size_t size, const int descriptors[], size_t count);

// The columns of a terminal (TIOCGWINSZ); 0 if they are not known.
int client_columns(int terminal);
// Its rows, likewise.
int client_rows(int terminal);
// An empty file without a name, memfd_create(2).
int client_empty_file(void);
// The reading end of a pipe that has ended.
int client_ended_pipe(void);
