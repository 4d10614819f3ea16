/* media/emodel.h - what a listener thinks of it: ITU-T G.107, G.107.1 (wide), G.107.2 (super wide).
 * SPDX-License-Identifier: Apache-2.0
 *
 * Pure arithmetic. R = R0 - Id - Ie,eff; the scale goes up to 93.2 (narrow band), 129 (wide) and
 * 148 (super wide), and MOS is that of R brought back to 100. Scores of two scales cannot be
 * compared: always tell the band with them. No score is above the ceiling of its scale.
 *
 *     const struct emodel_codec *c = emodel_codec_find(SLICE("PCMU"), 64);
 *     struct emodel_score s = emodel_score(c, &(struct emodel_path){ .loss = 0.01, .burst_r = 1, .delay_ms = 90 });
 */
#ifndef MEDIA_EMODEL_H
#define MEDIA_EMODEL_H

#include "base/slice.h"
#include "call/stream.h"

struct emodel_codec {
    const char *name;                /* as in SDP, capitals aside */
    float    kbps;
    uint8_t  band;                   /* enum stream_band */
    bool     estimated;              /* figures that no text at hand confirms */
    float    ie, bpl;                /* impairment; robustness against loss in percent */
    float    frame_ms, lookahead_ms;
};

/* By its name in SDP, then the mode that is nearest to the rate. NULL: no figures are known. */
const struct emodel_codec *emodel_codec_find(slice name, double kbps);
/* With its packets' loss concealed or not (G.711 only: others conceal by themselves). */
const struct emodel_codec *emodel_codec_without_plc(void);

struct emodel_path {
    double loss;                     /* 0 to 1: lost and discarded */
    double burst_r;                  /* 1: at random; below is taken as 1 */
    double delay_ms;                 /* mouth to ear: network, buffer, packets */
};
struct emodel_score {
    double ie_eff, id;
    double r_cq, r_lq;               /* with delay, without */
    double mos_cq, mos_lq;
};
struct emodel_score emodel_score(const struct emodel_codec *c, const struct emodel_path *path);
double emodel_r_max(enum stream_band band);
double emodel_mos_max(enum stream_band band);
double emodel_id(double delay_ms);               /* G.107, 7-27 */
double emodel_id_simplified(double delay_ms);    /* Cole and Rosenbluth, to compare with others */
double emodel_mos(enum stream_band band, double r);

#endif
