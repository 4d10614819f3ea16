"""SIPp scenarios, written from steps: one line of a list is one message or one expectation.

A scenario is a list of: send(...) and recv(...) below, pause(ms), and text of SIPp's own. The callee keeps
Via, From and To of the INVITE in variables, because [last_*] points at the newest request.

SPDX-License-Identifier: Apache-2.0
"""
import re
from xml.sax.saxutils import escape

AUDIO = ("v=0\no=- 4711 {version} IN IP4 [local_ip]\ns=-\nc=IN IP4 [local_ip]\nt=0 0\nm=audio {port} RTP/AVP 8 0\n"
         "a=rtpmap:8 PCMA/8000\na=rtpmap:0 PCMU/8000\na=ptime:20\na={direction}\n{lines}")
ROOM = "Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]"


def audio(version=1, port=16000, direction="sendrecv", lines=()):
    return AUDIO.format(version=version, port=port, direction=direction, lines="".join(f"{l}\n" for l in lines))


def message(start, headers, body=""):
    lines = [start, *headers]
    if body:
        lines.append("Content-Type: application/sdp")
    return "\n".join([*lines, "Content-Length: [len]", "", body])


def send(text, retrans=True):
    flag = ' retrans="500"' if retrans else ""
    return f"<send{flag}><![CDATA[\n\n{text}\n\n]]></send>"


def found(pattern, where="msg", header="", into=""):
    """Fails the call when the pattern is not in the message (or not in that header)."""
    place = f'search_in="hdr" header="{header}"' if header else f'search_in="{where}"'
    return (f'<ereg regexp="{escape(pattern, {chr(34): "&quot;"})}" {place} check_it="true" assign_to="{into or "seen"}"/>')


def recv(what, *actions, optional=False, rrs=False, before="", **more):
    kind = "response" if str(what).isdigit() else "request"
    flags = (' optional="true"' if optional else "") + (' rrs="true"' if rrs else "")
    flags += "".join(f' {k}="{v}"' for k, v in more.items())
    inside = f"<action>{''.join(actions)}</action>" if actions else ""
    return f'<recv {kind}="{what}"{flags}>{inside}</recv>'


def pause(ms):
    return f'<pause milliseconds="{ms}"/>'


def scenario(name, *steps):
    text = "\n".join(steps)
    names = sorted({n for group in re.findall(r'assign_to="([^"]*)"', text) for n in group.split(",")})
    used = f'\n<Reference variables="{",".join(names)}"/>' if names else ""     # else SIPp finds them unused
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="{name}">\n{text}{used}\n</scenario>\n'


# ---- the caller ----

FROM = 'From: <sip:caller@outside.test>;tag=[pid]a[call_number]'
CALLER_CONTACT = "Contact: <sip:caller@[local_ip]:[local_port]>"


def invite(body=None, headers=()):
    return send(message("INVITE sip:[service]@example.org SIP/2.0",
                        [ROOM, FROM, "To: <sip:[service]@example.org>", "Call-ID: [call_id]", "CSeq: 1 INVITE",
                         "Max-Forwards: 70", CALLER_CONTACT, "Allow: INVITE, ACK, CANCEL, BYE, PRACK, UPDATE", *headers],
                        audio() if body is None else body))


def request(method, cseq, body="", headers=(), retrans=True):
    return send(message(f"{method} [next_url] SIP/2.0",
                        [ROOM, "[routes]", FROM, "To: <sip:[service]@example.org>[peer_tag_param]", "Call-ID: [call_id]",
                         f"CSeq: {cseq} {method}", "Max-Forwards: 70", CALLER_CONTACT, *headers], body), retrans)


def ack(cseq=1):
    return request("ACK", cseq, retrans=False)


def ack_refusal(cseq=1):
    return send(message("ACK sip:[service]@example.org SIP/2.0",
                        ["[last_Via:]", FROM, "To: <sip:[service]@example.org>[peer_tag_param]", "Call-ID: [call_id]",
                         f"CSeq: {cseq} ACK", "Max-Forwards: 70"]), False)


def cancel():
    return send(message("CANCEL sip:[service]@example.org SIP/2.0",
                        ["[last_Via:]", FROM, "To: <sip:[service]@example.org>", "Call-ID: [call_id]", "CSeq: 1 CANCEL",
                         "Max-Forwards: 70"]))


PROGRESS = (recv(100, optional=True), recv(181, optional=True), recv(180, optional=True), recv(183, optional=True))

# ---- the callee ----

INVITED = recv("INVITE", found(".*", header="Via:", into="via"), found(".*", header="From:", into="from"),
               found(".*", header="To:", into="to"), found("<(sip:[^>]*)>", header="Contact:", into="seen,contact"))


def invited(*actions):
    return INVITED.replace("</action>", "".join(actions) + "</action>")


def answer(status, phrase, body="", headers=(), retrans=False, to_tag=True):
    """To the INVITE that was kept."""
    return send(message(f"SIP/2.0 {status} {phrase}",
                        ["Via:[$via]", "From:[$from]", "To:[$to]" + (";tag=[pid]b[call_number]" if to_tag else ""),
                         "Call-ID: [call_id]", "CSeq: 1 INVITE", "Contact: <sip:[local_ip]:[local_port]>", *headers],
                        body), retrans)


def reply(status=200, phrase="OK", body="", headers=(), retrans=False):
    """To the newest request."""
    return send(message(f"SIP/2.0 {status} {phrase}",
                        ["[last_Via:]", "[last_From:]", "[last_To:]", "[last_Call-ID:]", "[last_CSeq:]",
                         "Contact: <sip:[local_ip]:[local_port]>", *headers], body), retrans)


def ask(method, cseq, body="", headers=(), retrans=True):
    """A request of the callee in the call."""
    return send(message(f"{method} [$contact] SIP/2.0",
                        [ROOM, "From:[$to];tag=[pid]b[call_number]", "To:[$from]", "Call-ID: [call_id]",
                         f"CSeq: {cseq} {method}", "Max-Forwards: 70", "Contact: <sip:[local_ip]:[local_port]>", *headers],
                        body), retrans)
