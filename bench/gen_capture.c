/* bench/gen_capture.c - makes captures of any size whose truth is known
 *
 *     gen_capture sig|mixed [-n CALLS] [-s SEED] [-r CALLS_PER_SECOND] [-l TIMES] -o OUT.pcap -t TRUTH.json
 *
 * sig is signalling only (default 100,000 calls); in mixed (default 2,000 calls) every answered
 * call has G.711 RTP and RTCP both ways, with loss, jitter, reordering and duplicates. The link is
 * the one between a border controller and its providers. Mode, calls, seed and rate decide every
 * byte. With -l calls of mixed talk so many times as long: the same signalling with more media.
 *
 * TRUTH.json says what a perfect reader finds. Requests, responses and sip_messages count each
 * message on the wire, retransmissions included. "finals" counts calls by the last final response
 * to their INVITE that was not a challenge answered later; 0 means that none ever came.
 *
 * Nothing in here was captured: the addresses are those of RFC 2544 for benchmarks (198.18.0.0/15),
 * the names end in .example, the numbers begin with the unassigned +1 555.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

enum {
    SIP_PORT = 5060,
    PROVIDERS = 12,
    PLAN_MAX = 48,              /* messages of one call, repeats included */
    MESSAGE_MAX = 1472,         /* what fits one Ethernet frame as UDP */
    LINK_HEAD = 14 + 20 + 8,    /* Ethernet, IPv4, UDP */
    CODE_MAX = 700,
    RTP_PERIOD_US = 20000,
    RTP_SAMPLES = 160,
    RTP_BYTES = 12 + RTP_SAMPLES,
    RTCP_PERIOD_US = 2500000,
};
#define START_US (INT64_C(1767600000) * 1000000)    /* 2026-01-05 08:00:00 UTC */

/* Chance: one stream of numbers for each (seed, call, purpose), so that what happens in one call
 * does not depend on how many others there are. The mixer is splitmix64. */
struct chance {
    uint64_t state;
};

static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
    return x ^ (x >> 31);
}

static uint64_t hash3(uint64_t a, uint64_t b, uint64_t c)
{
    return mix(mix(mix(a + UINT64_C(0x9E3779B97F4A7C15)) + b) + c);
}

static uint64_t chance_next(struct chance *chance)
{
    chance->state += UINT64_C(0x9E3779B97F4A7C15);
    return mix(chance->state);
}

/* A number from low to high, both included. */
static int64_t chance_between(struct chance *chance, int64_t low, int64_t high)
{
    return low + (int64_t)(chance_next(chance) % (uint64_t)(high - low + 1));
}

static bool chance_per_mille(struct chance *chance, unsigned per_mille)
{
    return chance_next(chance) % 1000 < per_mille;
}

/* Scenarios: who sends what, how long after the message before. */
enum method { INVITE, ACK, BYE, CANCEL, PRACK, UPDATE, REGISTER, METHODS };
static const char *const method_names[METHODS] = {
    "INVITE", "ACK", "BYE", "CANCEL", "PRACK", "UPDATE", "REGISTER",
};

enum body { NO_BODY, OFFER, ANSWER, HOLD, HOLD_ANSWER, RESUME, RESUME_ANSWER };
enum side { A, B };             /* A called; B was called */

enum {
    RELIABLE = 1 << 0,          /* a provisional response that wants a PRACK */
    IN_DIALOG = 1 << 1,         /* sent to the other's Contact, with both tags */
    CREDENTIALS = 1 << 2,
    TALK = 1 << 3,              /* the wait before this message is the conversation */
    ANSWERED = 1 << 4,          /* the conversation begins: media flows after it */
    REPEATS = 1 << 5,           /* may be lost and sent again after 500 ms */
    SEVEN_TIMES = 1 << 6,       /* sent on timer A until timer B: nobody is there */
};

struct step {
    uint8_t from;               /* enum side */
    uint8_t method;             /* of the request, also in a response */
    uint16_t code;              /* 0: a request */
    uint8_t cseq;               /* counted from the INVITE that is not challenged */
    uint8_t body;
    uint8_t flags;
    uint16_t wait_ms_min, wait_ms_max;
};

#define START       { A, INVITE, 0, 0, OFFER, REPEATS, 0, 0 }
#define TRYING      { B, INVITE, 100, 0, NO_BODY, 0, 3, 90 }
#define RINGING     { B, INVITE, 180, 0, NO_BODY, 0, 200, 3500 }
#define PICKED_UP   { B, INVITE, 200, 0, ANSWER, REPEATS, 1500, 15000 }
#define CONFIRMED   { A, ACK, 0, 0, NO_BODY, IN_DIALOG | ANSWERED, 5, 90 }
#define REFUSED(code, low, high) \
    { B, INVITE, code, 0, NO_BODY, REPEATS, low, high }, { A, ACK, 0, 0, NO_BODY, 0, 3, 60 }
#define HUNG_UP(side, cseq) \
    { side, BYE, 0, cseq, NO_BODY, IN_DIALOG | TALK | REPEATS, 0, 0 }, \
    { !(side), BYE, 200, cseq, NO_BODY, IN_DIALOG, 4, 80 }

