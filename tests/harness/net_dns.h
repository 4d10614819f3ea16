/* tests/harness/net_dns.h - DNS messages out of text, and a small server that sends them
 * SPDX-License-Identifier: Apache-2.0
 *
 * A zone is text, a record a line: "NAME TTL TYPE WORDS", by type:
 *
 *     A 192.0.2.1    AAAA 2001:db8::1    CNAME NAME    SRV PRIORITY WEIGHT PORT NAME
 *     NAPTR ORDER PREFERENCE FLAGS SERVICE NAME
 *     SILENT, SERVFAIL, REFUSED          what becomes of each question for this name
 *     BIG                                over UDP only "truncated": ask by TCP
 *
 * In names \xx is a byte in hex. A name without a record of the type asked gets an SOA with TTL
 * and minimum of DNS_NEGATIVE_S; one that has no line at all is NXDOMAIN. CNAMEs are followed.
 *
 * The server listens on 127.0.0.1, UDP and TCP, on a port of its own choice; dns_server_serve
 * answers what is there now and never waits: poll its descriptors. */
#ifndef TESTS_HARNESS_NET_DNS_H
#define TESTS_HARNESS_NET_DNS_H

#include <poll.h>

#include "harness/test.h"

#define DNS_NEGATIVE_S 20

struct dns_message {
    size_t length;
    uint8_t bytes[65536];
};

void dns_begin(struct dns_message *m, slice name, uint16_t type);
void dns_add(struct dns_message *m, slice line);          /* of A, AAAA, CNAME, SRV, NAPTR */
slice dns_bytes(const struct dns_message *m);

#define DNS_CONNECTIONS_MAX 4
struct dns_server {
    slice    zone;
    uint16_t port;
    int      udp, tcp, connections[DNS_CONNECTIONS_MAX];
    unsigned asked, by_tcp;          /* questions that came; of them by TCP */
    struct dns_message reply;
};
void   dns_server_start(struct dns_server *s, slice zone);
void   dns_server_stop(struct dns_server *s);
size_t dns_server_poll(const struct dns_server *s, struct pollfd *fds);       /* up to 2 + DNS_CONNECTIONS_MAX */
void   dns_server_serve(struct dns_server *s);

#endif
