/* tests/harness/net_dns.c - see net_dns.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/net_dns.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct { slice name; uint16_t type; } types[] = {
    { SLICE_INIT("A"), 1 },    { SLICE_INIT("CNAME"), 5 }, { SLICE_INIT("AAAA"), 28 },
    { SLICE_INIT("SRV"), 33 }, { SLICE_INIT("NAPTR"), 35 },
};

static uint16_t type_of(slice name)
{
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (slice_eq(name, types[i].name))
            return types[i].type;
    return 0;
}

static slice take_word(slice *line)
{
    slice word = slice_take_until(line, ' ');

    slice_take_char(line, ' ');
    return word;
}

/* ---- messages ---- */

static void put(struct dns_message *m, const void *bytes, size_t length)
{
    if (length > sizeof m->bytes - m->length)
        FAIL("the DNS message of the test is too long");
    memcpy(m->bytes + m->length, bytes, length);
    m->length += length;
}

static void put_u16(struct dns_message *m, unsigned v) { put(m, (uint8_t[2]){ (uint8_t)(v >> 8), (uint8_t)v }, 2); }
static void put_u32(struct dns_message *m, uint32_t v)
{
    put_u16(m, v >> 16);
    put_u16(m, v & 0xffff);
}

static void count_one(struct dns_message *m, size_t at)
{
    if (++m->bytes[at + 1] == 0)
        m->bytes[at]++;
}

static void put_string(struct dns_message *m, slice text)
{
    put(m, &(uint8_t){ (uint8_t)text.len }, 1);
    put(m, text.ptr, text.len);
}

static unsigned hex(char c) { return is_digit(c) ? (unsigned)(c - '0') : (unsigned)(ascii_lower(c) - 'a' + 10); }

static void put_label(struct dns_message *m, slice text)
{
    char label[64];
    size_t n = 0;

    for (size_t i = 0; i < text.len && n < 63; i++) {
        if (text.ptr[i] == '\\' && i + 2 < text.len)
            label[n++] = (char)(hex(text.ptr[i + 1]) * 16 + hex(text.ptr[i + 2])), i += 2;
        else
            label[n++] = text.ptr[i];
    }
    put_string(m, slice_of(label, n));
}

static void put_name(struct dns_message *m, slice name)
{
    slice label;

    while ((label = slice_take_until(&name, '.')).len) {
        put_label(m, label);
        slice_take_char(&name, '.');
    }
    put(m, "", 1);
}

void dns_begin(struct dns_message *m, slice name, uint16_t type)
{
    static const uint8_t head[12] = { 0, 0, 0x85, 0x80, 0, 1 };   /* an answer, recursion there */

    m->length = 0;
    put(m, head, sizeof head);
    put_name(m, name);
    put_u16(m, type);
    put_u16(m, 1);
}

static void put_numbers(struct dns_message *m, slice *words, int count)
{
    uint32_t number = 0;

    while (count--) {
        slice_to_u32(take_word(words), &number);
        put_u16(m, number);
    }
}

static void put_data(struct dns_message *m, uint16_t type, slice words)
{
    char text[INET6_ADDRSTRLEN] = "";
    uint8_t ip[16];

    if (type == 1 || type == 28) {
        memcpy(text, words.ptr, words.len < sizeof text ? words.len : 0);
        if (inet_pton(type == 1 ? AF_INET : AF_INET6, text, ip) != 1)
            FAIL("no address: %s", text);
        put(m, ip, type == 1 ? 4 : 16);
        return;
    }
    if (type == 33)
        put_numbers(m, &words, 3);
    if (type == 35) {
        put_numbers(m, &words, 2);
        put_string(m, take_word(&words));
        put_string(m, take_word(&words));
        put_string(m, SLICE(""));
    }
    put_name(m, words);
}

static void put_head(struct dns_message *m, slice name, uint16_t type, uint32_t ttl_s, size_t *ret_length_at)
{
    put_name(m, name);
    put_u16(m, type);
    put_u16(m, 1);
    put_u32(m, ttl_s);
    *ret_length_at = m->length;
    put_u16(m, 0);
}

static void set_length(struct dns_message *m, size_t at)
{
    size_t length = m->length - at - 2;

    m->bytes[at] = (uint8_t)(length >> 8);
    m->bytes[at + 1] = (uint8_t)length;
}

void dns_add(struct dns_message *m, slice line)
{
    slice name = take_word(&line), ttl = take_word(&line);
    uint16_t type = type_of(take_word(&line));
    uint32_t ttl_s = 0;
    size_t length_at;

    slice_to_u32(ttl, &ttl_s);
    put_head(m, name, type, ttl_s, &length_at);
    put_data(m, type, line);
    set_length(m, length_at);
    count_one(m, 6);
}

static void add_soa(struct dns_message *m)
{
    size_t length_at;

    put_head(m, SLICE("example"), 6, DNS_NEGATIVE_S, &length_at);
    put_name(m, SLICE("ns.example"));
    put_name(m, SLICE("root.example"));
    for (uint32_t i = 0; i < 4; i++)
        put_u32(m, 1000);
    put_u32(m, DNS_NEGATIVE_S);
    set_length(m, length_at);
    count_one(m, 8);
}

slice dns_bytes(const struct dns_message *m) { return slice_of(m->bytes, m->length); }

/* ---- the server ---- */

/* Of a question, as text; the test's own names have no odd bytes. */
static slice read_question(slice query, char room[256], uint16_t *ret_type)
{
    size_t at = 12, n = 0;

    while (at < query.len && query.ptr[at] && n + (uint8_t)query.ptr[at] < 254) {
        size_t length = (uint8_t)query.ptr[at++];

        if (n)
            room[n++] = '.';
        memcpy(room + n, query.ptr + at, length);
        n += length, at += length;
    }
    *ret_type = (uint16_t)((uint8_t)query.ptr[at + 1] << 8 | (uint8_t)query.ptr[at + 2]);
    return slice_of(room, n);
}

