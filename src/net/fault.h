/* net/fault.h - why something could not be opened, for a face to make a sentence of.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_FAULT_H
#define NET_FAULT_H

#include <stddef.h>

enum net_fault_what {
    NET_FAULT_NONE,
    NET_FAULT_MEMORY,
    NET_FAULT_SETTING,               /* a listener without address, of a transport that is not ours */
    NET_FAULT_SOCKET,                /* it could not be made or prepared */
    NET_FAULT_BIND,                  /* EADDRINUSE, EADDRNOTAVAIL, EACCES ... */
    NET_FAULT_LISTEN,
    NET_FAULT_WATCH,
    NET_FAULT_TLS,                   /* OpenSSL could not begin */
    NET_FAULT_CERTIFICATE,           /* the file cannot be read, or is none */
    NET_FAULT_KEY,
    NET_FAULT_KEY_MATCH,             /* the key is not the certificate's */
    NET_FAULT_CA,                    /* the file or folder of who is trusted */
};

#define NET_FAULT_CLIENT ((size_t)-1)    /* `listener`: what connections of our own making need */

struct net_fault {
    enum net_fault_what what;
    size_t              listener;    /* in the order of the settings */
    int                 error;       /* errno, or 0 */
    const char         *why;         /* OpenSSL's words, never to be freed; NULL: none */
};

#endif
