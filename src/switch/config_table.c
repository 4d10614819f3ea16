/* switch/config_table.c - every setting: the one place to add one (with its help in data/text).
 * SPDX-License-Identifier: Apache-2.0 */
#include "switch/config_int.h"

#define MS 1000000ll
#define SECOND (1000 * MS)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define KIB 1024ll
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

#define AT(member) (uint16_t)offsetof(struct OF, member)
#define HELP(id) TEXT_SETTING_##id
#define CHOICES(...) .choices = (const char *const[]){ __VA_ARGS__, NULL }

#define RELIABLE "off", "leg", "through", "demand"
#define FAIL_OVER "408-local, 500, 502, 503, 504"

/* ---- [server] ---- */
#define OF config_server
static const struct setting server[] = {
    { "domains", SETTING_DOMAINS, AT(domains), HELP(SERVER_DOMAINS), .example = "example.org, voice.example.org" },
    { "name", SETTING_TEXT, AT(name), HELP(SERVER_NAME), .standard = "Signalbox" },
    { "workers", SETTING_COUNT, AT(workers), HELP(SERVER_WORKERS), .standard = "1", .max = 32, .flags = SETTING_RESTART },
    { "users", SETTING_PATH, AT(users), HELP(SERVER_USERS), .standard = "/var/lib/signalbox/users.db", .flags = SETTING_RESTART },
    { "state", SETTING_PATH, AT(state), HELP(SERVER_STATE), .standard = "/var/lib/signalbox", .flags = SETTING_RESTART },
};
#undef OF

/* ---- [listen NAME] ---- */
#define OF config_listen
static const struct setting listening[] = {
    { "transport", SETTING_CHOICE, AT(transport), HELP(LISTEN_TRANSPORT), .standard = "udp",
      CHOICES("udp", "tcp", "tls", "ws", "wss") },
    { "address", SETTING_ADDRESS, AT(address), HELP(LISTEN_ADDRESS), .standard = "127.0.0.1" },
    { "port", SETTING_COUNT, AT(port), HELP(LISTEN_PORT), .example = "5060", .min = 1, .max = 65535 },
    { "advertise", SETTING_HOST, AT(advertise), HELP(LISTEN_ADVERTISE), .example = "sip.example.org:5060" },
    { "certificate", SETTING_PATH, AT(certificate), HELP(LISTEN_CERTIFICATE), .example = "/etc/signalbox/tls/server.pem" },
    { "key", SETTING_PATH, AT(key), HELP(LISTEN_KEY), .example = "/etc/signalbox/tls/server.key" },
    { "client_ca", SETTING_PATH, AT(client_ca), HELP(LISTEN_CLIENT_CA), .example = "/etc/signalbox/tls/clients.pem" },
};
#undef OF

/* ---- [timers] ---- */
#define OF config_timers
static const struct setting timers[] = {
    { "profile", SETTING_CHOICE, AT(profile), HELP(TIMERS_PROFILE), .standard = "standard", CHOICES("standard", "volte") },
    { "t1", SETTING_TIME, AT(t1_ns), HELP(TIMERS_T1), .standard = "500 ms", .min = 10 * MS, .max = MINUTE },
    { "t2", SETTING_TIME, AT(t2_ns), HELP(TIMERS_T2), .standard = "4 s", .min = 10 * MS, .max = 5 * MINUTE },
    { "t4", SETTING_TIME, AT(t4_ns), HELP(TIMERS_T4), .standard = "5 s", .min = 10 * MS, .max = 5 * MINUTE },
    { "trying", SETTING_TIME, AT(trying_ns), HELP(TIMERS_TRYING), .standard = "200 ms", .min = 0, .max = SECOND },
    { "no_answer", SETTING_TIME, AT(no_answer_ns), HELP(TIMERS_NO_ANSWER), .standard = "30 s", .min = SECOND, .max = 10 * MINUTE },
    { "ring", SETTING_TIME, AT(ring_ns), HELP(TIMERS_RING), .standard = "3 min", .min = SECOND, .max = 30 * MINUTE },
    { "proceeding", SETTING_TIME, AT(proceeding_ns), HELP(TIMERS_PROCEEDING), .standard = "3 min", .min = SECOND, .max = HOUR },
};
#undef OF
const struct preset config_presets[3] = {
    { "t1", { NULL, "2 s" } }, { "t2", { NULL, "16 s" } }, { "t4", { NULL, "17 s" } },
};