static const struct step by_caller[] = {
    START, TRYING, RINGING, PICKED_UP, CONFIRMED, HUNG_UP(A, 1)
};
static const struct step by_callee[] = {
    START, TRYING, RINGING, PICKED_UP, CONFIRMED, HUNG_UP(B, 1)
};
static const struct step held[] = {
    START, TRYING, RINGING, PICKED_UP, CONFIRMED,
    { A, INVITE, 0, 1, HOLD, IN_DIALOG | REPEATS, 2000, 9000 },
    { B, INVITE, 200, 1, HOLD_ANSWER, IN_DIALOG, 10, 120 },
    { A, ACK, 0, 1, NO_BODY, IN_DIALOG, 4, 60 },
    { A, INVITE, 0, 2, RESUME, IN_DIALOG | REPEATS, 3000, 12000 },
    { B, INVITE, 200, 2, RESUME_ANSWER, IN_DIALOG, 10, 120 },
    { A, ACK, 0, 2, NO_BODY, IN_DIALOG, 4, 60 },
    HUNG_UP(A, 3),
};
static const struct step early[] = {
    START, TRYING,
    { B, INVITE, 183, 0, ANSWER, RELIABLE, 150, 900 },
    { A, PRACK, 0, 1, NO_BODY, IN_DIALOG, 10, 80 },
    { B, PRACK, 200, 1, NO_BODY, IN_DIALOG, 10, 80 },
    { A, UPDATE, 0, 2, OFFER, IN_DIALOG, 50, 300 },
    { B, UPDATE, 200, 2, ANSWER, IN_DIALOG, 10, 80 },
    { B, INVITE, 180, 0, NO_BODY, 0, 200, 2500 },
    { B, INVITE, 200, 0, NO_BODY, REPEATS, 1500, 15000 },
    CONFIRMED, HUNG_UP(A, 3),
};
static const struct step busy[] = { START, TRYING, REFUSED(486, 200, 3000) };
static const struct step cancelled[] = {
    START, TRYING, RINGING,
    { A, CANCEL, 0, 0, NO_BODY, 0, 3000, 28000 },
    { B, CANCEL, 200, 0, NO_BODY, 0, 3, 50 },
    REFUSED(487, 2, 60),
};
static const struct step no_answer[] = { START, TRYING, RINGING, REFUSED(480, 25000, 45000) };
static const struct step no_answer_408[] = { START, TRYING, RINGING, REFUSED(408, 25000, 45000) };
static const struct step declined[] = { START, TRYING, RINGING, REFUSED(603, 1000, 9000) };
static const struct step unavailable[] = { START, TRYING, REFUSED(480, 200, 2500) };
static const struct step unknown[] = { START, TRYING, REFUSED(404, 80, 1800) };
static const struct step no_codec[] = { START, TRYING, REFUSED(488, 60, 900) };
static const struct step overload[] = { START, REFUSED(503, 10, 300) };
static const struct step silence[] = { { A, INVITE, 0, 0, OFFER, SEVEN_TIMES, 0, 0 } };
static const struct step challenge[] = {
    START, { B, INVITE, 100, 0, NO_BODY, 0, 2, 30 }, { B, INVITE, 407, 0, NO_BODY, 0, 5, 60 },
    { A, ACK, 0, 0, NO_BODY, 0, 2, 40 },
};
static const struct step registered[] = {
    { A, REGISTER, 0, 0, NO_BODY, REPEATS, 0, 0 },
    { B, REGISTER, 401, 0, NO_BODY, 0, 4, 60 },
    { A, REGISTER, 0, 1, NO_BODY, CREDENTIALS, 4, 60 },
    { B, REGISTER, 200, 1, NO_BODY, 0, 4, 90 },
};
static const struct step not_registered[] = {
    { A, REGISTER, 0, 0, NO_BODY, REPEATS, 0, 0 },
    { B, REGISTER, 401, 0, NO_BODY, 0, 4, 60 },
    { A, REGISTER, 0, 1, NO_BODY, CREDENTIALS, 4, 60 },
    { B, REGISTER, 403, 1, NO_BODY, 0, 4, 90 },
};

struct scenario {
    const char *name;
    unsigned per_mille;         /* of the calls; registrations come beside them */
    unsigned final;
    const struct step *steps;
    size_t count;
};

#define STEPS(s) s, ARRAY_LEN(s)
static const struct scenario scenarios[] = {
    { "answered-caller-ends", 290, 200, STEPS(by_caller) },
    { "answered-callee-ends", 180, 200, STEPS(by_callee) },
    { "answered-hold", 50, 200, STEPS(held) },
    { "answered-early-prack", 60, 200, STEPS(early) },
    { "busy", 110, 486, STEPS(busy) },
    { "cancelled", 100, 487, STEPS(cancelled) },
    { "no-answer", 40, 480, STEPS(no_answer) },
    { "no-answer-408", 20, 408, STEPS(no_answer_408) },
    { "declined", 30, 603, STEPS(declined) },
    { "unavailable", 40, 480, STEPS(unavailable) },
    { "unknown-number", 40, 404, STEPS(unknown) },
    { "no-common-codec", 15, 488, STEPS(no_codec) },
    { "overload", 15, 503, STEPS(overload) },
    { "nobody-there", 10, 0, STEPS(silence) },
};
static const struct scenario registrations[] = {
    { "registered", 900, 200, STEPS(registered) },
    { "registration-refused", 100, 403, STEPS(not_registered) },
};
enum {
    CHALLENGED_PER_MILLE = 250,
    REPEATED_PER_MILLE = 12,
    REGISTRATION_EVERY = 20,    /* calls for each registration */
};

static const struct {
    unsigned code;
    unsigned q850;              /* what an ISDN gateway says beside it; 0: nothing */
    const char *phrase;
} answers[] = {
    { 100, 0, "Trying" },
    { 180, 0, "Ringing" },
    { 183, 0, "Session Progress" },
    { 200, 0, "OK" },
    { 401, 0, "Unauthorized" },
    { 403, 0, "Forbidden" },
    { 404, 1, "Not Found" },
    { 407, 0, "Proxy Authentication Required" },
    { 408, 102, "Request Timeout" },
    { 480, 19, "Temporarily Unavailable" },
    { 486, 17, "Busy Here" },
    { 487, 31, "Request Terminated" },
    { 488, 88, "Not Acceptable Here" },
    { 503, 34, "Service Unavailable" },
    { 603, 21, "Decline" },
};

/* One call (or registration) on its way through its plan. Everything that is the same in all of its
 * messages is derived from its number, so nothing else needs to be kept. */
struct planned {
    int64_t at_us;
    const struct step *step;
    uint8_t cseq;
    uint8_t flags;              /* those of the step, and CREDENTIALS */
    bool repeat;
};

struct call {
    uint64_t number;
    const struct scenario *scenario;
    bool challenged;
    int64_t media_until_us;
    unsigned count, next;
    struct planned plan[PLAN_MAX];
};

struct party {
    uint32_t address, media_address;
    uint16_t media_port;
    const char *product;
};

