/* switch/bindings_test.c - what an address-of-record has after which updates
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <malloc.h>

#include "harness/test.h"
#include "switch/bindings.h"

#define S 1000000000ll
#define START_NS (1795251000ll * S)

static const slice alice = SLICE_INIT("alice@example.com");
static const slice phone_a = SLICE_INIT("<urn:uuid:00000000-0000-1000-8000-000a95a0e128>");

static struct bindings *table(void)
{
    return bindings_new(&(struct bindings_settings){ .seed = { 1, 2 } }, START_NS);
}

static struct binding_fields contact(slice uri, uint32_t cseq, int64_t expires_s)
{
    return (struct binding_fields){
        .uri = uri,
        .call_id = SLICE("call@phone"),
        .user_agent = SLICE("Phone 1.0"),
        .cseq = cseq,
        .q_thousandth = 1000,
        .expires_ns = START_NS + expires_s * S,
        .hop = { .remote = { .ip = { 10, 0, 0, 7 }, .port = 5060, .family = 4 } },
    };
}

static enum bindings_result put(struct bindings *b, slice uri, uint32_t cseq, int64_t expires_s)
{
    struct binding_fields f = contact(uri, cseq, expires_s);

    return bindings_update(b, alice, &f, 1, 0, START_NS);
}

/* "2: <uri> <uri>" of alice, in the order of calling. */
static const char *targets(const struct bindings *b, int64_t now_ns)
{
    static char text[1024];
    struct binding_target all[BINDINGS_AOR_MAX];
    size_t n = bindings_targets(bindings_find(b, alice), all, ARRAY_LEN(all), now_ns);
    int at = snprintf(text, sizeof text, "%zu:", n);

    for (size_t i = 0; i < n; i++) {
        struct binding_fields f;

        binding_read(all[i].binding, &f);
        at += snprintf(text + at, sizeof text - (size_t)at, " %s%.*s", all[i].is_alternative ? "or " : "",
                       SLICE_ARG(f.uri));
    }
    return text;
}

TEST(a_key_is_user_and_host_and_nothing_else)
{
    static const struct { slice uri; slice key; } rows[] = {
        { SLICE_INIT("sip:alice@example.com"), SLICE_INIT("alice@example.com") },
        { SLICE_INIT("SIPS:alice:secret@EXAMPLE.com:5061;transport=tcp?x=y"), SLICE_INIT("alice@example.com") },
        { SLICE_INIT("sip:Alice@example.com."), SLICE_INIT("Alice@example.com") },   /* users mind case */
        { SLICE_INIT("sip:%61lice@example.com"), SLICE_INIT("alice@example.com") },
        { SLICE_INIT("sip:a%40b@example.com"), SLICE_INIT("a@b@example.com") },
        { SLICE_INIT("sip:a@[2001:DB8::1]:5060"), SLICE_INIT("a@2001:db8::1") },
        { SLICE_INIT("sip:example.com"), { 0 } },                                    /* no user */
        { SLICE_INIT("sip:@example.com"), { 0 } },
        { SLICE_INIT("sip:a%00b@example.com"), { 0 } },                              /* controls hide things */
        { SLICE_INIT("sip:a%0d%0ab@example.com"), { 0 } },
        { SLICE_INIT("tel:+12015550123"), { 0 } },
        { SLICE_INIT("mailto:a@example.com"), { 0 } },
        { SLICE_INIT("alice"), { 0 } },
        { SLICE_INIT(""), { 0 } },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char buffer[BINDINGS_KEY_MAX];
        slice key = { 0 };
        bool ok = bindings_key(rows[i].uri, buffer, &key);

        CHECK_ROW_EQ(i, ok, rows[i].key.len > 0);
        CHECK_ROW_EQ(i, key, rows[i].key);
    }
}

