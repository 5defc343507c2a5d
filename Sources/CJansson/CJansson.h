// jansson, which reads JSON, and functions of string.h that are faster than Swift's own. With these, DokkuProtocol
// needs no system module.
#ifndef C_JANSSON_H
#define C_JANSSON_H

#include <jansson.h>
#include <string.h>

/// memchr(3): the first `byte`; null if there is none.
static inline const void *_Nullable bytes_find(const void *_Nonnull bytes, unsigned char byte, size_t count) {
    return memchr(bytes, byte, count);
}

/// memcmp(3): whether `count` bytes are equal.
static inline int bytes_equal(const void *_Nonnull left, const void *_Nonnull right, size_t count) {
    return memcmp(left, right, count) == 0;
}

/// strlen(3): the number of bytes before the NUL.
static inline size_t bytes_length(const char *_Nonnull text) { return strlen(text); }

#endif
