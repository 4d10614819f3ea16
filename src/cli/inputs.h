/* cli/inputs.h - several captures read as one, frame by frame in the order of time.
 * SPDX-License-Identifier: Apache-2.0
 *
 *     struct inputs in;
 *     int code = inputs_open(&in, cli, files, count);        // what cannot be opened was told
 *     while ((frame = inputs_next(&in)))
 *         ...
 *     code = worse(code, inputs_end(&in));                   // warnings: cut, damaged
 *     inputs_close(&in);                                                                  */
#ifndef CLI_INPUTS_H
#define CLI_INPUTS_H

#include "capture/source.h"
#include "cli/cli.h"

#define INPUTS_MAX 256u

struct input {                       /* one file, with its next frame waiting */
    struct capture_source *source;   /* NULL: could not be opened */
    struct wire_frame      frame;
    bool                   waiting;
};
struct inputs {
    struct cli         *cli;
    const char *const  *files;
    struct input       *all;
    size_t              count, open_count;
    struct input       *last;        /* whose frame was given out */
};
/* CLI_DONE, or the worst of what was told on standard error; open_count says if any is open. */
int inputs_open(struct inputs *in, struct cli *cli, const char *const *files, size_t count);
/* The earliest frame that waits, valid until the next call; NULL: no more. */
const struct wire_frame *inputs_next(struct inputs *in);
/* Bytes of all files that were read, and that there are; the sum 0: not known. */
void inputs_progress(const struct inputs *in, uint64_t *ret_done, uint64_t *ret_total);
/* Tells what was wrong on the way: CLI_DONE for what is only a warning. */
int inputs_end(struct inputs *in);
void inputs_close(struct inputs *in);

#endif
