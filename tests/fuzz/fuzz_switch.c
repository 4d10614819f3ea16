/* tests/fuzz/fuzz_switch.c - both peers of the back-to-back user agent say anything, in any order
 * SPDX-License-Identifier: Apache-2.0
 *
 * The first byte is the kind of route, and a row of settings; the second what is done about transfers,
 * redirections and users that have all their calls. Then every four bytes are one deed: a request or
 * an answer of either side, made from what the switch sent last, a call that is sent elsewhere or
 * taken over, time that passes, messages that are lost or cannot be sent, new settings, or the rest
 * of the input as a message of its own. A has up to four calls, the switch as many. Whatever comes:
 * memory stays below a bound, and when all timers have run nothing is left. */
#include "fuzz/inside.h"
#include "harness/switch_rig.h"

#include "switch/media_relay.h"

#define STEP 4
enum { STEPS_MAX = 400, TRANSACTIONS_MAX = 200 };
#define MEMORY_MAX ((size_t)4 << 20)                      /* 4 calls, 250 transactions, messages of 8 kB */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const methods[16] = { "INVITE", "ACK", "BYE", "CANCEL", "PRACK", "UPDATE", "INFO", "REFER",
                                         "INVITE", "ACK", "BYE", "OPTIONS", "PRACK", "UPDATE", "MESSAGE", "FROB" };
static const uint16_t statuses[32] = { 100, 180, 183, 183, 199, 181, 200, 200, 200, 202, 299, 301, 302, 400, 401, 404,
                                       407, 408, 420, 422, 481, 481, 486, 487, 488, 491, 500, 503, 504, 600, 603, 699 };
static const char *const extras[16] = {
    "", "Allow: INVITE, UPDATE\r\n", "", "", "Session-Expires: 90;refresher=uac\r\nAllow: UPDATE\r\n", "Session-Expires: 4294967295\r\nMin-SE: 100\r\n", "Reason: Q.850;cause=16\r\n",
    "Record-Route: <sip:10.0.0.3;lr>, <sip:10.0.0.4;lr>\r\n", "Require: 100rel, precondition\r\n", "Supported: timer, path\r\n",
    "RSeq: 0\r\n", "RAck: 1 1 INVITE\r\n", "Privacy: id;user\r\nP-Asserted-Identity: <sip:x@y>\r\n", "History-Info: <sip:x@y?Privacy=history>;index=1\r\nDiversion: <sip:z@y>;privacy=full\r\n",
    "Max-Forwards: 0\r\n", "Alert-Info: <urn:x>\r\n",
};
static const char *const contacts[8] = { NULL, NULL, NULL, NULL, "*", "<sip:x>", "<sip:alice@10.0.0.1;with=a-rather-long-parameter>",
                                         "<tel:+1234>" };

static const char *const bodies[4] = {
    "v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 8\r\n",
    "v=0\r\no=- 1 2 IN IP4 h\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n",
    "v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\na=curr:qos local none\r\na=curr:qos remote none\r\n"
    "a=des:qos mandatory local sendrecv\r\na=des:qos mandatory remote sendrecv\r\n",
    "v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\na=curr:qos local sendrecv\r\na=curr:qos remote sendrecv\r\n"
    "a=des:qos mandatory local sendrecv\r\na=des:qos failure remote sendrecv\r\n",
};

/* Where a 3xx points to. */
static const char *const redirects[8] = {
    "<sip:carol@h>", "<sip:carol@h>;q=0.1, <sip:dave@h>;q=0.7, <sip:bob@h>", "<sip:bob@h>", "*", "<tel:+1234>",
    "<sip:nobody@elsewhere>, <sip:dave@h>;q=0.5", "x, <sip:carol@h>, ,",
    "<sip:carol@h?Replaces=a-call%3Bto-tag%3D1%3Bfrom-tag%3Da>, <sips:dave@h>",
};

/* ---- the media relay ---- */

enum { COOKIE_LEN = 16, COOKIES = 8 };
static struct { struct media_relay *relay; char cookies[COOKIES][COOKIE_LEN]; unsigned asked; } media;

static void ask_relay(void *ctx, slice bytes)
{
    (void)ctx;
    if (bytes.len >= COOKIE_LEN)
        memcpy(media.cookies[media.asked++ % COOKIES], bytes.ptr, COOKIE_LEN);
}

