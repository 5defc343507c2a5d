// A disk that fails when a test wants it: SQLite's files below a folder are written through it.
#ifndef C_FAULTY_DISK_H
#define C_FAULTY_DISK_H

struct faulty_disk;

/// From now on, files below the folder are written through this disk, if they are opened after that.
struct faulty_disk *_Nonnull faulty_disk_make(const char *_Nonnull folder);

/// Counts from 0 again. Of the writes, syncs and truncations from here on, `times` fail, beginning with the `first`, which
/// counts from 1. A write that fails has written its first half.
void faulty_disk_arm(struct faulty_disk *_Nonnull disk, long first, long times);

/// The files and a file `jobs.reserve` beside them have room for so many bytes together. 0: for any number.
void faulty_disk_limit(struct faulty_disk *_Nonnull disk, long long bytes);

/// How many writes, syncs and truncations there were.
long faulty_disk_count(const struct faulty_disk *_Nonnull disk);

/// Call it when its files are closed.
void faulty_disk_remove(struct faulty_disk *_Nonnull disk);

#endif
