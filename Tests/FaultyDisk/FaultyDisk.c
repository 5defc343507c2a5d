// A virtual file system of SQLite (https://sqlite.org/vfs.html) between SQLite and the usual one.
#include "CFaultyDisk.h"

#include <limits.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct faulty_disk {
    char *folder;
    long count, first, times;
    long long limit, used;
    struct faulty_disk *next;
};

// A file of SQLite's, and in the same memory the usual file system's.
struct file {
    sqlite3_file base;
    struct faulty_disk *disk;
    sqlite3_file real[];
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct faulty_disk *disks;
static sqlite3_vfs *usual;
static sqlite3_vfs vfs;

static sqlite3_file *real_of(sqlite3_file *file) { return ((struct file *)file)->real; }

static int fails(sqlite3_file *file) {
    struct faulty_disk *disk = ((struct file *)file)->disk;
    if (disk == NULL) return 0;
    long number = ++disk->count;
    return number >= disk->first && number - disk->first < disk->times;
}

static sqlite3_int64 size_of(sqlite3_file *file) {
    sqlite3_int64 size = 0;
    real_of(file)->pMethods->xFileSize(real_of(file), &size);
    return size;
}

// Counts what a file gains or loses. The limit is no limit for what is already there.
static int has_room(sqlite3_file *file, sqlite3_int64 end) {
    struct faulty_disk *disk = ((struct file *)file)->disk;
    sqlite3_int64 growth = end - size_of(file);
    if (disk == NULL || growth <= 0) return 1;
    struct stat reserve = {0};
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%sjobs.reserve", disk->folder);
    stat(path, &reserve);
    if (disk->limit > 0 && disk->used + reserve.st_size + growth > disk->limit) return 0;
    disk->used += growth;
    return 1;
}

static int do_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 offset) {
    sqlite3_file *real = real_of(file);
    if (!has_room(file, offset + count)) return SQLITE_FULL;
    if (!fails(file)) return real->pMethods->xWrite(real, bytes, count, offset);
    if (((struct file *)file)->disk->times == 1) real->pMethods->xWrite(real, bytes, count / 2, offset);
    return SQLITE_FULL;
}
static int do_sync(sqlite3_file *file, int flags) {
    return fails(file) ? SQLITE_IOERR_FSYNC : real_of(file)->pMethods->xSync(real_of(file), flags);
}
static int do_truncate(sqlite3_file *file, sqlite3_int64 size) {
    struct faulty_disk *disk = ((struct file *)file)->disk;
    if (disk != NULL) disk->used -= size_of(file) - size;
    return fails(file) ? SQLITE_IOERR_TRUNCATE : real_of(file)->pMethods->xTruncate(real_of(file), size);
}
static int do_close(sqlite3_file *file) { return real_of(file)->pMethods->xClose(real_of(file)); }
static int do_read(sqlite3_file *file, void *bytes, int count, sqlite3_int64 offset) {
    return real_of(file)->pMethods->xRead(real_of(file), bytes, count, offset);
}
static int do_size(sqlite3_file *file, sqlite3_int64 *size) { return real_of(file)->pMethods->xFileSize(real_of(file), size); }
static int do_lock(sqlite3_file *file, int level) { return real_of(file)->pMethods->xLock(real_of(file), level); }
static int do_unlock(sqlite3_file *file, int level) { return real_of(file)->pMethods->xUnlock(real_of(file), level); }
static int do_check(sqlite3_file *file, int *result) { return real_of(file)->pMethods->xCheckReservedLock(real_of(file), result); }
static int do_control(sqlite3_file *file, int operation, void *value) {
    return real_of(file)->pMethods->xFileControl(real_of(file), operation, value);
}
static int sector_size(sqlite3_file *file) { return real_of(file)->pMethods->xSectorSize(real_of(file)); }
static int characteristics(sqlite3_file *file) { return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file)); }

static const sqlite3_io_methods methods = {
    .iVersion = 1,
    .xClose = do_close,
    .xRead = do_read,
    .xWrite = do_write,
    .xTruncate = do_truncate,
    .xSync = do_sync,
    .xFileSize = do_size,
    .xLock = do_lock,
    .xUnlock = do_unlock,
    .xCheckReservedLock = do_check,
    .xFileControl = do_control,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = characteristics,
};

static int do_open(sqlite3_vfs *own, const char *name, sqlite3_file *opened, int flags, int *found) {
    (void)own;
    struct file *file = (struct file *)opened;
    file->base.pMethods = NULL;
    file->disk = NULL;
    int result = usual->xOpen(usual, name, file->real, flags, found);
    if (file->real->pMethods == NULL) return result;
    file->base.pMethods = &methods;
    pthread_mutex_lock(&mutex);
    for (struct faulty_disk *disk = disks; name != NULL && disk != NULL; disk = disk->next)
        if (strncmp(name, disk->folder, strlen(disk->folder)) == 0) file->disk = disk;
    pthread_mutex_unlock(&mutex);
    return result;
}

struct faulty_disk *faulty_disk_make(const char *folder) {
    struct faulty_disk *disk = calloc(1, sizeof *disk);
    if (disk == NULL || (disk->folder = strdup(folder)) == NULL) abort();
    pthread_mutex_lock(&mutex);
    if (usual == NULL) {
        usual = sqlite3_vfs_find(NULL);
        if (usual == NULL) abort();
        vfs = *usual;
        vfs.zName = "faulty-disk";
        vfs.szOsFile += (int)sizeof(struct file);
        vfs.xOpen = do_open;
        if (sqlite3_vfs_register(&vfs, 1) != SQLITE_OK) abort();
    }
    disk->next = disks;
    disks = disk;
    pthread_mutex_unlock(&mutex);
    return disk;
}

void faulty_disk_arm(struct faulty_disk *disk, long first, long times) {
    disk->count = 0;
    disk->first = first;
    disk->times = times;
}

void faulty_disk_limit(struct faulty_disk *disk, long long bytes) { disk->limit = bytes; }

long faulty_disk_count(const struct faulty_disk *disk) { return disk->count; }

void faulty_disk_remove(struct faulty_disk *disk) {
    pthread_mutex_lock(&mutex);
    for (struct faulty_disk **place = &disks; *place != NULL; place = &(*place)->next) {
        if (*place != disk) continue;
        *place = disk->next;
        break;
    }
    pthread_mutex_unlock(&mutex);
    free(disk->folder);
    free(disk);
}
