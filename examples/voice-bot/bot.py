"""A bot that hands voice notes to a transcription service, in Python (3.9 or later), standard library only:
BOT_SECRET=... python3 bot.py

TRANSCRIBE_URL is the service: it gets the audio by POST, and answers {"text": ...}. Without it, a service of this program's own
plays its part, and says how many bytes it heard.

docs/media.md describes links to files, docs/bots.md all else that goes over the wire.
"""

import hashlib
import hmac
import json
import os
import sys
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRET = os.environ.get("BOT_SECRET", "").encode()
MAX_AUDIO = 16 << 20


def turn(request):
    """Answers each voice note with what was said in it."""
    replies = []
    for message in request["messages"]:
        if message["type"] != "audio":
            replies.append({"text": "Send me a voice message."})
            continue
        text = transcribe(message["media"]["url"])
        replies.append({"text": f"You said: {text}", "replyTo": message["id"]})
    return {"replies": replies}


def transcribe(link):
    """Reads a file by its link, which needs no token, and hands it on. What fails makes the turn fail, and Wactor tries again."""
    with urllib.request.urlopen(link, timeout=20) as file:
        audio = file.read(MAX_AUDIO)
        kind = file.headers["Content-Type"]
    service = os.environ.get("TRANSCRIBE_URL") or f"http://127.0.0.1:{server.server_address[1]}/transcribe"
    request = urllib.request.Request(service, data=audio, headers={"Content-Type": kind}, method="POST")
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)["text"]


def signed(header, body):
    """Tells whether Wactor made the header for these bytes, within five minutes of now."""
    parts = [part.strip().partition("=") for part in header.split(",")]
    times = [value for key, _, value in parts if key == "t"]
    if len(times) != 1 or not (times[0].isascii() and times[0].isdigit() and len(times[0]) <= 12):
        return False
    if abs(time.time() - int(times[0])) > 300:
        return False
    want = hmac.new(SECRET, times[0].encode() + b"." + body, hashlib.sha256).hexdigest().encode()
    return any(key == "v1" and hmac.compare_digest(value.encode(), want) for key, _, value in parts)


class Bot(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keeps the connection for the next turn
    disable_nagle_algorithm = True  # headers and body are two writes, and the second must not wait 40 ms for the first

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if self.path == "/transcribe":
            return self.answer(200, {"text": f"{len(body)} bytes of {self.headers['Content-Type']}"})
        if not signed(self.headers.get("Wactor-Signature", ""), body):
            return self.answer(401)
        try:
            self.answer(200, turn(json.loads(body)))
        except Exception as error:
            print("bot: turn failed:", type(error).__name__, file=sys.stderr)  # not its text: it may quote a user
            self.answer(500)  # Wactor tries again

    def answer(self, status, content=None):
        body = b"" if content is None else json.dumps(content).encode()
        self.send_response(status)
        if body:
            self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass  # one line a request is of no use


if __name__ == "__main__":
    if not SECRET:
        sys.exit("bot: set BOT_SECRET to the secret of the bot in wactor.yaml")
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "3000"))), Bot)
    print(f"listening on http://127.0.0.1:{server.server_address[1]}/turn", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()