/* It answers one of the last questions, in one way or another. */
static void relay_answers(const struct rig *r, unsigned which, unsigned how)
{
    static const char *const answers[4] = {
        " d6:result2:ok3:sdp30:v=0\r\no=- 9 9 IN IP4 r\r\ns=-\r\n\r\ne", " d6:result2:oke", " d12:error-reason4:nope6:result5:errore", " x",
    };
    char text[COOKIE_LEN + 80];
    int len = snprintf(text, sizeof text, "%.*s%s", COOKIE_LEN, media.cookies[which % COOKIES], answers[how & 3]);

    if (media.relay && media.asked && len > 0)
        media_relay_receive(media.relay, slice_of(text, (size_t)len), r->now_ns);
}

/* ---- what is said ---- */

static struct rig_how how_of(uint8_t a, uint8_t b)
{
    return (struct rig_how){ .sdp = a & 1, .wrong_tag = (a & 0xe) == 0xe, .tag = a >> 4 & 3, .branch = a & 0x40 ? 1 + (b & 3) : 0,
                             .cseq = a & 0x80 ? b & 7 : 0, .rseq = b & 0x80 ? 1 + (b >> 4 & 3) : 0,
                             .body = (a & 0x11) == 0x11 ? bodies[b & 3] : NULL, .extra = extras[b & 15], .contact = contacts[b >> 4 & 7] };
}

/* ---- calls that are sent elsewhere ---- */

enum { DIALOGS = 4, NAME_MAX = 192 };
static struct { char to_tags[DIALOGS][sizeof ((struct rig *)0)->a_to_tag]; unsigned now; } dialogs;       /* of A */

static void go_to_dialog(struct rig *r, unsigned number)
{
    memcpy(dialogs.to_tags[dialogs.now], r->a_to_tag, sizeof r->a_to_tag);
    memcpy(r->a_to_tag, dialogs.to_tags[number], sizeof r->a_to_tag);
    dialogs.now = number;
}

/* How a Replaces names a dialog: A's of that number, or B's of the nth newest request. */
static const char *name_of(const struct rig *r, enum rig_side side, unsigned nth, bool in_uri)
{
    static struct sip_header room[SIP_HEADERS_MAX];
    static char name[NAME_MAX];
    const char *to_tag = in_uri ? "%3Bto-tag%3D" : ";to-tag=", *from_tag = in_uri ? "%3Bfrom-tag%3D" : ";from-tag=";
    const char *asked = side == RIG_B && nth < r->asked_count[RIG_B] ? r->asked[RIG_B][nth].text : "";
    struct sip_message m = { .call_id = SLICE("x"), .from.tag = SLICE("y"), .to.tag = SLICE("z") };
    char call_id[16];

    if (side == RIG_A) {
        (void)snprintf(call_id, sizeof call_id, "a-call%u", nth);
        m.call_id = nth ? slice_of_string(call_id) : SLICE("a-call");
        m.from.tag = slice_of_string(nth == dialogs.now ? r->a_to_tag : dialogs.to_tags[nth]);
        m.to.tag = SLICE("a");
    } else if (sip_message_parse(slice_of_string(asked), SIP_DATAGRAM, room, SIP_HEADERS_MAX, &m) > 0 &&
               !m.to.tag.len) {
        m.to.tag = SLICE("b0");
    }
    snprintf(name, sizeof name, SLICE_FMT "%s" SLICE_FMT "%s" SLICE_FMT, SLICE_ARG(m.call_id), to_tag,
             SLICE_ARG(m.from.tag), from_tag, SLICE_ARG(m.to.tag));
    return name;
}

/* REFER, INVITE with Replaces and what is about them: b[1]: method, dialog; b[2]: as in how_of, but
 * its 0x40, 0x80 are which dialog is named; b[3]: the headers. */
