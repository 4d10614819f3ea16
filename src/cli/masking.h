/* cli/masking.h - what commands that write masked captures share.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_MASKING_H
#define CLI_MASKING_H

#include "cli/cli.h"
#include "mask/key.h"

/* A key that nobody knows. */
struct mask_key masking_random_key(void);
/* Why a capture could not be written, on standard error. Returns the exit code. */
int masking_say_write_error(const struct cli *cli, const char *file, int error);

#endif
