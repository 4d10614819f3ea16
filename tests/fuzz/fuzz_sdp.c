/* tests/fuzz/fuzz_sdp.c - session descriptions and everything decoded from their attributes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/inside.h"
#include "sip/sdp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_attributes(slice lines, slice whole)
{
    slice name, value;
    struct sdp_codec codec;
    struct sdp_crypto crypto;
    struct sdp_candidate candidate;
    struct sdp_precondition precondition;

    while (sdp_attr_next(&lines, &name, &value)) {
        MUST_BE_INSIDE(name, whole);
        MUST_BE_INSIDE(value, whole);
        if (sdp_rtpmap_parse(value, &codec))
            MUST(codec.payload_type < 128 && is_inside(codec.name, value));
        if (sdp_crypto_parse(value, &crypto))
            MUST_BE_INSIDE(crypto.session_params, value);
        if (sdp_candidate_parse(value, &candidate))
            MUST_BE_INSIDE(candidate.related_address, value);
        if (sdp_precondition_parse(name, value, &precondition))
            MUST_BE_INSIDE(precondition.direction, value);
    }
}

static void check_media(const struct sdp *sdp, unsigned i)
{
    const struct sdp_media *media = &sdp->media[i];
    slice formats = media->formats, value;
    unsigned type, rounds = 0;
    struct sdp_codec codec;

    MUST_BE_INSIDE(media->type, sdp->text);
    MUST_BE_INSIDE(media->proto, sdp->text);
    MUST_BE_INSIDE(media->formats, sdp->text);
    MUST_BE_INSIDE(media->lines, sdp->text);
    MUST_BE_INSIDE(media->mid, media->lines);
    MUST_BE_INSIDE(media->connection.address, media->lines);
    MUST(sdp_media_direction(sdp, i) != SDP_DIRECTION_NONE);
    MUST(media->port || !sdp_is_hold(sdp, i));
    MUST_BE_INSIDE(sdp_media_connection(sdp, i).address, sdp->text);
    while (sdp_format_next(&formats, &type) && rounds++ < 4) {
        if (sdp_codec_of(media, type, &codec))
            MUST(codec.payload_type == type);
        if (sdp_fmtp_of(media, type, &value))
            MUST_BE_INSIDE(value, media->lines);
    }
    check_attributes(media->lines, sdp->text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sdp sdp;
    slice text = slice_of(data, size);

    if (!sdp_parse(text, &sdp))
        return 0;
    MUST(sdp.media_count <= SDP_MEDIA_MAX && sdp.media_count <= sdp.media_total);
    MUST_BE_INSIDE(sdp.lines, text);
    MUST_BE_INSIDE(sdp.origin.username, text);
    MUST_BE_INSIDE(sdp.origin.address.address, text);
    for (unsigned i = 0; i < sdp.flaw_count && i < SDP_FLAWS_MAX; i++)
        MUST(sdp.flaws[i].offset <= size && sdp.flaws[i].kind < SIP_FLAW_KINDS);
    for (unsigned i = 0; i < sdp.media_count; i++)
        check_media(&sdp, i);
    check_attributes(sdp.lines, text);
    return 0;
}
