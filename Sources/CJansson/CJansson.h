// jansson, which reads JSON, and of string.h what Swift's library does slower. With these the protocol needs nothing of
// the system.
#ifndef C_JANSSON_H
#define C_JANSSON_H

#include <jansson.h>
#include <string.h>

/// memchr(3): the first such byte; null if there is none.
static inline const void *_Nullable bytes_find(const void *_Nonnull bytes, unsigned char byte, size_t count) {
    return memchr(bytes, byte, count);
}

/// memcmp(3): whether as many bytes are the same.
static inline int bytes_equal(const void *_Nonnull left, const void *_Nonnull right, size_t count) {
    return memcmp(left, right, count) == 0;
}

/// strlen(3): how many bytes stand before the NUL.
static inline size_t bytes_length(const char *_Nonnull text) { return strlen(text); }

#endif
