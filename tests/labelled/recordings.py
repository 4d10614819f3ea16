"""The labelled captures that real programs play: SIPp, baresip, Kamailio, sipvicious, sipsak.

Each function plays one case in a Lab (tools/samplelab.py). tests/labelled/record runs them.
SPDX-License-Identifier: Apache-2.0
"""
import json
import pathlib
import struct
import sys
import time
import wave

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent.parent / "tools")]
from cases import Truth, case, good
from samplelab import ALICE, BOB, CAROL, DAVE, SCENARIOS, SERVER, Lab, Process, sh
from scenarios import Callee, Caller, sdp

SIPP, BARESIP, KAMAILIO = "SIPp 3.6.1", "baresip 1.0.0", "Kamailio 5.6.3"
PHONES = f"{BARESIP}, {KAMAILIO}"
HOME, NAT = "10.0.0.11", "192.0.2.100"
FAR = "192.0.2.20"  # a phone on the other side of the link, next to the proxy


class Bench(Lab):
    """A Lab; with relay rules, a bridge stands between the phones and the server."""

    def __init__(self, name, relay=None, nat=False):
        self.relay_rules, self.nat = relay, nat
        super().__init__(name)
        if nat:
            self.route_through_nat()

    def route_through_nat(self):
        """The phones live at 10.0.0.0/24 behind a router that masquerades as 192.0.2.100."""
        sh("ip", "-n", self.phones, "address", "flush", "dev", "link0")
        self.address(self.phones, "link0", HOME)
        self.address(self.middle, "left", "10.0.0.1")
        self.address(self.middle, "right", NAT)
        sh("ip", "-n", self.phones, "route", "add", "default", "via", "10.0.0.1")
        sh("ip", "netns", "exec", self.middle, "sysctl", "-qw", "net.ipv4.ip_forward=1")
        for rule in ("add table ip n", "add chain ip n p { type nat hook postrouting priority 100 ; }",
                     "add rule ip n p oifname right masquerade"):  # fmt: skip
            sh("ip", "netns", "exec", self.middle, "nft", rule)
        # Behind the server begins the rest of the world, which knows no way to 10.0.0.0/8.
        sh("ip", "-n", self.server, "neigh", "add", "192.0.2.254", "lladdr", "02:00:00:00:00:fe", "dev", "link0")
        sh("ip", "-n", self.server, "route", "add", "default", "via", "192.0.2.254")

    def connect(self):
        if self.relay_rules is None and not self.nat:
            return super().connect()
        self.middle = self.namespace("middle")
        self.join(self.phones, "link0", self.middle, "left")
        self.join(self.middle, "right", self.server, "link0")
        if self.nat:
            return None
        command = ["python3", HERE / "relay.py", "left", "right", json.dumps(self.relay_rules)]
        Process(self, self.middle, command, "relay").wait_text("relay is ready")

    def play(self, script, address, remote=None, name="callee", **options):
        """Run SIPp with this scenario."""
        path = self.folder / f"{name}.xml"
        path.write_text(script.text(name))
        if not remote:
            options.setdefault("namespace", self.server if address == SERVER else self.phones)
        return self.sipp(path.with_suffix(""), address, remote, **options)


def sipp_case(file, *truths, caller, callee, **options):
    """A case that is two SIPp scenarios and nothing else."""
    relay = options.pop("relay", None)
    proxied = options.pop("proxied", False)
    recorded = options.pop("recorded", {})
    play = options.pop("play", {})

    def build(lab):
        if proxied:
            lab.kamailio(**(proxied if isinstance(proxied, dict) else {}))
        target = BOB if proxied else SERVER
        uas = lab.play(callee(), target, **play) if callee else None
        lab.record(namespace=getattr(lab, recorded.get("namespace", "server")),
                   interface=recorded.get("interface", "link0"))  # fmt: skip
        uac = lab.play(caller(), ALICE, target, "caller", proxy=SERVER if proxied else None, **play)
        uac.process.wait(100)
        if uas:
            uas.process.wait(100)

    programs = f"{SIPP}, {KAMAILIO}" if proxied else SIPP
    case(file, *truths, made="recorded", programs=programs, relay=relay, **options)(build)


def refusal(file, code, truth, headers=(), ring_ms=0, body=None, caller_headers=(), **options):
    """The callee refuses with this code, at once or after ringing."""

    def callee():
        script = Callee(server=options.get("server", "SIPp 3.6.1")).invited().pause(40).reply(100)
        script.pause(120)
        if ring_ms:
            script.reply(180).pause(ring_ms)
        return script.reply(code, headers=headers, reason=options.get("reason")).ack().pause(200)

    def caller():
        script = Caller().invite(body, caller_headers, from_=options.get("from_", ""))
        return script.progress().refused(code).pause(200)

    sipp_case(file, truth, caller=caller, callee=callee)


def q850(cause, text):
    return f'Reason: Q.850;cause={cause};text="{text}"'


# Outcomes and refusals: one code each, as a callee or a gateway gives it.

refusal("busy-486-at-once.pcap", 486, Truth("busy", "486 with Q.850 17 before any ringing"),
        [q850(17, "User busy")])  # fmt: skip
refusal("busy-600.pcap", 600, Truth("busy-everywhere", "600 after ringing"), ring_ms=1200)
refusal("declined-603-after-ring.pcap", 603, Truth("declined", "it rings 2.5 s, then a person sends 603"),
        ring_ms=2500)  # fmt: skip
refusal("no-answer-phone-480.pcap", 480,
        Truth("no-answer-phone", "the callee's own phone stops ringing after 12 s: 480, Q.850 19",
              also="no-answer-timer"), [q850(19, "No answer from user")], ring_ms=12000)  # fmt: skip
refusal("subscriber-absent-480.pcap", 480,
        Truth("not-registered", "480 with Q.850 20 (subscriber absent), nothing ever rang",
              also="temporarily-unavailable"), [q850(20, "Subscriber absent")])  # fmt: skip
refusal("caller-forbidden-403.pcap", 403,
        Truth("caller-forbidden", "a plain 403 to an INVITE that was not challenged", also="call-barred"))
refusal("unallocated-404-q850.pcap", 404, Truth("unallocated-number", "404 with Q.850 1"),
        [q850(1, "Unallocated (unassigned) number")])  # fmt: skip
refusal("gone-410.pcap", 410, Truth("gone", "410 without a new number", also="number-changed"))
refusal("number-incomplete-484.pcap", 484, Truth("number-incomplete", "484, Q.850 28"),
        [q850(28, "Invalid number format")])  # fmt: skip
refusal("payment-required-402.pcap", 402, Truth("payment-required", "402"))
refusal("extension-unsupported-420.pcap", 420,
        Truth("extension-unsupported", "Require: 100rel is answered 420 with Unsupported: 100rel"),
        ["Unsupported: 100rel"], caller_headers=["Require: 100rel"])  # fmt: skip
refusal("extension-required-421.pcap", 421,
        Truth("extension-required", "421 with Require: timer"), ["Require: timer"])
refusal("anonymous-433.pcap", 433, Truth("anonymous-refused", "an anonymous caller is refused: 433"),
        caller_headers=["Privacy: id"],
        from_='From: "Anonymous" <sip:anonymous@anonymous.invalid>;tag=[pid]a[call_number]')  # fmt: skip