TEST(a_key_longer_than_its_room_is_none)
{
    char uri[BINDINGS_KEY_MAX + 20], buffer[BINDINGS_KEY_MAX];
    slice key;

    for (int len = BINDINGS_KEY_MAX - 10; len < BINDINGS_KEY_MAX + 5; len++) {
        memset(uri, 'a', sizeof uri);
        memcpy(uri, "sip:", 4);
        memcpy(uri + 4 + len - 2, "@h", 2);
        CHECK_ROW_EQ(len, bindings_key(slice_of(uri, (size_t)len + 4), buffer, &key), len < BINDINGS_KEY_MAX);
    }
}

TORTURE(a_contact_is_added_refreshed_and_taken_away)
{
    struct bindings *b = table();
    static const slice uri = SLICE("sip:alice@10.0.0.7:5060"), same = SLICE("sip:%61lice@10.0.0.7:5060;x=1");

    CHECK_OR_GOTO(b != NULL, out);
    CHECK_OR_GOTO(put(b, uri, 1, 3600) == BINDINGS_DONE, out);
    CHECK_OR_GOTO(put(b, same, 2, 3600) == BINDINGS_DONE, out);       /* 19.1.4: the same place */
    CHECK_STR_EQ(targets(b, START_NS), "1: sip:%61lice@10.0.0.7:5060;x=1");
    CHECK_EQ(bindings_count(b), 1);
    CHECK_OR_GOTO(put(b, uri, 3, 0) == BINDINGS_DONE, out);
    CHECK_EQ(bindings_count(b), 0);
    CHECK_EQ(bindings_aors(b), 0);
    CHECK_EQ(put(b, uri, 1, 0), BINDINGS_DONE);                       /* not there: still done */
out:
    bindings_free(b);
}

TEST(an_older_cseq_of_the_same_call_id_changes_nothing)
{
    struct bindings *b = table();
    struct binding_fields two[2] = { contact(SLICE("sip:new@10.0.0.8"), 5, 60), contact(SLICE("sip:a@10.0.0.7"), 5, 60) };

    CHECK_EQ(put(b, SLICE("sip:a@10.0.0.7"), 5, 3600), BINDINGS_DONE);
    CHECK_EQ(put(b, SLICE("sip:a@10.0.0.7"), 4, 0), BINDINGS_OUT_OF_ORDER);
    CHECK_EQ(put(b, SLICE("sip:a@10.0.0.7"), 5, 0), BINDINGS_OUT_OF_ORDER);
    CHECK_EQ(bindings_update(b, alice, two, 2, 0, START_NS), BINDINGS_OUT_OF_ORDER);
    CHECK_STR_EQ(targets(b, START_NS), "1: sip:a@10.0.0.7");          /* the first of the two neither */
    two[1].call_id = SLICE("another");                                /* after a restart of the phone */
    two[1].cseq = 1;
    CHECK_EQ(bindings_update(b, alice, two, 2, 0, START_NS), BINDINGS_DONE);
    CHECK_EQ(bindings_count(b), 2);
    CHECK_EQ(bindings_clear(b, alice, SLICE("another"), 1, START_NS), BINDINGS_OUT_OF_ORDER);
    CHECK_EQ(bindings_count(b), 2);
    CHECK_EQ(bindings_clear(b, alice, SLICE("another"), 6, START_NS), BINDINGS_DONE);
    CHECK_EQ(bindings_count(b), 0);
    CHECK_EQ(bindings_clear(b, alice, SLICE("another"), 1, START_NS), BINDINGS_DONE);
    bindings_free(b);
}