struct identity {
    struct party side[2];
    char caller[16], callee[16], domain[40], call_id[48], tag[2][20];
    uint64_t key;
};

struct stream {
    unsigned pending;           /* events that point here; the last one frees it */
    struct party from, to;
    struct chance chance;
    uint32_t ssrc, timestamp, sent, lost;
    uint16_t sequence;
    uint8_t payload_type, quality;
    int64_t start_us, until_us;
};

enum kind { MESSAGE, RTP_DUE, RTP_ARRIVES, RTCP_DUE };

struct event {
    int64_t at_us;
    uint64_t order;             /* of two at the same time, the one that was made first */
    enum kind kind;
    uint32_t index;             /* RTP_ARRIVES: the packet's place in its stream */
    void *what;                 /* struct call or struct stream */
};

struct truth {
    uint64_t calls, answered, challenged, registrations, registrations_ok, registrations_failed;
    uint64_t packets, file_bytes, sip_messages, sip_bytes;
    uint64_t retransmissions, call_retransmissions;
    uint64_t requests[METHODS], responses[CODE_MAX], finals[CODE_MAX];
    uint64_t by_scenario[ARRAY_LEN(scenarios)];
    uint64_t streams, rtp_sent, rtp_packets, rtp_lost, rtp_duplicates, rtp_delayed, rtcp_packets;
};

struct generator {
    uint64_t seed;
    bool media;
    int64_t longer;
    FILE *out;
    uint16_t ip_id;
    struct event *heap;
    size_t events, room;
    uint64_t order;
    struct truth truth;
};

static void *need(void *memory)
{
    if (!memory) {
        fputs("gen_capture: out of memory\n", stderr);
        exit(4);
    }
    return memory;
}

/* The queue of what comes next: a binary heap. */
static bool event_before(const struct event *x, const struct event *y)
{
    return x->at_us != y->at_us ? x->at_us < y->at_us : x->order < y->order;
}

static void queue_put(struct generator *g, int64_t at_us, enum kind kind, uint32_t index,
                      void *what)
{
    if (g->events == g->room) {
        g->room = g->room ? 2 * g->room : 4096;
        g->heap = need(realloc(g->heap, g->room * sizeof *g->heap));
    }
    struct event event = { at_us, g->order++, kind, index, what };
    size_t i = g->events++;

    for (; i > 0 && event_before(&event, &g->heap[(i - 1) / 2]); i = (i - 1) / 2)
        g->heap[i] = g->heap[(i - 1) / 2];
    g->heap[i] = event;
}

static struct event queue_take(struct generator *g)
{
    struct event first = g->heap[0];
    struct event last = g->heap[--g->events];
    size_t i = 0;

    for (size_t child; (child = 2 * i + 1) < g->events; i = child) {
        if (child + 1 < g->events && event_before(&g->heap[child + 1], &g->heap[child]))
            child++;
        if (!event_before(&g->heap[child], &last))
            break;
        g->heap[i] = g->heap[child];
    }
    g->heap[i] = last;
    return first;
}

/* Frames. */
static void put_be16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put_be32(uint8_t *at, uint32_t value)
{
    put_be16(at, value >> 16);
    put_be16(at + 2, value & 0xffff);
}

static void put_le32(uint8_t *at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t sum16(uint64_t sum, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i + 1 < size; i += 2)
        sum += (unsigned)(data[i] << 8 | data[i + 1]);
    if (size % 2)
        sum += (unsigned)(data[size - 1] << 8);
    return sum;
}

static unsigned checksum(uint64_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (unsigned)(~sum & 0xffff);
}

static void write_bytes(struct generator *g, const void *data, size_t size)
{
    if (fwrite(data, 1, size, g->out) != size) {
        perror("gen_capture: writing the capture");
        exit(4);
    }
    g->truth.file_bytes += size;
}

static void write_datagram(struct generator *g, int64_t at_us, uint32_t from, unsigned from_port,
                           uint32_t to, unsigned to_port, const uint8_t *payload, size_t size)
{
    uint8_t frame[16 + LINK_HEAD] = { 0 };
    uint8_t *link = frame + 16, *ip = link + 14, *udp = ip + 20;
    uint64_t stamp = (uint64_t)(START_US + at_us);

    put_le32(frame, (uint32_t)(stamp / 1000000));
    put_le32(frame + 4, (uint32_t)(stamp % 1000000));
    put_le32(frame + 8, (uint32_t)(LINK_HEAD + size));
    put_le32(frame + 12, (uint32_t)(LINK_HEAD + size));
    link[0] = link[6] = 0x02;                           /* locally administered */
    put_be32(link + 2, to);
    put_be32(link + 8, from);
    put_be16(link + 12, 0x0800);
    ip[0] = 0x45;
    put_be16(ip + 2, (unsigned)(28 + size));
    put_be16(ip + 4, g->ip_id++);
    ip[8] = 61;
    ip[9] = 17;
    put_be32(ip + 12, from);
    put_be32(ip + 16, to);
    put_be16(ip + 10, checksum(sum16(0, ip, 20)));
    put_be16(udp, from_port);
    put_be16(udp + 2, to_port);
    put_be16(udp + 4, (unsigned)(8 + size));
    unsigned sum = checksum(sum16(sum16(sum16(17 + 8 + size, ip + 12, 8), udp, 8), payload, size));
    put_be16(udp + 6, sum ? sum : 0xffff);              /* 0 would mean "not computed" */
    write_bytes(g, frame, sizeof frame);
    write_bytes(g, payload, size);
    g->truth.packets++;
}

/* Who takes part in a call. */
static void identity_of(const struct generator *g, const struct call *call,
                        struct identity *ret_who)
{
    static const char *const products[2][4] = {
        { "BorderOne 4.2.18", "EdgeGate/9.3 (build 1127)", "SoftSwitch 3.11.2", "CallDialer 5.8" },
        { "CarrierGateway/2.0.7", "MediaGateway R17.4", "IMS-AS 11.2", "TrunkNode/1.44" },
    };
    uint64_t key = hash3(g->seed, call->number, (uint64_t)(call->scenario->final == 0));
    unsigned provider = (unsigned)(key % PROVIDERS);
    bool inbound = (key >> 8) % 10 < 4 && call->scenario->steps[0].method != REGISTER;
    struct party border = {
        .address = 0xC6120001 + (uint32_t)((key >> 16) % 4),                    /* 198.18.0.1-4 */
        .media_address = 0xC6120101 + (uint32_t)((key >> 16) % 4),
        .product = products[0][(key >> 16) % 4],
    };
    struct party carrier = {
        .address = 0xC6130001 + (provider << 8) + (uint32_t)((key >> 20) % 2),  /* 198.19.p.1-2 */
        .media_address = 0xC6130011 + (provider << 8) + (uint32_t)((key >> 24) % 8),
        .product = products[1][provider % 4],
    };