refusal("identity-missing-428.pcap", 428, Truth("identity-missing", "428 to a call without Identity"))
refusal("identity-invalid-438.pcap", 438,
        Truth("identity-invalid", "438 to a call whose Identity does not verify"),
        caller_headers=['Identity: eyJhbGciOiJFUzI1NiJ9.eyJhIjoxfQ.AAAA;info=<https://cert.example.org/c.pem>;alg=ES256'])  # fmt: skip
refusal("server-error-500.pcap", 500, Truth("server-error", "500 without any reason"))
refusal("bad-gateway-502.pcap", 502,
        Truth("bad-gateway", "502 from a gateway", also="far-network-failure"))
refusal("out-of-order-502-q850-27.pcap", 502,
        Truth("destination-out-of-order", "502 with Q.850 27"), [q850(27, "Destination out of order")])
refusal("circuits-full-503-q850-34.pcap", 503, Truth("circuits-full", "503 with Q.850 34"),
        [q850(34, "No circuit/channel available")])  # fmt: skip
refusal("service-unavailable-503.pcap", 503,
        Truth("service-unavailable", "503, nothing said about load"))
refusal("server-timeout-504.pcap", 504, Truth("server-timeout", "504 from a gateway"))
refusal("no-route-404-q850-3.pcap", 404, Truth("no-route", "404 with Q.850 3 (no route)"),
        [q850(3, "No route to destination")])  # fmt: skip
refusal("unwanted-607.pcap", 607, Truth("unwanted", "607 after ringing"), ring_ms=1500)
refusal("blocked-608.pcap", 608, Truth("blocked-by-analytics", "608 at once, with Call-Info"),
        ["Call-Info: <https://block.example.net/complaint.json>;purpose=jwscard"])  # fmt: skip
refusal("number-nowhere-604.pcap", 604, Truth("number-nowhere", "604"))
refusal("too-large-513.pcap", 513, Truth("request-too-large", "513"))
refusal("media-type-415.pcap", 415, Truth("media-type-unsupported", "415 with Accept"),
        ["Accept: application/sdp"])  # fmt: skip
refusal("codec-488-warning-305.pcap", 488,
        Truth("codec-mismatch", "the caller offers only G.729; 488 with Warning 305",
              also="not-acceptable-unexplained"),
        ['Warning: 305 gw.example.net "Incompatible media format"'],
        body=sdp(codecs=(18, 101)))  # fmt: skip
refusal("precondition-failed-580.pcap", 580,
        Truth("precondition-failed", "580 to an INVITE with mandatory preconditions"),
        body=sdp(more=["a=curr:qos local none", "a=curr:qos remote none",
                       "a=des:qos mandatory local sendrecv", "a=des:qos mandatory remote sendrecv"]),
        caller_headers=["Supported: 100rel, precondition"])  # fmt: skip
refusal("hop-limit-483.pcap", 483,
        Truth("max-forwards-used-up", "a 483 from a server behind; no circle is seen", also="forward-loop"))
refusal("loop-482.pcap", 482, Truth("forward-loop", "482: the server saw the request again", also="merged-request"))
refusal("redirect-not-followed-302.pcap", 302,
        Truth("redirect-not-followed", "302 with a Contact; the caller gives up", also="redirected"),
        ["Contact: <sip:bob@192.0.2.77>"])  # fmt: skip
refusal("freeswitch-603-cause-21.pcap", 603,
        Truth("caller-forbidden", "FreeSWITCH gives 603 for cause 21 at once: no person was asked",
              also="call-barred declined"),
        [q850(21, "CALL_REJECTED")], server="FreeSWITCH-mod_sofia/1.10.9-release~64bit")  # fmt: skip


refusal("do-not-disturb-480.pcap", 480, Truth("do-not-disturb", "the phone says so in its phrase, nothing rang"),
        reason="Do Not Disturb")  # fmt: skip
refusal("call-limit-503.pcap", 503, Truth("call-limit-reached", "the server says so in its phrase", also="circuits-full"),
        reason="Maximum Calls In Progress")  # fmt: skip
refusal("ip-version-488.pcap", 488,
        Truth("ip-version-mismatch", "the offer names an IPv6 address only, the callee has none: 488, Warning 301"),
        ['Warning: 301 gw.example.net "Incompatible network address formats"'],
        body=sdp().replace("c=IN IP[local_ip_type] [local_ip]", "c=IN IP6 2001:db8::11"))  # fmt: skip
refusal("security-agreement-494.pcap", 494, Truth("security-agreement-failed", "494 with Security-Server"),
        ["Security-Server: ipsec-3gpp;q=0.1;alg=hmac-sha-1-96;prot=esp;mod=trans;ealg=null;spi-c=1;spi-s=2;port-c=5062;port-s=5063"])  # fmt: skip
refusal("replaces-481.pcap", 481, Truth("replaces-failed", "an INVITE with Replaces for a call that is gone: 481", also="dialog-unknown"),
        caller_headers=["Require: replaces", "Replaces: 98732@192.0.2.30;to-tag=7743;from-tag=6472"])  # fmt: skip
refusal("sdp-malformed-400.pcap", 400, Truth("sdp-malformed", "the SDP has no c= and no o= line: 400 Bad Session Description",
                                             also="message-malformed"), reason="Bad Session Description",
        body="v=0\ns=-\nt=0 0\nm=audio x RTP/AVP 8\na=rtpmap:8 PCMA/8000")  # fmt: skip
refusal("header-invalid-400.pcap", 400, Truth("header-invalid", "the Session-Expires header is no number: 400 Bad Session-Expires Header",
                                              also="message-malformed"), reason="Bad Session-Expires Header",
        caller_headers=["Supported: timer", "Session-Expires: soon"])  # fmt: skip
refusal("merged-request-482.pcap", 482, Truth("merged-request", "482 Request merged", also="forward-loop"), reason="Request merged")


# The caller gives up, and what goes wrong around CANCEL.

sipp_case("cancel-before-ringing.pcap",
          Truth("cancelled-before-ringing", "CANCEL 4 s after 100 Trying, nothing rang"),
          caller=lambda: Caller().invite().take(100).pause(4000).cancel().refused(487).pause(300),
          callee=lambda: Callee().invited().reply(100).expect("CANCEL").reply_last(200)
          .reply(487).ack().pause(200))  # fmt: skip
sipp_case("answered-elsewhere-487.pcap",
          Truth("answered-elsewhere", 'CANCEL with Reason SIP;cause=200 "Call completed elsewhere"'),
          caller=lambda: Caller().invite().take(100, True).take(180).pause(2500)
          .cancel(['Reason: SIP;cause=200;text="Call completed elsewhere"']).refused(487).pause(300),
          callee=lambda: Callee().invited().reply(180).expect("CANCEL").reply_last(200)
          .reply(487).ack().pause(200))  # fmt: skip
sipp_case("no-answer-caller-long.pcap",
          Truth("no-answer-caller", "it rings 18 s, then the caller gives up"),
          caller=lambda: Caller().invite().take(100, True).take(180).pause(18000).cancel().refused(487).pause(300),
          callee=lambda: Callee().invited().reply(180).expect("CANCEL").reply_last(200)
          .reply(487).ack().pause(200))  # fmt: skip