TEST(flows_of_one_instance_are_told_apart_by_reg_id_and_replaced_by_it)
{
    struct bindings *b = table();
    struct binding_fields f = contact(SLICE("sip:a@10.0.0.7;ob"), 1, 3600);

    f.instance = phone_a;
    f.reg_id = 1;
    f.flags = BINDING_BY_HOP | BINDING_OUTBOUND;
    CHECK_EQ(bindings_update(b, alice, &f, 1, 0, START_NS), BINDINGS_DONE);
    f.reg_id = 2;                                                     /* same URI, same Call-ID and CSeq */
    CHECK_EQ(bindings_update(b, alice, &f, 1, 0, START_NS + 1), BINDINGS_DONE);
    CHECK_EQ(bindings_count(b), 2);
    CHECK_STR_EQ(targets(b, START_NS), "2: sip:a@10.0.0.7;ob or sip:a@10.0.0.7;ob");
    f.uri = SLICE("sip:a@10.9.9.9;ob");                               /* rebooted elsewhere */
    f.cseq = 2;
    CHECK_EQ(bindings_update(b, alice, &f, 1, 0, START_NS + 2), BINDINGS_DONE);
    CHECK_EQ(bindings_count(b), 2);
    CHECK_STR_EQ(targets(b, START_NS), "2: sip:a@10.9.9.9;ob or sip:a@10.0.0.7;ob");
    f.reg_id = 0;                                                     /* by URI alone: both that have it */
    f.cseq = 3;
    f.uri = SLICE("sip:a@10.0.0.7;ob");
    f.expires_ns = START_NS;
    CHECK_EQ(bindings_update(b, alice, &f, 1, 0, START_NS + 3), BINDINGS_DONE);
    CHECK_STR_EQ(targets(b, START_NS), "1: sip:a@10.9.9.9;ob");
    bindings_free(b);
}

TEST(calls_go_by_q_then_to_the_latest)
{
    struct bindings *b = table();
    struct binding_fields f[4] = { contact(SLICE("sip:low@h1"), 1, 3600), contact(SLICE("sip:old@h2"), 1, 3600),
                                   contact(SLICE("sip:new@h3"), 1, 3600), contact(SLICE("sip:short@h4"), 1, 10) };

    f[0].q_thousandth = 300;
    CHECK_EQ(bindings_update(b, alice, f, 2, 0, START_NS), BINDINGS_DONE);
    CHECK_EQ(bindings_update(b, alice, f + 2, 2, 0, START_NS + S), BINDINGS_DONE);
    CHECK_STR_EQ(targets(b, START_NS), "4: sip:short@h4 sip:new@h3 sip:old@h2 sip:low@h1");
    CHECK_STR_EQ(targets(b, START_NS + 10 * S), "3: sip:new@h3 sip:old@h2 sip:low@h1");      /* to the ns */
    CHECK_EQ(bindings_targets(NULL, NULL, 0, 0), 0);
    bindings_free(b);
}

TEST(limits_refuse_the_whole_update)
{
    struct bindings *b = bindings_new(&(struct bindings_settings){ .contacts_max = 3 }, START_NS);
    struct binding_fields f[BINDINGS_CHANGES_MAX + 1];
    static char uri[ARRAY_LEN(f)][24], text[BINDINGS_TEXT_MAX];

    for (size_t i = 0; i < ARRAY_LEN(f); i++)
        f[i] = contact(slice_of(uri[i], (size_t)snprintf(uri[i], sizeof uri[i], "sip:%zu@10.0.0.7", i)), 1, 60);
    CHECK_EQ(bindings_update(b, alice, f, 3, 2, START_NS), BINDINGS_TOO_MANY);
    CHECK_EQ(bindings_update(b, alice, f, ARRAY_LEN(f), 0, START_NS), BINDINGS_TOO_MANY);
    CHECK_EQ(bindings_update(b, alice, f, 4, 0, START_NS), BINDINGS_FULL);
    CHECK_EQ(bindings_count(b), 0);
    CHECK_EQ(bindings_update(b, alice, f, 3, 3, START_NS), BINDINGS_DONE);
    for (size_t i = 0; i < 3; i++)
        f[i].cseq++;
    CHECK_EQ(bindings_update(b, alice, f, 3, 1, START_NS), BINDINGS_DONE);      /* a limit that came later */
    f[0].cseq++;
    f[0].params = slice_of(text, sizeof text);                                  /* left away */
    f[0].user_agent = slice_of(text, sizeof text);                              /* cut */
    CHECK_EQ(bindings_update(b, alice, f, 1, 0, START_NS), BINDINGS_DONE);
    f[0].cseq++;
    f[0].path = slice_of(text, sizeof text);
    CHECK_EQ(bindings_update(b, alice, f, 1, 0, START_NS), BINDINGS_TOO_LONG);
    CHECK_EQ(bindings_update(b, SLICE("no key"), f, 1, 0, START_NS), BINDINGS_TOO_LONG);
    CHECK_EQ(bindings_count(b), 3);
    bindings_free(b);
}

