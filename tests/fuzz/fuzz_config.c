/* tests/fuzz/fuzz_config.c - the configuration: read, compiled and asked, or refused with reasons
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/utf8.h"
#include "fuzz/inside.h"
#include "switch/config_text.h"
#include "switch/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum users_result nobody(void *ctx, slice name, slice domain, struct user *ret)
{
    (void)ctx, (void)name, (void)domain, (void)ret;
    return USERS_NONE;
}

static void check_refused(const struct config_report *report, size_t size)
{
    struct out o;

    MUST(report->total > 0 && report->count > 0 && report->count <= report->total);
    out_init_memory(&o, 0);
    for (size_t i = 0; i < report->count; i++) {
        const struct config_problem *p = &report->at[i];

        MUST(p->line <= size + 1 && p->other_line <= p->line && p->what < TEXTS);
        MUST(i == 0 || report->at[i - 1].line <= p->line);
        out_clear(&o);
        config_say(&o, words_english(), p);
        MUST(out_taken(&o).len > 0 && utf8_is_valid(out_taken(&o)));
        MUST(slice_find_char(out_taken(&o), '\n') < 0);
    }
    out_done(&o);
}

/* What no configuration may bring about: a stranger at a gateway, a call sent back. */
static void check_plan(const struct config *c)
{
    static const char *const uris[] = { "sip:112@127.0.0.1", "tel:+4930123456", "sip:00491511@127.0.0.1", "urn:service:sos",
                                        "sip:300@127.0.0.1", "sip:*21#@127.0.0.1" };
    static const struct users none = { .by_name = nobody };
    struct plan *p = plan_new(c);

    MUST(p);
    for (size_t i = 0; i < ARRAY_LEN(uris); i++)
        for (int by = PLAN_BY_STRANGER; by <= (c->gateway_count ? PLAN_BY_GATEWAY : PLAN_BY_USER); by++) {
            struct plan_question q = { .uri = slice_of_string(uris[i]), .calling = SLICE("0301"), .by = (enum plan_caller)by,
                                       .host_is_ours = true, .random = i };
            struct plan_route route;

            plan_find(p, &none, &q, &route);
            MUST(route.count <= PLAN_TARGETS_MAX && (route.status == 0) == (route.count > 0));
            for (size_t k = 0; k < route.count; k++) {
                MUST(route.at[k].is_gateway && route.at[k].gateway < c->gateway_count && by != PLAN_BY_STRANGER);
                MUST(by != PLAN_BY_GATEWAY || (c->gateways[0].transit && route.at[k].gateway != 0));
                MUST(strlen(route.at[k].called) <= PLAN_NAME_MAX && strlen(route.at[k].calling) <= PLAN_NAME_MAX);
            }
        }
    (void)plan_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config *c = NULL;
    struct config_report report;
    int error = config_read(slice_of(data, size), &c, &report);

    MUST(error == 0 || error == -EINVAL);
    if (error) {
        MUST(!c);
        check_refused(&report, size);
    } else {
        MUST(report.total == 0 && c->listen_count > 0);
        slice restarts[CONFIG_RESTARTS_MAX];

        MUST(config_needs_restart(c, c, restarts, CONFIG_RESTARTS_MAX) == 0);
        check_plan(c);
    }
    config_report_done(&report);
    (void)config_free(c);
    return 0;
}
