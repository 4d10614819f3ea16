/* diagnose/vendor.c - see vendor.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/vendor.h"

#define ROW(prefix_, traits_) { SLICE_INIT(prefix_), SLICE_INIT(prefix_), traits_ }

/* FreeSWITCH: its table of hangup causes; AudioCodes: its release cause mapping; Asterisk and
 * Cisco: 503 where no cause of theirs fits. Longer prefixes first where one contains another. */
static const struct vendor vendors[] = {
    ROW("FreeSWITCH", VENDOR_SWITCH | VENDOR_603_IS_21 | VENDOR_483_IS_25 | VENDOR_488_IS_88 |
                      VENDOR_429_IS_436 | VENDOR_480_IS_ANY | VENDOR_OWN_MAP),
    ROW("FusionPBX", VENDOR_SWITCH | VENDOR_603_IS_21 | VENDOR_483_IS_25 | VENDOR_488_IS_88 |
                     VENDOR_429_IS_436 | VENDOR_480_IS_ANY | VENDOR_OWN_MAP),
    ROW("mod_sofia", VENDOR_SWITCH | VENDOR_603_IS_21 | VENDOR_483_IS_25 | VENDOR_488_IS_88 |
                     VENDOR_429_IS_436 | VENDOR_480_IS_ANY | VENDOR_OWN_MAP),
    ROW("Asterisk", VENDOR_SWITCH | VENDOR_503_IS_ANY | VENDOR_603_IS_21),
    ROW("FPBX", VENDOR_SWITCH | VENDOR_503_IS_ANY | VENDOR_603_IS_21),
    ROW("AudioCodes-SBC", VENDOR_SWITCH | VENDOR_OWN_MAP),
    ROW("Mediant", VENDOR_SWITCH | VENDOR_OWN_MAP),
    ROW("AudioCodes", VENDOR_OWN_MAP),
    ROW("Cisco-SIPGateway", VENDOR_SWITCH | VENDOR_503_IS_ANY),
    ROW("Cisco-CUCM", VENDOR_SWITCH | VENDOR_503_IS_ANY),
    ROW("Cisco-CP", VENDOR_PHONE),
    ROW("Cisco/SPA", VENDOR_PHONE),
    ROW("kamailio", VENDOR_SWITCH),
    ROW("OpenSIPS", VENDOR_SWITCH),
    ROW("OpenSER", VENDOR_SWITCH),
    ROW("Sippy", VENDOR_SWITCH),
    ROW("Oracle", VENDOR_SWITCH),
    ROW("Acme", VENDOR_SWITCH),
    ROW("Sonus", VENDOR_SWITCH),
    ROW("3CXPhoneSystem", VENDOR_SWITCH),
    ROW("BroadWorks", VENDOR_SWITCH),
    ROW("Metaswitch", VENDOR_SWITCH),
    ROW("Yealink", VENDOR_PHONE),
    ROW("Grandstream", VENDOR_PHONE),
    ROW("snom", VENDOR_PHONE),
    ROW("Polycom", VENDOR_PHONE),
    ROW("PolycomVVX", VENDOR_PHONE),
    ROW("Fanvil", VENDOR_PHONE),
    ROW("Gigaset", VENDOR_PHONE),
    ROW("Linphone", VENDOR_PHONE),
    ROW("baresip", VENDOR_PHONE),
    ROW("Zoiper", VENDOR_PHONE),
    ROW("MicroSIP", VENDOR_PHONE),
    ROW("X-Lite", VENDOR_PHONE),
    ROW("Bria", VENDOR_PHONE),
    ROW("Jitsi", VENDOR_PHONE),
    ROW("PJSUA", VENDOR_PHONE),
};

const struct vendor *vendor_find(slice agent)
{
    static const struct vendor unknown;

    for (size_t i = 0; agent.len && i < ARRAY_LEN(vendors); i++)
        if (ascii_lower(agent.ptr[0]) == ascii_lower(vendors[i].prefix.ptr[0]) &&
            slice_starts_nocase(agent, vendors[i].prefix))
            return &vendors[i];
    return &unknown;
}