sipp_case("cancel-ignored.pcap",
          Truth("cancel-ignored", "the CANCEL gets 200, yet the phone goes on ringing: 180 three times more, no 487"),
          caller=lambda: Caller().invite().take(100, True).take(180).pause(3000).cancel().pause(40000),
          callee=lambda: Callee().invited().reply(180).expect("CANCEL").reply_last(200)
          .pause(4000).reply(180, headers=["X-Ring: 2"]).pause(4000).reply(180, headers=["X-Ring: 3"]).pause(4000)
          .reply(180, headers=["X-Ring: 4"]).pause(25000), play={"extra": ["-nd"]})  # fmt: skip
@case("stuck-after-100.pcap", Truth("no-progress", "100 Trying and then nothing for 70 s; an OPTIONS of somebody else shows that the capture went on",
                                    also="no-final-reply"), made="recorded", programs=SIPP)  # fmt: skip
def stuck_after_100(lab):
    lab.play(Callee().invited().reply(100).pause(75000), SERVER)
    lab.address(lab.server, "link0", "192.0.2.2")
    lab.sipp("uas-any", "192.0.2.2", namespace=lab.server)
    lab.record()
    lab.play(Caller().invite().take(100).pause(75000), ALICE, SERVER, "caller")
    time.sleep(70)
    lab.sipp("uac-options", CAROL, "192.0.2.2", port=5070).wait()


# Dialogs

def answering(script, body=None, **options):
    return script.reply(180).pause(700).reply(200, sdp(18000, (8, 101), user=815) if body is None else body, **options)


sipp_case("dialog-unknown-481.pcap",
          Truth("dialog-unknown", "after 3 s the re-INVITE gets 481, the call is over"),
          caller=lambda: Caller().invite().answered().pause(3000)
          .request("INVITE", sdp(version=2)).refused(481).pause(300),
          callee=lambda: answering(Callee().invited()).ack().expect("INVITE")
          .reply_last(481).ack().pause(200))  # fmt: skip
sipp_case("reinvite-refused-488.pcap",
          Truth("reinvite-refused", "the change to G.729 alone is refused with 488; the call goes on and ends in order"),
          caller=lambda: Caller().invite().answered().pause(2000)
          .request("INVITE", sdp(version=2, codecs=(18, 101))).take(100, True).refused(488).pause(2000).bye(),
          callee=lambda: answering(Callee().invited()).ack().expect("INVITE").reply_last(100)
          .reply_last(488).ack().bye_comes())  # fmt: skip
sipp_case("fax-refused-488.pcap",
          Truth("fax-refused", "the callee's re-INVITE to T.38 gets 488", also="reinvite-refused"),
          caller=lambda: Caller().invite().answered().expect("INVITE")
          .reply_last(488).expect("ACK").expect("BYE").reply_last(200).pause(200),
          callee=lambda: answering(Callee().invited()).ack().pause(2500)
          .request("INVITE", sdp(18000, ("t38",), kind="image", proto="udptl", version=2, user=815,
                                 more=["a=T38FaxVersion:0", "a=T38MaxBitRate:14400", "a=T38FaxRateManagement:transferredTCF"]))
          .take(488).ack_own().pause(2500).bye())  # fmt: skip
sipp_case("reinvite-unanswered.pcap",
          Truth("reinvite-unanswered", "the re-INVITE (hold) is sent seven times and never answered, then BYE",
                also="session-refresh-failed"),
          caller=lambda: Caller().invite().answered().pause(2000)
          .request("INVITE", sdp(version=2, direction="sendonly"), retrans=500).pause(100).expect("BYE").reply_last(200).pause(200),
          callee=lambda: answering(Callee().invited()).ack().expect("INVITE").pause(33000)
          .bye())  # fmt: skip
sipp_case("transfer-busy-486.pcap",
          Truth("transfer-failed", "REFER is accepted, NOTIFY says 486: the target was busy", where="either"),
          caller=lambda: Caller().invite().answered().pause(1500)
          .request("REFER", headers=["Refer-To: <sip:carol@192.0.2.13>", "Referred-By: <sip:alice@example.org>"]).take(202)
          .expect("NOTIFY").reply_last(200).expect("NOTIFY").reply_last(200).pause(1500).bye(),
          callee=lambda: answering(Callee().invited()).ack().expect("REFER").reply_last(202)
          .message(notify(2, "SIP/2.0 100 Trying", "active")).take(200).pause(800)
          .message(notify(3, "SIP/2.0 486 Busy Here", "terminated;reason=noresource")).take(200).bye_comes())  # fmt: skip


def notify(cseq, line, state):
    """The lines of a NOTIFY in the callee's dialog with a message/sipfrag body."""
    return ["NOTIFY [$target] SIP/2.0", "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]",
            "From:[$to];tag=[pid]b[call_number]", "To:[$from]", "Call-ID: [call_id]", f"CSeq: {cseq} NOTIFY",
            "Max-Forwards: 70", "Event: refer", f"Subscription-State: {state}",
            "Contact: <sip:bob@[local_ip]:[local_port]>", "Content-Type: message/sipfrag;version=2.0",
            f"Content-Length: {len(line) + 2}\n\n{line}\n@@"]  # fmt: skip


sipp_case("sdp-answer-missing.pcap",
          Truth("sdp-answer-missing", "the 200 to an INVITE with an offer has no body, and no answer came before"),
          caller=lambda: Caller().invite().answered().pause(1500).bye(),
          callee=lambda: Callee().invited().reply(180).pause(700).reply(200).ack().bye_comes())  # fmt: skip
sipp_case("bye-unanswered.pcap",
          Truth("bye-unanswered", "the BYE is repeated for 32 s and never answered", where="finding"),
          caller=lambda: Caller().invite().answered().pause(2500).request("BYE").take(200, timeout_ms=34000).pause(100),
          callee=lambda: answering(Callee().invited()).ack().expect("BYE").pause(36000), play={"extra": ["-nd"]})  # fmt: skip
sipp_case("session-timer-no-refresh.pcap",
          Truth("session-timer-no-refresh",
                "Session-Expires 90, the caller promised to refresh and never does; BYE at 60 s as RFC 4028 says",
                also="session-timer-expired"),
          caller=lambda: Caller().invite(headers=["Supported: timer", "Session-Expires: 90;refresher=uac", "Min-SE: 90"])
          .answered().expect("BYE").reply_last(200).pause(200),
          callee=lambda: answering(Callee().invited(), headers=["Supported: timer", "Require: timer", "Session-Expires: 90;refresher=uac"])
          .ack().pause(60000).bye(['Reason: SIP;cause=408;text="Session timer expired"']))  # fmt: skip
sipp_case("session-refresh-481.pcap",
          Truth("session-refresh-failed", "the UPDATE that should renew the session at 45 s gets 481, then BYE",
                also="dialog-unknown"),
          caller=lambda: Caller().invite(headers=["Supported: timer", "Session-Expires: 90;refresher=uac", "Min-SE: 90"])
          .answered().pause(45000).request("UPDATE", headers=["Session-Expires: 90;refresher=uac", "Supported: timer"]).take(481)
          .bye(code=481),
          callee=lambda: answering(Callee().invited(), headers=["Supported: timer", "Require: timer", "Session-Expires: 90;refresher=uac"])
          .ack().expect("UPDATE").reply_last(481).expect("BYE").reply_last(481).pause(200))  # fmt: skip