    border.media_port = (uint16_t)(10000 + 2 * (call->number % 24000));
    carrier.media_port = (uint16_t)(10000 + 2 * ((call->number * 7) % 24000));
    ret_who->key = key;
    ret_who->side[A] = inbound ? carrier : border;
    ret_who->side[B] = inbound ? border : carrier;
    snprintf(ret_who->caller, sizeof ret_who->caller, "+1555%07" PRIu64, key / 13 % 10000000);
    snprintf(ret_who->callee, sizeof ret_who->callee, "+1555%07" PRIu64, key / 17 % 10000000);
    snprintf(ret_who->domain, sizeof ret_who->domain, "voice.provider%02u.example", provider + 1);
    snprintf(ret_who->call_id, sizeof ret_who->call_id, "%016" PRIx64 "-%" PRIu64 "@%s", mix(key),
             call->number, inbound ? "core" : "border");
    for (unsigned i = 0; i < 2; i++)
        snprintf(ret_who->tag[i], sizeof ret_who->tag[i], "%012" PRIx64, hash3(key, i, 1) >> 16);
}

/* Text of messages. */
struct text {
    size_t size;
    char at[MESSAGE_MAX + 1];
};

__attribute__((format(printf, 2, 3))) static void add(struct text *text, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    int size = vsnprintf(text->at + text->size, sizeof text->at - text->size, format, arguments);
    va_end(arguments);
    if (size < 0 || (size_t)size >= sizeof text->at - text->size) {
        fputs("gen_capture: a message does not fit one packet\n", stderr);
        exit(1);
    }
    text->size += (size_t)size;
}

struct address {
    char text[16];
};

static struct address dotted(uint32_t ip)
{
    struct address result;

    snprintf(result.text, sizeof result.text, "%u.%u.%u.%u", ip >> 24, ip >> 16 & 255,
             ip >> 8 & 255, ip & 255);
    return result;
}

static size_t answer_row(unsigned code)
{
    for (size_t i = 0; i < ARRAY_LEN(answers); i++)
        if (answers[i].code == code)
            return i;
    fprintf(stderr, "gen_capture: no phrase for %u\n", code);
    exit(1);
}

static void add_sdp(struct text *text, const struct identity *who, unsigned side, enum body body)
{
    const struct party *party = &who->side[side];
    struct address media = dotted(party->media_address);
    bool offer = body == OFFER || body == HOLD || body == RESUME;
    static const char *const direction[] = {
        [HOLD] = "sendonly", [HOLD_ANSWER] = "recvonly",
    };

    add(text,
        "v=0\r\no=- %u %u IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\n"
        "m=audio %u RTP/AVP 8 0 %s101\r\n"
        "a=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n%sa=rtpmap:101 telephone-event/8000\r\n"
        "a=fmtp:101 0-15\r\na=ptime:20\r\na=%s\r\n",
        (unsigned)(who->key >> 40), 1 + (unsigned)body / HOLD, media.text, media.text,
        party->media_port, offer ? "18 " : "",
        offer ? "a=rtpmap:18 G729/8000\r\na=fmtp:18 annexb=no\r\n" : "",
        body == HOLD || body == HOLD_ANSWER ? direction[body] : "sendrecv");
}

/* What a message is, worked out once. */
struct shape {
    const struct planned *planned;
    const struct step *step;
    enum side client;           /* who sent the request of this transaction */
    bool request, in_dialog, hop_by_hop;
};

static struct shape shape_of(const struct planned *planned)
{
    const struct step *step = planned->step;
    bool ack_of_refusal = step->method == ACK && !(planned->flags & IN_DIALOG);

    return (struct shape){
        .planned = planned,
        .step = step,
        .client = step->code ? !step->from : step->from,
        .request = step->code == 0,
        .in_dialog = planned->flags & IN_DIALOG,
        .hop_by_hop = ack_of_refusal || step->method == CANCEL,
    };
}

static void add_start(struct text *text, const struct identity *who, const struct shape *shape)
{
    const char *name = method_names[shape->step->method];
    enum side to = !shape->client;

    if (!shape->request)
        add(text, "SIP/2.0 %u %s\r\n", shape->step->code,
            answers[answer_row(shape->step->code)].phrase);
    else if (shape->step->method == REGISTER)
        add(text, "REGISTER sip:%s SIP/2.0\r\n", who->domain);
    else if (shape->in_dialog)
        add(text, "%s sip:%s@%s:5060;transport=udp SIP/2.0\r\n", name,
            to == B ? who->callee : who->caller, dotted(who->side[to].address).text);
    else
        add(text, "%s sip:%s@%s;user=phone SIP/2.0\r\n", name, who->callee, who->domain);
}

/* ACK to a refusal and CANCEL have the branch of their INVITE; an ACK to a 200 has its own
 * (RFC 3261, 9.1 and 17.1.1.3). */
