/* net/tls.c - see tls.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/address.h"

#define NAME_MAX_LEN 255u

static const unsigned char alpn_sip[] = { 3, 's', 'i', 'p' };

struct tls {
    enum tls_side side;
    bool          alpn, trust_anybody, verify_client;
    char         *certificate, *key, *ca_file, *ca_dir;
    SSL_CTX      *context;
    BIO_METHOD   *socket;            /* OpenSSL's own would raise SIGPIPE */
};

/* ---- the socket as OpenSSL sees it ---- */

static int fd_of(BIO *b) { return *(const int *)BIO_get_data(b); }

static int socket_read(BIO *b, char *into, size_t size, size_t *ret_len)
{
    ssize_t n = recv(fd_of(b), into, size, 0);

    BIO_clear_retry_flags(b);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        BIO_set_retry_read(b);
    if (n == 0)
        BIO_set_flags(b, BIO_FLAGS_IN_EOF);
    *ret_len = n > 0 ? (size_t)n : 0;
    return n > 0;
}

static int socket_write(BIO *b, const char *bytes, size_t len, size_t *ret_len)
{
    ssize_t n = send(fd_of(b), bytes, len, MSG_NOSIGNAL);

    BIO_clear_retry_flags(b);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        BIO_set_retry_write(b);
    *ret_len = n > 0 ? (size_t)n : 0;
    return n > 0;
}

static long socket_control(BIO *b, int what, long number, void *ptr)
{
    (void)number, (void)ptr;
    if (what == BIO_CTRL_EOF)
        return BIO_test_flags(b, BIO_FLAGS_IN_EOF) != 0;
    return what == BIO_CTRL_FLUSH;
}

static BIO_METHOD *socket_method(void)
{
    BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");

    if (m) {
        BIO_meth_set_read_ex(m, socket_read);
        BIO_meth_set_write_ex(m, socket_write);
        BIO_meth_set_ctrl(m, socket_control);
    }
    return m;
}

/* ---- contexts ---- */

/* OpenSSL would ask at the terminal. */
static int no_password(char *into, int size, int writing, void *ctx)
{
    (void)into, (void)size, (void)writing, (void)ctx;
    return 0;
}

static int choose_sip(SSL *ssl, const unsigned char **ret, unsigned char *ret_len, const unsigned char *theirs,
                      unsigned len, void *ctx)
{
    (void)ssl, (void)ctx;
    return SSL_select_next_proto((unsigned char **)ret, ret_len, alpn_sip, sizeof alpn_sip, theirs, len) ==
                   OPENSSL_NPN_NEGOTIATED
               ? SSL_TLSEXT_ERR_OK
               : SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* The first error is the cause, those behind it say who was told. */
static int fault_of(struct net_fault *ret, enum net_fault_what what)
{
    unsigned long e = ERR_peek_error();

    *ret = (struct net_fault){ .what = what, .error = ERR_SYSTEM_ERROR(e) ? ERR_GET_REASON(e) : 0 };
    if (!ret->error)
        ret->why = ERR_reason_error_string(e);
    ERR_clear_error();
    return ret->error ? -ret->error : what == NET_FAULT_TLS ? -ENOMEM : -EINVAL;
}

static int load_certificate(SSL_CTX *c, const struct tls *t, struct net_fault *ret)
{
    SSL_CTX_set_default_passwd_cb(c, no_password);
    if (SSL_CTX_use_certificate_chain_file(c, t->certificate) != 1)
        return fault_of(ret, NET_FAULT_CERTIFICATE);
    if (SSL_CTX_use_PrivateKey_file(c, t->key, SSL_FILETYPE_PEM) != 1) {
        bool other = ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH;

        return fault_of(ret, other ? NET_FAULT_KEY_MATCH : NET_FAULT_KEY);
    }
    return SSL_CTX_check_private_key(c) == 1 ? 0 : fault_of(ret, NET_FAULT_KEY_MATCH);
}

static int load_trusted(SSL_CTX *c, const struct tls *t, struct net_fault *ret)
{
    if (!t->ca_file && !t->ca_dir)
        return SSL_CTX_set_default_verify_paths(c) == 1 ? 0 : fault_of(ret, NET_FAULT_CA);
    if (SSL_CTX_load_verify_locations(c, t->ca_file, t->ca_dir) != 1)
        return fault_of(ret, NET_FAULT_CA);
    if (t->side == TLS_SERVER && t->ca_file)         /* tells clients which of theirs to show */
        SSL_CTX_set_client_CA_list(c, SSL_load_client_CA_file(t->ca_file));
    return 0;
}

static int load(const struct tls *t, SSL_CTX *c, struct net_fault *ret)
{
    bool verify = t->side == TLS_SERVER ? t->verify_client : !t->trust_anybody;
    int error = 0;

    if (SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION) != 1)
        return fault_of(ret, NET_FAULT_TLS);
    (void)SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_COMPRESSION);
    (void)SSL_CTX_set_mode(c, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    (void)SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);     /* tickets need no memory of ours */
    (void)SSL_CTX_set_session_id_context(c, (const unsigned char *)"sip", 3);
    if (t->alpn && t->side == TLS_SERVER)
        SSL_CTX_set_alpn_select_cb(c, choose_sip, NULL);
    if (t->alpn && SSL_CTX_set_alpn_protos(c, alpn_sip, sizeof alpn_sip) != 0)
        return fault_of(ret, NET_FAULT_TLS);
    if (t->certificate)
        error = load_certificate(c, t, ret);
    if (!error && verify)
        error = load_trusted(c, t, ret);
    SSL_CTX_set_verify(c, verify ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT : SSL_VERIFY_NONE, NULL);
    return error;
}