/* ---- observers ---- */

static char told[512];

static void note(const char *text)
{
    size_t at = strlen(told);

    snprintf(told + at, sizeof told - at, "%s ", text);
}

static void on_contact(void *ctx, slice key, const struct binding *c, enum binding_change change, enum binding_reason reason)
{
    static const char *const changes[] = { "added", "refreshed", "removed" };
    char text[64];

    (void)ctx;
    CHECK_EQ(key, binding_key(c));
    snprintf(text, sizeof text, "%s:%.*s", changes[change], SLICE_ARG(binding_reason_name(reason)));
    note(text);
}

static void on_aor(void *ctx, slice key, const struct bindings_aor *aor, bool times_only)
{
    (void)ctx;
    CHECK(!aor || slice_eq(key, bindings_aor_key(aor)));
    note(!aor ? "none." : times_only ? "times." : "aor.");
}

static const struct bindings_observer observer = { NULL, on_contact, on_aor };

TEST(observers_hear_of_each_contact_and_once_of_the_whole)
{
    struct bindings *b = table();
    struct hop lost = { .transport = WIRE_TCP, .connection = 77 };
    struct binding_fields f[2] = { contact(SLICE("sip:a@10.0.0.7"), 1, 60), contact(SLICE("sip:b@10.0.0.7"), 1, 100) };

    told[0] = '\0';
    CHECK(bindings_observe(b, &observer));
    CHECK_EQ(bindings_update(b, alice, f, 2, 0, START_NS), BINDINGS_DONE);
    f[0].cseq++;
    CHECK_EQ(bindings_update(b, alice, f, 1, 0, START_NS), BINDINGS_DONE);
    f[0].cseq++;
    f[0].q_thousandth = 1;
    CHECK_EQ(bindings_update(b, alice, f, 1, 0, START_NS), BINDINGS_DONE);
    CHECK(bindings_time(b, START_NS + 61 * S) == NULL);
    CHECK_STR_EQ(told, "added:asked added:asked aor. refreshed:asked times. refreshed:asked aor. removed:expired aor. ");
    told[0] = '\0';
    CHECK(bindings_time(b, START_NS + 101 * S) == NULL);
    f[0].hop = lost;
    f[0].flags = BINDING_BY_HOP;
    f[1].hop = lost;
    f[0].expires_ns = f[1].expires_ns = START_NS + 900 * S;
    CHECK_EQ(bindings_update(b, alice, f, 2, 0, START_NS), BINDINGS_DONE);
    CHECK(bindings_flow_is_alive(b, &lost));
    CHECK_EQ(bindings_hop_lost(b, &lost, START_NS), 1);                         /* the other can be reached anew */
    CHECK(!bindings_flow_is_alive(b, &lost));
    CHECK_EQ(bindings_remove_all(b, alice, BINDING_BY_OPERATOR, START_NS), 1);
    CHECK_STR_EQ(told, "removed:expired none. added:asked added:asked aor. removed:flow-lost aor. "
                       "removed:by-operator none. ");
    bindings_free(b);
}