static void add_route(struct text *text, const struct identity *who, const struct shape *shape)
{
    unsigned of = shape->hop_by_hop ? INVITE : shape->step->method;
    uint64_t branch = hash3(who->key, shape->planned->cseq * 16u + of, shape->client);
    struct address top = dotted(who->side[shape->client].address);

    add(text, "Via: SIP/2.0/UDP %s:5060;branch=z9hG4bK%016" PRIx64 ";rport%s\r\n", top.text, branch,
        shape->request ? "" : "=5060");
    if (!shape->hop_by_hop && shape->client == A)
        add(text,
            "Via: SIP/2.0/UDP 198.18.%u.%u:5060;received=198.18.%u.%u;branch=z9hG4bK-%u-%08x\r\n",
            32 + (unsigned)(who->key % 16), 1 + (unsigned)(who->key >> 4 & 127),
            32 + (unsigned)(who->key % 16), 1 + (unsigned)(who->key >> 4 & 127),
            shape->planned->cseq, (uint32_t)mix(branch));
    bool dialog_forming = shape->step->method == INVITE && !shape->in_dialog &&
                          (shape->request || (shape->step->code > 100 && shape->step->code < 300));
    if (dialog_forming)
        add(text, "Record-Route: <sip:%s;lr;ftag=%s>\r\n", dotted(who->side[A].address).text,
            who->tag[A]);
    if (shape->request && shape->in_dialog)
        add(text, "Route: <sip:%s:5060;lr>\r\n", dotted(who->side[!shape->client].address).text);
    if (shape->request)
        add(text, "Max-Forwards: %u\r\n", shape->step->method == INVITE ? 67 : 69);
}

static void add_parties(struct text *text, const struct identity *who, const struct shape *shape)
{
    const struct step *step = shape->step;
    char uri[2][96];
    bool to_tag = shape->in_dialog || step->code > 100 ||
                  (step->method == ACK && shape->request);
    enum side from = shape->client;

    if (step->method == REGISTER) {
        for (unsigned i = 0; i < 2; i++)
            snprintf(uri[i], sizeof uri[i], "<sip:%s@%s>", who->caller, who->domain);
    } else {
        snprintf(uri[A], sizeof uri[A], "\"%s\" <sip:%s@%s;user=phone>", who->caller, who->caller,
                 who->domain);
        snprintf(uri[B], sizeof uri[B], "<sip:%s@%s;user=phone>", who->callee, who->domain);
    }
    add(text, "From: %s;tag=%s\r\nTo: %s", uri[from], who->tag[from], uri[!from]);
    if (to_tag)
        add(text, ";tag=%s", who->tag[!from]);
    add(text, "\r\nCall-ID: %s\r\nCSeq: %u %s\r\n", who->call_id, shape->planned->cseq,
        method_names[step->method]);
}

static void add_contact(struct text *text, const struct identity *who, const struct shape *shape)
{
    const struct step *step = shape->step;
    struct address own = dotted(who->side[step->from].address);
    bool target =
        (step->method == INVITE || step->method == UPDATE) && step->code != 100 && step->code < 300;

    if (step->method == REGISTER && (shape->request || step->code == 200))
        add(text, "Contact: <sip:%s@%s:5060;line=%08x>;expires=3600\r\n", who->caller,
            dotted(who->side[A].address).text, (uint32_t)who->key);
    else if (target)
        add(text, "Contact: <sip:%s@%s:5060;transport=udp>\r\n",
            step->from == A ? who->caller : who->callee, own.text);
}

static void add_digest(struct text *text, const struct identity *who, const struct shape *shape)
{
    uint64_t nonce = hash3(who->key, 2, 2);
    bool registrar = shape->step->method == REGISTER;

    if (shape->step->code == 401 || shape->step->code == 407)
        add(text,
            "%s-Authenticate: Digest realm=\"%s\", nonce=\"%016" PRIx64
            "\", algorithm=MD5, qop=\"auth\"\r\n",
            registrar ? "WWW" : "Proxy", who->domain, nonce);
    if (shape->request && (shape->planned->flags & CREDENTIALS))
        add(text,
            "%sAuthorization: Digest username=\"%s\", realm=\"%s\", nonce=\"%016" PRIx64
            "\", uri=\"sip:%s\", "
            "response=\"%016" PRIx64 "%016" PRIx64
            "\", algorithm=MD5, cnonce=\"%08x\", qop=auth, nc=00000001\r\n",
            registrar ? "" : "Proxy-", who->caller, who->domain, nonce, who->domain,
            hash3(nonce, 3, 3), hash3(nonce, 4, 4), (uint32_t)hash3(nonce, 5, 5));
}

static void add_extras(struct text *text, const struct identity *who, const struct shape *shape)
{
    const struct step *step = shape->step;
    bool first_invite = shape->request && step->method == INVITE && !shape->in_dialog;

    if (first_invite)
        add(text, "P-Asserted-Identity: \"%s\" <sip:%s@%s;user=phone>\r\n", who->caller,
            who->caller, who->domain);
    if (first_invite && !(shape->planned->flags & CREDENTIALS)) /* both would not fit one packet */
        add(text, "P-Charging-Vector: icid-value=%016" PRIx64 ";icid-generated-at=%s\r\n",
            hash3(who->key, 6, 6), dotted(who->side[A].address).text);
    if (step->method == INVITE && (shape->request || step->code == 200))
        add(text,
            "Allow: INVITE, ACK, CANCEL, BYE, PRACK, UPDATE, OPTIONS, INFO, REFER, NOTIFY\r\n%s",
            shape->request
                ? "Supported: 100rel, timer, replaces\r\nSession-Expires: 1800\r\n"
                : "Supported: timer, replaces\r\nRequire: timer\r\n"
                  "Session-Expires: 1800;refresher=uac\r\n");
    if (step->flags & RELIABLE)
        add(text, "Require: 100rel\r\nRSeq: %u\r\n", 1 + (unsigned)(who->key >> 44 & 0xfff));
    if (shape->request && step->method == PRACK)
        add(text, "RAck: %u %u INVITE\r\n", 1 + (unsigned)(who->key >> 44 & 0xfff),
            shape->planned->cseq - 1u);
    if (step->code == 503)
        add(text, "Retry-After: 30\r\n");
    if (!shape->request && answers[answer_row(step->code)].q850)
        add(text, "Reason: Q.850;cause=%u\r\n", answers[answer_row(step->code)].q850);
    if (shape->request && step->method == BYE)
        add(text, "Reason: Q.850;cause=16;text=\"Normal call clearing\"\r\n");
    if (step->code != 100)
        add(text, "%s: %s\r\n", shape->request ? "User-Agent" : "Server",
            who->side[step->from].product);
}

