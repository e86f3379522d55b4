"""A receiver of Rollcall's webhooks that keeps who may use the app. The standard library alone, nothing to install:

    WEBHOOK_SECRET=whsec_… python3 receiver.py       PORT (8090) and STATE_FILE (receiver.json) can be set too

An app keeps the three tables in its own database, and changes them and `last` in one transaction.
"""

import base64
import hashlib
import hmac
import http.server
import json
import os
import re
import threading
import time

SECRET = os.environ.get("WEBHOOK_SECRET", "")
FILE = os.environ.get("STATE_FILE", "receiver.json")
TOLERANCE = 5 * 60  # seconds that a signature may be old, or ahead
MAX_BODY = 1 << 20
if not SECRET.startswith("whsec_"):
    raise SystemExit("WEBHOOK_SECRET has to be the secret of the webhook endpoint: whsec_…")


# ---- The signature, over the bytes as they came.


def fresh(seconds):
    return abs(time.time() - seconds) <= TOLERANCE


def standard(headers, body):
    """Standard Webhooks. While the secret rotates there are two signatures, one by each."""
    event, seconds = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not re.fullmatch(r"[0-9]{1,15}", seconds) or not fresh(int(seconds)):
        return False
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    digest = hmac.new(key, f"{event}.{seconds}.".encode() + body, hashlib.sha256).digest()
    want = "v1," + base64.b64encode(digest).decode()
    return any(hmac.compare_digest(s.encode(), want.encode()) for s in headers["webhook-signature"].split(" "))


def workos(headers, body):
    """WorkOS's own header. Its SDK does the same: client.webhooks.verify_event(event_body=…, event_signature=…, secret=…)."""
    parts = re.fullmatch(r"t=([0-9]{1,18}), ?v1=([0-9a-f]{64})", headers.get("workos-signature", ""))
    if not parts or not fresh(int(parts[1]) / 1000):
        return False
    want = hmac.new(SECRET.encode(), f"{parts[1]}.".encode() + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(parts[2], want)


def genuine(headers, body):
    return standard(headers, body) if "webhook-signature" in headers else workos(headers, body)


# ---- The tables.


def gone(thing):
    """When a thing was deleted, beside when it was last changed."""
    return f"gone {thing}"


def drop(table, matches):
    for key in [key for key, row in table.items() if matches(key, row)]:
        del table[key]


class State:
    """Users, groups and members, and `last`: the newest event applied to each thing, by the thing's id.

    Ids of events sort by time, so one comparison finds both what came twice and what came late. Entries of what is gone stay:
    they keep an old event from bringing it back.
    """

    def __init__(self):
        self.lock = threading.Lock()
        self.rows = {"users": {}, "groups": {}, "members": {}, "last": {}}
        if os.path.exists(FILE):
            with open(FILE, encoding="utf-8") as f:
                self.rows = json.load(f)

    def save(self):
        with open(FILE + ".new", "w", encoding="utf-8") as f:
            json.dump(self.rows, f)
        os.replace(FILE + ".new", FILE)

    def apply(self, event):
        with self.lock:
            if self.change(event["id"], event["event"], event["data"]):
                self.save()  # before the answer: what was answered with 2xx is not sent again

    def change(self, event, kind, data):
        """Gives False for what is no news."""
        users, groups, members, last = (self.rows[t] for t in ("users", "groups", "members", "last"))
        match kind:
            # created is also a return: the same id comes again where inactive_users is "removed".
            # In updated, state "inactive" means out, where inactive_users is "kept".
            case "dsync.user.created" | "dsync.user.updated":
                if not self.is_news(event, data["id"], gone(data["directory_id"])):
                    return False
                users[data["id"]] = {
                    "id": data["id"], "directory_id": data["directory_id"],
                    "email": data["email"], "active": data["state"] == "active",
                }
                last[data["id"]] = event
            case "dsync.user.deleted":
                self.end(event, users, "user_id", data["id"])
            case "dsync.group.created" | "dsync.group.updated":
                if not self.is_news(event, data["id"], gone(data["directory_id"])):
                    return False
                groups[data["id"]] = {"id": data["id"], "directory_id": data["directory_id"], "name": data["name"]}
                last[data["id"]] = event
            case "dsync.group.deleted":
                self.end(event, groups, "group_id", data["id"])
            case "dsync.group.user_added" | "dsync.group.user_removed":
                group, user, directory = data["group"]["id"], data["user"]["id"], data["directory_id"]
                pair = f"{group} {user}"
                if not self.is_news(event, pair, gone(user), gone(group), gone(directory)):
                    return False
                members.pop(pair, None)
                if kind.endswith("added"):
                    members[pair] = {"group_id": group, "user_id": user, "directory_id": directory}
                last[pair] = event
            case "dsync.deleted":  # all that was in the directory goes with it, without events of its own
                for table in (users, groups, members):
                    drop(table, lambda _, row: row["directory_id"] == data["id"])
                last[gone(data["id"])] = event
            case _:  # a type that was subscribed to and is not needed here
                return False
        return True

    def is_news(self, event, *things):
        """Tells whether an event is newer than all that is known of these things."""
        return all(self.rows["last"].get(thing, "") < event for thing in things)

    def end(self, event, table, column, thing):
        """Deletes a person or a group, and the memberships up to then: those are not named one by one.

        What has come back since, and was told of earlier, stays.
        """
        last = self.rows["last"]
        if self.is_news(event, gone(thing)):
            last[gone(thing)] = event
        drop(self.rows["members"], lambda pair, row: row[column] == thing and last[pair] < event)
        if self.is_news(event, thing):
            table.pop(thing, None)
            last[thing] = event

    def shown(self):
        """What the tables hold, sorted."""
        with self.lock:
            return {t: [row for _, row in sorted(self.rows[t].items())] for t in ("users", "groups", "members")}


# ---- HTTP.


class Handler(http.server.BaseHTTPRequestHandler):
    state = State()
    timeout = 10  # seconds that a sender may take over its request

    def do_POST(self):
        length = self.headers.get("Content-Length", "")
        if self.path != "/webhooks":
            return self.answer(404)
        if not length.isdecimal():
            return self.answer(411)
        if int(length) > MAX_BODY:
            return self.answer(413)
        body = self.rfile.read(int(length))
        if not genuine(self.headers, body):
            return self.answer(400)
        try:
            self.state.apply(json.loads(body))
        except Exception as e:  # it comes again
            self.log_error("%r", e)
            return self.answer(500)
        return self.answer(200)

    def do_GET(self):
        if self.path != "/state":
            return self.answer(404)
        return self.answer(200, json.dumps(self.state.shown()).encode())

    def answer(self, status, body=b""):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8090"))), Handler)
    print(f"receiving at http://127.0.0.1:{server.server_port}/webhooks", flush=True)
    server.serve_forever()