sipp_case("dtmf-info-refused-415.pcap",
          Truth("dtmf-mismatch", "no telephone-event was agreed and the digits sent with INFO get 415",
                also="dtmf-not-agreed"),
          caller=lambda: Caller().invite(sdp(codecs=(8, 0))).answered().pause(1500)
          .request("INFO", "Signal=5\nDuration=160").take(415).pause(500)
          .request("INFO", "Signal=7\nDuration=160").take(415).pause(1500).bye(),
          callee=lambda: answering(Callee().invited(), sdp(18000, (8,), user=815)).ack()
          .expect("INFO").reply_last(415, headers=["Accept: application/sdp"])
          .expect("INFO").reply_last(415, headers=["Accept: application/sdp"]).bye_comes())  # fmt: skip


# 100rel and preconditions

QOS_NONE = ["a=curr:qos local none", "a=curr:qos remote none", "a=des:qos mandatory local sendrecv",
            "a=des:qos mandatory remote sendrecv"]  # fmt: skip
QOS_ASKED = QOS_NONE + ["a=conf:qos remote sendrecv"]
QOS_MINE = ["a=curr:qos local sendrecv", "a=curr:qos remote none", *QOS_NONE[2:]]
QOS_BOTH = ["a=curr:qos local sendrecv", "a=curr:qos remote sendrecv", *QOS_NONE[2:]]
REL = ["Supported: 100rel, precondition", "P-Early-Media: supported"]
NEED = ["Require: 100rel, precondition", "RSeq: 4101"]


def volte_offer(version=1, more=QOS_NONE, direction="inactive"):
    return sdp(49120, (97, 96, 101), direction, version, more)


def volte_answer(version=1, more=QOS_ASKED, direction="inactive"):
    return sdp(49320, (97, 101), direction, version, more, user=815)


def prack_callee(last):
    script = Callee().invited().reply(100)
    for wait in (500, 1000, 2000, 4000, 8000, 16000, 500):
        script.reply(183, sdp(18000, (8, 101), user=815), ["Require: 100rel", "RSeq: 501"]).pause(wait)
    return last(script)


sipp_case("prack-missing.pcap",
          Truth("prack-missing", "a reliable 183 is sent seven times in 31.5 s, no PRACK comes, then 504"),
          caller=lambda: Caller().invite(headers=["Supported: 100rel"]).take(100)
          .take(183).refused(504).pause(200),
          callee=lambda: prack_callee(lambda s: s.reply(504).ack().pause(200)))  # fmt: skip
sipp_case("prack-rejected-481.pcap",
          Truth("prack-rejected", "the PRACK has the wrong RAck and gets 481; then the callee gives up with 500",
                also="prack-missing"),
          caller=lambda: Caller().invite(headers=["Supported: 100rel"]).take(100).take(183, rrs=True)
          .request("PRACK", headers=["RAck: 77 1 INVITE"]).take(481).refused(500).pause(200),
          callee=lambda: Callee().invited().reply(100)
          .reply(183, sdp(18000, (8, 101), user=815), ["Require: 100rel", "RSeq: 501"])
          .expect("PRACK").reply_last(481).pause(400).reply(500).ack().pause(200))  # fmt: skip
sipp_case("ghost-ring.pcap",
          Truth("ghost-ring", "the 180 comes before the mandatory preconditions are met (no UPDATE yet); the line never gets ready and the caller leaves",
                also="precondition-stuck"),
          caller=lambda: Caller().invite(volte_offer(), REL).take(100).take(183, rseq=True, rrs=True).prack()
          .take(180).pause(6000).cancel().refused(487).pause(300),
          callee=lambda: Callee().invited().reply(100).reply(183, volte_answer(), NEED)
          .expect("PRACK").reply_last(200).pause(150).reply(180).expect("CANCEL").reply_last(200)
          .reply(487).ack().pause(200))  # fmt: skip
sipp_case("precondition-stuck.pcap",
          Truth("precondition-stuck", "183 and PRACK, but no UPDATE ever says that the line is ready; after 15 s CANCEL",
                also="cancelled-before-ringing"),
          caller=lambda: Caller().invite(volte_offer(), REL).take(100).take(183, rseq=True, rrs=True).prack()
          .pause(15000).cancel(['Reason: SIP;cause=580;text="Precondition Failure"']).refused(487).pause(300),
          callee=lambda: Callee().invited().reply(100).reply(183, volte_answer(), NEED)
          .expect("PRACK").reply_last(200).expect("CANCEL").reply_last(200).reply(487).ack().pause(200))  # fmt: skip
sipp_case("precondition-refused-in-update-580.pcap",
          Truth("precondition-failed", "the UPDATE gets 580, then the INVITE is refused with 580"),
          caller=lambda: Caller().invite(volte_offer(), REL).take(100).take(183, rseq=True, rrs=True).prack()
          .pause(300).request("UPDATE", volte_offer(2, QOS_MINE, "sendrecv")).take(580).refused(580).pause(300),
          callee=lambda: Callee().invited().reply(100).reply(183, volte_answer(), NEED)
          .expect("PRACK").reply_last(200).expect("UPDATE").reply_last(580).pause(100).reply(580).ack().pause(200))  # fmt: skip


def volte_good_callee(vias):
    return (Callee(vias).invited().reply(100).reply(183, volte_answer(), NEED).expect("PRACK").reply_last(200)
            .expect("UPDATE").reply_last(200, volte_answer(2, QOS_BOTH, "sendrecv")).pause(200).reply(180)
            .pause(2500).reply(200).ack().bye_comes())  # fmt: skip


def volte_good_caller():
    return (Caller().invite(volte_offer(), REL).take(100).take(183, rseq=True, rrs=True).prack().pause(250)
            .request("UPDATE", volte_offer(2, QOS_MINE, "sendrecv")).take(200).take(180).take(200)
            .ack(cseq=1).pause(3000).bye())  # fmt: skip


sipp_case("good-volte-preconditions.pcap",
          good("preconditions met by UPDATE before the 180; the 180 is not reliable, as phones do"),
          caller=volte_good_caller, callee=lambda: volte_good_callee(1))  # fmt: skip
sipp_case("good-late-offer.pcap",
          good("INVITE without SDP, offer in the 200, answer in the ACK"),
          caller=lambda: Caller().message_invite_empty().progress().take(200).ack(sdp(codecs=(8, 101))).pause(3000).bye(),
          callee=lambda: answering(Callee().invited()).ack().bye_comes())  # fmt: skip
sipp_case("good-glare-491.pcap",
          good("both sides re-INVITE at once, each gets 491 once; a second try works"),
          caller=lambda: Caller().invite().answered().pause(1500).request("INVITE", sdp(version=2, direction="sendonly")).refused(491)
          .pause(2500).request("INVITE", sdp(version=3, direction="sendonly")).take(200).ack()
          .pause(1500).request("INVITE", sdp(version=4)).take(200).ack().pause(1000).bye(),
          callee=lambda: answering(Callee().invited()).ack().expect("INVITE").reply_last(491).ack()
          .expect("INVITE").reply_last(200, sdp(18000, (8, 101), "recvonly", 2, user=815)).ack()
          .expect("INVITE").reply_last(200, sdp(18000, (8, 101), version=3, user=815)).ack().bye_comes())  # fmt: skip
