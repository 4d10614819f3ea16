/* media/emodel.c - see emodel.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "media/emodel.h"

#include <math.h>

/* G.113, Appendix I and IV, and the literature where that says nothing; what no text at hand
 * confirms is marked estimated. Rows of one name stand together. */
static const struct emodel_codec codecs[] = {
    /* name         kbps   band         estimated  Ie    Bpl  frame  look-ahead */
    { "PCMU",        64,   STREAM_NB,   false,     0,   25.1f, 10,   0 },     /* with concealment */
    { "PCMA",        64,   STREAM_NB,   false,     0,   25.1f, 10,   0 },
    { "G729",         8,   STREAM_NB,   false,    11,   19,    20,   5 },     /* G.729A with VAD */
    { "G723",      6.3f,   STREAM_NB,   false,    15,   16.1f, 30, 7.5f },
    { "G723",      5.3f,   STREAM_NB,   true,     19,   16.1f, 30, 7.5f },
    { "GSM-EFR",  12.2f,   STREAM_NB,   true,      5,   10,    20,   0 },
    { "GSM",         13,   STREAM_NB,   true,     20,   10,    20,   0 },
    { "GSM-HR-08", 5.6f,   STREAM_NB,   true,     23,   10,    20, 4.4f },
    { "G726-40",     40,   STREAM_NB,   true,      2,   10,    10, 0.125f },
    { "G726-32",     32,   STREAM_NB,   true,      7,   10,    10, 0.125f },
    { "G726-24",     24,   STREAM_NB,   true,     25,   10,    10, 0.125f },
    { "G726-16",     16,   STREAM_NB,   true,     50,   10,    10, 0.125f },
    { "G728",        16,   STREAM_NB,   true,      7,   10,    10,   0 },
    { "ILBC",     15.2f,   STREAM_NB,   true,     10,   34,    20,   5 },
    { "ILBC",    13.33f,   STREAM_NB,   true,     12,   27,    30,  10 },
    { "AMR",      12.2f,   STREAM_NB,   true,      5,   10,    20,   5 },
    { "AMR",      10.2f,   STREAM_NB,   true,      6,   10,    20,   5 },
    { "AMR",      7.95f,   STREAM_NB,   true,      9,   10,    20,   5 },
    { "AMR",       7.4f,   STREAM_NB,   true,     10,   10,    20,   5 },
    { "AMR",       6.7f,   STREAM_NB,   true,     13,   10,    20,   5 },
    { "AMR",       5.9f,   STREAM_NB,   true,     16,   10,    20,   5 },
    { "AMR",      5.15f,   STREAM_NB,   true,     19,   10,    20,   5 },
    { "AMR",      4.75f,   STREAM_NB,   true,     21,   10,    20,   5 },
    { "G722",        64,   STREAM_WB,   true,     13,    4.9f, 10, 1.5f },
    { "G722",        56,   STREAM_WB,   true,     20,    4.9f, 10, 1.5f },
    { "G722",        48,   STREAM_WB,   true,     31,    4.9f, 10, 1.5f },
    { "AMR-WB",  23.85f,   STREAM_WB,   true,      8,    4.9f, 20,   5 },
    { "AMR-WB",  23.05f,   STREAM_WB,   true,      1,    4.9f, 20,   5 },
    { "AMR-WB",  19.85f,   STREAM_WB,   true,      3,    4.9f, 20,   5 },
    { "AMR-WB",  18.25f,   STREAM_WB,   true,      5,    4.9f, 20,   5 },
    { "AMR-WB",  15.85f,   STREAM_WB,   true,      7,    4.9f, 20,   5 },
    { "AMR-WB",  14.25f,   STREAM_WB,   true,     10,    4.9f, 20,   5 },
    { "AMR-WB",  12.65f,   STREAM_WB,   true,     13,    4.9f, 20,   5 },
    { "AMR-WB",   8.85f,   STREAM_WB,   true,     26,    4.9f, 20,   5 },
    { "AMR-WB",   6.60f,   STREAM_WB,   true,     41,    4.9f, 20,   5 },
    { "EVS",      13.2f,   STREAM_WB,   true,      7,   10,    20,  12 },
    { "EVS",      24.4f,   STREAM_SWB,  true,      3,   10,    20,  12 },
    { "OPUS",         8,   STREAM_NB,   true,     16,   20.3f, 20, 6.5f },
    { "OPUS",         9,   STREAM_NB,   true,   11.7f,  18.9f, 20, 6.5f },
    { "OPUS",        11,   STREAM_NB,   true,      2,   16,    20, 6.5f },
    { "OPUS",        12,   STREAM_WB,   true,   23.3f,  22.2f, 20, 6.5f },
    { "OPUS",        13,   STREAM_WB,   true,     20,   19.5f, 20, 6.5f },
    { "OPUS",        15,   STREAM_WB,   true,   18.1f,  18.7f, 20, 6.5f },
    { "OPUS",        16,   STREAM_SWB,  true,   30.2f,  11.8f, 20, 6.5f },
    { "OPUS",        22,   STREAM_SWB,  true,   20.2f,  10.5f, 20, 6.5f },
    { "OPUS",        28,   STREAM_SWB,  true,   18.5f,  10.6f, 20, 6.5f },
    { "OPUS",        34,   STREAM_SWB,  true,   14.8f,  10.1f, 20, 6.5f },
    { "OPUS",        40,   STREAM_SWB,  true,   10.7f,   9.8f, 20, 6.5f },
};
static const struct emodel_codec g711_bare = { "PCMU", 64, STREAM_NB, false, 0, 4.3f, 10, 0 };

