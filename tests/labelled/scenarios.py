"""SIPp scenarios of the labelled captures, written as short Python and turned into SIPp's XML.

    Callee().invited().reply(180).pause(800).reply(486, "Busy Here").ack()
    Caller().invite().take(180, optional=True).refused(486)

SPDX-License-Identifier: Apache-2.0
"""
ALLOW = "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO, REFER, NOTIFY, MESSAGE"
AGENT = "SIPp 3.6.1"
MAPS = {0: "PCMU/8000", 8: "PCMA/8000", 18: "G729/8000", 9: "G722/8000", 3: "GSM/8000"}
MAPS |= {101: "telephone-event/8000", 96: "AMR/8000", 97: "AMR-WB/16000", 111: "opus/48000/2"}
REASONS = {
    100: "Trying", 180: "Ringing", 181: "Call Is Being Forwarded", 182: "Queued",
    183: "Session Progress", 200: "OK", 202: "Accepted", 300: "Multiple Choices",
    301: "Moved Permanently", 302: "Moved Temporarily", 305: "Use Proxy", 400: "Bad Request",
    401: "Unauthorized", 402: "Payment Required", 403: "Forbidden", 404: "Not Found",
    405: "Method Not Allowed", 406: "Not Acceptable", 407: "Proxy Authentication Required",
    408: "Request Timeout", 410: "Gone", 413: "Request Entity Too Large",
    414: "Request-URI Too Long", 415: "Unsupported Media Type", 416: "Unsupported URI Scheme",
    420: "Bad Extension", 421: "Extension Required", 422: "Session Interval Too Small",
    423: "Interval Too Brief", 428: "Use Identity Header", 429: "Provide Referrer Identity",
    433: "Anonymity Disallowed", 436: "Bad Identity Info", 437: "Unsupported Credential",
    438: "Invalid Identity Header", 480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist", 482: "Loop Detected", 483: "Too Many Hops",
    484: "Address Incomplete", 485: "Ambiguous", 486: "Busy Here", 487: "Request Terminated",
    488: "Not Acceptable Here", 491: "Request Pending", 493: "Undecipherable",
    494: "Security Agreement Required", 500: "Server Internal Error", 501: "Not Implemented",
    502: "Bad Gateway", 503: "Service Unavailable", 504: "Server Time-out",
    505: "Version Not Supported", 513: "Message Too Large", 580: "Precondition Failure",
    600: "Busy Everywhere", 603: "Decline", 604: "Does Not Exist Anywhere",
    606: "Not Acceptable", 607: "Unwanted", 608: "Rejected",
}  # fmt: skip


def sdp(port=16000, codecs=(8, 0, 101), direction="sendrecv", version=1, more=(), address=None,
        kind="audio", proto="RTP/AVP", user=4711, events=True):  # fmt: skip
    where = f"IN IP4 {address}" if address else "IN IP[local_ip_type] [local_ip]"
    lines = ["v=0", f"o=- {user} {version} IN IP[local_ip_type] [local_ip]", "s=-", f"c={where}", "t=0 0"]
    lines.append(f"m={kind} {port} {proto} {' '.join(map(str, codecs))}")
    lines += [f"a=rtpmap:{c} {MAPS[c]}" for c in codecs if c in MAPS]
    if 101 in codecs:
        lines.append("a=fmtp:101 0-15")
    if kind == "audio":
        lines += ["a=ptime:20", f"a={direction}"]
    return "\n".join(lines + list(more))


