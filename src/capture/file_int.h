/* capture/file_int.h - a capture file being read, shared by its two formats. Private.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CAPTURE_FILE_INT_H
#define CAPTURE_FILE_INT_H

#include "capture/input.h"
#include "capture/source_int.h"

#define CAPTURE_FRAME_MAX (16u << 20)        /* a longer captured length is damage */
#define CAPTURE_FRAME_USUAL 262144u          /* what writers allow: longer ones are looked at */
#define CAPTURE_SCAN_MAX (16u << 20)         /* how far a next record is looked for */
#define CAPTURE_INTERFACES_MAX 4096u

struct capture_format;
struct capture_pcap {
    bool     swapped;                /* byte order of the writer is not ours */
    bool     lengths_swapped;        /* version 2.2 and before: len stood before caplen */
    uint32_t header_len;             /* 16, or 24 in the modified format */
    uint32_t fraction_ns;            /* 1000, or 1 */
    uint32_t fraction_limit;         /* a second has so many */
    uint32_t usual_len;              /* a longer caplen is looked at twice */
    uint32_t link_type;
    uint32_t last_s;                 /* second of the last frame */
    bool     has_last;
};

struct capture_interface {
    uint32_t link_type, snaplen;
    uint64_t ticks_max;              /* below it the time is ticks * tick_ns */
    uint32_t tick_ns;
    uint8_t  resolution;             /* if_tsresol as written */
    int64_t  offset_s;               /* if_tsoffset */
};
struct capture_pcapng {
    bool     swapped;
    struct capture_interface *interfaces;    /* of this section */
    uint32_t interface_count, interface_size;
    int64_t  last_ns;
};

struct capture_file {
    struct capture_source source;    /* first */
    struct capture_input in;
    const struct capture_format *reader;
    const char *format;              /* without the compression */
    char format_text[48];            /* with it */
    int  end;                        /* what capture_next says once it ended */
    union {
        struct capture_pcap pcap;
        struct capture_pcapng pcapng;
    };
};

/* Damage that was, or is to be, passed over: the first is kept, all are counted. */
void capture_file_note(struct capture_file *f, enum capture_problem_kind kind, uint64_t offset);
/* No more frames: 0, or -1 when the input ended by trouble or `kind` is one. */
int  capture_file_end(struct capture_file *f, enum capture_problem_kind kind, uint64_t offset);

/* Each format: do these bytes begin as one (with fewer than four: can they)? Then read what
 * stands before the first record: 0, or a problem. Then record by record. */
struct capture_format {
    bool (*is)(slice start);
    enum capture_problem_kind (*begin)(struct capture_file *f);
    int  (*next)(struct capture_source *f, struct wire_frame *ret);
    void (*done)(struct capture_file *f);    /* may be NULL */
};
extern const struct capture_format capture_format_pcap, capture_format_pcapng;

/* What a file that is no capture looks like. capture/foreign.c */
struct capture_looks capture_foreign_looks(slice start);

#endif
