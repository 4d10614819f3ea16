/* switch/config.c - lines to sections and settings; see config.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * inih splits lines into names and values and knows what goes on in the next line. It tells
 * neither the number of a line nor an empty section nor any error but the first: all three
 * are seen where it asks for its lines. */
#include "switch/config.h"

#include <assert.h>
#include <errno.h>
#include <ini.h>
#include <limits.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/map.h"
#include "base/utf8.h"
#include "sip/uri.h"
#include "switch/config_int.h"

struct reader {
    struct config        *config;
    struct config_report *report;
    slice    rest;
    unsigned line;
    bool     unread;                 /* the line was text that nobody has taken so far */
    slice    text;                   /* of that line */
    bool     in_list;                /* the last setting may go on in an indented line */
    bool     goes_on;                /* this line does */
    struct opened *sections, **last, *now;                /* now NULL: one that is not known */
    const struct setting *setting;   /* the last one; NULL: not known */
    struct entry_node *entry;        /* the last one */
    bool     any_section;
    size_t   counts[CONFIG_SECTIONS];
    struct map entries;              /* struct entry_node by number, of [moved] and [redirect] */
    bool     no_memory;
};

struct entry_node {
    struct map_node     by_number;
    const struct section *section;
    struct config_entry entry;
    struct entry_node  *next;
};

static const struct hash_seed seed = { 0x5349474e414c424full, 0x582d434f4e464947ull };   /* a file is no attacker */

/* ---- telling -------------------------------------------------------------------------------- */

static slice shown(struct arena *a, slice text)
{
    char room[256];
    slice rest = text;
    size_t len = utf8_clean(&rest, room, sizeof room);

    return arena_slice(a, slice_of(room, len));
}

int config_tell(struct config_report *report, const struct config_problem *problem)
{
    struct config_problem p = *problem;

    report->total++;
    if (report->count == CONFIG_PROBLEMS_MAX)
        return 0;
    if (!report->at) {
        report->at = arena_alloc(&report->arena, CONFIG_PROBLEMS_MAX * sizeof *report->at);
        if (!report->at)
            return -ENOMEM;
    }
    slice *texts[] = { &p.section, &p.key, &p.value, &p.near, &p.min, &p.max };

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (texts[i]->ptr) {
            *texts[i] = shown(&report->arena, *texts[i]);
            if (!texts[i]->ptr)
                return -ENOMEM;
        }
    size_t at = report->count++;

    for (; at > 0 && report->at[at - 1].line > p.line; at--)         /* what is found last may stand first */
        report->at[at] = report->at[at - 1];
    report->at[at] = p;
    return 0;
}

static void tell(struct reader *r, const struct config_problem *problem)
{
    if (config_tell(r->report, problem) != 0)
        r->no_memory = true;
}

/* A line that is wrong in itself. */
static void tell_line(struct reader *r, enum text_id what, slice value, uint64_t max)
{
    char text[CONFIG_VALUE_MAX];

    tell(r, &(struct config_problem){ .line = r->line, .what = what, .value = value,
                                      .max = slice_of(text, config_format(SETTING_COUNT, (int64_t)max, text)) });
}

/* ---- sections ----------------------------------------------------------------------------------- */

static const struct section *find_section(slice name)
{
    for (size_t i = 0; i < CONFIG_SECTIONS; i++)
        if (slice_eq_nocase(name, slice_of_string(config_sections[i].name)))
            return &config_sections[i];
    return NULL;
}

static slice nearest_section(slice name)
{
    const char *names[CONFIG_SECTIONS];

    for (size_t i = 0; i < CONFIG_SECTIONS; i++)
        names[i] = config_sections[i].name;
    return slice_of_string(config_nearest(name, names, CONFIG_SECTIONS));
}

static bool is_name_char(char c)
{
    return is_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z') || c == '-' || c == '_';
}

enum { SECTION_NAME_MAX = 40 };

