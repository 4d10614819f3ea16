/* cli/user_show.c - `signalbox user`: show, list, and the list of aliases.
 * SPDX-License-Identifier: Apache-2.0
 *
 * HA1 is as good as a password and is never shown, only for which algorithms there is one. */
#include "base/json.h"
#include "cli/user_int.h"
#include "report/table.h"
#include "switch/rejects.h"

enum { FLAG_BITS = 16 };

/* As options have it. */
static void hyphenated(struct out *o, slice name)
{
    for (size_t i = 0; i < name.len; i++)
        out_char(o, name.ptr[i] == '_' ? '-' : name.ptr[i]);
}

void user_features(struct out *o, unsigned flags)
{
    bool any = false;

    for (unsigned bit = 0; bit < FLAG_BITS; bit++) {
        slice name = users_flag_name(1u << bit);

        if (!name.len || !(flags & 1u << bit))
            continue;
        out_text(o, any ? SLICE(", ") : SLICE(""));
        hyphenated(o, name);
        any = true;
    }
}

/* ---- JSON ---- */

/* Names of switches and cases are in static tables, with a NUL behind them. */
static void json_user(struct out *o, const struct user *u)
{
    struct json j = { .out = o };

    json_open(&j, '{');
    json_text(&j, "type", SLICE("user"));
    json_text(&j, "name", u->name);
    json_text(&j, "domain", u->domain);
    json_text(&j, "auth_name", u->auth_name);
    json_text(&j, "display", u->display);
    json_open_in(&j, "algorithms", '[');
    for (int i = 0; i < DIGEST_ALGORITHMS; i++)
        if (u->has_ha1[i])
            json_text(&j, NULL, digest_algorithm_name((enum digest_algorithm)i));
    json_close(&j, ']');
    for (unsigned bit = 0; bit < FLAG_BITS; bit++)
        if (users_flag_name(1u << bit).len)
            json_bool(&j, users_flag_name(1u << bit).ptr, u->flags & 1u << bit);
    for (int i = 0; i < USER_FORWARDS; i++)
        if (u->forward[i].len)
            json_text(&j, users_forward_name((enum user_forward)i).ptr, u->forward[i]);
        else
            json_null(&j, users_forward_name((enum user_forward)i).ptr);
    json_u64(&j, "no_answer_s", u->no_answer_s);
    json_u64(&j, "calls_max", u->calls_max);
    json_u64(&j, "contacts_max", u->contacts_max);
    json_open_in(&j, "rejects", '[');
    for (slice rest = u->rejects, word; rejects_next(&rest, &word);)
        json_text(&j, NULL, word);
    json_close(&j, ']');
    json_close(&j, '}');
    out_char(o, '\n');
}

/* ---- one user ---- */

static void line(struct out *o, slice name, slice value)
{
    if (!value.len)
        return;
    out_text(o, SLICE("  "));
    table_fit(o, name, 22, false);
    style_clean(o, value);
    out_char(o, '\n');
}

static void number_line(struct out *o, slice name, uint64_t number)
{
    struct out text;

    if (!number)
        return;
    out_init_memory(&text, 64);
    out_u64(&text, number);
    line(o, name, out_taken(&text));
    out_done(&text);
}

static void say_user(const struct user_run *r, const struct user *u)
{
    struct out *o = &r->cli->out, text;

    style_begin(o, &r->cli->style, TONE_STRONG);
    style_clean(o, u->name);
    out_char(o, '@');
    style_clean(o, u->domain);
    style_end(o, &r->cli->style, TONE_STRONG);
    out_char(o, '\n');
    line(o, SLICE("display"), u->display);
    line(o, SLICE("auth_name"), u->auth_name);
    out_init_memory(&text, 4096);
    for (int i = 0; i < DIGEST_ALGORITHMS; i++) {
        out_text(&text, u->has_ha1[i] && out_taken(&text).len ? SLICE(", ") : SLICE(""));
        out_text(&text, u->has_ha1[i] ? digest_algorithm_name((enum digest_algorithm)i) : SLICE(""));
    }
    line(o, SLICE("algorithms"), out_taken(&text));
    out_clear(&text);
    user_features(&text, u->flags);
    line(o, SLICE("flags"), out_taken(&text));
    out_done(&text);
    for (int i = 0; i < USER_FORWARDS; i++)
        line(o, users_forward_name((enum user_forward)i), u->forward[i]);
    number_line(o, SLICE("no_answer_s"), u->no_answer_s);
    number_line(o, SLICE("calls_max"), u->calls_max);
    number_line(o, SLICE("contacts_max"), u->contacts_max);
    line(o, SLICE("rejects"), u->rejects);
}

struct alias_lines {
    const struct user_run *r;
    slice                  name;
};

static bool on_own_alias(void *ctx, const struct users_alias *a)
{
    struct alias_lines *l = ctx;

    if (slice_eq(a->name, l->name))
        line(&l->r->cli->out, SLICE("alias"), a->alias);
    return true;
}

