/* cli/masking.c - see masking.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli/masking.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

struct mask_key masking_random_key(void)
{
    struct mask_key key = { .cache = NULL };

    if (getrandom(&key.seed, sizeof key.seed, 0) != (ssize_t)sizeof key.seed)
        abort();                              /* a key that can be guessed is worse than none */
    return key;
}

int masking_say_write_error(const struct cli *cli, const char *file, int error)
{
    static const struct { int error; enum text_id id; int code; } kinds[] = {
        { -EINVAL, TEXT_SCRUB_ERROR_TWO_LINKS, CLI_USAGE },
        { -ENOTSUP, TEXT_SCRUB_ERROR_GZIP, CLI_USAGE },
    };
    enum text_id id = TEXT_SCRUB_ERROR_WRITE;
    int code = CLI_MACHINE;

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (kinds[i].error == error) {
            id = kinds[i].id;
            code = kinds[i].code;
        }
    return cli_say_error(cli, code, id, WORDS_TEXT("file", slice_of_string(file)),
                         WORDS_TEXT("why", cli_why_not_made(cli, -error)));
}