/* ---- [registrar] ---- */
#define OF config_registrar
static const struct setting registrar[] = {
    { "expires_min", SETTING_TIME, AT(expires_min_ns), HELP(REGISTRAR_EXPIRES_MIN), .standard = "1 min", .min = SECOND, .max = HOUR },
    { "expires", SETTING_TIME, AT(expires_ns), HELP(REGISTRAR_EXPIRES), .standard = "1 h", .min = SECOND, .max = 30 * DAY },
    { "expires_max", SETTING_TIME, AT(expires_max_ns), HELP(REGISTRAR_EXPIRES_MAX), .standard = "2 h", .min = SECOND,
      .max = 30 * DAY },
    { "contacts_max", SETTING_COUNT, AT(contacts_max), HELP(REGISTRAR_CONTACTS_MAX), .standard = "10", .min = 1, .max = 64 },
    { "algorithms", SETTING_ORDER, AT(algorithms), HELP(REGISTRAR_ALGORITHMS), .standard = "SHA-256, MD5",
      CHOICES("SHA-512-256", "SHA-256", "MD5") },         /* as enum digest_algorithm */
    { "nonce_life", SETTING_TIME, AT(nonce_life_ns), HELP(REGISTRAR_NONCE_LIFE), .standard = "5 min", .min = 10 * SECOND, .max = DAY },
    { "ping", SETTING_TIME, AT(ping_ns), HELP(REGISTRAR_PING), .standard = "0 s", .min = 0, .max = HOUR },
    { "ping_failures", SETTING_COUNT, AT(ping_failures), HELP(REGISTRAR_PING_FAILURES), .standard = "3", .min = 1, .max = 100 },
    { "path", SETTING_BOOL, AT(path), HELP(REGISTRAR_PATH), .standard = "yes" },
    { "outbound", SETTING_BOOL, AT(outbound), HELP(REGISTRAR_OUTBOUND), .standard = "yes" },
    { "flow_timer", SETTING_TIME, AT(flow_timer_ns), HELP(REGISTRAR_FLOW_TIMER), .standard = "2 min", .min = 10 * SECOND, .max = HOUR },
    { "nat", SETTING_BOOL, AT(nat), HELP(REGISTRAR_NAT), .standard = "yes" },
};
#undef OF

/* ---- [calls] ---- */
#define OF config_calls
static const struct setting calls[] = {
    { "user_calls_max", SETTING_COUNT, AT(user_calls_max), HELP(CALLS_USER_CALLS_MAX), .standard = "10", .max = 10000 },
    { "queue", SETTING_TIME, AT(queue_ns), HELP(CALLS_QUEUE), .standard = "0 s", .min = 0, .max = 30 * MINUTE },
    { "calls_max", SETTING_COUNT, AT(calls_max), HELP(CALLS_CALLS_MAX), .standard = "100000", .min = 1, .max = 10000000 },
    { "rate", SETTING_RATE, AT(rate), HELP(CALLS_RATE), .standard = "0/s", .max = 1000000 },
    { "duration_max", SETTING_TIME, AT(duration_max_ns), HELP(CALLS_DURATION_MAX), .standard = "12 h", .min = MINUTE, .max = 30 * DAY },
    { "session_timer", SETTING_CHOICE, AT(session_timer), HELP(CALLS_SESSION_TIMER), .standard = "ask",
      CHOICES("off", "answer", "ask", "demand") },
    { "session_expires", SETTING_TIME, AT(session_expires_ns), HELP(CALLS_SESSION_EXPIRES), .standard = "30 min", .min = 90 * SECOND,
      .max = DAY },
    { "session_expires_min", SETTING_TIME, AT(session_expires_min_ns), HELP(CALLS_SESSION_EXPIRES_MIN), .standard = "90 s",
      .min = 90 * SECOND, .max = DAY },
    { "reliable", SETTING_CHOICE, AT(reliable), HELP(CALLS_RELIABLE), .standard = "through", CHOICES(RELIABLE) },
    { "preconditions", SETTING_CHOICE, AT(preconditions), HELP(CALLS_PRECONDITIONS), .standard = "through",
      CHOICES("off", "through", "act") },
    { "tell_forwarded", SETTING_BOOL, AT(tell_forwarded), HELP(CALLS_TELL_FORWARDED), .standard = "yes" },
    { "history_info", SETTING_BOOL, AT(history_info), HELP(CALLS_HISTORY_INFO), .standard = "yes" },
    { "diversion", SETTING_BOOL, AT(diversion), HELP(CALLS_DIVERSION), .standard = "no" },
    { "diversions_max", SETTING_COUNT, AT(diversions_max), HELP(CALLS_DIVERSIONS_MAX), .standard = "5", .max = 20 },
    { "forks_max", SETTING_COUNT, AT(forks_max), HELP(CALLS_FORKS_MAX), .standard = "10", .min = 1, .max = 60 },
    { "forwards_max", SETTING_COUNT, AT(forwards_max), HELP(CALLS_FORWARDS_MAX), .standard = "70", .min = 1, .max = 255 },
    { "redirects", SETTING_CHOICE, AT(redirects), HELP(CALLS_REDIRECTS), .standard = "pass", CHOICES("pass", "follow") },
    { "transfer", SETTING_CHOICE, AT(transfer), HELP(CALLS_TRANSFER), .standard = "server", CHOICES("server", "through", "off") },
    { "alias_of_many", SETTING_CHOICE, AT(alias_of_many), HELP(CALLS_ALIAS_OF_MANY), .standard = "ring",
      CHOICES("ring", "refuse", "hide") },
    { "do_not_disturb", SETTING_CHOICE, AT(do_not_disturb), HELP(CALLS_DO_NOT_DISTURB), .standard = "480",
      CHOICES("480", "486", "603") },
    { "rejected", SETTING_CHOICE, AT(rejected), HELP(CALLS_REJECTED), .standard = "603", CHOICES("603", "403") },
    { "global_codes", SETTING_BOOL, AT(global_codes), HELP(CALLS_GLOBAL_CODES), .standard = "no" },
    { "reason", SETTING_BOOL, AT(reason), HELP(CALLS_REASON), .standard = "yes" },
    { "privacy", SETTING_BOOL, AT(privacy), HELP(CALLS_PRIVACY), .standard = "yes" },
    { "trusted", SETTING_NETWORKS, AT(trusted), HELP(CALLS_TRUSTED), .example = "192.0.2.0/24, 2001:db8::/32" },
    { "unknown_callers", SETTING_CHOICE, AT(unknown_callers), HELP(CALLS_UNKNOWN_CALLERS), .standard = "users",
      CHOICES("users", "nobody") },
    { "emergency_numbers", SETTING_NUMBERS, AT(emergency_numbers), HELP(CALLS_EMERGENCY_NUMBERS), .standard = "112, 911" },
    { "emergency", SETTING_CHOICE, AT(emergency), HELP(CALLS_EMERGENCY), .standard = "route", CHOICES("route", "redirect") },
    { "fail_over", SETTING_CODES, AT(fail_over), HELP(CALLS_FAIL_OVER), .standard = FAIL_OVER },
};
#undef OF

