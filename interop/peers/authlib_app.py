"""An application on Authlib: signs people in at PEER_ISSUER and answers with what it learned."""

import http.server
import json
import os
import secrets
import urllib.parse

import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.jose import JsonWebKey, jwt
from authlib.oidc.core import CodeIDToken

ISSUER = os.environ["PEER_ISSUER"]
CLIENT = json.loads(os.environ["PEER_CLIENT"])
EXTRA = json.loads(os.environ.get("PEER_PARAMETERS", "{}"))
PROVIDER = requests.get(ISSUER.rstrip("/") + "/.well-known/openid-configuration", timeout=30).json()
STARTED = {}  # state to what the callback has to bring back


def session():
    return OAuth2Session(
        CLIENT["ID"], CLIENT["Secret"], redirect_uri=CLIENT["RedirectURI"], scope="openid profile email",
        token_endpoint_auth_method=CLIENT["Method"], code_challenge_method="S256",
    )


class Application(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        path = urllib.parse.urlsplit(self.path)
        if path.path == "/":
            self.start()
        elif path.path == "/callback":
            self.callback(dict(urllib.parse.parse_qsl(path.query)))
        else:
            self.send_error(404)

    def start(self):
        verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
        to, state = session().create_authorization_url(
            PROVIDER["authorization_endpoint"], code_verifier=verifier, nonce=nonce, **EXTRA
        )
        STARTED[state] = (verifier, nonce)
        self.send_response(302)
        self.send_header("Location", to)
        self.end_headers()

    def callback(self, query):
        verifier, nonce = STARTED[query["state"]]
        client = session()
        token = client.fetch_token(PROVIDER["token_endpoint"], code=query["code"], code_verifier=verifier)
        keys = JsonWebKey.import_key_set(requests.get(PROVIDER["jwks_uri"], timeout=30).json())
        claims = jwt.decode(
            token["id_token"], keys, claims_cls=CodeIDToken,
            claims_options={"iss": {"essential": True, "value": PROVIDER["issuer"]}, "aud": {"essential": True, "value": CLIENT["ID"]}},
            claims_params={"nonce": nonce, "client_id": CLIENT["ID"], "access_token": token["access_token"]},
        )
        claims.validate(leeway=5)
        info = client.get(PROVIDER["userinfo_endpoint"]).json()
        body = json.dumps({"claims": {**claims, **info}}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)


where = urllib.parse.urlsplit(CLIENT["RedirectURI"])
http.server.ThreadingHTTPServer((where.hostname, where.port), Application).serve_forever()
