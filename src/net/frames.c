/* net/frames.c - see frames.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/frames.h"

#include <errno.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <wslay/wslay.h>

#include "base/utf8.h"

struct frames {
    wslay_event_context_ptr wslay;
    struct frames_handlers  handlers;
    struct buffer_budget   *budget;
    struct buffer           message; /* collected so far */
    size_t                  message_max;
    slice                   unread;  /* of the bytes that are being read */
    int                     error;   /* the first; 0 while all is well */
    uint8_t                 opcode;  /* of the frame that is coming in */
    bool                    begun;   /* a message of data has, and has not ended */
};

/* ---- what wslay asks for ---- */

static ssize_t give_bytes(wslay_event_context_ptr ctx, uint8_t *into, size_t len, int flags, void *user)
{
    struct frames *f = user;
    slice part = slice_head(f->unread, len);

    (void)flags;
    if (!part.len) {
        wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    memcpy(into, part.ptr, part.len);
    f->unread = slice_skip(f->unread, part.len);
    return (ssize_t)part.len;
}

static ssize_t take_bytes(wslay_event_context_ptr ctx, const uint8_t *bytes, size_t len, int flags, void *user)
{
    struct frames *f = user;

    (void)flags;
    if (!f->handlers.write(f->handlers.ctx, slice_of(bytes, len))) {
        f->error = f->error ? f->error : -ENOBUFS;
        wslay_event_set_error(ctx, WSLAY_ERR_CALLBACK_FAILURE);
        return -1;
    }
    return (ssize_t)len;
}

static int give_mask(wslay_event_context_ptr ctx, uint8_t *into, size_t len, void *user)
{
    (void)ctx, (void)user;
    return RAND_bytes(into, (int)len) == 1 ? 0 : -1;
}

static void frame_begins(wslay_event_context_ptr ctx, const struct wslay_event_on_frame_recv_start_arg *arg,
                         void *user)
{
    struct frames *f = user;

    (void)ctx;
    f->opcode = arg->opcode;
    f->begun |= !wslay_is_ctrl_frame(arg->opcode);
}

static void fail(struct frames *f, int error, uint16_t code)
{
    f->error = f->error ? f->error : error;
    (void)wslay_event_queue_close(f->wslay, code, NULL, 0);
    wslay_event_shutdown_read(f->wslay);
}

static void frame_goes_on(wslay_event_context_ptr ctx, const struct wslay_event_on_frame_recv_chunk_arg *arg,
                          void *user)
{
    struct frames *f = user;
    int error;

    (void)ctx;
    if (wslay_is_ctrl_frame(f->opcode) || f->error)
        return;
    error = buffer_add(&f->message, f->budget, f->message_max, slice_of(arg->data, arg->data_length));
    if (error)
        fail(f, error, error == -EMSGSIZE ? WSLAY_CODE_MESSAGE_TOO_BIG : WSLAY_CODE_INTERNAL_SERVER_ERROR);
}

static void message_ends(wslay_event_context_ptr ctx, const struct wslay_event_on_msg_recv_arg *arg, void *user)
{
    struct frames *f = user;
    slice whole = buffer_bytes(&f->message);

    (void)ctx;
    if (wslay_is_ctrl_frame(arg->opcode) || f->error)
        return;
    f->begun = false;
    if (whole.len && !f->handlers.message(f->handlers.ctx, whole)) {
        f->error = -ECANCELED;
        wslay_event_shutdown_read(f->wslay);
    }
    buffer_drop(&f->message, f->budget, whole.len);
}

/* ---- ours ---- */

struct frames *frames_new(enum frames_side side, struct buffer_budget *budget, size_t message_max,
                          const struct frames_handlers *handlers)
{
    static const struct wslay_event_callbacks calls = {
        .recv_callback = give_bytes, .send_callback = take_bytes, .genmask_callback = give_mask,
        .on_frame_recv_start_callback = frame_begins, .on_frame_recv_chunk_callback = frame_goes_on,
        .on_msg_recv_callback = message_ends,
    };
    struct frames *f = calloc(1, sizeof *f);

    if (!f)
        return NULL;
    f->handlers = *handlers;
    f->budget = budget;
    f->message_max = message_max;
    if ((side == FRAMES_SERVER ? wslay_event_context_server_init(&f->wslay, &calls, f)
                               : wslay_event_context_client_init(&f->wslay, &calls, f)) != 0) {
        free(f);
        return NULL;
    }
    wslay_event_config_set_no_buffering(f->wslay, 1);
    wslay_event_config_set_max_recv_msg_length(f->wslay, message_max);
    return f;
}

struct frames *frames_free(struct frames *f)
{
    if (!f)
        return NULL;
    wslay_event_context_free(f->wslay);
    buffer_done(&f->message, f->budget);
    free(f);
    return NULL;
}

static int why_it_ended(const struct frames *f)
{
    if (wslay_event_get_close_received(f->wslay))
        return -ESHUTDOWN;
    return wslay_event_get_status_code_sent(f->wslay) == WSLAY_CODE_MESSAGE_TOO_BIG ? -EMSGSIZE : -EPROTO;
}

int frames_read(struct frames *f, slice bytes)
{
    int got;

    if (f->error)
        return f->error;
    f->unread = bytes;
    got = wslay_event_recv(f->wslay);
    f->unread = (slice){ 0 };
    if (wslay_event_send(f->wslay) != 0 && !f->error)    /* pongs, or why we close */
        f->error = -ENOBUFS;
    if (f->error)
        return f->error;
    if (got == WSLAY_ERR_NOMEM)
        return f->error = -ENOMEM;
    if (got != 0 || !wslay_event_get_read_enabled(f->wslay))
        f->error = why_it_ended(f);
    return f->error;
}

static int queue(struct frames *f, const struct wslay_event_msg *m)
{
    int got = wslay_event_queue_msg(f->wslay, m);

    if (got == WSLAY_ERR_NOMEM)
        return -ENOMEM;
    if (got != 0)
        return -ESHUTDOWN;
    return wslay_event_send(f->wslay) == 0 ? 0 : -ENOBUFS;
}

int frames_write(struct frames *f, slice message)
{
    struct wslay_event_msg m = { .opcode = utf8_is_valid(message) ? WSLAY_TEXT_FRAME : WSLAY_BINARY_FRAME,
                                 .msg = (const uint8_t *)message.ptr, .msg_length = message.len };

    return queue(f, &m);
}

int frames_close(struct frames *f)
{
    static const uint8_t going_away[] = { 1001 >> 8, 1001 & 0xff };
    struct wslay_event_msg m = { .opcode = WSLAY_CONNECTION_CLOSE, .msg = going_away, .msg_length = 2 };

    return queue(f, &m);
}

bool frames_midway(const struct frames *f) { return f->begun; }
