/* sip/torture_test.c - messages that others collected to break parsers (RFC 4475, RFC 5118, the
 * PROTOS c07-sip suite and more). They are not ours to copy: the tests look for them beside the
 * source tree and are skipped where they are not.
 * SPDX-License-Identifier: Apache-2.0 */
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/test.h"
#include "sip/message.h"
#include "sip/stream.h"
#include "sip/uri.h"
#include "sip/values.h"

#define TORTURE_DIR SB_SHARED_DIR "/torture"

static struct sip_header room[SIP_HEADERS_MAX];

/* Reads it in all ways, then decodes what diagnosis would. A sanitizer is the judge. */
static bool survive(slice text, struct sip_message *ret)
{
    struct sip_message m;
    size_t skip, len;

    (void)sip_message_parse(text, SIP_STREAM, room, ARRAY_LEN(room), &m);
    (void)sip_message_parse(text, SIP_CUT, room, ARRAY_LEN(room), &m);
    (void)sip_stream_next(text, &skip, &len);
    ptrdiff_t used = sip_message_parse(text, SIP_DATAGRAM, room, ARRAY_LEN(room), ret);

    CHECK(used != 0 && used <= (ptrdiff_t)text.len);
    CHECK_EQ(used > 0, sip_looks_like(text));
    for (uint16_t i = 0; used > 0 && i < ret->header_count; i++) {
        struct sip_contact contact;
        struct sip_uri uri;

        for (slice rest = ret->headers[i].value; sip_contact_next(&rest, &contact);)
            (void)sip_uri_parse(contact.addr.uri, &uri);
    }
    return used > 0;
}

/* The next cell of a line of INDEX.tsv. */
static slice take_cell(slice *line)
{
    slice cell = slice_take_until(line, '\t');

    slice_take_char(line, '\t');
    return cell;
}

static char *read_torture_file(slice name, size_t *ret_len)
{
    char path[512];

    (void)snprintf(path, sizeof(path), TORTURE_DIR "/" SLICE_FMT, SLICE_ARG(name));
    return test_read_file(path, ret_len);
}

static unsigned judged;

static void judge(slice name, slice validity, slice start)
{
    size_t len;
    char *bytes = read_torture_file(name, &len);
    struct sip_message m;
    bool is_sip = survive(slice_of(bytes, len), &m);
    bool of_rfc = slice_starts(name, SLICE("rfc"));
    bool valid = is_sip && sip_message_is_valid(&m);

    judged++;
    if (of_rfc && slice_eq(validity, SLICE("invalid")) ? valid : of_rfc && !valid)
        FAIL(SLICE_FMT " should be " SLICE_FMT, SLICE_ARG(name), SLICE_ARG(validity));
    if (of_rfc && is_sip && m.is_request && !slice_ends(start, SLICE("...")) &&
        !slice_eq(m.method_text, start))
        FAIL(SLICE_FMT " begins with " SLICE_FMT, SLICE_ARG(name), SLICE_ARG(m.method_text));
    free(bytes);
}

TEST(each_torture_message_is_valid_or_not_as_its_rfc_says)
{
    size_t len;
    char *index = test_read_file(TORTURE_DIR "/INDEX.tsv", &len);
    slice rest = slice_of(index, len), line;

    judged = 0;
    slice_take_line(&rest, &line);                       /* the names of the columns */
    while (slice_take_line(&rest, &line)) {
        slice name = take_cell(&line);

        take_cell(&line), take_cell(&line);
        slice validity = take_cell(&line), start = take_cell(&line);

        if (slice_starts(name, SLICE("protos")))
            continue;                                    /* an archive: the next test */
        judge(name, validity, start);
    }
    free(index);
    CHECK(judged > 100);
}

/* ---- PROTOS: thousands of messages in an archive ---- */

static unsigned survived, read_as_sip;

static int survive_file(const char *path, const struct stat *st, int type, struct FTW *where)
{
    struct sip_message m;
    size_t len;

    (void)st, (void)where;
    if (type != FTW_F)
        return 0;
    char *bytes = test_read_file(path, &len);

    survived++;
    read_as_sip += survive(slice_of(bytes, len), &m);
    free(bytes);
    return 0;
}

static int remove_file(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)st, (void)type, (void)where;
    return remove(path);
}

TEST(no_message_of_the_protos_suite_harms)
{
    static const char archive[] = TORTURE_DIR "/protos-c07-sip-two-thirds.tar.xz";
    char folder[] = "/tmp/sip-protos-XXXXXX", command[1024];

    if (access(archive, R_OK) != 0)
        SKIP("%s is not there", archive);
    CHECK(mkdtemp(folder) != NULL);
    (void)snprintf(command, sizeof(command), "tar -xJf '%s' -C '%s' 2>/dev/null", archive, folder);
    int status = system(command);

    survived = read_as_sip = 0;
    if (status == 0)
        (void)nftw(folder, survive_file, 16, FTW_PHYS);
    (void)nftw(folder, remove_file, 16, FTW_DEPTH | FTW_PHYS);
    if (status != 0)
        SKIP("tar cannot unpack %s (is xz-utils there?)", archive);
    CHECK(survived > 1000);
    CHECK(read_as_sip > survived / 2);
}

TEST(many_headers_cost_no_more_each_than_few)
{
    enum { LINES = 2000, ROUNDS = 50 };
    static char text[LINES * 40];
    struct sip_message m;
    size_t n = (size_t)snprintf(text, sizeof(text), "OPTIONS sip:a SIP/2.0\r\n");

    /* No clock: what is counted is that the work is done at all, in the time a test has. A
     * quadratic walk over 2,000 equal headers, 50 times each way, would not end in it. */
    for (int i = 0; i < LINES; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n,
            i % 2 ? "Route: <sip:%d>\r\n" : "X%d:\r\n y\r\n", i);
    for (int i = 0; i < ROUNDS; i++) {
        CHECK(sip_message_parse(slice_of(text, n), SIP_DATAGRAM, room, ARRAY_LEN(room), &m) > 0);
        CHECK_EQ(m.header_count, ARRAY_LEN(room));
    }
}
