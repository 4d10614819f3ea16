/* tests/fuzz/fuzz_switch.c - both peers of the back-to-back user agent say anything, in any order
 * SPDX-License-Identifier: Apache-2.0
 *
 * The first byte is the kind of route; then every four bytes are one deed: a request or an answer
 * of either side, made from what the switch sent last, time that passes, messages that are lost
 * or cannot be sent, or the rest of the input as a message of its own. Whatever comes: memory
 * stays below a bound, and when all timers have run nothing is left. */
#include "fuzz/inside.h"
#include "harness/switch_rig.h"

#define STEP 4
enum { STEPS_MAX = 400, TRANSACTIONS_MAX = 200 };
#define MEMORY_MAX ((size_t)4 << 20)                      /* 4 calls, 250 transactions, messages of 8 kB */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const methods[16] = { "INVITE", "ACK", "BYE", "CANCEL", "PRACK", "UPDATE", "INFO", "REFER",
                                         "INVITE", "ACK", "BYE", "OPTIONS", "PRACK", "UPDATE", "MESSAGE", "FROB" };
static const uint16_t statuses[32] = { 100, 180, 183, 183, 199, 181, 200, 200, 200, 202, 299, 301, 302, 400, 401, 404,
                                       407, 408, 420, 422, 481, 481, 486, 487, 488, 491, 500, 503, 504, 600, 603, 699 };
static const char *const extras[16] = {
    "", "", "", "", "Session-Expires: 90;refresher=uac\r\n", "Session-Expires: 4294967295\r\n", "Reason: Q.850;cause=16\r\n",
    "Record-Route: <sip:10.0.0.3;lr>, <sip:10.0.0.4;lr>\r\n", "Require: 100rel, precondition\r\n", "Supported: timer, path\r\n",
    "RSeq: 0\r\n", "RAck: 1 1 INVITE\r\n", "Privacy: id\r\n", "History-Info: <sip:x@y>;index=1\r\n",
    "Max-Forwards: 0\r\n", "Alert-Info: <urn:x>\r\n",
};
static const char *const contacts[8] = { NULL, NULL, NULL, NULL, "*", "<sip:x>", "<sip:alice@10.0.0.1;with=a-rather-long-parameter>",
                                         "<tel:+1234>" };

static struct rig_how how_of(uint8_t a, uint8_t b)
{
    return (struct rig_how){ .sdp = a & 1, .wrong_tag = (a & 0xe) == 0xe, .tag = a >> 4 & 3, .branch = a & 0x40 ? 1 + (b & 3) : 0,
                             .cseq = a & 0x80 ? b & 7 : 0, .rseq = b & 0x80 ? 1 + (b >> 4 & 3) : 0,
                             .extra = extras[b & 15], .contact = contacts[b >> 4 & 7] };
}

static void deed(struct rig *r, const uint8_t b[STEP])
{
    static const uint16_t waits_ms[16] = { 0, 1, 5, 10, 50, 100, 200, 500, 500, 1000, 2000, 4000, 8000, 16000, 32000, 60000 };
    enum rig_side side = b[0] & 1 ? RIG_B : RIG_A;
    struct rig_how how = how_of(b[2], b[3]);

    switch (b[0] >> 1 & 7) {
    case 0: case 1:
        rig_request(r, side, methods[b[1] & 15], &how);
        break;
    case 2: case 3: case 4:
        rig_answer(r, side, b[1] >> 5, statuses[b[1] & 31], &how);
        break;
    case 5:
        rig_wait(r, (int64_t)waits_ms[b[1] & 15] * 1000000);
        break;
    case 6:
        r->lose = b[1] & 3;
        break;
    default:
        if (b[1] & 1)
            endpoint_hop_lost(r->endpoint, &(struct hop){ .local = rig_switch(), .remote = rig_at(side) }, r->now_ns);
        else if (b[1] == 2)
            b2bua_hang_up_all(r->b2bua, SLICE("SIP;cause=503"));
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct rig r;

    if (!size || !rig_begin(&r, TRANSACTIONS_MAX))
        return 0;
    r.forks = data[0] & 3;
    r.in_order = data[0] & 4;
    r.forwards = data[0] & 8;
    data++, size--;
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
    rig_end(&r);
    MUST(r.left == 0);
    return 0;
}