static const struct opened *find_opened(const struct reader *r, const struct section *kind, slice name)
{
    for (const struct opened *o = r->sections; o; o = o->next)
        if (o->kind == kind && slice_eq_nocase(o->name, name))
            return o;
    return NULL;
}

static bool refuse_section(struct reader *r, const struct section *kind, slice first, slice name)
{
    struct config_problem p = { .line = r->line, .section = first, .value = name };
    char max[CONFIG_VALUE_MAX];
    const struct opened *same;

    if (!kind) {
        p.what = TEXT_CONFIG_SECTION_UNKNOWN, p.near = nearest_section(first);
    } else if ((kind->flags & SECTION_NAMED) && !name.len) {
        p.what = TEXT_CONFIG_SECTION_NAMELESS, p.near = slice_of_string(kind->example);
    } else if (!(kind->flags & SECTION_NAMED) && name.len) {
        p.what = TEXT_CONFIG_SECTION_NAMED;
    } else if (name.len && (name.len > SECTION_NAME_MAX || !slice_all(name, is_name_char))) {
        p.what = TEXT_CONFIG_SECTION_NAME, p.max = slice_of(max, config_format(SETTING_COUNT, SECTION_NAME_MAX, max));
    } else if ((same = find_opened(r, kind, name))) {
        p.what = TEXT_CONFIG_SECTION_AGAIN, p.other_line = same->line;
        p.section = slice_trim(slice_of(first.ptr, name.len ? (size_t)(name.ptr + name.len - first.ptr) : first.len));
    } else if (r->counts[kind - config_sections] == kind->most) {
        p.what = TEXT_CONFIG_SECTION_MANY;
        p.max = slice_of(max, config_format(SETTING_COUNT, (int64_t)kind->most, max));
    } else {
        return false;
    }
    tell(r, &p);
    return true;
}

static struct opened *open_section(struct reader *r, const struct section *kind, slice name, unsigned line)
{
    struct opened *o = arena_zalloc(&r->config->arena, sizeof *o);

    if (!o || (o->name = arena_slice(&r->config->arena, name)).ptr == NULL) {
        r->no_memory = true;
        return NULL;
    }
    o->kind = kind, o->line = line;
    o->values = (char *)r->config + kind->offset;
    if (kind->flags & SECTION_NAMED) {
        o->values = arena_zalloc(&r->config->arena, kind->size);
        if (!o->values) {
            r->no_memory = true;
            return NULL;
        }
        memcpy(o->values, &o->name, sizeof o->name);      /* each such struct begins with its name */
    }
    r->counts[kind - config_sections]++;
    *r->last = o, r->last = &o->next;
    return o;
}

static void enter_section(struct reader *r, slice inside)
{
    slice rest = slice_trim(inside), first = rest;

    while (rest.len && !is_blank(rest.ptr[0]))
        rest = slice_skip(rest, 1);
    first = slice_head(first, first.len - rest.len);
    rest = slice_trim(rest);

    const struct section *kind = find_section(first);

    r->any_section = true;
    r->in_list = false;
    r->now = NULL;
    if (!refuse_section(r, kind, first, rest))
        r->now = open_section(r, kind, rest, r->line);
}

/* ---- settings ----------------------------------------------------------------------------------- */

static const struct setting *find_setting(const struct section *kind, slice key)
{
    for (size_t i = 0; i < kind->count; i++)
        if (slice_eq_nocase(key, slice_of_string(kind->settings[i].key)))
            return &kind->settings[i];
    return NULL;
}

static void tell_unknown_key(struct reader *r, slice key)
{
    const char *names[CONFIG_SETTINGS_MAX];
    const struct section *kind = r->now->kind;

    for (size_t i = 0; i < kind->count; i++)
        names[i] = kind->settings[i].key;
    tell(r, &(struct config_problem){ .line = r->line, .what = TEXT_CONFIG_KEY_UNKNOWN, .key = key,
                                      .section = slice_of_string(kind->name),
                                      .near = slice_of_string(config_nearest(key, names, kind->count)) });
}

