/* tests/fuzz/fuzz_sdp_codecs.c - an allow list applied to whatever comes as SDP: bounded, and once is enough.
 * SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/inside.h"
#include "sip/sdp.h"
#include "sip/sdp_codecs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const slice names[] = { SLICE_INIT("PCMA"), SLICE_INIT("opus") };

/* Nothing but the allowed, and what is no codec, is left where audio is still on. */
static void check_left(slice text)
{
    static struct sdp sdp;
    unsigned type;
    struct sdp_codec codec;

    MUST(sdp_parse(text, &sdp));
    for (unsigned i = 0; i < sdp.media_count; i++) {
        slice formats = sdp.media[i].formats;

        if (!sdp.media[i].port || !slice_eq_nocase(sdp.media[i].type, SLICE("audio")) ||
            slice_find_nocase(sdp.media[i].proto, SLICE("RTP/")) < 0)
            continue;
        while (sdp_format_next(&formats, &type)) {
            slice name = sdp_codec_of(&sdp.media[i], type, &codec) ? codec.name : (slice){ 0 };

            MUST(slice_eq_nocase(name, names[0]) || slice_eq_nocase(name, names[1]) || slice_eq_nocase(name, SLICE("CN")) ||
                 slice_eq_nocase(name, SLICE("telephone-event")));
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sdp_codecs list = { names, ARRAY_LEN(names) };
    slice text = slice_of(data, size);
    struct out once, twice;

    out_init_memory(&once, 0);
    out_init_memory(&twice, 0);
    if (sdp_codecs_filter(text, &list, NULL, &once) == SDP_CODECS_CHANGED) {
        MUST(once.error || out_taken(&once).len <= size + 64);
        if (!once.error) {
            check_left(out_taken(&once));
            MUST(sdp_codecs_filter(out_taken(&once), &list, NULL, &twice) == SDP_CODECS_SAME);
        }
    }
    out_done(&once);
    out_done(&twice);
    return 0;
}