static void write_message(struct generator *g, const struct call *call,
                          const struct planned *planned)
{
    struct shape shape = shape_of(planned);
    struct identity who;
    struct text text = { .size = 0 }, body = { .size = 0 };
    const struct step *step = planned->step;
    struct truth *truth = &g->truth;

    identity_of(g, call, &who);
    add_start(&text, &who, &shape);
    add_route(&text, &who, &shape);
    add_parties(&text, &who, &shape);
    add_contact(&text, &who, &shape);
    add_digest(&text, &who, &shape);
    add_extras(&text, &who, &shape);
    if (step->body != NO_BODY)
        add_sdp(&body, &who, step->from, step->body);
    add(&text, "%sContent-Length: %zu\r\n\r\n%s",
        body.size ? "Content-Type: application/sdp\r\n" : "", body.size, body.at);
    write_datagram(g, planned->at_us, who.side[step->from].address, SIP_PORT,
                   who.side[!step->from].address, SIP_PORT, (const uint8_t *)text.at, text.size);

    truth->sip_messages++;
    truth->sip_bytes += text.size;
    truth->retransmissions += planned->repeat;
    truth->call_retransmissions += planned->repeat && step->method != REGISTER;
    if (step->code)
        truth->responses[step->code]++;
    else
        truth->requests[step->method]++;
}

/* Plans. */
static void plan_add(struct call *call, const struct planned *planned)
{
    if (call->count == PLAN_MAX) {
        fputs("gen_capture: a scenario is longer than PLAN_MAX\n", stderr);
        exit(1);
    }
    call->plan[call->count++] = *planned;
}

static void plan_timer_a(struct call *call, struct planned planned)
{
    int64_t gap_us = 500000;                            /* T1; RFC 3261, 17.1.1.2 */

    planned.repeat = true;
    for (unsigned i = 1; i < 7; i++, gap_us *= 2) {
        planned.at_us += gap_us;
        plan_add(call, &planned);
    }
}

static int64_t talk_ms(const struct generator *g, struct chance *chance)
{
    return g->media
               ? chance_between(chance, 3000, 8000) * g->longer
               : chance_between(chance, 2000, 20000) + chance_between(chance, 0, 9) / 8 * 60000;
}

/* Append steps to a call's plan; returns when the last of them is sent. */
static int64_t plan_steps(const struct generator *g, struct call *call, struct chance *chance,
                          int64_t at_us, const struct step *steps, size_t count, unsigned cseq,
                          unsigned flags)
{
    for (size_t i = 0; i < count; i++) {
        const struct step *step = &steps[i];
        int64_t wait_ms = step->flags & TALK
                              ? talk_ms(g, chance)
                              : chance_between(chance, step->wait_ms_min, step->wait_ms_max);

        at_us += wait_ms * 1000 + (i ? chance_between(chance, 1, 999) : 0);
        struct planned planned = {
            .at_us = at_us,
            .step = step,
            .cseq = (uint8_t)(cseq + step->cseq),
            .flags = (uint8_t)(step->flags | (step->method == INVITE ? flags : 0)),
        };
        plan_add(call, &planned);
        if (step->flags & SEVEN_TIMES)
            plan_timer_a(call, planned);
        if ((step->flags & REPEATS) && chance_per_mille(chance, REPEATED_PER_MILLE)) {
            planned.at_us = at_us += 500000;            /* the first one did not arrive */
            planned.repeat = true;
            plan_add(call, &planned);
        }
        if (step->flags & TALK)
            call->media_until_us = at_us;
    }
    return at_us;
}

static const struct scenario *choose(struct chance *chance, const struct scenario *from,
                                     size_t count)
{
    unsigned at = (unsigned)(chance_next(chance) % 1000);

    for (size_t i = 0; i < count; i++) {
        if (at < from[i].per_mille)
            return &from[i];
        at -= from[i].per_mille;
    }
    return &from[0];
}

static struct call *call_new(struct generator *g, uint64_t number, int64_t at_us, bool registration)
{
    struct call *call = need(calloc(1, sizeof *call));
    struct chance chance = { hash3(g->seed, number, registration ? 11 : 10) };
    struct truth *truth = &g->truth;
    unsigned cseq = 1, flags = 0;

    call->number = registration ? UINT64_C(1) << 40 | number : number;
    call->scenario = registration ? choose(&chance, registrations, ARRAY_LEN(registrations))
                                  : choose(&chance, scenarios, ARRAY_LEN(scenarios));
    if (registration) {
        truth->registrations++;
        truth->registrations_ok += call->scenario->final == 200;
        truth->registrations_failed += call->scenario->final != 200;
    } else {
        truth->calls++;
        truth->answered += call->scenario->final == 200;
        truth->finals[call->scenario->final]++;
        truth->by_scenario[call->scenario - scenarios]++;
        call->challenged =
            call->scenario->final != 0 && chance_per_mille(&chance, CHALLENGED_PER_MILLE);
    }
    if (call->challenged) {
        truth->challenged++;
        at_us = plan_steps(g, call, &chance, at_us, challenge, ARRAY_LEN(challenge), cseq++, 0);
        at_us += chance_between(&chance, 200, 4000);
        flags = CREDENTIALS;
    }
    plan_steps(g, call, &chance, at_us, call->scenario->steps, call->scenario->count, cseq, flags);
    return call;
}

/* Media. */
static const struct {
    unsigned per_mille;         /* of the streams */
    unsigned lost_per_mille, delayed_per_mille, doubled_per_mille;
    int64_t jitter_us;
} qualities[] = {
    { 700, 0, 0, 0, 1500 },
    { 200, 8, 1, 1, 7000 },
    { 100, 30, 5, 2, 16000 },
};

static void stream_event(struct generator *g, int64_t at_us, enum kind kind, uint32_t index,
                         struct stream *stream)
{
    stream->pending++;
    queue_put(g, at_us, kind, index, stream);
}

static void start_stream(struct generator *g, const struct call *call, const struct identity *who,
                         enum side side, int64_t at_us)
{
    struct stream *stream = need(calloc(1, sizeof *stream));
    unsigned at;