sipp_case("good-422-then-answered.pcap",
          good("the session timer was too short: 422 with Min-SE, the second INVITE is answered"),
          caller=lambda: Caller().invite(headers=["Supported: timer", "Session-Expires: 60"]).refused(422).pause(20)
          .request("INVITE", sdp(), ["Supported: timer", "Session-Expires: 90;refresher=uac", "Min-SE: 90"],
                   target="sip:[service]@[remote_ip]:[remote_port]", to="").progress().take(200).ack().pause(2000).bye(),
          callee=lambda: answering(Callee().invited().reply(422, headers=["Min-SE: 90"]).ack().invited(),
                                   headers=["Require: timer", "Session-Expires: 90;refresher=uac"]).ack().bye_comes())  # fmt: skip
sipp_case("good-early-dialog-update.pcap",
          good("183 with SDP, PRACK, UPDATE changes the codec while it rings, answered"),
          caller=lambda: Caller().invite(headers=["Supported: 100rel"]).take(100).take(183, rseq=True, rrs=True).prack()
          .pause(300).request("UPDATE", sdp(version=2, codecs=(0, 101))).take(200).take(180).take(200).ack(cseq=1).pause(2000).bye(),
          callee=lambda: Callee().invited().reply(100).reply(183, sdp(18000, (8, 101), user=815), ["Require: 100rel", "RSeq: 9"])
          .expect("PRACK").reply_last(200).expect("UPDATE").reply_last(200, sdp(18000, (0, 101), version=2, user=815))
          .pause(400).reply(180).pause(900).reply(200).ack().bye_comes())  # fmt: skip
sipp_case("good-fax-t38.pcap",
          good("the callee changes to T.38 by re-INVITE, the caller agrees; the fax ends the call"),
          caller=lambda: Caller().invite().answered().expect("INVITE")
          .reply_last(200, sdp(16000, ("t38",), kind="image", proto="udptl", version=2, more=["a=T38FaxVersion:0"]))
          .expect("ACK").pause(4000).bye(),
          callee=lambda: answering(Callee().invited()).ack().pause(2000)
          .request("INVITE", sdp(18000, ("t38",), kind="image", proto="udptl", version=2, user=815, more=["a=T38FaxVersion:0"]))
          .take(200).ack_own().bye_comes())  # fmt: skip
sipp_case("good-callee-refreshes.pcap",
          good("Session-Expires 90: the callee renews with re-INVITE at 45 s without changing the SDP; the caller hangs up at 55 s"),
          caller=lambda: Caller().invite(headers=["Supported: timer"]).answered().expect("INVITE")
          .reply_last(200, sdp(), ["Require: timer", "Session-Expires: 90;refresher=uac"]).expect("ACK").pause(10000).bye(),
          callee=lambda: answering(Callee().invited(), headers=["Require: timer", "Session-Expires: 90;refresher=uas"]).ack().pause(45000)
          .request("INVITE", sdp(18000, (8, 101), user=815), ["Supported: timer", "Session-Expires: 90;refresher=uac"]).take(200).ack_own()
          .bye_comes())  # fmt: skip
sipp_case("good-bye-crossing.pcap",
          good("both hang up within 3 ms: one BYE gets 200, the other 481"),
          caller=lambda: Caller().invite().answered().pause(2500).request("BYE").take(200).expect("BYE").reply_last(481),
          callee=lambda: answering(Callee().invited()).ack().pause(2480).request("BYE").expect("BYE").reply_last(200).take(481).pause(100),
          relay=[{"side": "right", "kind": "sip", "text": "BYE sip", "do": "delay", "ms": 60}])  # fmt: skip
sipp_case("good-182-queue.pcap",
          good("a call centre: 182 four times, then answered"),
          caller=lambda: Caller().invite().take(100).take(182).take(180).take(200).ack().pause(2000).bye(),
          callee=lambda: answering(Callee().invited().reply(100).reply(182).pause(1500).reply(182).pause(1500).reply(182)
                                   .pause(1500).reply(182).pause(1500)).ack().bye_comes())  # fmt: skip
sipp_case("good-invite-lost-once.pcap",
          good("the first INVITE is lost on the way in, its repetition half a second later is answered (seen at the caller)"),
          caller=lambda: Caller().invite().answered().pause(2000).bye(),
          callee=lambda: answering(Callee().invited()).ack().bye_comes(),
          relay=[{"side": "left", "kind": "sip", "text": "INVITE sip", "do": "drop", "count": 1}],
          recorded={"namespace": "middle", "interface": "left"})  # fmt: skip
sipp_case("good-ack-lost-once.pcap",
          good("the first ACK is lost, the 200 is repeated once, the second ACK arrives"),
          caller=lambda: Caller().invite().answered().pause(2000).bye(),
          callee=lambda: answering(Callee().invited()).ack().bye_comes(),
          relay=[{"side": "left", "kind": "sip", "text": "ACK sip", "do": "drop", "count": 1}],
          recorded={"namespace": "middle", "interface": "left"})  # fmt: skip


# Two baresip phones with voice: alice and bob on two sides of the link, Kamailio beside bob.

AT_ALICE = {"namespace": "middle", "interface": "left"}
AT_BOB = {"namespace": "middle", "interface": "right"}
MODULES = {"opus": "opus.so", "srtp": "srtp.so", "gsm": "gsm.so", "g726": "g726.so", "amr": "amr.so"}


def tone(lab, seconds):
    """A sound file of this length: a phone hangs up when its file ends."""
    with wave.open(str(lab.wav), "wb") as out:
        out.setparams((1, 2, 8000, 0, "NONE", ""))
        out.writeframes((struct.pack("<h", 8000) * 8 + struct.pack("<h", -8000) * 8) * 500 * seconds)


def voices(lab, caller="", callee="", modules=(), config="", at=None, auth=False, callee_config="", home=ALICE):
    """Alice and bob, bob registered, the recording begun."""
    tone(lab, 60)
    lab.address(lab.server, "link0", FAR)
    lab.kamailio(*(["AUTH"] if auth else []))
    more = "\n" + "".join(f"module {MODULES[m]}\n" for m in modules) + config
    bob = lab.phone("bob", FAR, registered=True, namespace=lab.server, account=callee, more=more + callee_config)
    alice = lab.phone("alice", home, account=caller, more=more)
    if at:
        lab.record(namespace=getattr(lab, at["namespace"]), interface=at["interface"])
    else:
        lab.record()
    return alice, bob


def ring(alice, bob, seconds=1.0):
    alice.do("dial", "sip:bob@example.org")
    bob.wait_event("CALL_INCOMING")
    time.sleep(seconds)


def answer(alice, bob):
    bob.do("accept")
    alice.wait_event("CALL_ESTABLISHED")


def block_rtp(lab, which="udp sport != 5060"):
    """A firewall at both ends: what leaves the phones' machines from now on."""
    for space in (lab.phones, lab.server):
        for rule in ("add table ip f", "add chain ip f out { type filter hook output priority 0 ; }",
                     f"add rule ip f out udp sport 10000-14999 {which} drop"):  # fmt: skip
            sh("ip", "netns", "exec", space, "nft", rule)