static void sends_on(struct rig *r, enum rig_side side, const uint8_t b[STEP])
{
    static const char *const names[8] = { "REFER", "INVITE", "SUBSCRIBE", "NOTIFY", "REFER", "ACK", "BYE", "INVITE" };
    static const char *const formats[16] = {              /* %s: the name of a dialog */
        "Refer-To: <sip:carol@h>\r\n",
        "Refer-To: <sip:carol@h?Replaces=%s>\r\nReferred-By: <sip:alice@h>\r\n",
        "Replaces: %s\r\n",
        "Replaces: %s;early-only\r\n",
        "Refer-To: <sip:nobody@elsewhere>\r\n",
        "Refer-To: sip:dave@h\r\nRefer-Sub: false\r\nSupported: norefersub\r\n",
        "Event: refer\r\nExpires: 60\r\n",
        "Event: refer;id=2\r\nExpires: 0\r\n",
        "Event: refer\r\nSubscription-State: terminated\r\n",
        "Max-Breadth: 2\r\nSupported: 199\r\n",
        "Max-Breadth: 1\r\nExpires: 3\r\n",
        "Refer-To: <sip:carol@h?Replaces=%s&Privacy=id>\r\nPrivacy: user;id\r\nRequire: replaces\r\n",
        "Refer-To: <sips:x@h;method=BYE>\r\n",
        "Refer-To: <sip:carol@h>\r\nRefer-To: <sip:dave@h>\r\n",
        "Refer-To: <tel:+1234>\r\nTarget-Dialog: %s\r\n",
        "Require: replaces\r\nReplaces: %s\r\nSession-Expires: 90;refresher=uas\r\n",
    };
    static char extra[2 * NAME_MAX];
    struct rig_how how = how_of(b[2] & 0x3f, b[3] & 0xf0);
    unsigned nth = b[1] >> 3 & 3;
    const char *format = formats[b[3] & 15], *named = strstr(format, "%s");

    if (side == RIG_A)
        go_to_dialog(r, nth);
    snprintf(extra, sizeof extra, "%s", format);
    if (named)
        snprintf(extra + (named - format), sizeof extra - (size_t)(named - format), "%s%s",
                 name_of(r, b[1] & 0x20 ? RIG_B : RIG_A, b[2] >> 6, strchr(format, '?')), named + 2);
    how.nth = nth;
    how.cseq = side == RIG_A && !r->a_to_tag[0] ? 1 : 0;
    how.extra = extra;
    how.contact = NULL;
    rig_request(r, side, names[b[1] & 7], &how);
}

/* ---- settings while calls are there ---- */

static struct b2bua_settings settings;
static struct tally *lines;          /* NULL: the switch has its own */

static void other_settings(struct rig *r, unsigned how)
{
    settings.transfer = (enum b2bua_transfer)(how % 3);
    settings.follow_redirects = how & 1;
    settings.queue_ns = how & 2 ? 30 * 1000000000ll : 0;
    settings.user_calls_max = how & 4 ? 1 : 0;
    settings.forks_max = how & 8 ? 1 : 0;
    settings.calls_max = 4;
    b2bua_set(r->b2bua, &settings);
}

static void deed(struct rig *r, const uint8_t b[STEP])
{
    static const uint16_t waits_ms[16] = { 0, 1, 5, 10, 50, 100, 200, 500, 500, 1000, 2000, 4000, 8000, 16000, 32000, 60000 };
    enum rig_side side = b[0] & 1 ? RIG_B : RIG_A;
    struct rig_how how = how_of(b[2], b[3]);

    switch (b[0] >> 1 & 7) {
    case 0:
        how.nth = side == RIG_A ? dialogs.now : 0;
        rig_request(r, side, methods[b[1] & 15], &how);
        break;
    case 1:
        sends_on(r, side, b);
        break;
    case 2: case 3: case 4:
        if (statuses[b[1] & 31] / 100 == 3)
            how.contact = redirects[b[3] >> 4 & 7];
        rig_answer(r, side, b[1] >> 5, statuses[b[1] & 31], &how);
        break;
    case 5:
        rig_wait(r, (int64_t)waits_ms[b[1] & 15] * 1000000);
        if (media.relay)
            media_relay_time(media.relay, r->now_ns);
        break;
    case 6:
        r->lose = b[1] & 3;
        break;
    default:
        if (b[1] & 1)
            endpoint_hop_lost(r->endpoint, &(struct hop){ .local = rig_switch(), .remote = rig_at(side) }, r->now_ns);
        else if (b[1] == 2)
            b2bua_hang_up_all(r->b2bua, SLICE("SIP;cause=503"));
        else if (media.relay)
            relay_answers(r, b[1] >> 2, b[2]);
        else
            other_settings(r, b[2]);
        break;
    }
}

/* ---- settings ---- */

