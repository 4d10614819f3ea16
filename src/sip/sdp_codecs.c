/* sip/sdp_codecs.c - see sdp_codecs.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "sip/sdp_codecs.h"

#include "sip/sdp.h"

enum { TYPES = 128 };                /* payload types */

struct filter {
    const struct sdp_codecs *allowed, *also;
    struct out *o;
    const char *written;             /* up to here the old text is written, or left out */
    bool        changed;
    unsigned    audio, left;         /* lines of audio that were on, and that still are */
};

static bool is_on(const struct sdp_codecs *list, slice name)
{
    if (!list || !list->count)
        return true;
    for (size_t i = 0; i < list->count; i++)
        if (slice_eq_nocase(list->names[i], name))
            return true;
    return false;
}

static bool is_helper(slice name)
{
    return slice_eq_nocase(name, SLICE("telephone-event")) || slice_eq_nocase(name, SLICE("CN"));
}

static bool allows(const struct filter *f, slice name)
{
    return is_helper(name) || (is_on(f->allowed, name) && is_on(f->also, name));
}

/* Of several rtpmaps for one type a phone may believe any: all have to be allowed. */
static void take_out_contradictions(const struct filter *f, const struct sdp_media *media, bool set[TYPES])
{
    slice lines = media->lines, name, value;
    struct sdp_codec codec;

    while (sdp_attr_next(&lines, &name, &value))
        if (slice_eq(name, SLICE("rtpmap")) && sdp_rtpmap_parse(value, &codec) && codec.payload_type < TYPES &&
            set[codec.payload_type] && !allows(f, codec.name))
            set[codec.payload_type] = false;
}

/* Which payload types stay; false: no codec among them. */
static bool choose(const struct filter *f, const struct sdp_media *media, bool ret_stays[TYPES])
{
    struct sdp_codec all[TYPES];
    bool seen[TYPES] = { false };
    size_t count = sdp_codecs_of(media, all, TYPES);
    bool any = false;

    for (size_t i = 0; i < TYPES; i++)
        ret_stays[i] = false;
    for (size_t i = 0; i < count; i++) {
        if (!seen[all[i].payload_type])                   /* twice in one line: an rtpmap is the first one's */
            ret_stays[all[i].payload_type] = allows(f, all[i].name);
        seen[all[i].payload_type] = true;
    }
    take_out_contradictions(f, media, ret_stays);
    for (size_t i = 0; i < count; i++)
        any |= ret_stays[all[i].payload_type] && !is_helper(all[i].name);
    return any;
}

static void write_until(struct filter *f, const char *at)
{
    out_text(f->o, slice_of(f->written, (size_t)(at - f->written)));
    f->written = at;
}

static void leave_out(struct filter *f, slice text)
{
    write_until(f, text.ptr);
    f->written = text.ptr + text.len;
    f->changed = true;
}

static bool stays(const bool set[TYPES], slice number)
{
    uint32_t type;

    return slice_to_u32(number, &type) && type < TYPES && set[type];
}

static bool ends_word(char c) { return (unsigned char)c <= ' '; }

static slice take_word(slice *rest)
{
    size_t from = 0, to;

    while (from < rest->len && ends_word(rest->ptr[from]))
        from++;
    for (to = from; to < rest->len && !ends_word(rest->ptr[to]);)
        to++;
    slice word = slice_of(rest->ptr + from, to - from);

    *rest = slice_skip(*rest, to);
    return word;
}

static void write_formats(struct filter *f, const struct sdp_media *media, const bool set[TYPES])
{
    slice rest = media->formats, word;
    bool first = true, any_gone = false;

    while ((word = take_word(&rest)).len)
        any_gone |= !stays(set, word);
    if (!any_gone)
        return;
    leave_out(f, media->formats);
    for (rest = media->formats; (word = take_word(&rest)).len;) {
        if (!stays(set, word))
            continue;
        if (!first)
            out_char(f->o, ' ');
        out_text(f->o, word);
        first = false;
    }
}

/* The payload type that a line is about, or none. */
static slice type_of(slice line)
{
    static const slice names[] = { SLICE_INIT("a=rtpmap:"), SLICE_INIT("a=fmtp:"), SLICE_INIT("a=rtcp-fb:") };

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (slice_starts(line, names[i])) {
            slice rest = slice_skip(line, names[i].len);

            return take_word(&rest);
        }
    return (slice){ 0 };
}

static void write_attributes(struct filter *f, const struct sdp_media *media, const bool set[TYPES])
{
    slice rest = media->lines, line;

    while (rest.len) {
        const char *begin = rest.ptr;
        uint32_t type;

        if (!slice_take_line(&rest, &line))
            return;
        slice number = type_of(line);

        if (slice_to_u32(number, &type) && !stays(set, number))
            leave_out(f, slice_of(begin, (size_t)(rest.ptr - begin)));
    }
}

static void switch_off(struct filter *f, const struct sdp_media *media)
{
    const char *end = media->type.ptr + media->type.len;

    leave_out(f, slice_of(end, (size_t)(media->proto.ptr - end)));
    out_text(f->o, SLICE(" 0 "));
}

static void filter_media(struct filter *f, const struct sdp_media *media)
{
    bool set[TYPES];

    if (!slice_eq_nocase(media->type, SLICE("audio")) || slice_find_nocase(media->proto, SLICE("RTP/")) < 0 || !media->port)
        return;
    f->audio++;
    if (!choose(f, media, set)) {
        switch_off(f, media);
        return;
    }
    f->left++;
    write_formats(f, media, set);
    write_attributes(f, media, set);
}

enum sdp_codecs_result sdp_codecs_filter(slice text, const struct sdp_codecs *allowed, const struct sdp_codecs *also,
                                         struct out *o)
{
    struct filter f = { .allowed = allowed, .also = also, .o = o, .written = text.ptr };
    struct sdp sdp;

    if ((!allowed->count && (!also || !also->count)) || !sdp_parse(text, &sdp))
        return SDP_CODECS_SAME;
    if (sdp.media_total > sdp.media_count)
        return SDP_CODECS_NONE;                           /* more lines than can be looked at */
    for (unsigned i = 0; i < sdp.media_count; i++)
        filter_media(&f, &sdp.media[i]);
    if (f.audio && !f.left)
        return SDP_CODECS_NONE;
    if (!f.changed)
        return SDP_CODECS_SAME;
    write_until(&f, text.ptr + text.len);
    return SDP_CODECS_CHANGED;
}