TEST(keep_alives_are_due_in_turn_and_counted)
{
    struct bindings *b = bindings_new(
        &(struct bindings_settings){ .ping = BINDINGS_PING_BY_HOP, .ping_every_ns = 20 * S }, START_NS);
    struct binding_fields f[2] = { contact(SLICE("sip:a@10.0.0.7"), 1, 3600), contact(SLICE("sip:b@10.0.0.7"), 1, 3600) };
    const struct binding *due;
    uint64_t hash, id;

    f[1].flags = BINDING_BY_HOP;
    CHECK_EQ(bindings_update(b, alice, f, 2, 0, START_NS), BINDINGS_DONE);
    CHECK(bindings_time(b, START_NS + 9 * S) == NULL);
    due = bindings_time(b, START_NS + 21 * S);
    CHECK(due != NULL);
    binding_read(due, &f[0]);
    CHECK_EQ(f[0].uri, SLICE("sip:b@10.0.0.7"));
    hash = binding_key_hash(due);
    id = f[0].id;
    CHECK(bindings_time(b, START_NS + 40 * S) == NULL);
    CHECK(bindings_time(b, START_NS + 42 * S) == due);
    CHECK_EQ(bindings_pinged(b, hash, id, false), 1);
    CHECK_EQ(bindings_pinged(b, hash, id, false), 2);
    CHECK_EQ(bindings_pinged(b, hash, id, true), 0);
    CHECK_EQ(bindings_pinged(b, hash, id, false), 1);
    CHECK_EQ(bindings_remove_id(b, alice, id, BINDING_UNREACHABLE, START_NS), 1);
    CHECK_EQ(bindings_remove_id(b, alice, id, BINDING_UNREACHABLE, START_NS), 0);
    CHECK_EQ(bindings_pinged(b, hash, id, false), 0);
    CHECK(bindings_by_id(b, hash, id) == NULL);
    bindings_free(b);
}

TEST(keep_alives_of_contacts_that_are_there_begin_and_end_with_the_settings)
{
    struct bindings_settings every_20 = { .ping = BINDINGS_PING_BY_HOP, .ping_every_ns = 20 * S }, none = { 0 };
    struct bindings *b = bindings_new(&none, START_NS);
    struct binding_fields f = contact(SLICE("sip:b@10.0.0.7"), 1, 3600);

    f.flags = BINDING_BY_HOP;
    CHECK_EQ(bindings_update(b, alice, &f, 1, 0, START_NS), BINDINGS_DONE);
    CHECK(bindings_time(b, START_NS + 100 * S) == NULL);
    bindings_set(b, &every_20, START_NS + 100 * S);
    CHECK(bindings_time(b, START_NS + 109 * S) == NULL);
    CHECK(bindings_time(b, START_NS + 121 * S) != NULL);
    bindings_set(b, &every_20, START_NS + 130 * S);       /* the same again puts nothing off */
    CHECK(bindings_time(b, START_NS + 142 * S) != NULL);
    bindings_set(b, &none, START_NS + 142 * S);
    CHECK(bindings_time(b, START_NS + 3599 * S) == NULL && bindings_count(b) == 1);
    bindings_set(b, &every_20, START_NS + 3599 * S);
    CHECK(bindings_time(b, START_NS + 3601 * S) == NULL && bindings_count(b) == 0);
    bindings_free(b);
}

/* ---- walks ---- */

TEST(a_walk_goes_on_over_changes)
{
    struct bindings *b = table();
    struct bindings_walk w;
    unsigned seen[100] = { 0 }, steps = 0;
    const struct bindings_aor *aor;
    char key[32];

    for (unsigned i = 0; i < 100; i++) {
        struct binding_fields f = contact(SLICE("sip:x@h"), 1, 60);

        bindings_update(b, slice_of(key, (size_t)snprintf(key, sizeof key, "%u@h", i)), &f, 1, 0, START_NS);
    }
    bindings_walk_begin(b, &w);
    while ((aor = bindings_walk_next(&w))) {
        unsigned number = 0, gone = 99 - steps / 2;
        slice text = bindings_aor_key(aor);

        slice_take_u32(&text, &number);
        if (number < 100)
            seen[number]++;
        steps++;
        /* The one just seen, the one that comes, and one at the end go; a new one joins. */
        for (unsigned i = 0; i < 3; i++) {
            static const int from[] = { 0, 1, 0 };
            unsigned victim = i == 2 ? gone : number + (unsigned)from[i];

            if (number % 10 == 3)
                bindings_remove_all(b, slice_of(key, (size_t)snprintf(key, sizeof key, "%u@h", victim)),
                                    BINDING_BY_OPERATOR, START_NS);
        }
    }
    bindings_walk_end(&w);
    for (unsigned i = 0; i < 50; i++)
        CHECK_ROW_EQ(i, seen[i], i % 10 == 4 ? 0 : 1);
    bindings_walk_begin(b, &w);
    bindings_walk_end(&w);
    bindings_free(b);
}