/* How much at most, by what the sentence speaks of. */
static int64_t most_of(enum text_id wrong, const struct setting *s)
{
    switch (wrong) {
    case TEXT_CONFIG_WRONG_LIST: return s->type == SETTING_URIS ? s->max : CONFIG_LIST_MAX;
    case TEXT_CONFIG_WRONG_TEXT: return CONFIG_TEXT_VALUE_MAX;
    case TEXT_CONFIG_WRONG_NUMBER: return CONFIG_NUMBER_MAX;
    default: return s->max;
    }
}

static void set_value(struct reader *r, const struct setting *s, slice key, void *field, slice value)
{
    struct value_place place = { .arena = &r->config->arena, .setting = s, .field = field };
    char min[CONFIG_VALUE_MAX], max[CONFIG_VALUE_MAX];

    if (config_value_parse(&place, value))
        return;
    if (place.no_memory) {
        r->no_memory = true;
        return;
    }
    enum setting_type type = place.wrong == TEXT_CONFIG_WRONG_RANGE ? s->type : SETTING_COUNT;

    tell(r, &(struct config_problem){
                .line = r->line, .what = place.wrong, .section = slice_of_string(r->now->kind->name), .key = key,
                .value = place.item, .near = place.near,
                .min = slice_of(min, config_format(type, s->min, min)),
                .max = slice_of(max, config_format(type, most_of(place.wrong, s), max)) });
}

static void take_setting(struct reader *r, const struct setting *s, slice key, slice value)
{
    if (!s) {
        tell_unknown_key(r, key);
        return;
    }
    unsigned *line = &r->now->lines[s - r->now->kind->settings];

    if (*line && !setting_is_list(s->type)) {
        tell(r, &(struct config_problem){ .line = r->line, .what = TEXT_CONFIG_KEY_AGAIN, .key = slice_of_string(s->key),
                                          .section = slice_of_string(r->now->kind->name), .other_line = *line });
        return;
    }
    if (!*line)
        *line = r->line;
    set_value(r, s, slice_of_string(s->key), (char *)r->now->values + s->offset, value);
}

/* ---- entries: number = addresses ------------------------------------------------------------ */

static struct entry_node *find_entry(const struct reader *r, const struct section *kind, slice number)
{
    for (struct map_node *n = map_first(&r->entries, hash_slice(&seed, number)); n; n = map_next(n)) {
        struct entry_node *e = map_item(n, struct entry_node, by_number);

        if (e->section == kind && slice_eq(e->entry.number, number))
            return e;
    }
    return NULL;
}

static struct entry_node *add_entry(struct reader *r, slice number)
{
    struct entry_node *e = arena_zalloc(&r->config->arena, sizeof *e);
    slice kept = arena_slice(&r->config->arena, number);

    if (!e || !kept.ptr) {
        r->no_memory = true;
        return NULL;
    }
    e->section = r->now->kind;
    e->entry.number = kept, e->entry.line = r->line;
    e->next = r->now->entries, r->now->entries = e;
    r->now->entry_count++;
    map_add(&r->entries, &e->by_number, hash_slice(&seed, kept));
    return e;
}

/* As sip_number_of gives it; no memory, or no number, is told. */
static bool read_number(struct reader *r, slice key, slice *ret)
{
    struct config_words words = { 0 };
    const struct setting as_number = { .type = SETTING_NUMBERS };
    struct value_place place = { .arena = &r->config->arena, .setting = &as_number, .field = &words };

    if (config_value_parse(&place, key) && words.count == 1) {
        *ret = words.at[0];
        return true;
    }
    r->no_memory = r->no_memory || place.no_memory;
    tell(r, &(struct config_problem){ .line = r->line, .what = TEXT_CONFIG_KEY_NUMBER, .key = key,
                                      .section = slice_of_string(r->now->kind->name) });
    return false;
}

static struct entry_node *begin_entry(struct reader *r, slice key)
{
    struct config_problem p = { .line = r->line, .key = key, .section = slice_of_string(r->now->kind->name) };
    char max[CONFIG_VALUE_MAX];
    struct entry_node *same;
    slice number;

