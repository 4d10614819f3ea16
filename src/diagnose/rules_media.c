/* diagnose/rules_media.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/rules.h"
const struct rule_table rules_media = { NULL, 0, 0 };