int user_show(struct user_run *r)
{
    struct arena arena = { 0 };
    struct user u;
    int error = users_db_find(r->db, r->name, r->domain, &arena, &u);

    if (!error && r->json) {
        json_user(&r->cli->out, &u);
    } else if (!error) {
        struct alias_lines lines = { r, u.name };
        struct users_wish wish = { .domain = u.domain, .text = u.name };

        say_user(r, &u);
        error = users_db_aliases(r->db, &wish, on_own_alias, &lines);
    }
    arena_done(&arena);
    return error ? user_say_error(r, error, r->words[0]) : CLI_DONE;
}

/* ---- lists ---- */

struct listing {
    const struct user_run *r;
    struct table           table;
    struct table_column    columns[3];
    uint64_t               shown;
};

static void heading(struct listing *l, size_t count)
{
    table_begin(&l->table, l->columns, count, &l->r->cli->style);
    table_heading(&l->table, &l->r->cli->out);
}

static slice address(struct out *text, slice name, slice domain)
{
    out_clear(text);
    out_text(text, name);
    out_char(text, '@');
    out_text(text, domain);
    return out_taken(text);
}

static bool on_user(void *ctx, const struct user *u)
{
    struct listing *l = ctx;
    struct out *o = &l->r->cli->out, text;

    if (l->r->json) {
        json_user(o, u);
        return !o->error && ++l->shown;
    }
    if (l->shown++ == 0)
        heading(l, 3);
    out_init_memory(&text, 4096);
    table_cell(&l->table, 0, address(&text, u->name, u->domain), TONE_PLAIN);
    table_cell(&l->table, 1, u->display, TONE_PLAIN);
    out_clear(&text);
    user_features(&text, u->flags);
    for (int i = 0; i < USER_FORWARDS; i++)
        if (u->forward[i].len) {
            out_text(&text, out_taken(&text).len ? SLICE(", ") : SLICE(""));
            hyphenated(&text, users_forward_name((enum user_forward)i));
        }
    table_cell(&l->table, 2, out_taken(&text), u->flags & USER_DISABLED ? TONE_WARN : TONE_DIM);
    table_row(&l->table, o);
    out_done(&text);
    return !o->error;
}

static int say_rest(const struct listing *l, uint64_t total, bool wished)
{
    const struct user_run *r = l->r;

    if (!l->shown && !r->json) {
        words_say(&r->cli->out, r->cli->words, TEXT_USER_EMPTY, WORDS_TEXT("file", slice_of_string(r->file)));
        out_char(&r->cli->out, '\n');
    } else if (l->shown < total && !r->json) {
        words_say(&r->cli->out, r->cli->words, TEXT_USER_MORE, WORDS_NUMBER("count", l->shown),
                  WORDS_NUMBER("all", total));
        out_char(&r->cli->out, '\n');
    }
    return !l->shown && wished ? CLI_NOT_FOUND : CLI_DONE;
}

static bool is_wished(struct user_run *r)
{
    r->wish.text = r->word_count ? r->words[0] : SLICE("");
    return r->wish.text.len || r->wish.domain.len;
}

int user_list(struct user_run *r)
{
    const struct words *w = r->cli->words;
    struct listing l = { .r = r, .columns = {
        { .heading = words_text(w, TEXT_USER_HEADING_USER), .wants = 32, .least = 12, .matters = 9 },
        { .heading = words_text(w, TEXT_USER_HEADING_DISPLAY), .wants = 24, .least = 8, .matters = 5 },
        { .heading = words_text(w, TEXT_USER_HEADING_FEATURES), .wants = 30, .least = 10, .matters = 3, .grows = true },
    } };
    bool wished = is_wished(r);
    uint64_t total = 0;
    int error = users_db_list(r->db, &r->wish, on_user, &l, &total);

    return error ? user_say_error(r, error, SLICE("")) : say_rest(&l, total, wished);
}

static bool on_alias(void *ctx, const struct users_alias *a)
{
    struct listing *l = ctx;
    struct out *o = &l->r->cli->out, text;

    if (l->r->json) {
        struct json j = { .out = o };

        json_open(&j, '{');
        json_text(&j, "type", SLICE("alias"));
        json_text(&j, "alias", a->alias);
        json_text(&j, "domain", a->domain);
        json_text(&j, "name", a->name);
        json_close(&j, '}');
        out_char(o, '\n');
        return !o->error && ++l->shown;
    }
    if (l->shown++ == 0)
        heading(l, 2);
    out_init_memory(&text, 4096);
    table_cell(&l->table, 0, address(&text, a->alias, a->domain), TONE_PLAIN);
    table_cell(&l->table, 1, a->name, TONE_PLAIN);
    table_row(&l->table, o);
    out_done(&text);
    return !o->error;
}

int user_alias_list(struct user_run *r)
{
    const struct words *w = r->cli->words;
    struct listing l = { .r = r, .columns = {
        { .heading = words_text(w, TEXT_USER_HEADING_ALIAS), .wants = 32, .least = 12, .matters = 9 },
        { .heading = words_text(w, TEXT_USER_HEADING_USER), .wants = 32, .least = 12, .matters = 8, .grows = true },
    } };
    bool wished = is_wished(r);
    int error = users_db_aliases(r->db, &r->wish, on_alias, &l);

    return error ? user_say_error(r, error, SLICE("")) : say_rest(&l, 0, wished);
}