/* ---- [numbers] ---- */
#define OF config_numbers
static const struct setting numbers[] = {
    { "country", SETTING_DIGITS, AT(country), HELP(NUMBERS_COUNTRY), .example = "49", .min = 1, .max = 3 },
    { "international", SETTING_DIGITS, AT(international), HELP(NUMBERS_INTERNATIONAL), .standard = "00", .min = 1, .max = 6 },
    { "national", SETTING_DIGITS, AT(national), HELP(NUMBERS_NATIONAL), .standard = "0", .min = 0, .max = 6 },
    { "digits_min", SETTING_COUNT, AT(digits_min), HELP(NUMBERS_DIGITS_MIN), .standard = "3", .min = 1, .max = 15 },
    { "deny", SETTING_PREFIXES, AT(deny), HELP(NUMBERS_DENY), .example = "+49900, +881, +882, +979" },
};
#undef OF

/* ---- [media] ---- */
#define OF config_media
static const struct setting media[] = {
    { "mode", SETTING_CHOICE, AT(mode), HELP(MEDIA_MODE), .standard = "pass", CHOICES("pass", "anchor") },
    { "rtpengine", SETTING_HOST, AT(rtpengine), HELP(MEDIA_RTPENGINE), .standard = "127.0.0.1:2223" },
    { "relay", SETTING_CHOICE, AT(relay), HELP(MEDIA_RELAY), .standard = "prefer", CHOICES("prefer", "require") },
    { "codecs", SETTING_WORDS, AT(codecs), HELP(MEDIA_CODECS), .example = "opus, G722, PCMA" },
};
#undef OF