int tls_reload(struct tls *t, struct net_fault *ret_fault)
{
    SSL_CTX *c;
    int error;

    ERR_clear_error();
    c = SSL_CTX_new(t->side == TLS_SERVER ? TLS_server_method() : TLS_client_method());
    if (!c)
        return fault_of(ret_fault, NET_FAULT_TLS);
    error = load(t, c, ret_fault);
    if (error < 0) {
        SSL_CTX_free(c);
        return error;
    }
    SSL_CTX_free(t->context);                        /* connections keep a share of the old one */
    t->context = c;
    return 0;
}

static bool keep(char **to, const char *text)
{
    *to = text ? strdup(text) : NULL;
    return *to || !text;
}

int tls_open(struct tls **ret, enum tls_side side, const struct tls_settings *s, struct net_fault *ret_fault)
{
    struct tls *t = calloc(1, sizeof *t);
    int error = -ENOMEM;

    *ret_fault = (struct net_fault){ .what = NET_FAULT_MEMORY, .error = ENOMEM };
    if (!t)
        return error;
    t->side = side;
    t->alpn = s->alpn;
    t->trust_anybody = s->trust_anybody;
    t->verify_client = s->verify_client;
    t->socket = socket_method();
    if (!keep(&t->certificate, s->certificate) || !keep(&t->key, s->key ? s->key : s->certificate) ||
        !keep(&t->ca_file, s->ca_file) || !keep(&t->ca_dir, s->ca_dir) || !t->socket)
        goto out;
    if (side == TLS_SERVER && !t->certificate) {
        *ret_fault = (struct net_fault){ .what = NET_FAULT_CERTIFICATE, .error = ENOENT };
        error = -ENOENT;
        goto out;
    }
    error = tls_reload(t, ret_fault);
out:
    if (error < 0)
        t = tls_free(t);
    else
        *ret = t;
    return error;
}

void tls_take(struct tls *t, struct tls *fresh)
{
    struct tls old = *t;

    *t = *fresh;
    t->socket = old.socket;                          /* connections that are open use it */
    old.socket = fresh->socket;
    *fresh = old;
    (void)tls_free(fresh);
}

struct tls *tls_free(struct tls *t)
{
    if (!t)
        return NULL;
    SSL_CTX_free(t->context);
    BIO_meth_free(t->socket);
    free(t->certificate);
    free(t->key);
    free(t->ca_file);
    free(t->ca_dir);
    free(t);
    return NULL;
}

/* ---- one connection ---- */

/* Asked for the server's own certificate when the authorities have vouched for it. */
static int check_name(int ok, X509_STORE_CTX *store)
{
    const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    const char *name = SSL_get_app_data(ssl);

    if (!ok || !name || X509_STORE_CTX_get_error_depth(store) > 0)
        return ok;
    if (tls_certificate_is_for(X509_STORE_CTX_get_current_cert(store), slice_of_string(name)))
        return 1;
    X509_STORE_CTX_set_error(store, X509_V_ERR_HOSTNAME_MISMATCH);
    return 0;
}

