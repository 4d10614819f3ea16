/* track/media_link.c - see media_link.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "track/media_link.h"

#include "media/table.h"
#include "rtp/dtmf.h"

static void digit_note(struct leg *leg, const struct track_sighting *s)
{
    uint32_t duration_ms;

    if (s->message->is_request && s->message->method == SIP_INFO &&
        rtp_info_digit(s->message->content_type, s->message->body, &duration_ms))
        leg->call->media.dtmf |= CALL_DTMF_INFO;
}

void track_media_note(struct tracker *t, struct leg *leg, const struct track_sighting *s)
{
    digit_note(leg, s);
    if (!t->settings.media || !s->sdp)
        return;
    if (!leg->media)
        leg->media = media_call_open(t->settings.media, leg->call);
    if (leg->media)
        media_call_describe(t->settings.media, leg->media, &(struct media_description){
            .sdp = s->sdp, .time_ns = s->unit->time_ns,
            .from_callee = s->message->is_request ? s->from_callee : !s->from_callee });
}

int64_t track_media_patience(const struct tracker *t)
{
    const struct track_settings *s = &t->settings;

    return s->media && s->media_stop_ns < s->silence_max_ns ? s->media_stop_ns : s->silence_max_ns;
}

static bool wait_until(struct tracker *t, struct leg *leg, int64_t deadline_ns)
{
    leg->live.deadline_ns = deadline_ns;
    return timers_set(&t->timers, &leg->live.timer, deadline_ns) == 0;      /* just left its place */
}

/* On hold, or a fax in place of sound: silence is as it should be. */
static bool is_silent_by_agreement(const struct call *c)
{
    bool fax = c->facts && (c->facts->sdp[0].flags | c->facts->sdp[1].flags) & CALL_SDP_T38;

    return c->on_hold || fax;
}

static bool stop(struct tracker *t, struct leg *leg, int64_t last_ns)
{
    struct call *c = leg->call;

    if (!call_step(c, CALL_EV_MEDIA_STOP))
        return false;
    c->ended_ns = last_ns;
    c->ended_by = CALL_NETWORK;
    c->media.stopped = true;
    if (t->observer.call_changed)
        t->observer.call_changed(t->observer.ctx, c);
    return wait_until(t, leg, t->now_ns + t->settings.media_grace_ns);
}

static bool resume(struct tracker *t, struct leg *leg, int64_t last_ns)
{
    struct call *c = leg->call;

    if (last_ns <= c->ended_ns || !call_step(c, CALL_EV_DIALOG))
        return false;
    c->ended_ns = 0;
    c->ended_by = CALL_NOBODY;
    c->media.stopped = false;
    if (t->observer.call_changed)
        t->observer.call_changed(t->observer.ctx, c);
    return wait_until(t, leg, last_ns + t->settings.media_stop_ns);
}

bool track_media_keeps(struct tracker *t, struct leg *leg)
{
    const struct track_settings *set = &t->settings;
    struct call *c = leg->call;
    int64_t heard_ns = leg->media ? media_call_last_ns(leg->media) : 0;
    int64_t until_ns = c->last_ns + set->silence_max_ns;          /* by signalling alone */

    if (c->state == CALL_MEDIA_STOPPED)
        return resume(t, leg, heard_ns);
    if (c->state != CALL_ACTIVE || !set->media || t->now_ns >= track_max(until_ns, heard_ns + set->media_stop_ns))
        return false;
    if (is_silent_by_agreement(c))
        return wait_until(t, leg, t->now_ns + set->media_stop_ns);
    if (heard_ns) {
        int64_t patience_ns = media_call_is_sparse(leg->media) ? set->media_sparse_ns : set->media_stop_ns;
        int64_t due_ns = track_max(heard_ns, c->last_ns) + patience_ns;

        return t->now_ns < due_ns ? wait_until(t, leg, due_ns) : stop(t, leg, heard_ns);
    }
    if (leg->media && media_call_is_visible(set->media, leg->media)) {
        int64_t due_ns = c->last_ns + set->media_sparse_ns;

        c->media.absent = t->now_ns >= due_ns;
        return !c->media.absent && wait_until(t, leg, due_ns);
    }
    return wait_until(t, leg, until_ns);
}

void track_media_close(struct tracker *t, struct leg *leg, bool at_end)
{
    leg->call->media.stopped = leg->call->state == CALL_MEDIA_STOPPED;
    if (t->settings.media)
        media_table_time(t->settings.media, t->now_ns);
    if (leg->media)
        media_call_close(t->settings.media, leg->media, at_end);
    leg->media = NULL;
}
