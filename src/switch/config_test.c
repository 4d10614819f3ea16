/* switch/config_test.c - files that are right, many that are wrong, and the sample and manual.
 * SPDX-License-Identifier: Apache-2.0 */
#include "switch/config.h"

#include <errno.h>

#include "harness/test.h"
#include "switch/config_int.h"
#include "switch/config_text.h"

#define SECOND 1000000000ll

/* Fails the test with what is wrong, unless memory is. */
static struct config *read_text(slice text)
{
    struct config *c = NULL;
    struct config_report report = { 0 };
    struct out said;
    int error = config_read(text, &c, &report);

    out_init_memory(&said, 0);
    if (error == -EINVAL)
        config_say(&said, words_english(), &report.at[0]);
    slice why = out_taken(&said);

    if (error == -EINVAL)
        FAIL("line %u: " SLICE_FMT, report.at[0].line, SLICE_ARG(why));
    CHECK(error == 0 || error == -ENOMEM);
    out_done(&said);
    config_report_done(&report);
    return c;
}

static struct config *read_string(const char *text) { return read_text(slice_of_string(text)); }

/* "2: sentence\n4: sentence\n" */
static void complain(slice text, struct out *o)
{
    struct config *c = NULL;
    struct config_report report = { 0 };
    int error = config_read(text, &c, &report);

    CHECK(error != -ENOMEM && (error == 0) == (report.total == 0) && (c != NULL) == (error == 0));
    for (size_t i = 0; i < report.count; i++) {
        out_u64(o, report.at[i].line), out_text(o, SLICE(": "));
        config_say(o, words_english(), &report.at[i]);
        out_char(o, '\n');
    }
    (void)config_free(c);
    config_report_done(&report);
}

/* ---- right ---- */

TORTURE(an_empty_file_is_a_server_that_only_this_machine_reaches)
{
    struct config *c = read_string("");

    CHECK_OR_RETURN(c != NULL);
    CHECK_EQ(c->listen_count, 2);
    for (size_t i = 0; i < c->listen_count; i++) {
        CHECK_ROW_EQ(i, c->listens[i].address.ip[0], 127);
        CHECK_ROW_EQ(i, c->listens[i].address.port, 5060);
    }
    CHECK_EQ(c->listens[1].transport, CONFIG_TCP);
    CHECK_EQ(c->gateway_count, 0);
    CHECK_EQ(c->timers.times.t1_ns, SECOND / 2);
    CHECK_EQ(c->timers.times.d_ns, 32 * SECOND);
    CHECK_EQ(c->registrar.algorithms.count, 2);
    CHECK_EQ(c->registrar.algorithms.at[0], DIGEST_SHA_256);
    CHECK_EQ(c->server.name, "Signalbox");
    CHECK(c->calls.fail_over.unanswered && !c->calls.fail_over.unreachable);
    CHECK(config_codes_has(&c->calls.fail_over, 503) && !config_codes_has(&c->calls.fail_over, 480));
    CHECK_EQ(c->security.message_bytes_max, 65536);
    CHECK_EQ(c->security.failures.count, 10);
    CHECK_EQ(c->security.failures.per_ns, 60 * SECOND);
    CHECK_EQ(c->security.allow.count, 2);
    (void)config_free(c);
}

static const char whole[] =
    "\xef\xbb\xbf# a comment\r\n"
    "[SERVER]\n"
    "domains = Example.ORG voice.example.org ; and a comment\n"
    "name =\n"
    "[timers]\n"
    "  profile: volte\n"
    "  t2 = 8 s\n"
    "[listen public]\n"
    "transport = tls\n"
    "address = [2001:db8::1]\n"
    "certificate = /etc/a b.pem\n"
    "key = k\n"
    "advertise = sip.example.org:6061\n"
    "[gateway one]\n"
    "    host = 192.0.2.7:5070\n"
    "    allow = +49, +1 (212),\n"
    "        0800, any\n"
    "    allow_from = 198.51.100.7\n"
    "        2001:db8:1::/48\n"
    "    rewrite_called = +49 -> 0, + -> 00\n"
    "    deny = +49900\n"
    "    fail_over = 404 408-local\n"
    "[gateway two]\n"
    "host=[2001:db8::9]:5062\n"
    "[moved]\n"
    "+49 30 / 1 = x\n";

