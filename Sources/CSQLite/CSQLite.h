// SQLite, and what Swift cannot call of it: a macro that casts a number to a function, and functions with a variable
// number of arguments.
#ifndef C_SQLITE_H
#define C_SQLITE_H

#include <sqlite3.h>

/// sqlite3_bind_blob64 with a copy of the bytes. No bytes are an empty blob, not NULL.
static inline int sqlite_bind_bytes(
    sqlite3_stmt *_Nonnull statement, int index, const void *_Nullable bytes, sqlite3_uint64 count) {
    return sqlite3_bind_blob64(statement, index, bytes ? bytes : "", count, SQLITE_TRANSIENT);
}

/// sqlite3_bind_text64 with a copy of the text, in UTF-8.
static inline int sqlite_bind_text(
    sqlite3_stmt *_Nonnull statement, int index, const char *_Nullable text, sqlite3_uint64 count) {
    return sqlite3_bind_text64(statement, index, text ? text : "", count, SQLITE_TRANSIENT, SQLITE_UTF8);
}

/// Closing the database leaves the log as it is, and SQL cannot damage the file on purpose.
static inline int sqlite_make_safe(sqlite3 *_Nonnull database) {
    int result = sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)0);
    if (result != SQLITE_OK) return result;
    return sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)0);
}

#endif
