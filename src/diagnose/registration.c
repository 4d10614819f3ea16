/* diagnose/registration.c - why a registration failed, or does not last.
 * SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/rules.h"

void diagnose_registration(struct registration *r, const struct diagnose_context *context)
{
    (void)r;
    (void)context;
}