    stream->chance.state = hash3(who->key, 20 + side, 0);
    stream->from = who->side[side];
    stream->to = who->side[!side];
    stream->ssrc = (uint32_t)chance_next(&stream->chance);
    stream->timestamp = (uint32_t)chance_next(&stream->chance);
    stream->sequence = (uint16_t)chance_next(&stream->chance);
    stream->payload_type = call->number % 4 ? 8 : 0;
    at = (unsigned)(chance_next(&stream->chance) % 1000);
    while (at >= qualities[stream->quality].per_mille)
        at -= qualities[stream->quality++].per_mille;
    stream->start_us = at_us + chance_between(&stream->chance, 1000, 20000);
    stream->until_us = call->media_until_us - 100000;
    g->truth.streams++;
    stream_event(g, stream->start_us, RTP_DUE, 0, stream);
    stream_event(g, stream->start_us + RTCP_PERIOD_US, RTCP_DUE, 0, stream);
}

/* A packet leaves its sender: it is lost, or arrives later. The first and the last arrive, so that
 * a reader can know of every loss between them. */
static void rtp_due(struct generator *g, struct stream *stream, int64_t at_us)
{
    uint32_t index = stream->sent++;
    bool last = at_us + RTP_PERIOD_US > stream->until_us, edge = index < 2 || last;
    struct chance *chance = &stream->chance;
    int64_t delay_us = 10000 + chance_between(chance, 0, qualities[stream->quality].jitter_us);

    g->truth.rtp_sent++;
    if (!edge && chance_per_mille(chance, qualities[stream->quality].lost_per_mille)) {
        g->truth.rtp_lost++;
        stream->lost++;
    } else {
        if (!edge && chance_per_mille(chance, qualities[stream->quality].delayed_per_mille)) {
            g->truth.rtp_delayed++;
            delay_us += 30000;
        }
        if (last)
            delay_us += 60000;                          /* nothing overtakes the end */
        stream_event(g, at_us + delay_us, RTP_ARRIVES, index, stream);
        if (!edge && chance_per_mille(chance, qualities[stream->quality].doubled_per_mille)) {
            g->truth.rtp_duplicates++;
            stream_event(g, at_us + delay_us + 150, RTP_ARRIVES, index, stream);
        }
    }
    if (!last)
        stream_event(g, at_us + RTP_PERIOD_US, RTP_DUE, 0, stream);
}

static void rtp_arrives(struct generator *g, struct stream *stream, int64_t at_us, uint32_t index)
{
    uint8_t packet[RTP_BYTES];
    struct chance noise = { hash3(stream->ssrc, index, 0) };

    packet[0] = 0x80;
    packet[1] = (uint8_t)(stream->payload_type | (index == 0 ? 0x80 : 0));
    put_be16(packet + 2, (uint16_t)(stream->sequence + index));
    put_be32(packet + 4, stream->timestamp + RTP_SAMPLES * index);
    put_be32(packet + 8, stream->ssrc);
    for (unsigned i = 12; i < RTP_BYTES; i += 8) {
        uint64_t word = chance_next(&noise);

        memcpy(packet + i, &word, 8);
    }
    write_datagram(g, at_us, stream->from.media_address, stream->from.media_port,
                   stream->to.media_address, stream->to.media_port, packet, sizeof packet);
    g->truth.rtp_packets++;
}

/* A sender report with one block about the other direction, and a CNAME (RFC 3550, 6.4.1, 6.5). */
static void rtcp_due(struct generator *g, struct stream *stream, int64_t at_us)
{
    enum { REPORT = 28 + 24, NAMES = 24 };
    uint8_t packet[REPORT + NAMES] = { 0x81, 200, 0, REPORT / 4 - 1 };
    uint64_t now_us = (uint64_t)(START_US + at_us);

    put_be32(packet + 4, stream->ssrc);
    put_be32(packet + 8, (uint32_t)(now_us / 1000000 + UINT64_C(2208988800)));
    put_be32(packet + 12, (uint32_t)((now_us % 1000000 << 32) / 1000000));
    put_be32(packet + 16, stream->timestamp + RTP_SAMPLES * stream->sent);
    put_be32(packet + 20, stream->sent);
    put_be32(packet + 24, stream->sent * RTP_SAMPLES);
    put_be32(packet + 28, (uint32_t)mix(stream->ssrc));
    put_be32(packet + 32, stream->lost & 0xffffff);
    put_be32(packet + 36, stream->sequence + stream->sent);
    put_be32(packet + 40, (uint32_t)(qualities[stream->quality].jitter_us / 3 / 125));
    uint8_t *names = packet + REPORT;
    names[0] = 0x81;
    names[1] = 202;
    put_be16(names + 2, NAMES / 4 - 1);
    put_be32(names + 4, stream->ssrc);
    names[8] = 1;
    names[9] = 12;
    memcpy(names + 10, "user@example", 12);
    write_datagram(g, at_us, stream->from.media_address, stream->from.media_port + 1u,
                   stream->to.media_address, stream->to.media_port + 1u, packet, sizeof packet);
    g->truth.rtcp_packets++;
    if (at_us + RTCP_PERIOD_US < stream->until_us)
        stream_event(g, at_us + RTCP_PERIOD_US, RTCP_DUE, 0, stream);
}

static void stream_due(struct generator *g, const struct event *event)
{
    struct stream *stream = event->what;

    switch (event->kind) {
    case MESSAGE: break;                                /* of a call, not of a stream */
    case RTP_DUE: rtp_due(g, stream, event->at_us); break;
    case RTP_ARRIVES: rtp_arrives(g, stream, event->at_us, event->index); break;
    case RTCP_DUE: rtcp_due(g, stream, event->at_us); break;
    }
    if (--stream->pending == 0)
        free(stream);
}

/* The run. */
static void message_due(struct generator *g, struct call *call)
{
    const struct planned *planned = &call->plan[call->next++];

    write_message(g, call, planned);
    if (g->media && (planned->flags & ANSWERED)) {
        struct identity who;

        identity_of(g, call, &who);
        start_stream(g, call, &who, A, planned->at_us);
        start_stream(g, call, &who, B, planned->at_us);
    }
    if (call->next < call->count)
        queue_put(g, call->plan[call->next].at_us, MESSAGE, 0, call);
    else
        free(call);
}