    if (!read_number(r, key, &number))
        return NULL;
    if ((same = find_entry(r, r->now->kind, number))) {
        p.what = TEXT_CONFIG_KEY_AGAIN, p.other_line = same->entry.line;
    } else if (r->now->entry_count == CONFIG_ENTRIES_MAX) {
        p.what = TEXT_CONFIG_KEY_MANY;
        p.max = slice_of(max, config_format(SETTING_COUNT, CONFIG_ENTRIES_MAX, max));
    } else {
        return add_entry(r, number);
    }
    tell(r, &p);
    return NULL;
}

static void take_entry(struct reader *r, slice key, slice value)
{
    if (!r->goes_on)
        r->entry = begin_entry(r, key);
    if (r->entry)
        set_value(r, &r->now->kind->settings[0], key, &r->entry->entry.uris, value);
}

/* ---- lines, to and from inih ------------------------------------------------------------------ */

/* The last line was neither comment nor section, and inih made no setting of it. */
static void settle_line(struct reader *r)
{
    if (r->unread)
        tell_line(r, TEXT_CONFIG_LINE, r->text, 0);
    r->unread = false;
}

/* Its beginning, up to the =, is a setting of this section: many people indent them all. */
static bool begins_setting(const struct reader *r, slice head)
{
    slice rest = head, key = slice_trim(slice_take_until(&rest, '='));
    char number[CONFIG_NUMBER_MAX];

    if (!rest.len)
        return false;
    if (r->now->kind->flags & SECTION_ENTRIES)
        return sip_number_of(key, number, sizeof number).len > 0;
    return find_setting(r->now->kind, key) != NULL;
}

/* An indented line behind a list. It may begin with a bracket: an address. */
static bool goes_on(const struct reader *r, slice line, slice head)
{
    return r->in_list && r->now && is_blank(line.ptr[0]) && !begins_setting(r, head);
}

/* The inside of "[...]", comment behind it or not. */
static bool is_section_line(slice head, slice *ret)
{
    if (!slice_take_char(&head, '[') || slice_find_char(head, ']') < 0)
        return false;
    *ret = slice_take_until(&head, ']');
    return true;
}

static bool is_text(slice line)
{
    for (size_t i = 0; i < line.len; i++)
        if (((unsigned char)line.ptr[i] < ' ' && line.ptr[i] != '\t') || line.ptr[i] == 0x7f)
            return false;
    return utf8_is_valid(line);
}

/* What inih is to see of a line: nothing of what is wrong, of sections only that one begins. */
static slice line_for_inih(struct reader *r, slice line, size_t most)
{
    slice head = slice_trim(line), inside;

    if (!head.len || head.ptr[0] == '#' || head.ptr[0] == ';')
        return (slice){ 0 };
    if (!is_text(line)) {
        tell_line(r, TEXT_CONFIG_LINE_BYTES, (slice){ 0 }, 0);
        return (slice){ 0 };
    }
    if (line.len > most) {
        tell_line(r, TEXT_CONFIG_LINE_LONG, (slice){ 0 }, most);
        return (slice){ 0 };
    }
    r->goes_on = goes_on(r, line, head);
    if (!r->goes_on && is_section_line(head, &inside)) {
        enter_section(r, inside);
        return SLICE("[x]");
    }
    r->unread = true, r->text = head;
    return r->goes_on ? line : head;
}

/* As fgets: the next line for inih, with its LF. */
static char *next_line(char *at, int size, void *ctx)
{
    struct reader *r = ctx;
    slice line;

    settle_line(r);
    if (r->no_memory || size < 8 || !slice_take_line(&r->rest, &line))
        return NULL;
    r->line++;
    if (r->line == 1 && slice_starts(line, SLICE("\xef\xbb\xbf")))
        line = slice_skip(line, 3);
    line = line_for_inih(r, line, (size_t)size - 3);
    if (line.len)
        memcpy(at, line.ptr, line.len);
    memcpy(at + line.len, "\n", 2);
    return at;
}

