/* net/ng_test.c - the socket to a media relay, and a real one: rtpengine on the loopback
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/ng.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/test.h"
#include "net/socket.h"
#include "sip/sdp.h"

#define MS 1000000ll
#define MINUTE_NS (60000 * MS)

static struct {
    struct loop        *loop;
    struct ng          *ng;
    struct media_relay *media;
    struct loop_turn    turn;
    unsigned            told, lost;
    enum media_outcome  outcome;
    char                sdp[2048], reason[128];
    int64_t             packets;
} w;

static void on_datagram(void *ctx, slice bytes, int64_t now_ns)
{
    (void)ctx;
    media_relay_receive(w.media, bytes, now_ns);
}
static void on_lost(void *ctx, int64_t now_ns)
{
    (void)ctx;
    w.lost++;
    media_relay_lost(w.media, now_ns);
}
static int64_t on_turn(void *ctx, int64_t now_ns)
{
    (void)ctx;
    media_relay_time(w.media, now_ns);
    return media_relay_next_ns(w.media);
}

static void on_reply(void *ctx, const struct media_reply *reply)
{
    struct bencode totals, rtp, packets;

    (void)ctx;
    w.told++;
    w.outcome = reply->outcome;
    snprintf(w.sdp, sizeof w.sdp, SLICE_FMT, SLICE_ARG(reply->sdp));
    snprintf(w.reason, sizeof w.reason, SLICE_FMT, SLICE_ARG(reply->reason));
    if (reply->outcome == MEDIA_DONE && bencode_find(&reply->all, SLICE("totals"), &totals) &&
        bencode_find(&totals, SLICE("RTP"), &rtp) && bencode_find(&rtp, SLICE("packets"), &packets))
        w.packets = packets.number;
}

/* A socket on a free port of the loopback. */
static int bound(struct address *ret)
{
    struct socket_wish wish = { .type = SOCK_DGRAM };
    enum net_fault_what what;
    int fd;

    CHECK(address_parse_ip(SLICE("127.0.0.1"), &wish.local));
    fd = socket_bound(&wish, &what);
    CHECK(fd >= 0 && socket_local(fd, ret) == 0);
    return fd;
}

static void begin(const struct address *at, int64_t ping_ns)
{
    struct media_relay_settings settings = { .seed = { 1, 2 }, .again_ns = 200 * MS, .ping_ns = ping_ns };
    struct media_sender sender;

    memset(&w, 0, sizeof w);
    CHECK_EQ(loop_open(&w.loop), 0);
    CHECK_EQ(ng_open(&w.ng, w.loop, at, &(struct ng_handlers){ NULL, on_datagram, on_lost }), 0);
    sender = ng_sender(w.ng);
    w.media = media_relay_new(&settings, &sender, loop_now_ns(w.loop));
    CHECK(w.media != NULL);
    w.turn = (struct loop_turn){ .turn = on_turn };
    loop_add_turn(w.loop, &w.turn, LOOP_WORK);
}

static void end(void)
{
    loop_remove_turn(&w.turn);
    w.media = media_relay_free(w.media);
    w.ng = ng_free(w.ng);
    w.loop = loop_free(w.loop);
}

static void once_around(void) { CHECK_EQ(loop_round(w.loop, loop_now_ns(w.loop) + MINUTE_NS), 0); }

static void ask(const struct media_wish *wish)
{
    unsigned told = w.told;

    CHECK(media_relay_ask(w.media, wish, loop_now_ns(w.loop), on_reply, NULL) != NULL);
    while (w.told == told)
        once_around();
}

TEST(a_relay_that_is_not_there_is_known_to_be_down_at_once)
{
    struct address at;

    (void)close(bound(&at));
    begin(&at, 5000 * MS);
    while (!w.lost)
        once_around();
    CHECK(media_relay_is_down(w.media));
    CHECK(ng_counts(w.ng)->failed >= 1 && ng_counts(w.ng)->received == 0);
    end();
}

/* ---- the real one ---- */

static pid_t start_rtpengine(struct address *ret)
{
    static const char program[] = "/usr/bin/rtpengine";
    char listen[ADDRESS_TEXT_MAX];
    pid_t pid;

    if (access(program, X_OK) != 0)
        SKIP("%s is not installed (Debian: rtpengine-daemon)", program);
    (void)close(bound(ret));
    address_format(ret, listen);
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);

        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);           /* a test that fails leaves nothing behind */
        (void)dup2(null, 0), (void)dup2(null, 1), (void)dup2(null, 2);
        (void)execl(program, program, "--config-file=none", "--foreground", "--log-stderr", "--table=-1", "--interface=127.0.0.1", "--listen-ng",
                    listen, "--port-min=40000", "--port-max=49998", "--num-threads=1", (char *)NULL);
        _exit(127);
    }
    return pid;
}

static slice sdp_at(uint16_t port, char text[256])
{
    return slice_of(text, (size_t)snprintf(text, 256,
                    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio %u RTP/AVP 0\r\n"
                    "a=rtpmap:0 PCMU/8000\r\na=curr:qos local none\r\n", (unsigned)port));
}