/* ---- records ---- */

static bool any_hop(void *ctx, struct hop *hop)
{
    hop->listener = *(uint16_t *)ctx;
    return hop->remote.port != 6666;
}

TORTURE(a_record_brings_back_what_was_written)
{
    struct bindings *b = table(), *c = table();
    struct binding_fields f[4] = { contact(SLICE("sip:a@10.0.0.7"), 7, 60), contact(SLICE("sip:b@10.0.0.7"), 7, 900),
                                   contact(SLICE("sip:c@h"), 7, 900), contact(SLICE("sip:d@h"), 7, 900) };
    struct out first, second, empty;
    uint16_t listener = 3;

    out_init_memory(&first, 0);
    out_init_memory(&second, 0);
    out_init_memory(&empty, 0);
    f[1].instance = phone_a;
    f[1].reg_id = 1;
    f[1].path = SLICE("<sip:edge.example.com;lr;ob>");
    f[1].params = SLICE(";methods=\"INVITE,ACK\";+sip.ice");
    f[2].flags = BINDING_BY_HOP;                                      /* over TCP: cannot live on */
    f[2].hop.transport = WIRE_TCP;
    f[3].hop.remote.port = 6666;
    CHECK_OR_GOTO(b && c, out);
    CHECK_OR_GOTO(bindings_update(b, alice, f, 4, 0, START_NS) == BINDINGS_DONE, out);
    bindings_write(alice, bindings_find(b, alice), &first);
    bindings_write(alice, NULL, &empty);
    CHECK_OR_GOTO(!first.error && !empty.error, out);
    CHECK_OR_GOTO(bindings_restore(c, out_taken(&first), any_hop, &listener, START_NS + 100 * S) == 0, out);
    CHECK_STR_EQ(targets(c, START_NS), "1: sip:b@10.0.0.7");
    binding_read(bindings_aor_next(bindings_find(c, alice), NULL), &f[0]);
    CHECK_EQ(f[0].params, f[1].params);
    CHECK_EQ(f[0].path, f[1].path);
    CHECK_EQ(f[0].hop.listener, 3);
    CHECK_EQ(f[0].since_ns, START_NS);
    CHECK_EQ(f[0].expires_ns, START_NS + 900 * S);
    CHECK_OR_GOTO(bindings_restore(c, out_taken(&first), NULL, NULL, START_NS) == 0, out);
    CHECK_EQ(bindings_count(c), 3);
    bindings_write(alice, bindings_find(c, alice), &second);
    for (size_t i = 0; i < first.used; i++)                           /* cut anywhere: refused, nothing changes */
        CHECK_ROW(i, bindings_restore(c, slice_head(out_taken(&first), i), NULL, NULL, START_NS) == -EBADMSG);
    CHECK_EQ(bindings_count(c), 3);
    CHECK_OR_GOTO(bindings_restore(c, out_taken(&empty), NULL, NULL, START_NS) == 0, out);
    CHECK_EQ(bindings_aors(c), 0);
out:
    out_done(&first);
    out_done(&second);
    out_done(&empty);
    bindings_free(b);
    bindings_free(c);
}

static bool is_ours(void *ctx, slice key)
{
    (void)ctx;
    return slice_starts(key, SLICE("bob"));
}