def voice_case(file, *truths, talk_s=8, relay=None, nat=False, hang_up="alice", wait_s=10, during=None, before=None, **options):
    def build(lab):
        alice, bob = voices(lab, **options)
        ring(alice, bob)
        if before:
            before(lab)
        answer(alice, bob)
        if during:
            during(lab, alice, bob)
        time.sleep(talk_s)
        one, other = (alice, bob) if hang_up == "alice" else (bob, alice)
        one.do("hangup")
        other.wait_event("CALL_CLOSED", wait_s)

    case(file, *truths, made="recorded", programs=PHONES, relay=relay, nat=nat)(build)


@case("encryption-mismatch-488.pcap", Truth("encryption-mismatch", "alice demands SRTP, bob's phone has none: 488"),
      made="recorded", programs=PHONES)  # fmt: skip
def encryption_mismatch(lab):
    alice, bob = voices(lab, modules=["srtp"], caller=";mediaenc=srtp-mand")
    alice.do("dial", "sip:bob@example.org")
    alice.wait_event("CALL_CLOSED")


@case("bye-lost.pcap.gz", Truth("bye-unanswered", "alice's BYE is dropped behind the recording: eleven times, never answered", also="signalling-loss", where="finding"),
      made="recorded", programs=PHONES, relay=[{"side": "left", "kind": "sip", "text": "BYE sip", "do": "drop"}])  # fmt: skip
def bye_lost(lab):
    alice, bob = voices(lab, at=AT_ALICE)
    ring(alice, bob)
    answer(alice, bob)
    time.sleep(4)
    alice.do("hangup")
    time.sleep(1)
    bob.stop()
    time.sleep(34)


RTP_LEFT = {"side": "left", "kind": "rtp"}  # from alice
RTP_RIGHT = {"side": "right", "kind": "rtp"}  # from bob

voice_case("good-voice.pcap.gz", good("voice both ways, no loss"))
voice_case("good-voice-auth-callee-ends.pcap.gz", good("407 once, voice both ways, the callee hangs up"),
           auth=True, hang_up="bob", talk_s=5)  # fmt: skip
voice_case("good-g722.pcap.gz", good("G.722 both ways: its RTP clock is 8000"),
           caller=";audio_codecs=G722/16000/1", callee=";audio_codecs=G722/16000/1", talk_s=5)  # fmt: skip
voice_case("good-opus.pcap.gz", good("Opus both ways"), modules=["opus"],
           caller=";audio_codecs=opus/48000/2", callee=";audio_codecs=opus/48000/2", talk_s=5)  # fmt: skip
voice_case("good-gsm.pcap.gz", good("GSM both ways"), modules=["gsm"],
           caller=";audio_codecs=GSM/8000/1", callee=";audio_codecs=GSM/8000/1", talk_s=5)  # fmt: skip
voice_case("good-srtp.pcap.gz", good("SRTP both ways, keys in the SDP"), modules=["srtp"],
           caller=";mediaenc=srtp-mand", callee=";mediaenc=srtp-mand", talk_s=5)  # fmt: skip
voice_case("good-little-loss.pcap.gz", good("1 % of the packets is lost both ways: nobody hears that"),
           relay=[{"kind": "rtp", "do": "drop", "chance": 0.01}], at=AT_ALICE, talk_s=8)  # fmt: skip
voice_case("good-some-delay.pcap.gz", good("60 ms each way with 10 ms of jitter"),
           relay=[{"kind": "media", "do": "delay", "ms": 60, "jitter_ms": 10}], at=AT_BOB, talk_s=8)  # fmt: skip
voice_case("loss-random-12.pcap.gz", Truth("loss-high", "12 % of bob's packets are lost one by one before the recording at alice",
                                        also="quality-poor"),
           relay=[RTP_RIGHT | {"do": "drop", "chance": 0.12}], at=AT_ALICE, talk_s=10)  # fmt: skip
voice_case("loss-random-both.pcap.gz", Truth("loss-high", "20 % lost each way, recorded at alice: bob's loss is seen there",
                                          also="quality-poor"),
           relay=[{"kind": "rtp", "do": "drop", "chance": 0.2}], at=AT_ALICE, talk_s=10)  # fmt: skip
voice_case("loss-bursty.pcap.gz", Truth("loss-bursty", "a two-state chain: bursts of 12 packets on average, 15 % lost in all, seen at alice",
                                     also="loss-high quality-poor"),
           relay=[RTP_RIGHT | {"do": "drop", "burst": [0.015, 0.085]}], at=AT_ALICE, talk_s=14)  # fmt: skip
voice_case("jitter-high.pcap.gz", Truth("jitter-high", "bob's packets are held back 0 to 220 ms each, none is lost",
                                     also="late-discard quality-poor"),
           relay=[RTP_RIGHT | {"do": "delay", "jitter_ms": 220}], at=AT_ALICE, talk_s=10)  # fmt: skip
voice_case("delay-high.pcap.gz", Truth("delay-high", "450 ms each way; RTCP (every 5 s) shows the round trip of 0.9 s",
                                    also="quality-poor"),
           relay=[{"kind": "media", "do": "delay", "ms": 450}], at=AT_ALICE, talk_s=24, wait_s=10)  # fmt: skip
voice_case("one-way-caller-deaf.pcap.gz", Truth("one-way-audio-caller-deaf", "bob's packets never come through to alice, where we look",
                                             also="firewall-blocks-media"),
           relay=[RTP_RIGHT | {"do": "drop"}], at=AT_ALICE)  # fmt: skip
voice_case("one-way-callee-deaf.pcap.gz", Truth("one-way-audio-callee-deaf", "alice's packets are blocked before bob, where we look",
                                             also="firewall-blocks-media"),
           relay=[RTP_LEFT | {"do": "drop"}], at=AT_BOB)  # fmt: skip
voice_case("one-way-callee-deaf-also-rtcp.pcap.gz",
           Truth("one-way-audio-callee-deaf", "alice's RTP and RTCP are blocked before bob, where we look; bob hangs up",
                 also="firewall-blocks-media"),
           relay=[{"side": "left", "kind": "media", "do": "drop"}], at=AT_BOB, hang_up="bob")  # fmt: skip
voice_case("no-audio-rtcp-passes.pcap.gz",
           Truth("no-audio", "a firewall at each end lets RTCP out (odd ports) and no RTP: both sides report that they send, nobody receives",
                 also="firewall-blocks-media"),
           before=lambda lab: block_rtp(lab, "udp sport & 1 == 0"), talk_s=16)  # fmt: skip
voice_case("media-stops-caller.pcap.gz", Truth("media-stopped-caller", "alice's packets no longer arrive at bob after 4 s; bob's go on for 12 s more"),
           relay=[RTP_LEFT | {"do": "drop", "from_s": 4}], at=AT_BOB, talk_s=16)  # fmt: skip
voice_case("media-stops-callee.pcap.gz", Truth("media-stopped-callee", "bob's packets no longer arrive at alice after 4 s; alice's go on for 12 s more"),
           relay=[RTP_RIGHT | {"do": "drop", "from_s": 4}], at=AT_ALICE, talk_s=16)  # fmt: skip
