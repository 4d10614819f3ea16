/* lab/phone_sdp.c - what a phone offers and answers, preconditions included (RFC 3264, 3312, 4032)
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "lab/phone_int.h"
#include "sip/sdp.h"

static const char *const directions[] = {
    [PHONE_SENDRECV] = "sendrecv", [PHONE_SENDONLY] = "sendonly", [PHONE_RECVONLY] = "recvonly", [PHONE_INACTIVE] = "inactive",
};

/* What an answer may say to what was offered. */
static enum phone_media answer_to(enum phone_media theirs)
{
    static const uint8_t answers[] = { [PHONE_SENDRECV] = PHONE_SENDRECV, [PHONE_SENDONLY] = PHONE_RECVONLY,
                                       [PHONE_RECVONLY] = PHONE_SENDONLY, [PHONE_INACTIVE] = PHONE_INACTIVE };

    return (enum phone_media)answers[theirs];
}

static const char *status(bool ready) { return ready ? "sendrecv" : "none"; }

/* The caller wants its own side reserved; whoever answers asks to be told of it (TS 24.229). */
static int preconditions(const struct phone_call *c, enum phone_sdp what, char *text, size_t room)
{
    if (!(c->how & PHONE_PRECONDITIONS))
        return 0;
    return snprintf(text, room,
                    "a=curr:qos local %s\r\na=curr:qos remote %s\r\na=des:qos mandatory local sendrecv\r\n"
                    "a=des:qos %s remote sendrecv\r\n%s",
                    status(c->local_ready), status(c->remote_ready),
                    c->sdp_done || what == PHONE_SDP_ANSWER ? "mandatory" : "none",
                    what == PHONE_SDP_ANSWER && !c->remote_ready ? "a=conf:qos remote sendrecv\r\n" : "");
}

slice phone_sdp_write(struct phone_call *c, enum phone_sdp what, char *text, size_t room)
{
    const struct address *local = &c->phone->settings.server.local;
    char ip[ADDRESS_TEXT_MAX];
    enum phone_media media = what == PHONE_SDP_ANSWER ? answer_to((enum phone_media)c->their_media) : (enum phone_media)c->media;
    const char *family = local->family == 6 ? "IP6" : "IP4";

    address_format_ip(local, ip);
    int len = snprintf(text, room,
                       "v=0\r\no=- %u %u IN %s %s\r\ns=-\r\nc=IN %s %s\r\nt=0 0\r\nm=audio %u RTP/AVP 104 8 101\r\n"
                       "a=rtpmap:104 AMR-WB/16000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
                       "a=ptime:20\r\na=maxptime:240\r\na=%s\r\n",
                       (unsigned)local->port, ++c->sdp_version, family, ip, family, ip, ((unsigned)local->port + 10000) & 0xfffeu,
                       directions[media]);

    if (len > 0 && (size_t)len < room)
        len += preconditions(c, what, text + len, room - (size_t)len);
    c->has_sdp = true;
    return slice_of(text, len > 0 && (size_t)len < room ? (size_t)len : 0);
}

static void read_precondition(struct phone_call *c, const struct sdp_precondition *p)
{
    if (p->kind != SDP_CURRENT || !slice_eq_nocase(p->type, SLICE("qos")))
        return;
    /* Their local is our remote, and what they know of ours we know ourselves. */
    if (slice_eq_nocase(p->status, SLICE("local")))
        c->remote_ready = slice_eq_nocase(p->direction, SLICE("sendrecv"));
}

void phone_sdp_read(struct phone_call *c, const struct sip_message *m)
{
    static const uint8_t media[] = { [SDP_DIRECTION_NONE] = PHONE_SENDRECV, [SDP_SENDRECV] = PHONE_SENDRECV,
                                     [SDP_SENDONLY] = PHONE_SENDONLY, [SDP_RECVONLY] = PHONE_RECVONLY,
                                     [SDP_INACTIVE] = PHONE_INACTIVE };
    struct sdp sdp;
    struct sdp_precondition p;
    slice text, lines, name, value;

    if (!sip_sdp_of(m, &text) || !sdp_parse(text, &sdp) || !sdp.media_count)
        return;
    c->their_media = media[sdp_media_direction(&sdp, 0)];
    lines = sdp.media[0].lines;
    while (sdp_attr_next(&lines, &name, &value))
        if (sdp_precondition_parse(name, value, &p)) {
            c->how |= PHONE_PRECONDITIONS;
            read_precondition(c, &p);
        }
}