/* ---- [gateway NAME] ---- */
#define OF config_gateway
static const struct setting gateway[] = {
    { "host", SETTING_HOST, AT(host), HELP(GATEWAY_HOST), .example = "sip.provider.example", .flags = SETTING_REQUIRED },
    { "transport", SETTING_CHOICE, AT(transport), HELP(GATEWAY_TRANSPORT), .standard = "udp", CHOICES("udp", "tcp", "tls") },
    { "user", SETTING_TEXT, AT(user), HELP(GATEWAY_USER), .example = "account-1234" },
    { "password_file", SETTING_PATH, AT(password_file), HELP(GATEWAY_PASSWORD_FILE),
      .example = "/etc/signalbox/provider.password" },
    { "from_domain", SETTING_DOMAIN, AT(from_domain), HELP(GATEWAY_FROM_DOMAIN), .example = "provider.example" },
    { "register", SETTING_BOOL, AT(registers), HELP(GATEWAY_REGISTER), .standard = "no" },
    { "expires", SETTING_TIME, AT(expires_ns), HELP(GATEWAY_EXPIRES), .standard = "1 h", .min = MINUTE, .max = 30 * DAY },
    { "allow", SETTING_PREFIXES, AT(allow), HELP(GATEWAY_ALLOW), .example = "+49, +43, +41" },
    { "deny", SETTING_PREFIXES, AT(deny), HELP(GATEWAY_DENY), .example = "+49900, +49180" },
    { "rewrite_called", SETTING_RULES, AT(rewrite_called), HELP(GATEWAY_REWRITE_CALLED),
      .example = "+49 -> 0, + -> 00" },
    { "rewrite_calling", SETTING_RULES, AT(rewrite_calling), HELP(GATEWAY_REWRITE_CALLING),
      .example = "2xx -> +4930123452xx" },
    { "priority", SETTING_COUNT, AT(priority), HELP(GATEWAY_PRIORITY), .standard = "10", .min = 1, .max = 1000 },
    { "cost", SETTING_COUNT, AT(cost), HELP(GATEWAY_COST), .standard = "0", .max = 1000000 },
    { "weight", SETTING_COUNT, AT(weight), HELP(GATEWAY_WEIGHT), .standard = "1", .min = 1, .max = 10000 },
    { "calls_max", SETTING_COUNT, AT(calls_max), HELP(GATEWAY_CALLS_MAX), .standard = "0", .max = 1000000 },
    { "fail_over", SETTING_CODES, AT(fail_over), HELP(GATEWAY_FAIL_OVER), .example = FAIL_OVER },
    { "patience", SETTING_TIME, AT(patience_ns), HELP(GATEWAY_PATIENCE), .standard = "8 s", .min = 0, .max = 10 * MINUTE },
    { "ping", SETTING_TIME, AT(ping_ns), HELP(GATEWAY_PING), .standard = "30 s", .min = 0, .max = HOUR },
    { "forwarding", SETTING_CHOICE, AT(forwarding), HELP(GATEWAY_FORWARDING), .standard = "history-info",
      CHOICES("history-info", "diversion", "both", "none") },
    { "codecs", SETTING_WORDS, AT(codecs), HELP(GATEWAY_CODECS), .example = "PCMA, PCMU" },
    { "reliable", SETTING_CHOICE, AT(reliable), HELP(GATEWAY_RELIABLE), .example = "leg", CHOICES(RELIABLE) },
    { "allow_from", SETTING_NETWORKS, AT(allow_from), HELP(GATEWAY_ALLOW_FROM), .example = "198.51.100.7, 203.0.113.0/28" },
    { "transit", SETTING_BOOL, AT(transit), HELP(GATEWAY_TRANSIT), .standard = "no" },
    { "emergency", SETTING_BOOL, AT(emergency), HELP(GATEWAY_EMERGENCY), .standard = "no" },
    { "trusted", SETTING_BOOL, AT(trusted), HELP(GATEWAY_TRUSTED), .standard = "no" },
};
#undef OF

/* ---- [security] ---- */
#define OF config_security
static const struct setting security[] = {
    { "failures", SETTING_RATE, AT(failures), HELP(SECURITY_FAILURES), .standard = "10/min", .max = 1000000 },
    { "requests", SETTING_RATE, AT(requests), HELP(SECURITY_REQUESTS), .standard = "100/s", .max = 1000000 },
    { "ban", SETTING_TIME, AT(ban_ns), HELP(SECURITY_BAN), .standard = "10 min", .min = 0, .max = 30 * DAY },
    { "bans_max", SETTING_COUNT, AT(bans_max), HELP(SECURITY_BANS_MAX), .standard = "100000", .min = 1, .max = 10000000 },
    { "connections_max", SETTING_COUNT, AT(connections_max), HELP(SECURITY_CONNECTIONS_MAX), .standard = "100", .min = 1,
      .max = 1000000 },
    { "calls_per_source", SETTING_COUNT, AT(calls_per_source), HELP(SECURITY_CALLS_PER_SOURCE), .standard = "50", .max = 1000000 },
    { "allow", SETTING_NETWORKS, AT(allow), HELP(SECURITY_ALLOW), .standard = "127.0.0.0/8, ::1" },
    { "uri_max", SETTING_BYTES, AT(uri_bytes_max), HELP(SECURITY_URI_MAX), .standard = "2 KiB", .min = 128, .max = 64 * KIB },
    { "message_max", SETTING_BYTES, AT(message_bytes_max), HELP(SECURITY_MESSAGE_MAX), .standard = "64 KiB", .min = 2 * KIB,
      .max = MIB },
    { "body_max", SETTING_BYTES, AT(body_bytes_max), HELP(SECURITY_BODY_MAX), .standard = "32 KiB", .min = KIB, .max = MIB },
    { "user_agents", SETTING_WORDS, AT(user_agents), HELP(SECURITY_USER_AGENTS),
      .standard = "friendly-scanner, sipvicious, sipcli, sip-scan, sipsak, sundayddr, iWar, VaxSIPUserAgent" },
};
#undef OF

