/*
 * main() of the fuzz targets where there is no libFuzzer: runs each file of the corpus once.
 *
 * usage: fuzz_NAME [FILE or FOLDER ...]; without arguments $srcdir/tests/fuzz/corpus/NAME.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int files;

static void replay_file(const char *path)
{
    FILE *f = fopen(path, "rb");

    if (!f) {
        perror(path);
        exit(1);
    }
    size_t   cap = 1 << 20, len;
    uint8_t *data = malloc(cap);
    if (!data) exit(1);
    len = fread(data, 1, cap, f);
    fclose(f);
    /* An exact copy, so that a sanitizer sees the first byte read behind it. */
    uint8_t *exact = malloc(len ? len : 1);
    if (!exact) exit(1);
    memcpy(exact, data, len);
    free(data);
    LLVMFuzzerTestOneInput(exact, len);
    free(exact);
    files++;
}

static void replay(const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0) {
        perror(path);
        exit(1);
    }
    if (!S_ISDIR(st.st_mode)) {
        replay_file(path);
        return;
    }
    DIR *dir = opendir(path);
    for (struct dirent *e; dir && (e = readdir(dir));) {
        char name[4096];
        if (e->d_name[0] == '.') continue;
        snprintf(name, sizeof(name), "%s/%s", path, e->d_name);
        replay(name);
    }
    if (dir) closedir(dir);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        for (int i = 1; i < argc; i++)
            replay(argv[i]);
    } else {
        const char *slash = strrchr(argv[0], '/'), *src = getenv("srcdir");
        const char *name = slash ? slash + 1 : argv[0];
        char        path[4096];
        if (strncmp(name, "lt-", 3) == 0) name += 3;
        if (strncmp(name, "fuzz_", 5) == 0) name += 5;
        snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/%s", src ? src : ".", name);
        replay(path);
    }
    printf("%d inputs replayed\n", files);
    return files == 0;
}