static const struct mode { uint8_t timer, reliable, preconditions; bool codecs, media, required, trusted, hides; } modes[16] = {
    { 0 },
    { .timer = B2BUA_TIMER_ASK },
    { .timer = B2BUA_TIMER_DEMAND, .hides = true },
    { .timer = B2BUA_TIMER_ANSWER, .trusted = true },
    { .reliable = B2BUA_RELIABLE_LEG },
    { .reliable = B2BUA_RELIABLE_OFF, .trusted = true, .hides = true },
    { .reliable = B2BUA_RELIABLE_DEMAND, .codecs = true },
    { .preconditions = B2BUA_PRECONDITIONS_ACT },
    { .preconditions = B2BUA_PRECONDITIONS_OFF, .timer = B2BUA_TIMER_ASK },
    { .timer = B2BUA_TIMER_ASK, .reliable = B2BUA_RELIABLE_LEG, .preconditions = B2BUA_PRECONDITIONS_ACT },
    { .media = true },
    { .media = true, .required = true, .reliable = B2BUA_RELIABLE_LEG },
    { .media = true, .timer = B2BUA_TIMER_ASK, .codecs = true },
    { .media = true, .preconditions = B2BUA_PRECONDITIONS_ACT, .reliable = B2BUA_RELIABLE_LEG, .timer = B2BUA_TIMER_ASK },
    { .codecs = true, .timer = B2BUA_TIMER_ASK },
    { .media = true, .required = true, .preconditions = B2BUA_PRECONDITIONS_ACT },
};

/* Of the second byte. */
enum { FOLLOWS = 4, QUEUES = 8, FEW_FORKS = 16, GATEWAYS = 32, GLOBAL_CODES = 64, SHARED_LINES = 128 };

static bool begin(struct rig *r, const struct mode *mode, uint8_t ways)
{
    static const slice pcma = SLICE_INIT("PCMA");
    struct b2bua_settings bs = { .session_timer = mode->timer, .session_expires_s = 100, .reliable = mode->reliable,
                                 .preconditions = mode->preconditions, .codecs = { &pcma, mode->codecs },
                                 .media_required = mode->required, .duration_max_ns = 600 * 1000000000ll,
                                 .transfer = (enum b2bua_transfer)((ways & 3) % 3), .follow_redirects = ways & FOLLOWS,
                                 .user_calls_max = ways & QUEUES ? 1 : 0, .queue_ns = ways & QUEUES ? 30 * 1000000000ll : 0,
                                 .forks_max = ways & FEW_FORKS ? 2 : 0, .global_codes = ways & GLOBAL_CODES };
    struct media_relay_settings ms = { .seed = { 5, 6 }, .ping_ns = -1 };

    memset(&media, 0, sizeof media);
    memset(&dialogs, 0, sizeof dialogs);
    if (ways & SHARED_LINES)
        bs.lines = lines = tally_new(&(struct hash_seed){ 7, 8 }, NULL);
    if (mode->media)
        bs.media = media.relay = media_relay_new(&ms, &(struct media_sender){ NULL, ask_relay }, RIG_START_NS);
    settings = bs;
    if (!rig_begin_with(r, TRANSACTIONS_MAX, &bs))
        return false;
    r->gateways = r->has_password = ways & GATEWAYS;
    r->a_trusted = r->b_trusted = mode->trusted;
    r->a_hides = mode->hides;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct rig r;

    if (size < 2 || !begin(&r, &modes[data[0] >> 4], data[1]))
        return 0;
    r.forks = data[0] & 3;
    r.in_order = data[0] & 4;
    r.forwards = data[0] & 8;
    data += 2, size -= 2;
    for (unsigned i = 0; size >= STEP && i < STEPS_MAX; i++, data += STEP, size -= STEP) {
        if (data[0] == 0xff) {                            /* the rest as it is */
            rig_receive(&r, data[1] & 1 ? RIG_B : RIG_A, slice_of(data + STEP, size - STEP));
            break;
        }
        deed(&r, data);
        MUST(endpoint_live(r.endpoint) <= TRANSACTIONS_MAX + TRANSACTIONS_MAX / 4 + 1);
        MUST(endpoint_memory_bytes(r.endpoint) + b2bua_memory_bytes(r.b2bua) <= MEMORY_MAX);
        MUST(b2bua_counts(r.b2bua)->live <= 4);
    }
    /* who asks the relay now is told in time that it does not answer */
    for (int i = 0; i < 400 && media.relay && b2bua_counts(r.b2bua)->live; i++) {
        rig_wait(&r, 5 * 1000000000ll);
        media_relay_time(media.relay, r.now_ns);
    }
    rig_end(&r);
    media.relay = media_relay_free(media.relay);
    MUST(r.left == 0);
    MUST(r.rooms == 0);
    MUST(!lines || (tally_count(lines, SLICE("bob@x")) == 0 && tally_count(lines, SLICE("alice@x")) == 0));
    lines = tally_free(lines);
    return 0;
}