voice_case("media-stops-both.pcap.gz", Truth("media-stopped-both", "after 4 s nothing passes either way; alice hangs up 20 s later"),
           during=lambda lab, *_: (time.sleep(4), block_rtp(lab)), talk_s=20)  # fmt: skip
voice_case("media-late.pcap.gz", Truth("media-late", "bob's voice is blocked for the first 5 s after the answer, then it comes",
                                    where="either"),
           relay=[RTP_RIGHT | {"do": "drop", "to_s": 5}], at=AT_ALICE, talk_s=11)  # fmt: skip
voice_case("ack-lost-voice.pcap.gz", Truth("ack-lost", "ACK never reaches bob, who repeats his 200 and gives up after 32 s; recorded at bob",
                                        also="ack-missing"),
           relay=[{"side": "left", "kind": "sip", "text": "ACK sip", "do": "drop"}], at=AT_BOB,
           talk_s=40, wait_s=30)  # fmt: skip
voice_case("media-timeout.pcap.gz", Truth("media-timeout", "alice's packets stop at 4 s; bob's phone (rtp_timeout 6) hangs up",
                                       also="media-stopped-caller"),
           relay=[{"side": "left", "kind": "media", "do": "drop", "from_s": 4}], at=AT_BOB,
           callee_config="rtp_timeout 6\n", talk_s=12)  # fmt: skip


def hold_and_resume(lab, alice, bob):
    time.sleep(3)
    alice.do("hold")
    time.sleep(6)
    alice.do("resume")


voice_case("good-hold-voice.pcap.gz", good("hold for 6 s: one direction is silent by agreement; resumed"),
           during=hold_and_resume, talk_s=4)  # fmt: skip


def dial_digits(lab, alice, bob):
    time.sleep(1.5)
    for digit in "4711#":
        alice.process.stdin.write(digit.encode())
        alice.process.stdin.flush()
        time.sleep(0.4)


voice_case("good-dtmf.pcap.gz", good("five digits as RFC 4733 events, agreed in the SDP"),
           config="module stdio.so\n", during=dial_digits, talk_s=2)  # fmt: skip


# Kamailio between

@case("forward-loop-483.pcap", Truth("forward-loop", "bob is registered with the proxy's own address: the call goes round until Max-Forwards (here 6) is used up",
                                     also="max-forwards-used-up"),
      made="recorded", programs=f"{SIPP}, {KAMAILIO}")  # fmt: skip
def forward_loop(lab):
    lab.kamailio()
    register(lab, f"sip:bob@{SERVER}:5060")
    lab.record(interface="any")
    lab.play(Caller().invite(target="sip:bob@example.org", hops=6).progress().refused(483).pause(200), ALICE, SERVER, "caller").wait()


def register(lab, contact, expires=600, address=BOB):
    """bob's registration, sent by a small client of ours with his password."""
    script = Caller()
    lines = ["REGISTER sip:example.org SIP/2.0", "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]",
             "From: <sip:bob@example.org>;tag=[pid]r", "To: <sip:bob@example.org>", "Call-ID: [call_id]",
             "Max-Forwards: 70", f"Contact: <{contact}>", f"Expires: {expires}"]  # fmt: skip
    script.message([*lines, "CSeq: 1 REGISTER"], "", ' retrans="500"').take(401, auth=True)
    script.message([*lines, "CSeq: 2 REGISTER", "[authentication username=bob password=secret]"], "", ' retrans="500"').take(200)
    lab.play(script, address, SERVER, "register", port=5070).wait()


@case("registration-expired.pcap", Truth("registration-expired-before-call", "bob registers for 60 s, never renews, and is called at 64 s: 480",
                                         also="not-registered"),
      made="recorded", programs=f"{SIPP}, {KAMAILIO}")  # fmt: skip
def registration_expired(lab):
    lab.kamailio()
    lab.record()
    register(lab, f"sip:bob@{BOB}", 60)
    time.sleep(64)
    script = Caller().invite(target="sip:bob@example.org").progress().refused(480).pause(200)
    lab.play(script, ALICE, SERVER, "caller").wait()


@case("dead-phone-408.pcap", Truth("request-timeout", "bob is registered, but nothing answers there: the proxy repeats the INVITE and gives 408 after 12 s",
                                   also="nat-binding-lost firewall-blocks-call"),
      made="recorded", programs=f"{SIPP}, {KAMAILIO}")  # fmt: skip
def dead_phone(lab):
    lab.kamailio(no_reply_ms=12000)
    lab.silent = lab.silent_port(lab.phones, BOB, 5060)
    register(lab, f"sip:bob@{BOB}")
    lab.record()
    lab.play(Caller().invite(target="sip:bob@example.org").progress().refused(408).pause(200), ALICE, SERVER, "caller").wait()


@case("hidden-503.pcap", Truth("server-error-hides-503", "the gateway says 503 to the proxy, the proxy says 500 to the caller"),
      made="recorded", programs=f"{SIPP}, {KAMAILIO}")  # fmt: skip
def hidden_503(lab):
    lab.kamailio()
    lab.play(Callee(2).invited().pause(100).reply(503).ack().pause(200), BOB)
    lab.record()
    lab.play(Caller().invite().progress().refused(500).pause(200), ALICE, BOB, "caller", proxy=SERVER).wait()


@case("tcp-refused.pcap", Truth("tcp-refused", "the next hop wants TCP and refuses the connection (RST); the proxy gives 477",
                                also="wrong-transport"),
      made="recorded", programs=f"{SIPP}, {KAMAILIO}")  # fmt: skip
def tcp_refused(lab):
    lab.kamailio()
    lab.record()
    script = Caller().invite(target="sip:bob@192.0.2.12:5080;transport=tcp").progress()
    script.refused(477).pause(200)
    lab.play(script, ALICE, SERVER, "caller").wait()


@case("wrong-password-407.pcap", Truth("auth-wrong-password", "the phone answers the 407 with a wrong password, again and again"),
      made="recorded", programs=PHONES)  # fmt: skip
def wrong_password(lab):
    lab.kamailio("AUTH")
    alice = lab.phone("alice", password="sesame")
    lab.record()
    alice.do("dial", "sip:bob@example.org")
    alice.wait_event("CALL_CLOSED")


@case("stale-loop-407.pcap", Truth("auth-stale-loop", "each answer to the challenge is called stale and gets a new nonce", also="auth-wrong-password"),
      made="recorded; cut after the eighth challenge", programs=f"{SIPP}, {BARESIP}", invites=8)  # fmt: skip
def stale_loop(lab):
    script = Callee()
    for number in range(1, 9):
        script.expect("INVITE").message(
            ["SIP/2.0 407 Proxy Authentication Required", "[last_Via:]", "[last_From:]", "[last_To:];tag=b" + str(number),
             "[last_Call-ID:]", "[last_CSeq:]",
             f'Proxy-Authenticate: Digest realm="example.org", nonce="4f1c{number:04d}a0", algorithm=MD5, qop="auth"' + (", stale=true" if number > 1 else ""),
             "Server: SIPp 3.6.1"], "", ' retrans="500"').ack()  # fmt: skip
    callee = lab.play(script, SERVER)
    alice = lab.phone("alice")
    lab.record()
    alice.do("dial", "sip:bob@example.org")
    callee.wait()