static int on_setting(void *ctx, const char *section, const char *name, const char *text)
{
    struct reader *r = ctx;
    slice key = slice_of_string(name), value = slice_of_string(text);

    (void)section;
    r->unread = false;
    if (!r->now) {
        if (!r->any_section)
            tell(r, &(struct config_problem){ .line = r->line, .what = TEXT_CONFIG_KEY_OUTSIDE, .key = key,
                                              .near = slice_of_string(config_sections[SECTION_SERVER].name) });
    } else if (r->now->kind->flags & SECTION_ENTRIES) {
        take_entry(r, key, value);
        r->in_list = true;
    } else {
        const struct setting *s = r->goes_on ? r->setting : find_setting(r->now->kind, key);

        take_setting(r, s, key, value);
        r->setting = s;
        r->in_list = s && setting_is_list(s->type);
    }
    return 1;
}

/* ---- the whole ------------------------------------------------------------------------------- */

/* What was not set has its standard. Each of them can be read, or the table is wrong. */
static void set_standards(struct reader *r, const struct opened *o, unsigned profile)
{
    for (size_t i = 0; i < o->kind->count; i++) {
        const struct setting *s = &o->kind->settings[i];
        const char *standard = s->standard;
        struct value_place place = { .arena = &r->config->arena, .setting = s, .field = (char *)o->values + s->offset };

        for (size_t k = 0; k < ARRAY_LEN(config_presets) && o->kind == &config_sections[SECTION_TIMERS]; k++)
            if (strcmp(config_presets[k].key, s->key) == 0 && config_presets[k].standard[profile])
                standard = config_presets[k].standard[profile];
        if (o->lines[i] || !standard)
            continue;
        bool ok = config_value_parse(&place, slice_of_string(standard));

        assert(ok || place.no_memory);
        r->no_memory = r->no_memory || !ok;
    }
}

/* One section of each kind that has no name, whether it stands in the file or not. */
static void open_the_rest(struct reader *r)
{
    static const struct { const char *name; uint8_t transport; } usual[] = { { "udp", CONFIG_UDP }, { "tcp", CONFIG_TCP } };

    for (size_t i = 0; i < CONFIG_SECTIONS; i++)
        if (!(config_sections[i].flags & SECTION_NAMED) && !r->counts[i])
            (void)open_section(r, &config_sections[i], (slice){ "", 0 }, 0);
    for (size_t i = 0; i < ARRAY_LEN(usual) && r->counts[SECTION_LISTEN] == i; i++) {
        struct opened *o = open_section(r, &config_sections[SECTION_LISTEN], slice_of_string(usual[i].name), 0);

        if (o) {
            ((struct config_listen *)o->values)->transport = usual[i].transport;
            o->lines[0] = UINT_MAX;                       /* the first setting: transport */
        }
    }
}

static void require(struct reader *r, const struct opened *o)
{
    for (size_t i = 0; i < o->kind->count; i++)
        if ((o->kind->settings[i].flags & SETTING_REQUIRED) && !o->lines[i])
            tell(r, &(struct config_problem){ .line = o->line, .what = TEXT_CONFIG_KEY_MISSING,
                                              .section = slice_of_string(o->kind->name),
                                              .key = slice_of_string(o->kind->settings[i].key) });
}

static void gather_entries(struct reader *r, const struct opened *o)
{
    struct config_entry *at = arena_alloc(&r->config->arena, (o->entry_count + 1) * sizeof *at);
    struct config_entries entries = { at, o->entry_count };
    size_t i = o->entry_count;

    if (!at) {
        r->no_memory = true;
        return;
    }
    for (const struct entry_node *e = o->entries; e; e = e->next)    /* the last of the file first */
        at[--i] = e->entry;
    memcpy(o->values, &entries, sizeof entries);
}