TORTURE(a_table_that_follows_says_the_same_with_connections_and_leaves_keep_alives_to_the_other)
{
    struct bindings_settings settings = { .ping = BINDINGS_PING_ALL, .ping_every_ns = 20 * S, .is_pinged_here = is_ours };
    struct bindings *b = table(), *c = bindings_new(&settings, START_NS);
    struct binding_fields f[2] = { contact(SLICE("sip:a@10.0.0.7"), 7, 60), contact(SLICE("sip:b@10.0.0.7"), 7, 900) };
    struct hop gone = { .connection = (2ull << 48) + 5 };
    struct out record, empty;
    slice key = { 0 };

    out_init_memory(&record, 0);
    out_init_memory(&empty, 0);
    f[1].flags = BINDING_BY_HOP;
    f[1].hop.transport = WIRE_TCP;
    f[1].hop.connection = gone.connection;
    CHECK_OR_GOTO(b && c, out);
    CHECK_OR_GOTO(bindings_update(b, alice, f, 2, 0, START_NS) == BINDINGS_DONE, out);
    bindings_tell(alice, bindings_find(b, alice), &record);
    bindings_tell(alice, NULL, &empty);
    CHECK_OR_GOTO(!record.error && !empty.error, out);
    for (size_t i = 0; i < record.used; i++)
        CHECK_ROW(i, bindings_follow(c, slice_head(out_taken(&record), i), &key, START_NS) == -EBADMSG);
    CHECK_EQ(bindings_restore(c, out_taken(&record), NULL, NULL, START_NS), -EBADMSG);       /* for no journal */
    for (int i = 0; i < 2; i++)                           /* again: nothing becomes two */
        CHECK_OR_GOTO(bindings_follow(c, out_taken(&record), &key, START_NS) == 0, out);
    CHECK_EQ(key, alice);
    CHECK_EQ(bindings_count(c), 2);
    CHECK(bindings_time(c, START_NS + 50 * S) == NULL);   /* no keep-alive is due here */
    CHECK_EQ(bindings_hop_lost(c, &gone, START_NS), 1);
    CHECK_STR_EQ(targets(c, START_NS), "1: sip:a@10.0.0.7");
    CHECK_OR_GOTO(bindings_update(c, SLICE("bob@example.com"), f, 1, 0, START_NS) == BINDINGS_DONE, out);
    CHECK(bindings_time(c, START_NS + 50 * S) != NULL);   /* and for bob it is */
    CHECK_OR_GOTO(bindings_follow(c, out_taken(&empty), &key, START_NS) == 0, out);
    CHECK_EQ(bindings_aors(c), 1);
out:
    out_done(&record);
    out_done(&empty);
    bindings_free(b);
    bindings_free(c);
}

/* ---- size ---- */

TEST(a_contact_with_the_usual_text_takes_at_most_600_bytes)
{
    enum { COUNT = 100000 };
    struct bindings *b = table();
    size_t before = mallinfo2().uordblks, heap, told_bytes = bindings_memory_bytes(b);
    char key[64], uri[128], call_id[64], instance[64];

    for (unsigned i = 0; i < COUNT; i++) {
        struct binding_fields f = contact(
            slice_of(uri, (size_t)snprintf(uri, sizeof uri, "sip:7495%06u@192.168.%u.%u:5060;transport=udp;ob", i,
                                           i / 256 % 256, i % 256)), 1, 3600);

        f.call_id = slice_of(call_id, (size_t)snprintf(call_id, sizeof call_id, "%08xb8a24c6d9a10de68c5bd54%06u", i, i));
        f.user_agent = SLICE("Yealink SIP-T46U 108.86.0.90");
        f.instance = slice_of(instance, (size_t)snprintf(instance, sizeof instance,
                                                         "<urn:uuid:00000000-0000-1000-8000-%012x>", i));
        f.params = SLICE(";methods=\"INVITE,ACK,BYE,CANCEL,OPTIONS,INFO,NOTIFY,REFER\"");
        f.reg_id = 1;
        bindings_update(b, slice_of(key, (size_t)snprintf(key, sizeof key, "7495%06u@pbx.example.com", i)), &f, 1, 0,
                        START_NS);
    }
    heap = mallinfo2().uordblks - before;
    told_bytes = bindings_memory_bytes(b) - told_bytes;
    printf("# a contact: %zu bytes by its own count, %zu in the heap (with or without the buckets)\n",
           told_bytes / COUNT, heap / COUNT);
    CHECK_EQ(bindings_count(b), COUNT);
    CHECK(told_bytes / COUNT <= 600);
    CHECK(heap / COUNT <= 600);
    bindings_free(b);
}