class Script:
    """Commands of one SIPp scenario; index counts what SIPp counts for [branch-N]."""

    def __init__(self):
        self.xml, self.index, self.variables, self.invite_at, self.labels = [], 0, set(), 0, 0
        self.cseq = 1

    def command(self, text):
        self.xml.append(text)
        self.index += 1
        return self

    def pause(self, ms):
        return self.command(f'  <pause milliseconds="{ms}"/>')

    def message(self, lines, body="", attributes=""):
        lines = [line for line in lines if line]
        if lines[-1].endswith("@@"):  # the body is written out
            text = "\n".join(lines)[:-2]
            return self.command(f"  <send{attributes}><![CDATA[\n\n{text}\n  ]]></send>")
        if body:
            lines += ["Content-Type: " + ("application/sdp" if body.startswith("v=0") else
                                          "application/dtmf-relay"), "Content-Length: [len]"]  # fmt: skip
        else:
            lines.append("Content-Length: 0")
        text = "\n".join(lines) + "\n\n" + (body + "\n" if body else "")
        return self.command(f"  <send{attributes}><![CDATA[\n\n{text}\n  ]]></send>")

    def expect(self, request, optional=False, timeout_ms=0, actions="", rrs=False):
        more = ' optional="true"' if optional else ""
        more += ' rrs="true"' if rrs else ""
        if timeout_ms:
            self.labels += 1
            more += f' timeout="{timeout_ms}" ontimeout="{self.labels}"'
        inner = f"<action>{actions}</action>" if actions else ""
        self.command(f'  <recv request="{request}"{more}>{inner}</recv>')
        if timeout_ms:
            self.xml.append(f'  <label id="{self.labels}"/>')
        return self

    def reply_last(self, code=200, body="", headers=(), tag=False):
        """An answer to the request that came last."""
        to = "[last_To:]" + (self.TAG if tag else "")
        return self.message(
            [f"SIP/2.0 {code} {REASONS[code]}", "[last_Via:]", "[last_From:]", to,
             "[last_Call-ID:]", "[last_CSeq:]", self.CONTACT if body else "", *headers,
             f"Server: {AGENT}"], body)  # fmt: skip

    def text(self, name):
        names = sorted(self.variables)
        reference = f'\n  <Reference variables="{",".join(names)}"/>' if names else ""
        body = "\n".join(self.xml)
        return f'<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="{name}">\n{body}{reference}\n</scenario>\n'


class Caller(Script):
    FROM = 'From: "Alice" <sip:alice@example.org>;tag=[pid]a[call_number]'
    TAG = ";tag=[pid]a[call_number]"
    CONTACT = "Contact: <sip:alice@[local_ip]:[local_port];transport=[transport]>"

    def start(self, method, target, cseq, more=(), routes=True, to="[peer_tag_param]", branch="[branch]", from_="", hops=70):
        return [f"{method} {target} SIP/2.0",
                f"Via: SIP/2.0/[transport] [local_ip]:[local_port];branch={branch}",
                "[routes]" if routes else "", from_ or self.FROM, f"To: <sip:[service]@example.org>{to}",
                "Call-ID: [call_id]", f"CSeq: {cseq} {method}", f"Max-Forwards: {hops}", *more,
                f"User-Agent: {AGENT}"]  # fmt: skip

    FIRST = "sip:[service]@[remote_ip]:[remote_port]"

    def invite(self, body=None, headers=(), cseq=1, to=None, retrans=500, from_="", target=None, hops=70):
        self.invite_at, self.cseq, self.invite_cseq = self.index, cseq, cseq
        self.target = target or self.FIRST
        lines = self.start("INVITE", self.target, cseq, [self.CONTACT, ALLOW, *headers], False, "", from_=from_, hops=hops)
        self.from_ = from_
        return self.message(lines, sdp() if body is None else body, f' retrans="{retrans}"')

    def message_invite_empty(self):
        """An INVITE that leaves the offer to the callee."""
        return self.invite("")

    def take(self, code, optional=False, auth=False, rseq=False, rrs=False, timeout_ms=0):
        more = ' optional="true"' if optional else ""
        more += ' auth="true"' if auth else ""
        more += ' rrs="true"' if rrs or code == 200 and not optional else ""
        inner = ""
        if timeout_ms:
            self.labels += 1
            more += f' timeout="{timeout_ms}" ontimeout="{self.labels}"'
        if rseq:
            self.variables.add("rseq")
            inner = '<action><ereg regexp="[0-9]+" search_in="hdr" header="RSeq:" assign_to="rseq"/></action>'
        self.command(f'  <recv response="{code}"{more}>{inner}</recv>')
        if timeout_ms:
            self.xml.append(f'  <label id="{self.labels}"/>')
        return self

    def progress(self):
        for code in (100, 180, 181, 183):
            self.take(code, optional=True)
        return self

    def refused(self, code, auth=False):
        self.take(code, auth=auth)
        branch = f"[branch-{self.index - self.invite_at}]"
        return self.message(self.start("ACK", self.target, self.invite_cseq, (), False, branch=branch, from_=self.from_))

    def answered(self, ack=True, body=""):
        self.progress().take(200)
        return self.ack(body) if ack else self

    def ack(self, body="", cseq=None):
        return self.message(self.start("ACK", "[next_url]", cseq or self.invite_cseq), body)

    def request(self, method, body="", headers=(), target="[next_url]", retrans=500, to="[peer_tag_param]"):
        self.cseq += 1
        if method == "INVITE":
            self.invite_at, self.invite_cseq, self.target = self.index, self.cseq, target
        if method in ("INVITE", "UPDATE", "REFER", "SUBSCRIBE"):
            headers = [self.CONTACT, *headers]
        attributes = f' retrans="{retrans}"' if retrans else ""
        return self.message(self.start(method, target, self.cseq, headers, to=to), body, attributes)

    def prack(self, body=""):
        return self.request("PRACK", body, [f"RAck: [$rseq] {self.invite_cseq} INVITE"]).take(200)

    def bye(self, headers=(), code=200):
        return self.request("BYE", "", headers).take(code)

    def cancel(self, headers=()):
        branch = f"[branch-{self.index - self.invite_at}]"
        lines = self.start("CANCEL", self.FIRST, self.invite_cseq, headers, False, "", branch)
        self.message(lines, "", ' retrans="500"')
        return self.take(200)

    def nop(self, action):
        return self.command(f"  <nop><action>{action}</action></nop>")


