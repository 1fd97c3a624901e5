"""The counter as an HTTP bot in Python (3.9 or later), standard library only: BOT_SECRET=... python3 bot.py

docs/bots.md describes what goes over the wire.
"""

import hashlib
import hmac
import json
import os
import sys
import threading
import time
from concurrent.futures import Future
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRET = os.environ.get("BOT_SECRET", "").encode()
MAX_BODY = 16 << 20  # a state of 256 KiB, and messages with their raw JSON
REMEMBERED = 10_000


def turn(request):
    """Answers one turn: the old state in, the new state and the replies out. It is all that a bot of your own replaces."""
    n = request["state"].get("n", 0)
    replies = []
    for message in request["messages"]:
        n += 1
        replies.append({"text": f"step {n}: {message['text']}"})
    return {"state": {"n": n}, "replies": replies}


# Answers by Idempotency-Key. A turn is sent again when its answer got lost, and also when it took longer than the timeout: then the
# first run may still be under way, and the second must wait for it instead of running beside it. A bot whose work reaches beyond
# its answer (a booking, a payment) keeps this in its database, in the transaction that does the work.
answers = {}
answers_lock = threading.Lock()


def once(key, work):
    """Runs work once for a key, and gives its result to everybody who asks for the key."""
    with answers_lock:
        answer = answers.get(key)
        mine = answer is None
        if mine:
            answer = answers[key] = Future()
            if len(answers) > REMEMBERED:
                del answers[next(iter(answers))]
    if mine:
        try:
            answer.set_result(work())
        except Exception as error:
            with answers_lock:
                answers.pop(key, None)  # what failed may be tried again
            answer.set_exception(error)
    return answer.result()


def signed(header, body, secret):
    """Tells whether Wactor made the header for these bytes, within five minutes of now. The bytes must be those received: JSON that
    was parsed and written again is another text."""
    parts = [part.strip().partition("=") for part in header.split(",")]
    times = [value for key, _, value in parts if key == "t"]
    if len(times) != 1 or not (times[0].isascii() and times[0].isdigit() and len(times[0]) <= 12):
        return False
    if abs(time.time() - int(times[0])) > 300:
        return False
    want = hmac.new(secret, times[0].encode() + b"." + body, hashlib.sha256).hexdigest().encode()
    return any(key == "v1" and hmac.compare_digest(value.encode(), want) for key, _, value in parts)


class Bot(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keeps the connection for the next turn
    disable_nagle_algorithm = True  # headers and body are two writes, and the second must not wait 40 ms for the first

    def do_POST(self):
        size = self.headers.get("Content-Length", "")
        if self.path != "/turn" or not size.isdigit():
            return self.refuse(404)
        if int(size) > MAX_BODY:
            return self.refuse(413)
        body = self.rfile.read(int(size))
        if not signed(self.headers.get("Wactor-Signature", ""), body, SECRET):
            return self.answer(401)
        try:
            self.answer(200, once(self.headers.get("Idempotency-Key"), lambda: turn(json.loads(body))))
        except Exception as error:
            print("bot: turn failed:", type(error).__name__, file=sys.stderr)  # not its text: it may quote a user
            self.answer(500)  # Wactor tries again

    def refuse(self, status):
        """Answers a request whose body is not read, after which the connection is of no use."""
        self.close_connection = True
        self.answer(status)

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


def main():
    if not SECRET:
        sys.exit("bot: set BOT_SECRET to the secret of bots.counter.http in wactor.yaml")
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "3000"))), Bot)
    print(f"listening on http://127.0.0.1:{server.server_address[1]}/turn", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


if __name__ == "__main__":
    main()
