/* capture/packets.h - a message that was never captured as the frame that a capture would have.
 * SPDX-License-Identifier: Apache-2.0
 *
 * For programs that send and receive themselves and want to keep what happened. A message by UDP
 * is a whole IP packet with right checksums (LINKTYPE_RAW); one by TCP, TLS or WebSocket an
 * exported PDU with its addresses (LINKTYPE_WIRESHARK_UPPER_PDU): what was said, readable without
 * keys or reassembly. Both kinds go into one pcapng file; a pcap file takes only one of them.
 *
 *     struct out room;
 *     out_init_memory(&room, PACKETS_ROOM);
 *     int error = packets_write(writer, &room, &unit);      // the unit's addresses and time      */
#ifndef CAPTURE_PACKETS_H
#define CAPTURE_PACKETS_H

#include "base/out.h"
#include "capture/writer.h"

enum { PACKETS_ROOM = 128 * 1024 };

/* The frame lies in `room` until the next one. False: no packet can hold it, or no memory. */
bool packets_frame(struct out *room, const struct wire_unit *unit, struct wire_frame *ret);
/* 0, or -EMSGSIZE, or the writer's error. */
int  packets_write(struct capture_writer *w, struct out *room, const struct wire_unit *unit);

#endif