TEST(each_kind_of_value_is_read)
{
    slice text = slice_head(slice_of_string(whole), (size_t)slice_find(slice_of_string(whole), SLICE("[moved]")));
    struct config *c = read_text(text);
    const struct config_gateway *g = &c->gateways[0];

    CHECK_EQ(c->server.domains.count, 2);
    CHECK_EQ(c->server.domains.at[0], "example.org");
    CHECK_EQ(c->server.name, "");
    CHECK_EQ(c->timers.times.t1_ns, 2 * SECOND);          /* of the profile */
    CHECK_EQ(c->timers.times.t2_ns, 8 * SECOND);          /* said aloud */
    CHECK_EQ(c->timers.times.t4_ns, 17 * SECOND);
    CHECK_EQ(c->timers.times.d_ns, 128 * SECOND);
    CHECK_EQ(c->listen_count, 1);
    CHECK_EQ(c->listens[0].name, "public");
    CHECK_EQ(c->listens[0].address.port, 5061);
    CHECK_EQ(c->listens[0].certificate, "/etc/a b.pem");
    CHECK_EQ(c->listens[0].advertise.port, 6061);
    CHECK_EQ(c->gateway_count, 2);
    CHECK_EQ(g->host.address.port, 5070);
    CHECK_EQ(g->allow.count, 4);
    CHECK_EQ(g->allow.at[1], "+1212");
    CHECK_EQ(g->allow.at[2], "0800");
    CHECK_EQ(g->allow.at[3], "");
    CHECK_EQ(g->allow_from.count, 2);
    CHECK_EQ(g->allow_from.at[1].bits, 48);
    CHECK_EQ(g->rewrite_called.at[1].instead, "00");
    CHECK_EQ(g->deny.count, 1);
    CHECK(config_codes_has(&g->fail_over, 404) && g->fail_over.unanswered && !config_codes_has(&g->fail_over, 503));
    CHECK(config_codes_has(&c->gateways[1].fail_over, 503));          /* that of [calls] */
    CHECK_EQ(c->gateways[1].host.host, "2001:db8::9");
    CHECK_EQ(c->gateways[1].host.port, 5062);
    (void)config_free(c);
}

TEST(numbers_that_lead_elsewhere_are_read)
{
    struct config *c = read_string("[moved]\n+49 (30) 1 = sip:a@example.org;transport=tcp\n2=tel:+3\n"
                                   "[gone]\nnumbers = 7, 8\n  9\n"
                                   "[redirect]\n300 = sip:a@b.example\n  sip:c@d.example, tel:+4\n 301 = tel:5\n");

    CHECK_EQ(c->moved.count, 2);
    CHECK_EQ(c->moved.at[0].number, "+49301");
    CHECK_EQ(c->moved.at[0].uris.at[0], "sip:a@example.org;transport=tcp");
    CHECK_EQ(c->gone.count, 3);
    CHECK_EQ(c->redirect.count, 2);
    CHECK_EQ(c->redirect.at[0].uris.count, 3);
    CHECK_EQ(c->redirect.at[1].number, "301");
    (void)config_free(c);
}

/* ---- wrong ---- */

#define G "[gateway g]\nhost = h.example\n"