static bool meet(SSL *ssl, slice name, bool verify)
{
    struct address a;
    char *text;

    if (name.len > NAME_MAX_LEN)
        return false;
    text = strndup(name.ptr, name.len);
    if (!text)
        return false;
    SSL_set_app_data(ssl, text);
    if (verify)
        SSL_set_verify(ssl, SSL_VERIFY_PEER, check_name);
    return address_parse_ip(name, &a) || SSL_set_tlsext_host_name(ssl, text) == 1;
}

SSL *tls_connection(struct tls *t, int *fd, slice name)
{
    SSL *ssl;
    BIO *bio;

    ERR_clear_error();
    ssl = SSL_new(t->context);
    bio = ssl ? BIO_new(t->socket) : NULL;
    if (!bio) {
        SSL_free(ssl);
        return NULL;
    }
    BIO_set_data(bio, fd);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    if (t->side == TLS_SERVER) {
        SSL_set_accept_state(ssl);
        return ssl;
    }
    SSL_set_connect_state(ssl);
    if (!name.len || meet(ssl, name, !t->trust_anybody))
        return ssl;
    tls_connection_free(ssl);
    return NULL;
}

void tls_connection_free(SSL *ssl)
{
    if (!ssl)
        return;
    free(SSL_get_app_data(ssl));
    SSL_free(ssl);
}

/* What stopped it. The verdict on a certificate says more than "verify failed". */
static const char *reason(const SSL *ssl, unsigned long e)
{
    long verdict = SSL_get_verify_result(ssl);
    const char *text;

    if (verdict != X509_V_OK && SSL_get_verify_mode(ssl) != SSL_VERIFY_NONE)
        return X509_verify_cert_error_string(verdict);
    text = ERR_reason_error_string(e);
    return text ? text : "TLS failed";
}

static int error_of(SSL *ssl, int got, int system_error, const char **ret_why)
{
    int what = SSL_get_error(ssl, got);
    unsigned long e = ERR_peek_error();

    if (what == SSL_ERROR_WANT_READ || what == SSL_ERROR_WANT_WRITE)
        return -EAGAIN;
    *ret_why = reason(ssl, e);
    ERR_clear_error();
    if (what == SSL_ERROR_ZERO_RETURN) {
        *ret_why = "closed by the peer";
        return -ECONNRESET;
    }
    if (what == SSL_ERROR_SYSCALL && !e) {
        *ret_why = system_error ? strerrordesc_np(system_error) : "closed by the peer";
        return system_error ? -system_error : -ECONNRESET;
    }
    return -EPROTO;
}

int tls_handshake(SSL *ssl, const char **ret_why)
{
    int got;

    ERR_clear_error();
    errno = 0;
    got = SSL_do_handshake(ssl);
    return got == 1 ? 0 : error_of(ssl, got, errno, ret_why);
}

ssize_t tls_read(SSL *ssl, void *into, size_t len, const char **ret_why)
{
    size_t n = 0;
    int got;

    ERR_clear_error();
    errno = 0;
    got = SSL_read_ex(ssl, into, len, &n);
    if (got == 1)
        return (ssize_t)n;
    return SSL_get_error(ssl, got) == SSL_ERROR_ZERO_RETURN ? 0 : error_of(ssl, got, errno, ret_why);
}

ssize_t tls_write(SSL *ssl, const void *bytes, size_t len, const char **ret_why)
{
    size_t n = 0;
    int got;

    ERR_clear_error();
    errno = 0;
    got = SSL_write_ex(ssl, bytes, len, &n);
    return got == 1 ? (ssize_t)n : error_of(ssl, got, errno, ret_why);
}

/* Not after a failure: OpenSSL forbids it, and there is nobody to tell. */
void tls_close_notify(SSL *ssl)
{
    ERR_clear_error();
    if (SSL_is_init_finished(ssl))
        (void)SSL_shutdown(ssl);
    ERR_clear_error();
}

bool tls_wants_to_write(const SSL *ssl) { return SSL_want_write(ssl); }