/* Where the relay wants media, by the SDP that it gave. */
static struct address offered(void)
{
    struct sdp sdp;
    struct address at = { 0 };

    CHECK(sdp_parse(slice_of_string(w.sdp), &sdp) && sdp.media_count == 1);
    CHECK(address_parse_ip(sdp_media_connection(&sdp, 0).address, &at));
    CHECK(slice_find(slice_of_string(w.sdp), SLICE("a=curr:qos local none\r\n")) >= 0);
    at.port = sdp.media[0].port;
    return at;
}

/* Packets until one comes through; the relay may still be learning. */
static void pass_rtp(int from, const struct address *to, int there, uint8_t mark)
{
    uint8_t packet[12 + 160] = { 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4 }, got[512];
    struct sockaddr_storage at;
    socklen_t len = socket_address_to(to, &at);

    memset(packet + 12, mark, 160);
    for (int i = 0; i < 100; i++) {
        struct timeval wait = { .tv_usec = 100000 };
        fd_set ready;

        packet[3] = (uint8_t)i;
        packet[6] = (uint8_t)(i * 160 >> 8), packet[7] = (uint8_t)(i * 160);
        CHECK(sendto(from, packet, sizeof packet, 0, (struct sockaddr *)&at, len) == (ssize_t)sizeof packet);
        FD_ZERO(&ready);
        FD_SET(there, &ready);
        if (select(there + 1, &ready, NULL, NULL, &wait) == 1 && recv(there, got, sizeof got, 0) == (ssize_t)sizeof packet) {
            CHECK_MEM_EQ(got + 12, packet + 12, 160);
            return;
        }
    }
    FAIL("no RTP came through the relay");
}

TEST(rtpengine_relays_rtp_both_ways_and_lets_go_of_the_call)
{
    struct address relay, at_a, at_b, for_a, for_b;
    char text[256];
    pid_t pid = start_rtpengine(&relay);
    int a = bound(&at_a), b = bound(&at_b), status;
    struct media_wish wish = { .command = MEDIA_OFFER, .call_id = SLICE("call-1@a/xyz"), .from_tag = SLICE("a"), .via_branch = SLICE("z") };

    begin(&relay, 100 * MS);
    for (int64_t give_up_ns = loop_now_ns(w.loop) + MINUTE_NS; !media_relay_counts(w.media)->done;) {
        once_around();
        if (loop_now_ns(w.loop) > give_up_ns)
            FAIL("rtpengine does not answer a ping");
    }
    wish.sdp = sdp_at(at_a.port, text);
    ask(&wish);
    CHECK_EQ(w.outcome, MEDIA_DONE);
    for_b = offered();
    wish.command = MEDIA_ANSWER;
    wish.to_tag = SLICE("z.b");
    wish.sdp = sdp_at(at_b.port, text);
    ask(&wish);
    CHECK_EQ(w.outcome, MEDIA_DONE);
    for_a = offered();
    CHECK(for_a.port != at_b.port && for_b.port != at_a.port && for_a.port != for_b.port);
    pass_rtp(a, &for_a, b, 0x11);
    pass_rtp(b, &for_b, a, 0x22);

    /* B offers anew, as in a re-INVITE. */
    ask(&(struct media_wish){ .command = MEDIA_OFFER, .call_id = wish.call_id, .from_tag = SLICE("z.b"), .to_tag = SLICE("a"),
                              .sdp = sdp_at(at_b.port, text) });
    CHECK_EQ(w.outcome, MEDIA_DONE);
    ask(&(struct media_wish){ .command = MEDIA_ANSWER, .call_id = wish.call_id, .from_tag = SLICE("z.b"), .to_tag = SLICE("a"),
                              .sdp = sdp_at(at_a.port, text) });
    CHECK_EQ(w.outcome, MEDIA_DONE);
    pass_rtp(b, &for_b, a, 0x33);

    ask(&(struct media_wish){ .command = MEDIA_QUERY, .call_id = wish.call_id });
    CHECK_EQ(w.outcome, MEDIA_DONE);
    CHECK(w.packets >= 3);
    ask(&(struct media_wish){ .command = MEDIA_DELETE, .call_id = wish.call_id });
    CHECK_EQ(w.outcome, MEDIA_DONE);
    ask(&(struct media_wish){ .command = MEDIA_OFFER, .call_id = SLICE("call-2"), .from_tag = SLICE("a"), .sdp = SLICE("no SDP") });
    CHECK_EQ(w.outcome, MEDIA_REFUSED);
    CHECK(w.reason[0] != '\0');
    ask(&(struct media_wish){ .command = MEDIA_ANSWER, .call_id = SLICE("call-3"), .from_tag = SLICE("a"), .to_tag = SLICE("b"),
                              .sdp = sdp_at(at_b.port, text) });
    CHECK_EQ(w.outcome, MEDIA_REFUSED);
    end();
    (void)close(a), (void)close(b);
    CHECK_EQ(kill(pid, SIGTERM), 0);
    CHECK_EQ(waitpid(pid, &status, 0), pid);
}