/* All sections of a name, side by side. */
static const void *gather(struct reader *r, enum section_id id, size_t *ret_count)
{
    const struct section *kind = &config_sections[id];
    char *at = arena_alloc(&r->config->arena, (r->counts[id] + 1) * kind->size);
    size_t n = 0;

    if (!at) {
        r->no_memory = true;
        return NULL;
    }
    for (struct opened *o = r->sections; o; o = o->next)
        if (o->kind == kind) {
            memcpy(at + n++ * kind->size, o->values, kind->size);
            o->values = at + (n - 1) * kind->size;        /* the checks write there */
        }
    *ret_count = n;
    return at;
}

static void finish(struct reader *r)
{
    struct config *c = r->config;

    open_the_rest(r);
    for (struct opened *o = r->sections; o && !r->no_memory; o = o->next) {
        if (o->kind->flags & SECTION_ENTRIES) {
            gather_entries(r, o);
            continue;
        }
        require(r, o);
        set_standards(r, o, c->timers.profile);
    }
    c->listens = gather(r, SECTION_LISTEN, &c->listen_count);
    c->gateways = gather(r, SECTION_GATEWAY, &c->gateway_count);
    if (!r->no_memory && config_check(c, r->sections, r->report) != 0)
        r->no_memory = true;
}

static void read_lines(struct reader *r, slice text)
{
    char max[CONFIG_VALUE_MAX];

    if (text.len > CONFIG_TEXT_MAX) {
        tell(r, &(struct config_problem){ .what = TEXT_CONFIG_TOO_LARGE,
                                          .max = slice_of(max, config_format(SETTING_BYTES, CONFIG_TEXT_MAX, max)) });
        return;
    }
    r->rest = text;
    r->last = &r->sections;
    (void)ini_parse_stream(next_line, r, on_setting, r);  /* what it does not like, we have told */
    settle_line(r);
    if (!r->no_memory)
        finish(r);
}

int config_read(slice text, struct config **ret, struct config_report *report)
{
    struct reader r = { .report = report, .config = calloc(1, sizeof *r.config) };

    *report = (struct config_report){ 0 };
    if (!r.config)
        return -ENOMEM;
    if (map_init(&r.entries, 16) != 0) {
        (void)config_free(r.config);
        return -ENOMEM;
    }
    read_lines(&r, text);
    map_done(&r.entries);
    if (!r.no_memory && report->total == 0) {
        *ret = r.config;
        return 0;
    }
    (void)config_free(r.config);
    return r.no_memory ? -ENOMEM : -EINVAL;
}

struct config *config_free(struct config *c)
{
    if (c) {
        arena_done(&c->arena);
        free(c);
    }
    return NULL;
}

void config_report_done(struct config_report *report)
{
    arena_done(&report->arena);
    *report = (struct config_report){ 0 };
}

/* ---- reload -------------------------------------------------------------------------------- */

static bool same_value(const struct setting *s, const void *a, const void *b)
{
    if (s->type == SETTING_COUNT)
        return *(const uint32_t *)a == *(const uint32_t *)b;
    return slice_eq(*(const slice *)a, *(const slice *)b);           /* a path: nothing else wants a new start */
}

size_t config_needs_restart(const struct config *old, const struct config *new, slice *ret, size_t room)
{
    size_t count = 0;

    for (size_t i = 0; i < CONFIG_SECTIONS; i++) {
        const struct section *kind = &config_sections[i];

        for (size_t k = 0; k < kind->count; k++) {
            const struct setting *s = &kind->settings[k];
            size_t offset = (size_t)kind->offset + s->offset;

            if ((s->flags & SETTING_RESTART) && count < room &&
                !same_value(s, (const char *)old + offset, (const char *)new + offset))
                ret[count++] = slice_of_string(s->key);
        }
    }
    return count;
}

enum wire_transport config_wire(enum config_transport transport)
{
    static const uint8_t wires[CONFIG_TRANSPORTS] = { [CONFIG_UDP] = WIRE_UDP, [CONFIG_TCP] = WIRE_TCP, [CONFIG_TLS] = WIRE_TLS,
                                                      [CONFIG_WS] = WIRE_WS,   [CONFIG_WSS] = WIRE_WSS };

    return (enum wire_transport)wires[transport];
}
