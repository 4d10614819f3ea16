/* media/emodel_test.c - see emodel.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "media/emodel.h"

#include "harness/test.h"

TEST(golden_values_are_met)
{
    static const struct { const char *codec; double kbps, delay_ms, loss_pct, burst_r, ie_eff, id, r, cq, lq, simple; } rows[] = {
        { "PCMU", 64, 0, 0, 1, 0.00, 0.00, 93.20, 4.409, 4.409, 0.00 },
        { "PCMU", 64, 100, 1, 1, 3.64, 0.00, 89.56, 4.328, 4.328, 2.40 },
        { "PCMU", 64, 150, 2, 1, 7.01, 0.16, 86.03, 4.230, 4.235, 3.60 },
        { "PCMU", 64, 200, 5, 1, 15.78, 3.04, 74.37, 3.795, 3.923, 7.30 },
        { "PCMU", 64, 200, 5, 2, 17.21, 3.04, 72.95, 3.732, 3.864, 7.30 },
        { "PCMU", 64, 300, 0, 1, 0.00, 14.76, 78.44, 3.964, 4.409, 20.70 },
        { "PCMU", 64, 400, 3, 1, 10.14, 24.07, 58.99, 3.047, 4.134, 34.10 },
        { NULL, 64, 0, 0, 1, 0.00, 0.00, 93.20, 4.409, 4.409, 0.00 },
        { NULL, 64, 100, 1, 1, 17.92, 0.00, 75.28, 3.834, 3.834, 2.40 },
        { NULL, 64, 150, 2, 1, 30.16, 0.16, 62.88, 3.248, 3.256, 3.60 },
        { NULL, 64, 200, 5, 1, 51.08, 3.04, 39.08, 2.019, 2.169, 7.30 },
        { NULL, 64, 200, 5, 2, 69.85, 3.04, 20.30, 1.261, 1.358, 7.30 },
        { NULL, 64, 300, 0, 1, 0.00, 14.76, 78.44, 3.964, 4.409, 20.70 },
        { NULL, 64, 400, 3, 1, 39.04, 24.07, 30.09, 1.613, 2.794, 34.10 },
        { "G729", 8, 0, 0, 1, 11.00, 0.00, 82.20, 4.104, 4.104, 0.00 },
        { "G729", 8, 100, 1, 1, 15.20, 0.00, 78.00, 3.946, 3.946, 2.40 },
        { "G729", 8, 150, 2, 1, 19.00, 0.16, 74.04, 3.780, 3.787, 3.60 },
        { "G729", 8, 200, 5, 1, 28.50, 3.04, 61.66, 3.185, 3.340, 7.30 },
        { "G729", 8, 200, 5, 2, 30.53, 3.04, 59.62, 3.080, 3.237, 7.30 },
        { "G729", 8, 300, 0, 1, 11.00, 14.76, 67.44, 3.475, 4.104, 20.70 },
        { "G729", 8, 400, 3, 1, 22.45, 24.07, 46.68, 2.401, 3.632, 34.10 },
        { "G723", 6.3, 0, 0, 1, 15.00, 0.00, 78.20, 3.954, 3.954, 0.00 },
        { "G723", 6.3, 100, 1, 1, 19.68, 0.00, 73.52, 3.758, 3.758, 2.40 },
        { "G723", 6.3, 150, 2, 1, 23.84, 0.16, 69.20, 3.559, 3.567, 3.60 },
        { "G723", 6.3, 200, 5, 1, 33.96, 3.04, 56.20, 2.901, 3.061, 7.30 },
        { "G723", 6.3, 200, 5, 2, 36.51, 3.04, 53.65, 2.767, 2.928, 7.30 },
        { "G723", 6.3, 300, 0, 1, 15.00, 14.76, 63.44, 3.276, 3.954, 20.70 },
        { "G723", 6.3, 400, 3, 1, 27.57, 24.07, 41.56, 2.141, 3.386, 34.10 },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct emodel_codec *c = rows[i].codec ? emodel_codec_find(slice_of_string(rows[i].codec), rows[i].kbps)
                                                     : emodel_codec_without_plc();
        struct emodel_path path = { rows[i].loss_pct / 100, rows[i].burst_r, rows[i].delay_ms };
        struct emodel_score s = emodel_score(c, &path);

        CHECK_NEAR(s.ie_eff, rows[i].ie_eff, 0.0051);
        CHECK_NEAR(s.id, rows[i].id, 0.0051);
        CHECK_NEAR(s.r_cq, rows[i].r, 0.0101);
        CHECK_NEAR(s.mos_cq, rows[i].cq, 0.00101);
        CHECK_NEAR(s.mos_lq, rows[i].lq, 0.00101);
        CHECK_NEAR(emodel_id_simplified(rows[i].delay_ms), rows[i].simple, 0.0051);
        CHECK_NEAR(s.r_lq - emodel_id_simplified(rows[i].delay_ms), 93.2 - s.ie_eff - rows[i].simple, 0.0101);
    }
}

TEST(no_score_is_above_the_ceiling_of_its_scale_or_below_one)
{
    static const char *const names[] = { "PCMU", "pcma", "G729", "GSM", "AMR", "AMR-WB", "G722", "opus", "EVS", "iLBC" };

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        for (int loss = -1; loss <= 11; loss++)
            for (int delay = 0; delay <= 5000; delay += 250) {
                const struct emodel_codec *c = emodel_codec_find(slice_of_string(names[i]), 64 - delay / 80.0);
                struct emodel_score s = emodel_score(c, &(struct emodel_path){ loss / 10.0, delay / 1000.0, delay });
                double most = emodel_mos_max((enum stream_band)c->band);

                CHECK_ROW(i, s.mos_cq >= 1 && s.mos_lq >= s.mos_cq && s.mos_lq <= most);
                CHECK_ROW(i, s.r_cq >= 0 && s.r_lq <= emodel_r_max((enum stream_band)c->band));
            }
    CHECK_NEAR(emodel_mos_max(STREAM_NB), 4.409, 0.001);
}

TEST(more_loss_or_more_delay_never_sounds_better)
{
    const struct emodel_codec *c = emodel_codec_find(SLICE("G729"), 8);
    double last = 5;

    for (int loss = 0; loss <= 100; loss++) {
        double mos = emodel_score(c, &(struct emodel_path){ loss / 100.0, 1, 50 }).mos_cq;

        CHECK_ROW(loss, mos <= last);
        last = mos;
    }
    last = 5;
    for (int delay = 0; delay <= 1000; delay += 10) {
        double mos = emodel_score(c, &(struct emodel_path){ 0, 1, delay }).mos_cq;

        CHECK_ROW(delay, mos <= last + 1e-9);
        last = mos;
    }
}

TEST(the_mode_nearest_to_the_rate_is_taken_and_unknown_codecs_have_none)
{
    CHECK_NEAR(emodel_codec_find(SLICE("AMR"), 12.8)->ie, 5, 1e-6);
    CHECK_NEAR(emodel_codec_find(SLICE("AMR"), 5)->ie, 19, 1e-6);
    CHECK_EQ(emodel_codec_find(SLICE("opus"), 64)->band, STREAM_SWB);
    CHECK_EQ(emodel_codec_find(SLICE("opus"), 10)->band, STREAM_NB);
    CHECK(!emodel_codec_find(SLICE("PCMU"), 64)->estimated);
    CHECK(emodel_codec_find(SLICE("AMR-WB"), 12.65)->estimated);
    CHECK(emodel_codec_find(SLICE("speex"), 8) == NULL);
    CHECK(emodel_codec_find(SLICE(""), 8) == NULL);
}