@case("no-credentials-407.pcap", Truth("auth-no-credentials", "the caller gets 407 and does not try again"),
      made="recorded", programs=f"{SIPP}, {KAMAILIO}")  # fmt: skip
def no_credentials(lab):
    lab.kamailio("AUTH")
    lab.record()
    lab.play(Caller().invite(target="sip:bob@example.org").progress().refused(407).pause(600), ALICE, SERVER, "caller").wait()


@case("transfer-to-nobody.pcap", Truth("transfer-failed", "bob's phone hands alice to a number that does not exist: NOTIFY 404", where="either"),
      Truth("unallocated-number", "alice's new call to zoe: 404 from the proxy", call=2, also="not-registered"),
      made="recorded", programs=PHONES)  # fmt: skip
def transfer_to_nobody(lab):
    lab.kamailio()
    bob, alice = lab.phone("bob", registered=True), lab.phone("alice")
    lab.record()
    ring(alice, bob)
    answer(alice, bob)
    time.sleep(1)
    bob.do("transfer", "sip:zoe@example.org")
    time.sleep(3)
    for phone in (alice, bob):
        phone.do("hangup")
    time.sleep(1.5)


@case("wrong-transport.pcap", Truth("wrong-transport", "the server answers OPTIONS over TCP; the call comes over UDP and gets ICMP port unreachable",
                                    also="icmp-port-closed"), made="recorded", programs=f"{SIPP}, {BARESIP}")  # fmt: skip
def wrong_transport(lab):
    tcp = ["-t", "t1"]
    lab.sipp("uas-any", SERVER, namespace=lab.server, extra=tcp, calls=2)
    alice = lab.phone("alice")
    lab.record()
    lab.sipp("uac-options", CAROL, SERVER, extra=tcp, port=5070).process.wait(20)
    time.sleep(1)
    alice.do("dial", "sip:bob@example.org")
    alice.wait_event("CALL_CLOSED", 40)


# Scanners

def tool(lab, name, *command, seconds=60):
    process = Process(lab, lab.phones, command, name)
    process.process.wait(seconds)


@case("scan-svmap.pcap", Truth("scanner", "sipvicious svmap sends OPTIONS to a range of addresses", call="*", where="either"),
      made="recorded", programs=f"sipvicious 0.3.3, {KAMAILIO}")  # fmt: skip
def scan_svmap(lab):
    lab.kamailio()
    for last in (2, 3, 4, 5, 6):
        lab.address(lab.server, "link0", f"192.0.2.{last}")
    lab.record()
    tool(lab, "svmap", "svmap", *(f"192.0.2.{last}" for last in range(1, 7)))


@case("scan-svwar-invite.pcap", Truth("number-guessing", "sipvicious svwar calls 30 numbers one after the other", call="*", also="scanner", where="either"),
      made="recorded", programs=f"sipvicious 0.3.3, {KAMAILIO}")  # fmt: skip
def scan_svwar(lab):
    lab.kamailio()
    lab.record()
    tool(lab, "svwar", "svwar", "--force", "-m", "INVITE", "-e", "100-129", SERVER)


@case("guess-svcrack.pcap", Truth("password-guessing", "sipvicious svcrack tries 40 passwords for one user", call="*", where="either"),
      made="recorded", programs=f"sipvicious 0.3.3, {KAMAILIO}")  # fmt: skip
def guess_svcrack(lab):
    lab.kamailio()
    lab.record()
    tool(lab, "svcrack", "svcrack", "-u", "bob", "-r", "1000-1039", SERVER)


# Packets that get lost

@case("fragment-lost.pcap", Truth("invite-fragment-lost", "the second fragment of the INVITE is lost on the way to the callee, each time", also="no-reply"),
      made="recorded", programs=SIPP, relay=[{"side": "left", "kind": "fragment", "do": "drop"}])  # fmt: skip
def fragment_lost(lab):
    callee = lab.play(Callee().invited(), SERVER)
    lab.record()
    caller = lab.sipp("uac-big-invite", ALICE, SERVER)
    caller.process.wait(60)
    callee.stop()


@case("replies-lost.pcap", Truth("reply-not-received", "INVITE and replies both repeat: the replies do not reach the caller; recorded at the callee",
                                 also="answer-not-received"),
      made="recorded", programs=SIPP, relay=[{"side": "right", "kind": "sip", "do": "drop"}])  # fmt: skip
def replies_lost(lab):
    lab.play(Callee().invited().reply(486, retrans=500).ack(), SERVER)
    lab.record()
    lab.play(Caller().invite().progress().refused(486), ALICE, SERVER, "caller").process.wait(60)


@case("host-unreachable-icmp.pcap", Truth("icmp-unreachable", "the router says that the host cannot be reached", also="no-reply"),
      made="recorded", programs=BARESIP)  # fmt: skip
def host_unreachable(lab):
    for rule in ("add table ip f", "add chain ip f in { type filter hook input priority 0 ; }",
                 "add rule ip f in udp dport 5060 reject with icmp type host-unreachable"):  # fmt: skip
        sh("ip", "netns", "exec", lab.server, "nft", rule)
    alice = lab.phone("alice")
    lab.record()
    alice.do("dial", "sip:bob@example.org")
    alice.wait_event("CALL_CLOSED", 45)


# A phone behind a router

voice_case("nat-private-sdp.pcap.gz", Truth("nat-private-address-sdp",
           "alice is behind a masquerading router, her SDP names 10.0.0.11: bob sends his voice there and it is lost",
           also="one-way-audio-caller-deaf"), nat=True, home=HOME, talk_s=8)  # fmt: skip


# Two legs through a real B2BUA: baresip's own

@case("b2bua-baresip.pcap.gz", good("the call into the B2BUA"), good("the call out of it", 2), joins=[[1, 2]],
      made="recorded", programs=BARESIP)  # fmt: skip
def b2bua(lab):
    tone(lab, 60)
    second = f'"B" <sip:out@example.org>;auth_pass=x;outbound="sip:{BOB};transport=udp";regint=0;b2bua=outbound'
    lab.phone("b2b", SERVER, namespace=lab.server, account=";b2bua=inbound", second=second, sound="aubridge",
              more="\nmodule aubridge.so\nmodule_app b2bua.so\naudio_player aubridge,x\n")  # fmt: skip
    bob, alice = lab.phone("bob"), lab.phone("alice")
    lab.record()
    ring(alice, bob)
    answer(alice, bob)
    time.sleep(4)
    alice.do("hangup")
    bob.wait_event("CALL_CLOSED")


@case("unrelated-sipp-twenty.pcap.gz", joins=[], made="recorded", programs=f"{SIPP}, {KAMAILIO}",
      why_joined="SIPp starts twenty calls of one caller to one callee within a second, all with the same SDP: no leg of one is a leg of another")  # fmt: skip
def unrelated_sipp(lab):
    lab.kamailio()
    uas = lab.sipp("uas-answered", BOB, calls=20)
    lab.record()
    lab.sipp("uac-answered", ALICE, BOB, proxy=SERVER, calls=20, extra=["-r", "20"]).wait()
    uas.wait()