struct found {
    bool  name, record;              /* there is such a name; a record of the type */
    slice word, alias;               /* "SILENT", or empty; what a CNAME leads to */
};

static void add_records(struct dns_message *m, slice zone, slice name, uint16_t asked, struct found *found)
{
    slice line, all;

    while (slice_take_line(&zone, &all)) {
        line = all;
        slice owner = take_word(&line), ttl = take_word(&line), word = take_word(&line);
        uint16_t type = type_of(word);

        (void)ttl;
        if (!slice_eq_nocase(owner, name))
            continue;
        found->name = true;
        found->record = found->record || type == asked;
        if (!type)
            found->word = word;
        if (type == asked || type == 5)
            dns_add(m, all);
        if (type == 5)
            found->alias = line;
    }
}

/* False: not a word. */
static bool make_reply(struct dns_server *s, slice query, bool tcp)
{
    struct dns_message *m = &s->reply;
    struct found found = { 0 };
    char room[256];
    uint16_t type;
    slice name = read_question(query, room, &type), word;

    dns_begin(m, name, type);
    memcpy(m->bytes, query.ptr, 2);
    add_records(m, s->zone, name, type, &found);
    word = found.word;
    for (int i = 0; found.alias.len && i < 12; i++) {
        slice next = found.alias;

        found.alias = (slice){ 0 };
        add_records(m, s->zone, next, type, &found);
    }
    if (slice_eq(word, SLICE("SERVFAIL")))
        m->bytes[3] |= 2;
    else if (slice_eq(word, SLICE("REFUSED")))
        m->bytes[3] |= 5;
    else if (!found.name)
        m->bytes[3] |= 3;
    if (!found.record)
        add_soa(m);
    if (slice_eq(word, SLICE("BIG")) && !tcp) {
        dns_begin(m, name, type);
        memcpy(m->bytes, query.ptr, 2);
        m->bytes[2] |= 2;
    }
    return !slice_eq(word, SLICE("SILENT"));
}

void dns_server_start(struct dns_server *s, slice zone)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof a;

    *s = (struct dns_server){ .zone = zone, .udp = -1, .tcp = -1 };
    for (size_t i = 0; i < DNS_CONNECTIONS_MAX; i++)
        s->connections[i] = -1;
    for (int i = 0; i < 20; i++) {                        /* until a port is free for both */
        a.sin_port = 0;
        s->udp = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        s->tcp = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (!bind(s->udp, (struct sockaddr *)&a, sizeof a) && !getsockname(s->udp, (struct sockaddr *)&a, &size) &&
            !bind(s->tcp, (struct sockaddr *)&a, sizeof a) && !listen(s->tcp, 8)) {
            s->port = ntohs(a.sin_port);
            return;
        }
        dns_server_stop(s);
    }
    FAIL("no port for a DNS server on 127.0.0.1");
}

static void shut(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

void dns_server_stop(struct dns_server *s)
{
    shut(&s->udp);
    shut(&s->tcp);
    for (size_t i = 0; i < DNS_CONNECTIONS_MAX; i++)
        shut(&s->connections[i]);
}

size_t dns_server_poll(const struct dns_server *s, struct pollfd *fds)
{
    size_t count = 0;

    fds[count++] = (struct pollfd){ .fd = s->udp, .events = POLLIN };
    fds[count++] = (struct pollfd){ .fd = s->tcp, .events = POLLIN };
    for (size_t i = 0; i < DNS_CONNECTIONS_MAX; i++)
        if (s->connections[i] >= 0)
            fds[count++] = (struct pollfd){ .fd = s->connections[i], .events = POLLIN };
    return count;
}

static void serve_udp(struct dns_server *s)
{
    struct sockaddr_in from;
    socklen_t size = sizeof from;
    uint8_t query[2048];
    ssize_t got;

    while ((got = recvfrom(s->udp, query, sizeof query, 0, (struct sockaddr *)&from, &size)) > 0) {
        s->asked++;
        if (make_reply(s, slice_of(query, (size_t)got), false))
            (void)sendto(s->udp, s->reply.bytes, s->reply.length, 0, (struct sockaddr *)&from, size);
    }
}

/* Whole questions, one behind the other: on loopback none comes in pieces. */
static void serve_tcp(struct dns_server *s, int *fd)
{
    uint8_t bytes[2048], length[2];
    ssize_t got = *fd < 0 ? -1 : recv(*fd, bytes, sizeof bytes, MSG_DONTWAIT);
    slice rest = slice_of(bytes, got > 0 ? (size_t)got : 0);

    if (got == 0)
        shut(fd);
    while (rest.len > 14) {
        size_t one = (size_t)(uint8_t)rest.ptr[0] << 8 | (uint8_t)rest.ptr[1];

        s->asked++, s->by_tcp++;
        make_reply(s, slice_head(slice_skip(rest, 2), one), true);
        rest = slice_skip(rest, 2 + one);
        length[0] = (uint8_t)(s->reply.length >> 8);
        length[1] = (uint8_t)s->reply.length;
        (void)send(*fd, length, 2, MSG_NOSIGNAL | MSG_MORE);
        (void)send(*fd, s->reply.bytes, s->reply.length, MSG_NOSIGNAL);
    }
}

void dns_server_serve(struct dns_server *s)
{
    serve_udp(s);
    for (size_t i = 0; i < DNS_CONNECTIONS_MAX; i++) {
        if (s->connections[i] < 0)
            s->connections[i] = accept(s->tcp, NULL, NULL);
        serve_tcp(s, &s->connections[i]);
    }
}