/* ---- [overload] ---- */
#define OF config_overload
static const struct setting overload[] = {
    { "transactions_max", SETTING_COUNT, AT(transactions_max), HELP(OVERLOAD_TRANSACTIONS_MAX), .standard = "1000000", .min = 1000,
      .max = 100000000 },
    { "memory_max", SETTING_BYTES, AT(memory_bytes_max), HELP(OVERLOAD_MEMORY_MAX), .standard = "2 GiB", .min = 16 * MIB,
      .max = 1024 * GIB },
    { "delay_max", SETTING_TIME, AT(delay_max_ns), HELP(OVERLOAD_DELAY_MAX), .standard = "500 ms", .min = MS, .max = MINUTE },
    { "retry_after_min", SETTING_TIME, AT(retry_after_min_ns), HELP(OVERLOAD_RETRY_AFTER_MIN), .standard = "5 s", .min = SECOND,
      .max = HOUR },
    { "retry_after_max", SETTING_TIME, AT(retry_after_max_ns), HELP(OVERLOAD_RETRY_AFTER_MAX), .standard = "30 s", .min = SECOND,
      .max = HOUR },
};
#undef OF

static const struct setting gone[] = {
    { "numbers", SETTING_NUMBERS, 0, HELP(GONE_NUMBERS), .example = "+493012345, 299" },
};

/* Of sections of entries: what stands behind each number. The key is that of the sample. */
#define OF config_entry
static const struct setting moved[] = {
    { "+493012345", SETTING_URIS, AT(uris), HELP(MOVED_ENTRY), .example = "sip:+498912345@example.org", .max = 1 },
};
static const struct setting redirect[] = {
    { "300", SETTING_URIS, AT(uris), HELP(REDIRECT_ENTRY), .example = "sip:desk@example.org, tel:+498912345", .max = 10 },
};
#undef OF

#define ONE(title, member, rows) \
    { #member, TEXT_SECTION_##title, 0, NULL, (uint16_t)offsetof(struct config, member), 0, rows, ARRAY_LEN(rows), 1 }
#define NAMED(title, its_name, its_struct, rows, its_example, its_most) \
    { its_name, TEXT_SECTION_##title, SECTION_NAMED, its_example, 0, sizeof(struct its_struct), rows, ARRAY_LEN(rows), its_most }
#define ENTRIES(title, member, rows) \
    { #member, TEXT_SECTION_##title, SECTION_ENTRIES, NULL, (uint16_t)offsetof(struct config, member), \
      sizeof(struct config_entry), rows, ARRAY_LEN(rows), 1 }

const struct section config_sections[CONFIG_SECTIONS] = {
    [SECTION_SERVER] = ONE(SERVER, server, server),
    [SECTION_LISTEN] = NAMED(LISTEN, "listen", config_listen, listening, "local", CONFIG_LISTENS_MAX),
    [SECTION_TIMERS] = ONE(TIMERS, timers, timers),
    [SECTION_REGISTRAR] = ONE(REGISTRAR, registrar, registrar),
    [SECTION_CALLS] = ONE(CALLS, calls, calls),
    [SECTION_NUMBERS] = ONE(NUMBERS, numbers, numbers),
    [SECTION_MEDIA] = ONE(MEDIA, media, media),
    [SECTION_GATEWAY] = NAMED(GATEWAY, "gateway", config_gateway, gateway, "provider", CONFIG_GATEWAYS_MAX),
    [SECTION_SECURITY] = ONE(SECURITY, security, security),
    [SECTION_OVERLOAD] = ONE(OVERLOAD, overload, overload),
    [SECTION_GONE] = ONE(GONE, gone, gone),
    [SECTION_MOVED] = ENTRIES(MOVED, moved, moved),
    [SECTION_REDIRECT] = ENTRIES(REDIRECT, redirect, redirect),
};