static const struct { double r_max, scale; } scales[STREAM_BANDS] = {
    [STREAM_NO_BAND] = { 93.2, 1 }, [STREAM_NB] = { 93.2, 1 },
    [STREAM_WB] = { 129, 1.29 }, [STREAM_SWB] = { 148, 1.48 },
};

const struct emodel_codec *emodel_codec_find(slice name, double kbps)
{
    const struct emodel_codec *nearest = NULL;

    for (size_t i = 0; i < ARRAY_LEN(codecs); i++) {
        if (!slice_eq_nocase(name, slice_of_string(codecs[i].name)))
            continue;
        if (!nearest || fabs(codecs[i].kbps - kbps) < fabs(nearest->kbps - kbps))
            nearest = &codecs[i];
    }
    return nearest;
}

const struct emodel_codec *emodel_codec_without_plc(void) { return &g711_bare; }

double emodel_r_max(enum stream_band band) { return scales[band].r_max; }

double emodel_mos_max(enum stream_band band) { return emodel_mos(band, scales[band].r_max); }

double emodel_id(double delay_ms)
{
    if (!(delay_ms > 100))
        return 0;
    double x = log2(delay_ms / 100);

    return 25 * (pow(1 + pow(x, 6), 1.0 / 6) - 3 * pow(1 + pow(x / 3, 6), 1.0 / 6) + 2);
}

double emodel_id_simplified(double delay_ms)
{
    return 0.024 * delay_ms + (delay_ms > 177.3 ? 0.11 * (delay_ms - 177.3) : 0);
}

double emodel_mos(enum stream_band band, double r)
{
    r /= scales[band].scale;
    if (!(r > 0))
        return 1;
    if (r >= 100)
        return 4.5;
    double mos = 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6;

    return mos < 1 ? 1 : mos;                             /* the polynomial dips below for R < 6.5 */
}

struct emodel_score emodel_score(const struct emodel_codec *c, const struct emodel_path *path)
{
    enum stream_band band = (enum stream_band)c->band;
    double ppl = 100 * fmin(fmax(path->loss, 0), 1), burst_r = fmax(path->burst_r, 1);
    struct emodel_score s;

    s.ie_eff = c->ie;
    if (ppl > 0)
        s.ie_eff += (95 - c->ie) * ppl / (ppl / burst_r + c->bpl);
    s.id = emodel_id(path->delay_ms);
    s.r_lq = fmin(fmax(scales[band].r_max - s.ie_eff, 0), scales[band].r_max);
    s.r_cq = fmax(s.r_lq - s.id, 0);
    s.mos_lq = emodel_mos(band, s.r_lq);
    s.mos_cq = emodel_mos(band, s.r_cq);
    return s;
}
