/* tests/fuzz/replay_main.c - runs a fuzz target over files, without libFuzzer
 *
 * Every argument is a file or a folder (read recursively); each file is given to
 * LLVMFuzzerTestOneInput once, from a heap block of exactly its size so that a sanitizer sees
 * the first byte read too far. The empty input is always tried. Exit: 0 all survived, 1 a file
 * cannot be read, 77 there were no files.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <ftw.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t replayed;

static int replay(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)where;
    if (type != FTW_F)
        return 0;

    size_t size = (size_t)st->st_size;
    uint8_t *data = malloc(size ? size : 1);
    FILE *f = fopen(path, "rb");
    bool ok = data && f && fread(data, 1, size, f) == size;

    if (f)
        (void)fclose(f);
    if (ok) {
        (void)LLVMFuzzerTestOneInput(data, size);
        replayed++;
    } else {
        fprintf(stderr, "replay: cannot read %s\n", path);
    }
    free(data);
    return ok ? 0 : 1;
}

int main(int argc, char **argv)
{
    (void)LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    for (int i = 1; i < argc; i++) {
        if (nftw(argv[i], replay, 16, FTW_PHYS) != 0 && replayed > 0)
            return 1;
    }
    if (replayed == 0) {
        printf("skipped: no seed files in %s\n", argc > 1 ? argv[1] : "(nothing named)");
        return 77;
    }
    printf("%zu inputs survived\n", replayed);
    return 0;
}
