/* call/fields_test.c - the tables of named fields
 * SPDX-License-Identifier: Apache-2.0 */
#include "call/fields.h"

#include "harness/test.h"

static const struct field_table *const tables[] = { &call_fields, &registration_fields,
                                                    &transaction_fields, &message_fields };

TEST(names_are_unique_and_short_and_levels_stand_together)
{
    for (size_t i = 0; i < ARRAY_LEN(tables); i++)
        for (size_t j = 0; j < tables[i]->count; j++) {
            slice name = slice_of_string(tables[i]->fields[j].name);
            slice level = slice_head(name, (size_t)(slice_find_char(name, '.') + 1));
            bool left = false;

            CHECK_ROW(j, name.len > 0 && name.len < 32);
            CHECK_ROW(j, field_find(tables[i], name) == &tables[i]->fields[j]);
            for (size_t k = j + 1; level.len && k < tables[i]->count; k++) {
                bool same = slice_starts(slice_of_string(tables[i]->fields[k].name), level);

                CHECK_ROW(k, !(same && left));            /* one JSON object, not two */
                left |= !same;
            }
        }
}

TEST(the_names_that_other_programs_rely_on_are_there)
{
    static const struct { const struct field_table *table; const char *names; } rows[] = {
        { &call_fields,
          "call_id session state.family state.code state.name state.list final reason last_progress "
          "last_response responses methods messages retransmissions copies from.uri from.user from.display "
          "from.tag to.uri to.user to.display to.tag caller_addr callee_addr transport invite_at "
          "first_response_at ringing_at answered_at ended_at pdd_ms ring_ms talk_ms ended_by release q850 "
          "answered early_media held forwarded prack update reinvites" },
        { &registration_fields,
          "aor contact call_id registrar state.family state.code state.name state.list final expires_s "
          "requests challenged registered_at expires_at reason" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        slice rest = slice_of_string(rows[i].names);

        while (rest.len) {
            slice name = slice_take_until(&rest, ' ');

            (void)slice_take_char(&rest, ' ');
            if (!field_find(rows[i].table, name))
                FAIL("%s has no field %.*s", rows[i].table->record, SLICE_ARG(name));
        }
    }
}

TEST(every_field_of_an_empty_record_can_be_read)
{
    static const struct call c;
    static const struct registration r;
    static const struct transaction t;
    static const struct message_row m;
    const void *const records[] = { &c, &r, &t, &m };

    for (size_t i = 0; i < ARRAY_LEN(tables); i++)
        for (size_t j = 0; j < tables[i]->count; j++) {
            const struct field *f = &tables[i]->fields[j];
            struct field_value v;
            char room[FIELD_ROOM];
            slice name;
            uint64_t count;

            if (f->type == FIELD_COUNTS) {
                CHECK_ROW(j, !f->count_at(records[i], 0, &name, &count, room));
                continue;
            }
            v = field_get(f, records[i], room);
            CHECK_ROW(j, f->type != FIELD_TIME || !v.known);
            CHECK_ROW(j, f->type != FIELD_TEXT || !v.known);
            CHECK_ROW(j, f->type != FIELD_ADDRESS || !v.known);
        }
}

TEST(fields_say_what_stands_in_the_record)
{
    struct call c = { .index = 7, .session = 1234567, .call_id = SLICE("x"), .final = 486,
                      .state = CALL_REFUSED, .invite_ns = 1000000, .progress_ns = 5000000,
                      .answered = true, .caller_addr = address_v4("\x0a\0\0\x01", 5060) };
    struct call_code_count codes[] = { { 180, 2 }, { 486, 1 } };
    char room[FIELD_ROOM];
    slice name;
    uint64_t count;

    c.codes = codes, c.code_count = 2;
    c.methods[SIP_INVITE] = 3, c.methods[SIP_UNKNOWN] = 4;
    CHECK_EQ(field_get(field_find(&call_fields, SLICE("session")), &c, room).text, "s234567");
    CHECK_EQ(field_get(field_find(&call_fields, SLICE("final")), &c, room).number, 486);
    CHECK_EQ(field_get(field_find(&call_fields, SLICE("state.name")), &c, room).text, "Busy Here");
    CHECK_EQ(field_get(field_find(&call_fields, SLICE("pdd_ms")), &c, room).number, 4000000);
    CHECK_EQ(field_get(field_find(&call_fields, SLICE("release")), &c, room).known, false);
    CHECK_EQ(field_get(field_find(&call_fields, SLICE("answered")), &c, room).number, 1);
    CHECK_EQ(field_get(field_find(&call_fields, SLICE("caller_addr")), &c, room).address->port, 5060);
    CHECK(field_find(&call_fields, SLICE("responses"))->count_at(&c, 1, &name, &count, room));
    CHECK_EQ(name, "486");
    CHECK_EQ(count, 1);
    CHECK(field_find(&call_fields, SLICE("methods"))->count_at(&c, 0, &name, &count, room));
    CHECK_EQ(name, "other");
    CHECK_EQ(count, 4);
    CHECK(field_find(&call_fields, SLICE("methods"))->count_at(&c, 1, &name, &count, room));
    CHECK_EQ(name, "INVITE");
    CHECK(!field_find(&call_fields, SLICE("methods"))->count_at(&c, 2, &name, &count, room));
}

TEST(a_misspelt_name_leads_to_the_nearest)
{
    static const struct { const char *wrong, *near; } rows[] = {
        { "finl", "final" }, { "talk", "talk_ms" }, { "call-id", "call_id" }, { "from.usr", "from.user" },
        { "TALK_MS", "talk_ms" }, { "last_respons", "last_response" }, { "anwsered", "answered" },
    };
    char large[300];

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        CHECK_ROW_EQ(i, field_nearest(&call_fields, slice_of_string(rows[i].wrong))->name, rows[i].near);
    memset(large, 'q', sizeof large);
    CHECK(field_nearest(&call_fields, slice_of(large, sizeof large)) != NULL);
    CHECK(field_nearest(&call_fields, (slice){0}) != NULL);
}
