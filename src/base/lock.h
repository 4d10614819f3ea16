/* base/lock.h - a lock that somebody else makes, so that what is pure can be shared by threads.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A value; zero is no lock at all, for who has one thread. Never taken twice by one thread, and
 * nobody is called back while it is held.                                                      */
#ifndef BASE_LOCK_H
#define BASE_LOCK_H

struct lock {
    void *ctx;
    void (*take)(void *ctx);
    void (*give)(void *ctx);
};

static inline void lock_take(const struct lock *l)
{
    if (l->take)
        l->take(l->ctx);
}
static inline void lock_give(const struct lock *l)
{
    if (l->give)
        l->give(l->ctx);
}

/* ---- held until the function returns, wherever that is ---- */

static inline const struct lock *lock_hold(const struct lock *l)
{
    lock_take(l);
    return l;
}
static inline void lock_release(const struct lock **l) { lock_give(*l); }
#define LOCK_UNTIL_RETURN(of) __attribute__((cleanup(lock_release), unused)) const struct lock *held_lock_ = lock_hold(of)

#endif
