/* switch/b2bua_transfer_int.h - one transfer, and what its files share. Private to them.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SWITCH_B2BUA_TRANSFER_INT_H
#define SWITCH_B2BUA_TRANSFER_INT_H

#include "sip/route.h"
#include "switch/b2bua_int.h"

#define MS 1000000ll
#define SECOND_NS (1000 * MS)
#define JOIN_MAX_NS (20 * SECOND_NS)                      /* from the target's answer to that of the party */

enum { PHRASE_MAX = 64 };

enum stage { CALLING, JOINING, JOINED };

struct transfer {
    struct b2bua      *b2bua;
    struct b2bua_call *x, *y, *t;    /* NULL: none, or gone */
    struct leg        *referrer, *party;                  /* of x */
    struct leg        *consult, *target;                  /* of y */
    struct branch     *seat;         /* of t, for a leg that moves there as its b; NULL: not needed */
    struct relay      *asking;       /* our re-INVITE that is open */
    struct wheel_timer timer;
    int64_t            end_ns, retry_ns;
    int64_t            listens_ns;   /* until then the referrer listens to NOTIFY */
    char              *offer;        /* type and body of the target's, or of who takes the place */
    size_t             offer_type_len, offer_len;
    uint32_t           cseq;         /* of the REFER */
    uint16_t           status, told; /* how it failed, 0: it did not; the last one that the referrer heard */
    uint8_t            stage, notes, attempts;
    bool               names_cseq;   /* in Event: it is not the first REFER of that dialog */
    bool               taken;        /* an INVITE with Replaces, no REFER */
    bool               quiet;        /* nobody listens to NOTIFY */
    char               phrase[PHRASE_MAX];
    size_t             phrase_len;
};

/* ---- b2bua_transfer.c ---- */
struct transfer *transfer_new(struct b2bua_call *x, struct leg *referrer, struct leg *party);
void transfer_leave_service(struct b2bua_call *c);        /* from now on it is a call like any other */
void transfer_wake(struct transfer *t, int64_t delay_ns); /* until it is looked at again */
void transfer_note_end(struct transfer *t, unsigned status, slice phrase);      /* it failed so; the first one counts */
/* For the party, with the codecs that its side may have. False: it failed, and that is noted. */
bool transfer_keep_offer(struct transfer *t, const struct sip_message *m);

/* ---- b2bua_join.c ---- */
void transfer_join(struct transfer *t);                   /* the next re-INVITE, as soon as it may go */
struct tally_one **leg_line(struct leg *leg);             /* where it is counted as a call of its user */
bool leg_copy_dialog(struct arena *arena, const struct dialog *from, struct dialog *ret);     /* false: no memory */
struct branch *seat_new(struct b2bua_call *c, const struct leg *leg);           /* in c, for that leg; NULL: no memory */
void relay_to_call(struct relay *r, struct b2bua_call *c);

/* ---- b2bua_refer.c ---- */
/* The status line as it was, to the referrer, if it listens; an empty phrase is that of the status. */
void transfer_notify(struct transfer *t, unsigned status, slice phrase, bool final);

/* ---- b2bua_replaces.c ---- */
struct leg *leg_other(struct leg *leg);                   /* of its call */
struct leg *transfer_leg_named(struct b2bua *b, const struct sip_replaces *name);           /* NULL: none of ours */
unsigned transfer_cannot_replace(const struct leg *leg, const struct sip_replaces *name);   /* 0: it can be replaced */
void transfer_take_offer(struct transfer *t, const struct sip_message *m);      /* of the INVITE with Replaces */
unsigned transfer_count_of(const struct sip_message *m, enum sip_header_id id); /* how many header lines of that name */

#endif