static void begin(struct generator *g, uint64_t number, int64_t at_us)
{
    queue_put(g, at_us, MESSAGE, 0, call_new(g, number, at_us, false));
    if (number % REGISTRATION_EVERY == REGISTRATION_EVERY / 2)
        queue_put(g, at_us, MESSAGE, 0, call_new(g, number, at_us, true));
}

static void run(struct generator *g, uint64_t calls, uint64_t rate)
{
    struct chance arrivals = { hash3(g->seed, 0, 30) };
    int64_t next_us = 0;
    uint64_t started = 0;

    while (started < calls || g->events) {
        if (started < calls && (!g->events || next_us <= g->heap[0].at_us)) {
            begin(g, started++, next_us);
            next_us += chance_between(&arrivals, 0, (int64_t)(2000000 / rate));
            continue;
        }
        struct event event = queue_take(g);
        if (event.kind == MESSAGE)
            message_due(g, event.what);
        else
            stream_due(g, &event);
    }
}

static void write_header(struct generator *g)
{
    uint8_t header[24] = { 0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0 };

    put_le32(header + 16, 65535);
    put_le32(header + 20, 1);                           /* Ethernet */
    write_bytes(g, header, sizeof header);
}

static void write_counts(FILE *out, const char *name, const uint64_t *counts)
{
    const char *between = "";

    fprintf(out, ",\n \"%s\": {", name);
    for (unsigned code = 0; code < CODE_MAX; code++) {
        if (!counts[code])
            continue;
        fprintf(out, "%s\"%u\": %" PRIu64, between, code, counts[code]);
        between = ", ";
    }
    fputs("}", out);
}

static void write_truth(const struct generator *g, FILE *out)
{
    const struct truth *truth = &g->truth;
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {
        { "calls", truth->calls },
        { "answered", truth->answered },
        { "challenged", truth->challenged },
        { "registrations", truth->registrations },
        { "registrations_ok", truth->registrations_ok },
        { "registrations_failed", truth->registrations_failed },
        { "packets", truth->packets },
        { "file_bytes", truth->file_bytes },
        { "sip_messages", truth->sip_messages },
        { "sip_bytes", truth->sip_bytes },
        { "retransmissions", truth->retransmissions },
        { "call_retransmissions", truth->call_retransmissions },
        { "streams", truth->streams },
        { "rtp_sent", truth->rtp_sent },
        { "rtp_packets", truth->rtp_packets },
        { "rtp_lost", truth->rtp_lost },
        { "rtp_duplicates", truth->rtp_duplicates },
        { "rtp_delayed", truth->rtp_delayed },
        { "rtcp_packets", truth->rtcp_packets },
    };
    const char *between = "";

    fprintf(out, "{\n \"mode\": \"%s\",\n \"seed\": %" PRIu64, g->media ? "mixed" : "sig", g->seed);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        fprintf(out, ",\n \"%s\": %" PRIu64, rows[i].name, rows[i].value);
    write_counts(out, "finals", truth->finals);
    write_counts(out, "responses", truth->responses);
    fputs(",\n \"requests\": {", out);
    for (unsigned i = 0; i < METHODS; i++) {
        if (!truth->requests[i])
            continue;
        fprintf(out, "%s\"%s\": %" PRIu64, between, method_names[i], truth->requests[i]);
        between = ", ";
    }
    fputs("},\n \"scenarios\": {", out);
    for (size_t i = 0; i < ARRAY_LEN(scenarios); i++)
        fprintf(out, "%s\"%s\": %" PRIu64, i ? ", " : "", scenarios[i].name, truth->by_scenario[i]);
    fputs("}\n}\n", out);
}

struct options {
    bool media;
    uint64_t calls, seed, rate, longer;
    const char *capture, *truth;
};

static bool options_parse(int argc, char **argv, struct options *ret_options)
{
    if (argc < 2 || (strcmp(argv[1], "sig") != 0 && strcmp(argv[1], "mixed") != 0))
        return false;
    struct options options = { .media = argv[1][0] == 'm', .seed = 1, .rate = 250, .longer = 1 };

    options.calls = options.media ? 2000 : 100000;
    for (int i = 2; i < argc; i += 2) {
        if (argv[i][0] != '-' || !argv[i][1] || argv[i][2] || i + 1 == argc)
            return false;
        switch (argv[i][1]) {
        case 'n': options.calls = strtoull(argv[i + 1], NULL, 10); break;
        case 's': options.seed = strtoull(argv[i + 1], NULL, 10); break;
        case 'r': options.rate = strtoull(argv[i + 1], NULL, 10); break;
        case 'l': options.longer = strtoull(argv[i + 1], NULL, 10); break;
        case 'o': options.capture = argv[i + 1]; break;
        case 't': options.truth = argv[i + 1]; break;
        default: return false;
        }
    }
    if (!options.capture || !options.truth || !options.calls || !options.rate || !options.longer ||
        options.longer > 1000)
        return false;
    *ret_options = options;
    return true;
}

static FILE *open_or_exit(const char *path)
{
    FILE *file = fopen(path, "wb");

    if (!file) {
        perror(path);
        exit(4);
    }
    return file;
}

static void close_or_exit(FILE *file, const char *path)
{
    if (fclose(file) != 0) {
        perror(path);
        exit(4);
    }
}

int main(int argc, char **argv)
{
    struct options options;

    if (!options_parse(argc, argv, &options)) {
        fputs("usage: gen_capture sig|mixed [-n CALLS] [-s SEED] [-r CALLS_PER_SECOND] [-l TIMES] "
              "-o OUT.pcap -t TRUTH.json\n",
              stderr);
        return 2;
    }
    struct generator g = { .seed = options.seed,
                           .media = options.media,
                           .longer = (int64_t)options.longer,
                           .out = open_or_exit(options.capture) };
    FILE *truth = open_or_exit(options.truth);

    write_header(&g);
    run(&g, options.calls, options.rate);
    close_or_exit(g.out, options.capture);
    write_truth(&g, truth);
    close_or_exit(truth, options.truth);
    free(g.heap);
    return 0;
}
