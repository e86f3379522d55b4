"""An app with a "Sign in with SSO" button, in Python with Flask and Authlib. Rollcall is an OpenID provider like any other:

    pip install -r requirements.txt && ISSUER=http://127.0.0.1:8080 CLIENT_ID=client_… CLIENT_SECRET=… python app.py

Its redirect URI is http://127.0.0.1:3000/callback, its back-channel logout URI http://127.0.0.1:3000/backchannel-logout.
"""

import os
import secrets
from urllib.parse import urlencode

from authlib.integrations.flask_client import OAuth
from flask import Flask, redirect, render_template_string, request, session
from joserfc import jwt
from joserfc.jwk import KeySet

PORT = int(os.environ.get("PORT", "3000"))
HOME = f"http://127.0.0.1:{PORT}"
LOGOUT = "http://schemas.openid.net/event/backchannel-logout"

app = Flask(__name__)
app.secret_key = secrets.token_bytes(32)
oauth = OAuth(app)
rollcall = oauth.register(
    "rollcall",
    server_metadata_url=os.environ["ISSUER"] + "/.well-known/openid-configuration",
    client_id=os.environ["CLIENT_ID"],
    client_secret=os.environ["CLIENT_SECRET"],
    client_kwargs={"scope": "openid profile email", "code_challenge_method": "S256"},
)

# Which sign-ins are still good: the cookie is signed, and worth nothing once its id has left this table. An app keeps it in its database.
signed_in = {}

PAGE = """{% if who %}Signed in as {{ who.email }} of {{ who.org_id }}. <a href="/sign-out">Sign out</a>
{% else %}Not signed in. <a href="/sign-in">Sign in with SSO</a>{% endif %}"""


@app.get("/")
def home():
    return render_template_string(PAGE, who=signed_in.get(session.get("id")))


@app.get("/sign-in")
def sign_in():
    # organization="org_…" leads straight to that customer's provider; without it Rollcall asks for the email address.
    return rollcall.authorize_redirect(HOME + "/callback")


@app.get("/callback")
def callback():
    token = rollcall.authorize_access_token()
    session.clear()
    session["id"] = secrets.token_urlsafe(32)
    session["id_token"] = token["id_token"]
    signed_in[session["id"]] = token["userinfo"]
    return redirect("/")


@app.get("/sign-out")
def sign_out():
    signed_in.pop(session.get("id"), None)
    back = {"post_logout_redirect_uri": HOME + "/"}
    if hint := session.get("id_token"):
        back["id_token_hint"] = hint
    session.clear()
    return redirect(rollcall.load_server_metadata()["end_session_endpoint"] + "?" + urlencode(back))


@app.post("/backchannel-logout")
def backchannel_logout():
    """Rollcall says here that a session has ended: by signing out elsewhere, or because the person was deactivated."""
    keys = KeySet.import_key_set(rollcall.fetch_jwk_set(force=True))
    token = jwt.decode(request.form["logout_token"], keys, algorithms=["RS256", "ES256"])
    jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": rollcall.load_server_metadata()["issuer"]},
        aud={"essential": True, "value": rollcall.client_id},
        exp={"essential": True},
        iat={"essential": True},
    ).validate(token.claims)
    if token.header.get("typ") != "logout+jwt" or LOGOUT not in token.claims.get("events", {}):
        return "not a logout token", 400
    sid, sub = token.claims.get("sid"), token.claims.get("sub")
    for key, who in list(signed_in.items()):
        if who.get("sid") == sid if sid else who["sub"] == sub:
            del signed_in[key]
    return "", 200, {"Cache-Control": "no-store"}


if __name__ == "__main__":
    print(f"The app is at {HOME}/", flush=True)
    app.run("127.0.0.1", PORT)
