/* cli/inputs.c - see inputs.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli/inputs.h"

#include <stdlib.h>

static const enum text_id foreign_sentences[CAPTURE_LOOKS_KINDS] = {
    [CAPTURE_LOOKS_UNKNOWN] = TEXT_READ_ERROR_FOREIGN,
    [CAPTURE_LOOKS_CAPTURE] = TEXT_READ_FOREIGN_CAPTURE,
    [CAPTURE_LOOKS_COMPRESSED] = TEXT_READ_FOREIGN_COMPRESSED,
    [CAPTURE_LOOKS_ARCHIVE] = TEXT_READ_FOREIGN_ARCHIVE,
    [CAPTURE_LOOKS_IMAGE] = TEXT_READ_FOREIGN_IMAGE,
    [CAPTURE_LOOKS_SOUND] = TEXT_READ_FOREIGN_SOUND,
    [CAPTURE_LOOKS_VIDEO] = TEXT_READ_FOREIGN_VIDEO,
    [CAPTURE_LOOKS_DOCUMENT] = TEXT_READ_FOREIGN_DOCUMENT,
    [CAPTURE_LOOKS_DATABASE] = TEXT_READ_FOREIGN_DATABASE,
    [CAPTURE_LOOKS_PROGRAM] = TEXT_READ_FOREIGN_PROGRAM,
    [CAPTURE_LOOKS_TEXT] = TEXT_READ_FOREIGN_TEXT,
    [CAPTURE_LOOKS_ZEROS] = TEXT_READ_FOREIGN_ZEROS,
};

static int say_problem(const struct inputs *in, size_t number, const struct capture_problem *p)
{
    static const struct { enum text_id id; int code; } sentences[CAPTURE_PROBLEM_KINDS] = {
        [CAPTURE_FINE] = { TEXT_READ_WARNING_CUT, CLI_DONE },
        [CAPTURE_CANNOT_OPEN] = { TEXT_READ_ERROR_CANNOT_OPEN, CLI_INPUT },
        [CAPTURE_EMPTY] = { TEXT_READ_ERROR_EMPTY, CLI_INPUT },
        [CAPTURE_FOREIGN] = { TEXT_READ_ERROR_FOREIGN, CLI_INPUT },
        [CAPTURE_BAD_HEADER] = { TEXT_READ_ERROR_BAD_HEADER, CLI_INPUT },
        [CAPTURE_CUT] = { TEXT_READ_WARNING_CUT, CLI_DONE },
        [CAPTURE_DAMAGED] = { TEXT_READ_WARNING_DAMAGED, CLI_DONE },
        [CAPTURE_GZIP_DAMAGED] = { TEXT_READ_ERROR_GZIP, CLI_DONE },
        [CAPTURE_READ_FAILED] = { TEXT_READ_ERROR_READ_FAILED, CLI_DONE },
        [CAPTURE_NO_MEMORY] = { TEXT_READ_ERROR_NO_MEMORY, CLI_MACHINE },
    };
    enum text_id id = sentences[p->kind].id;
    int code = sentences[p->kind].code;

    if (p->kind == CAPTURE_FOREIGN)
        id = foreign_sentences[p->looks.kind];
    if (code == CLI_DONE && p->frame == 0 && p->kind != CAPTURE_CUT)
        code = CLI_INPUT;                                 /* damaged beyond use */
    return cli_say_error(in->cli, code, id, WORDS_TEXT("file", slice_of_string(in->files[number])),
                         WORDS_TEXT("why", cli_why(in->cli, p->errno_value)),
                         WORDS_TEXT("format", slice_of_string(p->looks.name)),
                         WORDS_NUMBER("count", p->frame), WORDS_NUMBER("offset", p->offset));
}

/* A file that could not even be opened is no use, whatever is wrong with it. */
static int say_unopened(const struct inputs *in, size_t number, const struct capture_problem *p)
{
    int code = p->kind == CAPTURE_CUT
        ? cli_say_error(in->cli, CLI_INPUT, TEXT_READ_ERROR_CUT_HEADER,
                        WORDS_TEXT("file", slice_of_string(in->files[number])))
        : say_problem(in, number, p);

    return code == CLI_DONE ? CLI_INPUT : code;
}

static void input_advance(struct input *one)
{
    one->waiting = one->source && capture_next(one->source, &one->frame) > 0;
}

int inputs_open(struct inputs *in, struct cli *cli, const char *const *files, size_t count)
{
    int worst = CLI_DONE;

    *in = (struct inputs){ .cli = cli, .files = files };
    if (count > INPUTS_MAX)
        return cli_say_error(cli, CLI_USAGE, TEXT_READ_ERROR_TOO_MANY_FILES,
                             WORDS_NUMBER("limit", INPUTS_MAX));
    in->all = calloc(count, sizeof *in->all);
    if (!in->all)
        return cli_no_memory(cli);
    in->count = count;
    for (size_t i = 0; i < count; i++) {
        struct capture_problem problem = {0};

        if (capture_open_file(files[i], &in->all[i].source, &problem) < 0) {
            int code = say_unopened(in, i, &problem);

            worst = code > worst ? code : worst;
            continue;
        }
        in->open_count++;
        input_advance(&in->all[i]);
    }
    return worst;
}

const struct wire_frame *inputs_next(struct inputs *in)
{
    if (in->last)
        input_advance(in->last);
    in->last = NULL;
    for (size_t i = 0; i < in->count; i++)
        if (in->all[i].waiting &&
            (!in->last || in->all[i].frame.time_ns < in->last->frame.time_ns))
            in->last = &in->all[i];
    return in->last ? &in->last->frame : NULL;
}

void inputs_progress(const struct inputs *in, uint64_t *ret_done, uint64_t *ret_total)
{
    *ret_done = *ret_total = 0;
    for (size_t i = 0; i < in->count; i++) {
        uint64_t done = 0, total = 0;

        if (in->all[i].source)
            capture_progress(in->all[i].source, &done, &total);
        *ret_done += done;
        *ret_total += total;
    }
}

int inputs_end(struct inputs *in)
{
    int worst = CLI_DONE;

    for (size_t i = 0; i < in->count; i++) {
        const struct capture_problem *p = in->all[i].source ? capture_problem(in->all[i].source) : NULL;
        int code = p && p->kind != CAPTURE_FINE ? say_problem(in, i, p) : CLI_DONE;

        worst = code > worst ? code : worst;
    }
    return worst;
}

void inputs_close(struct inputs *in)
{
    for (size_t i = 0; i < in->count; i++)
        capture_close(in->all[i].source);
    free(in->all);
    *in = (struct inputs){0};
}