TEST(what_is_wrong_is_told_with_its_line_and_what_would_be_right)
{
    static const struct { const char *text, *want; } rows[] = {
        { "hello\n", "1: This line is neither [section] nor key = value: hello\n" },
        { "[timers\nt1 = 1 s\n", "1: This line is neither [section] nor key = value: [timers\n"
                                 "2: t1 stands before the first section, such as [server].\n" },
        { "\n\nport = 5\n", "3: port stands before the first section, such as [server].\n" },
        { "[timer]\nt1 = 1 s\n", "1: There is no section [timer]. The nearest is [timers].\n" },
        { "[listen]\n", "1: [listen] needs a name of its own behind it, such as [listen local].\n" },
        { "[calls all]\n", "1: [calls] takes no name behind it, and there is all.\n" },
        { "[listen a b]\n", "1: a b is no name for [listen]: up to 40 letters, digits, - and _.\n" },
        { "[calls]\n\n[timers]\n[Calls]\n", "4: [Calls] stands in line 1 already.\n" },
        { "[listen a]\n[listen b]\nport = 5061\n[listen A]\nport = 5062\n", "4: [listen A] stands in line 1 already.\n" },
        { "[timers]\nt11 = 1 s\n", "2: [timers] has no setting t11. The nearest is t1.\n" },
        { "[gateway g]\nhost = h.example\npassword = secret\n",
          "3: [gateway] has no setting password. The nearest is password_file.\n" },
        { "[timers]\nt1 = 1 s\nT1 = 1 s\n", "3: t1 stands in line 2 already.\n" },
        { "[timers]\nt1 = 1\n", "2: t1 is a time with its unit (ms, s, min, h, d), such as 500 ms, not 1.\n" },
        { "[timers]\nt1 =\n", "2: t1 is a time with its unit (ms, s, min, h, d), such as 500 ms, not \"\".\n" },
        { "[timers]\nt1 = 1 sec\n", "2: t1 is a time with its unit (ms, s, min, h, d), such as 500 ms, not 1 sec.\n" },
        { "[timers]\nt1 = 0.5 s\n", "2: t1 is a time with its unit (ms, s, min, h, d), such as 500 ms, not 0.5 s.\n" },
        { "[timers]\nt1 = 9223372036854775807 d\n", "2: t1 is from 10 ms to 1 min, not 9223372036854775807 d.\n" },
        { "[timers]\nt1 = 5 s\n", "2: t1 is 5 s, which is more than t2, 4 s.\n" },
        { "[timers]\nno_answer = 9 min\n", "2: no_answer is 9 min, which is more than ring, 3 min.\n" },
        { "[timers]\nprofile = VoLTE\n", "" },
        { "[timers]\nprofile = ims\n", "2: profile is one of standard, volte, not ims.\n" },
        { "[registrar]\npath = maybe\n", "2: path is yes or no, not maybe.\n" },
        { "[registrar]\ncontacts_max = 65\n", "2: contacts_max is from 1 to 64, not 65.\n" },
        { "[registrar]\ncontacts_max = 99999999999999999999\n",
          "2: contacts_max is from 1 to 64, not 99999999999999999999.\n" },
        { "[registrar]\ncontacts_max = -1\n", "2: contacts_max is a whole number, not -1.\n" },
        { "[registrar]\nalgorithms = MD5, md5\n", "2: algorithms has md5 twice.\n" },
        { "[registrar]\nalgorithms = SHA-1\n", "2: algorithms is one of SHA-512-256, SHA-256, MD5, not SHA-1.\n" },
        { "[registrar]\nalgorithms =\n", "2: [registrar] lacks algorithms.\n" },
        { "[registrar]\nexpires_min = 30 min\nexpires = 10 min\n",
          "2: expires_min is 30 min, which is more than expires, 10 min.\n" },
        { "[server]\ndomains = example.org, -x.org\n", "2: domains is a domain or an IP address, not -x.org.\n" },
        { "[server]\ndomains = 192.0.2.300\n", "2: domains is a domain or an IP address, not 192.0.2.300.\n" },
        { "[security]\nuri_max = 2 KB\n",
          "2: uri_max is a size with its unit (B, KiB, MiB, GiB), such as 2 KiB, not 2 KB.\n" },
        { "[security]\nmessage_max = 1 GiB\n", "2: message_max is from 2 KiB to 1 MiB, not 1 GiB.\n" },
        { "[security]\nrequests = 100\n",
          "2: requests is a number in a time (/s, /min, /h), such as 100/s, not 100.\n" },
        { "[security]\nrequests = 1000001/s\n", "2: requests is from 0 to 1000000, not 1000001/s.\n" },
        { "[security]\nallow = 10.0.0.1/33\n",
          "2: allow is IP addresses and networks, such as 192.0.2.0/24, not 10.0.0.1/33.\n" },
        { "[security]\nallow = 10.1.2.3/8\n",
          "2: allow has 10.1.2.3/8, an address inside a network. The network itself is 10.0.0.0/8.\n" },
        { "[security]\nallow = 2001:db8::1/64\n",
          "2: allow has 2001:db8::1/64, an address inside a network. The network itself is 2001:db8::/64.\n" },
        { "[listen a]\naddress = localhost\n",
          "2: address is an IP address, such as 192.0.2.1 or 2001:db8::1, not localhost.\n" },
        { "[listen a]\nport = 0\n", "2: port is from 1 to 65535, not 0.\n" },
        { "[listen a]\nport = 70000\n", "2: port is from 1 to 65535, not 70000.\n" },
        { "[listen a]\nadvertise = a:b\n", "2: advertise is a name or an IP address, with a port if need be, "
                                           "such as sip.example.org:5060, not a:b.\n" },
        { "[listen a]\ntransport = tls\n", "2: transport needs certificate too.\n" },
        { "[listen a]\ntransport = tls\ncertificate = c\n", "3: certificate needs key too.\n" },
        { "[listen a]\nclient_ca = c\n", "2: client_ca needs certificate too.\n" },
        { "[listen a]\n[listen b]\naddress = 0.0.0.0\n", "2: 0.0.0.0:5060 is listened on by [listen a] already.\n" },
        { "[listen a]\ntransport = tcp\n[listen b]\n", "" },
        { "[listen a]\ntransport = ws\nport = 5060\n[listen b]\ntransport=tcp\n",
          "4: 127.0.0.1:5060 is listened on by [listen a] already.\n" },
        { "[gateway g]\n", "1: [gateway] lacks host.\n" },
        { "[gateway g]\nhost = h_1.example:0\n", "2: host is a name or an IP address, with a port if need be, such as "
                                                   "sip.provider.example, not h_1.example:0.\n" },
        { G "register = yes\n", "3: register needs user too.\n" },
        { G "user = u\n", "3: user needs password_file too.\n" },
        { G "allow = +49, abc\n", "3: allow is the beginnings of numbers, or any for all of them, not abc.\n" },
        { G "allow = 123456789012345678901234567890123\n",
          "3: allow is the beginnings of numbers, or any for all of them, not 123456789012345678901234567890123.\n" },
        { G "fail_over = 503, 486\n", "3: fail_over has 486, which never moves a call to another gateway: the called side "
                                      "has decided.\n" },
        { G "fail_over = 603\n", "3: fail_over has 603, which never moves a call to another gateway: the called side "
                                 "has decided.\n" },
        { G "fail_over = 200\n", "3: fail_over is codes from 300 to 599, 408-local or 503-local, not 200.\n" },
        { G "fail_over = 500-local\n", "3: fail_over is codes from 300 to 599, 408-local or 503-local, not 500-local.\n" },
        { G "fail_over = none\n", "" },
        { G "rewrite_called = +49\n", "3: rewrite_called is rules such as +49 -> 0, + -> 00, not +49.\n" },
        { G "rewrite_called = -> 0\n", "3: rewrite_called is rules such as +49 -> 0, + -> 00, not -> 0.\n" },
        { G "rewrite_called = 1+ -> 0\n", "3: rewrite_called is rules such as +49 -> 0, + -> 00, not 1+ -> 0.\n" },
        { G "rewrite_called = 0x -> xx\n",
          "3: rewrite_called has 0x -> xx: behind -> there are more x than before it.\n" },
        { G "rewrite_called = any -> 9, xx ->\n", "" },
        { "[listen a]\naddress = 192.0.2.1\n[gateway g]\nhost = 192.0.2.1\n",
          "4: 192.0.2.1 is our own [listen a]: calls would come back for ever.\n" },
        { "[listen a]\naddress = 192.0.2.1\n[gateway g]\nhost = 192.0.2.1:5070\n", "" },
        { "[numbers]\ncountry = +49\n", "2: country is 1 to 3 digits, not +49.\n" },
        { "[calls]\nemergency_numbers = 112, +\n", "2: emergency_numbers is telephone numbers: up to 32 digits, with + "
                                                   "before them if they are international, * and #, not +.\n" },
        { "[calls]\nsession_expires_min = 60 s\n", "2: session_expires_min is from 90 s to 1 d, not 60 s.\n" },
        { "[moved]\nbob = sip:b@example.org\n",
          "2: bob is no number: digits, with + before them if it is international, * and #.\n" },
        { "[moved]\n1 = http://x\n", "2: 1 is an address such as sip:+498912345@example.org, not http://x.\n" },
        { "[moved]\n1 = tel:2, tel:3\n", "2: 1 takes one address, not tel:3 too.\n" },
        { "[moved]\n1 = tel:2\n(1) = tel:3\n", "3: (1) stands in line 2 already.\n" },
        { "[moved]\n1 = tel:1\n", "2: 1 leads to itself.\n" },
        { "[server]\ndomains = d.example\n[redirect]\n1 = sip:1@d.example\n", "4: 1 leads to itself.\n" },
        { "[timers]\nt1 = \x01\n", "2: This line holds bytes that are not text (UTF-8).\n" },
        { "[timers]\n# \xff is fine in a comment\nt1 = \xff\n", "3: This line holds bytes that are not text (UTF-8).\n" },
        { "[timers]\nt1 = 1 ms\n[what]\nt2 = 1 ms\n[calls]\nfoo\n",   /* all of them, in the order of lines */
          "2: t1 is from 10 ms to 1 min, not 1 ms.\n3: There is no section [what]. The nearest is [gone].\n"
          "6: This line is neither [section] nor key = value: foo\n" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct out o;

        out_init_memory(&o, 0);
        complain(slice_of_string(rows[i].text), &o);
        slice got = out_taken(&o);

        CHECK_ROW_EQ(i, got, rows[i].want);
        out_done(&o);
    }
}

TEST(a_line_that_is_too_long_is_told_and_not_cut)
{
    char text[400] = "[server]\nname = ";
    struct out o;

    memset(text + strlen(text), 'x', 300);
    out_init_memory(&o, 0);
    complain(slice_of_string(text), &o);
    CHECK_EQ(out_taken(&o), "2: This line is too long; 197 characters is the most. A list may go on in the next line, "
                            "behind a blank.\n");
    out_done(&o);
}

TEST(too_many_sections_entries_and_problems_are_counted)
{
    struct config *c = NULL;
    struct config_report report;
    struct out o;

    out_init_memory(&o, 0);
    for (int i = 0; i < 300; i++)
        out_text(&o, SLICE("[gateway g")), out_u64(&o, (uint64_t)i), out_text(&o, SLICE("]\nhost = h.example\n"));
    CHECK_EQ(config_read(out_taken(&o), &c, &report), -EINVAL);
    CHECK_EQ(report.total, 50);
    CHECK_EQ(report.at[0].what, TEXT_CONFIG_SECTION_MANY);
    config_report_done(&report);

    out_clear(&o);
    for (int i = 0; i < 1000; i++)
        out_text(&o, SLICE("x\n"));
    CHECK_EQ(config_read(out_taken(&o), &c, &report), -EINVAL);
    CHECK_EQ(report.total, 1000);
    CHECK_EQ(report.count, CONFIG_PROBLEMS_MAX);
    config_report_done(&report);

    out_clear(&o);
    out_text(&o, SLICE("[moved]\n"));
    for (int i = 0; i < CONFIG_ENTRIES_MAX + 1; i++)
        out_u64(&o, (uint64_t)i), out_text(&o, SLICE(" = tel:+1\n"));
    CHECK_EQ(config_read(out_taken(&o), &c, &report), -EINVAL);
    CHECK_EQ(report.total, 1);
    config_report_done(&report);
    out_done(&o);
    CHECK(c == NULL);
}

TORTURE(a_wrong_file_leaves_nothing_behind_when_memory_ends)
{
    struct config *c = NULL;
    struct config_report report;
    int error = config_read(slice_of_string(whole), &c, &report);

    CHECK(error == -EINVAL || error == -ENOMEM);
    CHECK_OR_GOTO(error == -EINVAL, out);
    CHECK_EQ(report.at[0].what, TEXT_CONFIG_KEY_NUMBER);
out:
    config_report_done(&report);
}

TEST(a_reload_says_what_wants_a_new_start)
{
    struct config *a = read_string("[server]\nworkers = 2\n"), *b = read_string("[server]\nworkers = 2\nname = x\n");
    struct config *d = read_string("[server]\nworkers = 3\nstate = /tmp/x\n");

    slice all[CONFIG_RESTARTS_MAX];

    CHECK_EQ(config_needs_restart(a, b, all, ARRAY_LEN(all)), 0);
    CHECK_EQ(config_needs_restart(a, d, all, ARRAY_LEN(all)), 2);
    CHECK_EQ(all[0], "workers");
    CHECK_EQ(all[1], "state");
    CHECK_EQ(config_needs_restart(a, d, all, 1), 1);
    (void)config_free(a), (void)config_free(b), (void)config_free(d);
}

/* ---- the table ---- */

TEST(every_section_and_setting_has_its_help_and_a_value_that_can_be_read)
{
    for (size_t i = 0; i < CONFIG_SECTIONS; i++) {
        const struct section *kind = &config_sections[i];

        CHECK_ROW(i, kind->count <= CONFIG_SETTINGS_MAX && kind->count > 0);
        for (size_t k = 0; k < kind->count; k++) {
            const struct setting *s = &kind->settings[k];

            CHECK_ROW(i * 100 + k, s->standard || s->example);
            CHECK_ROW(i * 100 + k, s->min <= s->max);
            CHECK_ROW(i * 100 + k, words_text(words_english(), s->help).len > 5);
        }
    }
}

/* Commented settings come alive: "#key = value" and "#[gateway provider]", not "# words". */
static void uncomment(slice text, struct out *o)
{
    slice line;

    while (slice_take_line(&text, &line)) {
        if (line.len > 1 && line.ptr[0] == '#' && line.ptr[1] != ' ')
            line = slice_skip(line, 1);
        out_text(o, line), out_char(o, '\n');
    }
}

TEST(the_sample_can_be_read_as_it_is_and_with_every_line_in_use)
{
    for (size_t i = 0; i < words_count(); i++) {
        struct out sample, all;

        out_init_memory(&sample, 0), out_init_memory(&all, 0);
        config_sample(&sample, words_at(i));
        uncomment(out_taken(&sample), &all);
        (void)config_free(read_text(out_taken(&sample)));
        (void)config_free(read_text(out_taken(&all)));
        out_done(&sample), out_done(&all);
    }
}

/* When one of these fails: SB_WRITE=1 build-dev/tests/test_switch is_what_the_table_says */
static void check_file(const char *path, slice want, bool whole_file)
{
    if (getenv("SB_WRITE") && whole_file) {
        FILE *f = fopen(path, "w");

        CHECK(f && fwrite(want.ptr, 1, want.len, f) == want.len);
        fclose(f);
    }
    size_t len;
    char *text = test_read_file(path, &len);
    slice got = slice_of(text, len);

    if (whole_file)
        CHECK(slice_eq(got, want));
    else
        CHECK(slice_find(got, want) >= 0);
    free(text);
}

TEST(the_sample_file_is_what_the_table_says)
{
    struct out o;

    out_init_memory(&o, 0);
    config_sample(&o, words_english());
    check_file(SB_SOURCE_DIR "/data/serve/signalbox.ini", out_taken(&o), true);
    out_done(&o);
}

static const char manual_head[] =
    "# Configuration of `signalbox serve`\n"
    "\n"
    "One text file in INI form holds all of it. `signalbox serve --check FILE` reads it as the server would and tells\n"
    "everything that is wrong, with the line and with what would be right; nothing is half taken over. A running server\n"
    "takes over a changed file when it gets SIGHUP, or stays with what it has when something is wrong in the file;\n"
    "calls and registrations go on. What wants a new start of the program says so below.\n"
    "\n"
    "- A line is `[section]`, `key = value`, empty, or a comment behind `#` or `;`. A `;` behind a blank ends a value.\n"
    "- A line holds up to 197 characters. A list has commas between its items, and may go on in the next line behind a\n"
    "  blank.\n"
    "- Times have a unit: `500 ms`, `30 s`, `10 min`, `1 h`, `1 d`. So have sizes (`B`, `KiB`, `MiB`, `GiB`) and rates\n"
    "  (`/s`, `/min`, `/h`).\n"
    "- Numbers are digits with `+` before them when they are international, `*` and `#`; blanks, brackets, dots and dashes\n"
    "  between them do not count.\n"
    "- Passwords never stand here: `password_file` names a file that holds one.\n"
    "\n"
    "[data/serve/signalbox.ini](../data/serve/signalbox.ini) is a file with every setting in it. A section with `NAME` may\n"
    "stand there several times, with a name of letters, digits, `-` and `_`; the others once. This page and the sample are\n"
    "written from the table in `src/switch/config_table.c`.\n";

TEST(the_manual_is_what_the_table_says)
{
    struct out o;

    out_init_memory(&o, 0);
    out_text(&o, slice_of_string(manual_head));
    config_manual(&o, words_english());
    check_file(SB_SOURCE_DIR "/docs/configuration.md", out_taken(&o), true);
    out_done(&o);
}