class Callee(Script):
    TAG = ";tag=[pid]b[call_number]"
    CONTACT = "Contact: <sip:bob@[local_ip]:[local_port];transport=[transport]>"

    def __init__(self, vias=1, server=AGENT):
        super().__init__()
        self.vias, self.server = vias, server

    def invited(self):
        self.variables |= {"all", "from", "to", "target", "rr", "cs"}
        actions = ""
        for number in range(1, self.vias + 1):
            self.variables.add(f"via{number}")
            actions += f'<ereg regexp="(.*)" search_in="hdr" header="Via:" occurrence="{number}" assign_to="all,via{number}"/>'
        if self.vias > 1:
            actions += '<ereg regexp="(.*)" search_in="hdr" header="Record-Route:" assign_to="all,rr"/>'
        else:
            self.variables.discard("rr")
        for header, name in (("From:", "from"), ("To:", "to"), ("CSeq:", "cs")):
            actions += f'<ereg regexp="(.*)" search_in="hdr" header="{header}" assign_to="all,{name}"/>'
        actions += '<ereg regexp="sip:[^&gt;]*" search_in="hdr" header="Contact:" assign_to="target"/>'
        return self.expect("INVITE", actions=actions)

    def reply(self, code, body="", headers=(), reason=None, retrans=None, tag=None, contact=None):
        """An answer to the INVITE, whatever came in between."""
        tagged = "" if code == 100 else (tag or self.TAG)
        lines = [f"SIP/2.0 {code} {reason or REASONS[code]}"]
        lines += [f"Via:[$via{n}]" for n in range(1, self.vias + 1)]
        if self.vias > 1 and 100 < code < 300:
            lines.append("Record-Route:[$rr]")
        where = contact or (self.CONTACT if 100 < code < 300 else "")
        lines += ["From:[$from]", f"To:[$to]{tagged}", "Call-ID: [call_id]", "CSeq:[$cs]", where]
        lines += [*headers, f"Server: {self.server}" if self.server else ""]
        repeat = retrans if retrans is not None else (500 if code >= 200 else 0)
        return self.message(lines, body, f' retrans="{repeat}"' if repeat else "")

    def ack(self, **options):
        return self.expect("ACK", **options)

    def request(self, method, body="", headers=(), retrans=500):
        self.cseq += 1
        if method == "INVITE":
            self.invite_at, self.invite_cseq = self.index, self.cseq
        if method in ("INVITE", "UPDATE", "REFER"):
            headers = [self.CONTACT, *headers]
        lines = [f"{method} [$target] SIP/2.0",
                 "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]",
                 f"From:[$to]{self.TAG}", "To:[$from]", "Call-ID: [call_id]",
                 f"CSeq: {self.cseq} {method}", "Max-Forwards: 70", *headers,
                 f"User-Agent: {self.server}" if self.server else ""]  # fmt: skip
        return self.message(lines, body, f' retrans="{retrans}"' if retrans else "")

    def take(self, code, optional=False, timeout_ms=0):
        more = ' optional="true"' if optional else ""
        if timeout_ms:
            self.labels += 1
            more += f' timeout="{timeout_ms}" ontimeout="{self.labels}"'
        self.command(f'  <recv response="{code}"{more}></recv>')
        if timeout_ms:
            self.xml.append(f'  <label id="{self.labels}"/>')
        return self

    def ack_own(self):
        lines = ["ACK [$target] SIP/2.0",
                 "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]",
                 f"From:[$to]{self.TAG}", "To:[$from]", "Call-ID: [call_id]",
                 f"CSeq: {self.invite_cseq} ACK", "Max-Forwards: 70"]  # fmt: skip
        return self.message(lines)

    def bye(self, headers=(), code=200, **options):
        return self.request("BYE", "", headers, **options).take(code)

    def bye_comes(self):
        return self.expect("BYE").reply_last(200).pause(200)
