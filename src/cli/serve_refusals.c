/* cli/serve_refusals.c - see serve_refusals.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli/serve_refusals.h"

#include <stdlib.h>
#include <string.h>

#include "report/rows.h"

#define MINUTE_NS INT64_C(60000000000)

struct entry {
    struct serve_refused what;
    int64_t told_ns, last_ns;        /* last_ns 0: free */
};
/* Few enough to be looked through: refusals are answered by the guard long before they are many. */
struct serve_refusals {
    size_t       used, next;         /* next: where to look for what is due */
    uint64_t     others;
    unsigned     news;               /* in this minute */
    int64_t      minute_ns, others_ns;
    struct entry all[SERVE_REFUSALS_MAX];
};

struct serve_refusals *serve_refusals_new(void) { return calloc(1, sizeof(struct serve_refusals)); }

struct serve_refusals *serve_refusals_free(struct serve_refusals *s)
{
    free(s);
    return NULL;
}

static struct serve_refused name_of(const struct registration *r)
{
    slice aor = slice_head(r->aor, r->aor.len < SERVE_REFUSED_AOR ? r->aor.len : SERVE_REFUSED_AOR);
    struct serve_refused ret = { .client = r->client_last.family ? r->client_last : r->client, .final = r->final,
                                 .aor_len = aor.len };

    memcpy(ret.aor, aor.ptr, aor.len);
    ret.client.port = 0;
    return ret;
}

static bool is_same(const struct serve_refused *a, const struct serve_refused *b)
{
    return a->final == b->final && a->aor_len == b->aor_len && memcmp(a->aor, b->aor, a->aor_len) == 0 &&
           address_eq(&a->client, &b->client);
}

/* The one it is, or a free place, or NULL. */
static struct entry *place_of(struct serve_refusals *s, const struct serve_refused *name, int64_t now_ns)
{
    struct entry *free_one = NULL;

    for (size_t i = 0; i < s->used; i++) {
        struct entry *e = &s->all[i];

        if (e->last_ns && is_same(&e->what, name))
            return e;
        if (!e->last_ns || (!e->what.times && now_ns - e->last_ns > 10 * MINUTE_NS))
            free_one = e;
    }
    if (free_one)
        free_one->last_ns = 0;
    return free_one || s->used == SERVE_REFUSALS_MAX ? free_one : &s->all[s->used++];
}

bool serve_refusals_is_news(struct serve_refusals *s, const struct registration *r, int64_t now_ns)
{
    struct serve_refused name = name_of(r);
    struct entry *e = place_of(s, &name, now_ns);

    if (now_ns - s->minute_ns >= MINUTE_NS) {
        s->minute_ns = now_ns;
        s->news = 0;
    }
    if (e && e->last_ns) {
        e->last_ns = now_ns;
        e->what.times++;
        return false;
    }
    if (!e || s->news == SERVE_REFUSALS_NEWS) {
        s->others_ns = s->others ? s->others_ns : now_ns;
        s->others++;
        return false;
    }
    s->news++;
    *e = (struct entry){ .what = name, .told_ns = now_ns, .last_ns = now_ns };
    return true;
}

bool serve_refusals_take(struct serve_refusals *s, int64_t now_ns, bool all, struct serve_refused *ret)
{
    for (size_t i = s->next; i < s->used; i++) {
        struct entry *e = &s->all[i];

        if (!e->what.times || (!all && now_ns - e->told_ns < MINUTE_NS))
            continue;
        *ret = e->what;
        e->what.times = 0;
        e->told_ns = now_ns;
        s->next = i + 1;
        return true;
    }
    s->next = 0;
    if (!s->others || (!all && now_ns - s->others_ns < MINUTE_NS))
        return false;
    *ret = (struct serve_refused){ .times = s->others };
    s->others = 0;
    return true;
}

void serve_refused_print(const struct serve_refused *refused, struct printer *p, const struct cli *cli)
{
    slice aor = slice_of(refused->aor, refused->aor_len);
    char address[ADDRESS_TEXT_MAX] = "";
    size_t len = refused->client.family ? address_format_ip(&refused->client, address) : 0;

    if (p->kind == PRINTER_JSON) {
        json_open(&p->json, '{');
        json_text(&p->json, "type", SLICE("refused"));
        if (aor.len)
            json_text(&p->json, "aor", aor);
        if (aor.len)
            json_text(&p->json, "client", slice_of(address, len));
        if (aor.len)
            json_u64(&p->json, "final", refused->final);
        json_u64(&p->json, "times", refused->times);
        rows_json_end(&p->json);
    } else if (aor.len) {
        cli_say_line(cli, p->out, TEXT_SERVE_REFUSED_AGAIN, WORDS_NUMBER("count", refused->times), WORDS_TEXT("user", aor),
                     WORDS_TEXT("address", slice_of(address, len)), WORDS_NUMBER("code", refused->final));
    } else {
        cli_say_line(cli, p->out, TEXT_SERVE_REFUSED_OTHERS, WORDS_NUMBER("count", refused->times));
    }
}
