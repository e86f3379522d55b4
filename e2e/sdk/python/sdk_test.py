"""The story that the WorkOS SDK for Python plays; the argument names the area. Base URL changed and nothing else."""

import base64
import hashlib
import hmac
import http.server
import json
import os
import re
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from datetime import datetime, timedelta, timezone

import workos
from workos.connect.models import CreateOAuthApplication, RedirectUriInput
from workos.events.models import EventSchema
from workos.organization_membership import RoleSingle
from workos.organizations.models import OrganizationDomainData
from workos.session import seal_session_from_auth_response

URL = os.environ["ROLLCALL_URL"]
KEY = os.environ["API_KEY"]
MISSING = "org_01HXYZ0000000000000000000X"


def connect(url=URL, key=KEY, **more):
    return workos.WorkOSClient(api_key=key, client_id=os.environ["CLIENT_ID"], base_url=url, **more)


client = connect()


def unique():
    return uuid.uuid4().hex


def equal(got, want, what=""):
    assert got == want, f"{what or 'a value'} is {got!r}, want {want!r}"


def refused(error, do, /, **members):
    """Checks that a call fails with one of the SDK's errors."""
    try:
        do()
    except workos.WorkOSError as e:
        equal(type(e).__name__, error, f"the kind of error ({e})")
        for name, want in members.items():
            equal(getattr(e, name), want, f"{error}.{name} ({e})")
        return e
    raise AssertionError(f"no {error}")


def call(method, path, body=None, bearer=KEY):
    """What WorkOS has no route for: making a directory, and being an identity provider."""
    url = path if path.startswith("http") else URL + path
    kind = "application/scim+json" if "/scim/" in url else "application/json"
    request = urllib.request.Request(
        url, method=method, data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": "Bearer " + bearer, "Content-Type": kind},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            text = response.read()
    except urllib.error.HTTPError as e:
        raise AssertionError(f"{method} {path}: {e.code} {e.read().decode()}") from e
    return json.loads(text) if text else None


class Feed:
    """A directory and its identity provider."""

    def __init__(self, organization_id):
        made = call("POST", "/directories", {"organization_id": organization_id, "name": f"People {unique()}", "type": "okta scim v2.0"})
        self.id, self.base, self.token = made["id"], made["scim_endpoint"], made["bearer_token"]

    def scim(self, method, path, body=None):
        return call(method, self.base + path, body, self.token)

    def person(self, name, **more):
        return self.scim("POST", "/Users", {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "userName": f"{name}@example.com", "externalId": f"ext-{name}", "active": True,
            "name": {"givenName": name, "familyName": "Sample"},
            "emails": [{"value": f"{name}@example.com", "type": "work", "primary": True}], **more,
        })

    def group(self, name, *members):
        return self.scim("POST", "/Groups", {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": name, "members": [{"value": m} for m in members],
        })

    def patch(self, what, **operation):
        return self.scim("PATCH", what, {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation]})


def ids(items):
    return [item.id for item in items]


def organizations():
    orgs, tag = client.organizations, unique()
    made = orgs.create_organization(
        name='R&D <Europe> "é"', external_id=f"crm/{tag}?%2F#", metadata={"tier": "gold", "region": "eu"},
        domain_data=[OrganizationDomainData(domain=f"{tag}.example.com", state="verified")],
    )
    assert re.fullmatch(r"org_[0-9A-HJKMNP-TV-Z]{26}", made.id), made.id
    equal(made.object, "organization")
    equal(made.name, 'R&D <Europe> "é"')
    equal(made.metadata, {"tier": "gold", "region": "eu"})
    equal([(d.domain, d.organization_id) for d in made.domains], [(f"{tag}.example.com", made.id)])
    assert abs(made.created_at - datetime.now(timezone.utc)) < timedelta(minutes=5), made.created_at
    equal(orgs.get_organization(made.id), made)
    equal(orgs.get_organization_by_external_id(f"crm/{tag}?%2F#"), made)
    equal(orgs.list_organizations(domains=["nowhere.example.com", f"{tag}.example.com"]).data, [made])

    changed = orgs.update_organization(
        made.id, name="Research", external_id=f"new-{tag}", metadata={"tier": None, "plan": "pro"},
        domain_data=[OrganizationDomainData(domain=f"new.{tag}.example.com", state="pending")],
    )
    equal((changed.id, changed.name, changed.external_id), (made.id, "Research", f"new-{tag}"))
    equal(changed.metadata, {"region": "eu", "plan": "pro"})
    equal([d.domain for d in changed.domains], [f"new.{tag}.example.com"])
    link = client.admin_portal.generate_link(
        organization=made.id, intent="sso", return_url="https://app.example.com/back", it_contact_emails=["it@example.com"]).link
    assert re.search(r"/portal/link/portal_[0-9A-Za-z]{49}$", link), link
    without = orgs.update_organization(made.id, external_id=None)
    equal((without.external_id, without.name), (None, "Research"))
    refused("NotFoundError", lambda: orgs.update_organization(MISSING, name="Nobody"))

    orgs.delete_organization(made.id)
    refused("NotFoundError", lambda: orgs.get_organization(made.id), status_code=404, code="entity_not_found")

    sparse = orgs.create_organization(name="Sparse", external_id=None, metadata=None)
    equal((sparse.external_id, sparse.metadata, sparse.domains), (None, {}, []))

    once = {"idempotency_key": unique()}
    first = orgs.create_organization(name="Once", request_options=once)
    equal(orgs.create_organization(name="Once", request_options=once), first)
    refused("UnprocessableEntityError", lambda: orgs.create_organization(name="Twice", request_options=once))

    made = [orgs.create_organization(name=f"Page {tag}").id for _ in range(23)]
    page = orgs.list_organizations(search=f"Page {tag}")
    equal(ids(page.data), made[:-11:-1])
    equal((page.before, page.after), (None, made[-10]))
    equal(ids(page.auto_paging_iter()), made[::-1])
    equal(ids(orgs.list_organizations(search=f"Page {tag}", order="asc", limit=3, before=made[20])), made[17:20])


def domains():
    owner, domain = client.organizations.create_organization(name="Owner"), f"{unique()}.example.com"
    of = client.organization_domains
    made = of.create_organization_domain(domain=domain, organization_id=owner.id)
    equal((made.domain, made.organization_id, made.state), (domain, owner.id, "pending"))
    assert made.verification_token and made.verification_prefix, made
    equal(of.get_organization_domain(made.id), made)
    refused("ConflictError", lambda: of.create_organization_domain(domain=domain, organization_id=owner.id))
    refused("UnprocessableEntityError", lambda: of.create_organization_domain(domain="no domain", organization_id=owner.id))

    # There is no such name, so the proof cannot be found; the operator vouches instead.
    equal(of.verify_organization_domain(made.id).state, "pending")
    call("POST", f"/organization_domains/{made.id}/verify", {"verification_strategy": "manual"})
    equal(of.get_organization_domain(made.id).state, "verified")
    refused("BadRequestError", lambda: of.verify_organization_domain(made.id), code="domain_already_verified")
    of.delete_organization_domain(made.id)
    refused("NotFoundError", lambda: of.get_organization_domain(made.id))


def directories():
    owner, sync = client.organizations.create_organization(name="Owner"), client.directory_sync
    feed, other = Feed(owner.id), Feed(owner.id)
    listed = sync.list_directories(organization_id=owner.id)
    equal(ids(listed), [other.id, feed.id])
    equal(listed.data[0].state, "unlinked")
    equal(ids(sync.list_directories(organization_id=owner.id, limit=1).auto_paging_iter()), [other.id, feed.id])

    ann = feed.person("ann", title="Engineer", **{
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"employeeNumber": "7", "department": "R&D"},
    })
    bob, eve = feed.person("bob"), feed.person("eve", active=False)
    crew, staff = feed.group("Crew", ann["id"], bob["id"]), feed.group("Staff", ann["id"])

    got = sync.get_directory(feed.id)
    equal((got.id, got.state, got.type, got.organization_id), (feed.id, "linked", "okta scim v2.0", owner.id))
    equal(sync.list_directories(search=got.name).data, [got])

    users = sync.list_users(directory=feed.id)
    equal(ids(users), [eve["id"], bob["id"], ann["id"]])
    equal(ids(sync.list_users(directory=feed.id, order="asc", limit=1).auto_paging_iter()), [ann["id"], bob["id"], eve["id"]])
    equal(ids(sync.list_users(group=crew["id"])), [bob["id"], ann["id"]])
    equal(ids(sync.list_users(directory=feed.id, idp_id="ext-bob")), [bob["id"]])
    equal(ids(sync.list_users(directory=feed.id, email="eve@example.com")), [eve["id"]])

    user = sync.get_user(ann["id"])
    equal(user, users.data[2])
    equal((user.first_name, user.last_name, user.email, user.idp_id), ("ann", "Sample", "ann@example.com", "ext-ann"))
    equal((user.state, user.directory_id, user.organization_id), ("active", feed.id, owner.id))
    equal(sorted(g.name for g in user.groups), ["Crew", "Staff"])
    for name, want in {"job_title": "Engineer", "department_name": "R&D", "employee_number": "7"}.items():
        equal(user.custom_attributes[name], want, name)
    equal(sync.get_user(eve["id"]).state, "inactive")

    groups = sync.list_groups(directory=feed.id)
    equal(ids(groups), [staff["id"], crew["id"]])
    equal([g.name for g in sync.list_groups(user=bob["id"])], ["Crew"])
    equal(sync.get_group(crew["id"]), groups.data[1])

    refused("UnprocessableEntityError", sync.list_users)
    sync.delete_directory(feed.id)
    for gone in (lambda: sync.get_directory(feed.id), lambda: sync.get_user(ann["id"]), lambda: sync.get_group(crew["id"])):
        refused("NotFoundError", gone)
    equal(ids(sync.list_directories(organization_id=owner.id)), [other.id])


TYPES = [
    "organization.created", "organization.updated", "organization.deleted",
    "organization_domain.created", "organization_domain.verified", "organization_domain.deleted",
    "api_key.created", "api_key.revoked", "dsync.activated", "dsync.deleted",
    "dsync.user.created", "dsync.user.updated", "dsync.user.deleted",
    "dsync.group.created", "dsync.group.updated", "dsync.group.deleted", "dsync.group.user_added", "dsync.group.user_removed",
]


def events():
    started = datetime.now(timezone.utc) - timedelta(seconds=1)
    owner = client.organizations.create_organization(name="Owner")
    client.organizations.update_organization(owner.id, name="Renamed")
    domain = client.organization_domains.create_organization_domain(domain=f"{unique()}.example.com", organization_id=owner.id)
    call("POST", f"/organization_domains/{domain.id}/verify", {"verification_strategy": "manual"})
    client.organization_domains.delete_organization_domain(domain.id)
    key = client.api_keys.create_organization_api_key(owner.id, name="Key")
    client.api_keys.delete_api_key(key.id)
    feed = Feed(owner.id)
    ann, bob = feed.person("ann"), feed.person("bob")
    crew = feed.group("Crew", ann["id"], bob["id"])
    feed.patch(f"/Users/{ann['id']}", op="replace", path="title", value="Lead")
    feed.patch(f"/Users/{bob['id']}", op="replace", path="active", value=False)  # and leaves the group
    feed.patch(f"/Groups/{crew['id']}", op="replace", path="displayName", value="Team")
    feed.scim("DELETE", f"/Users/{ann['id']}")
    feed.scim("DELETE", f"/Groups/{crew['id']}")
    client.directory_sync.delete_directory(feed.id)
    client.organizations.delete_organization(owner.id)

    listen = client.events.list_events
    seen = list(listen(events=TYPES, organization_id=owner.id, limit=7).auto_paging_iter())
    equal(len(set(ids(seen))), len(seen), "the number of different events")
    equal(sorted({e.event for e in seen}), sorted(TYPES))
    for event in seen:
        # The SDK has a class for each type it knows; an unknown one would be a plain dictionary.
        assert type(event).__name__ == "".join(part.capitalize() for part in re.split(r"[._]", event.event)), type(event)
        assert re.fullmatch(r"event_[0-9A-HJKMNP-TV-Z]{26}", event.id), event.id
        assert event.context.actor.id and event.context.actor.source, event.context
        if event.event.startswith(("dsync.user", "dsync.group")):
            equal((event.context.actor.source, event.context.actor.id), ("system", feed.id))

    of = {name: [e.data for e in seen if e.event == name] for name in TYPES}
    equal([d.id for name in ("organization.created", "organization.deleted") for d in of[name]], [owner.id, owner.id])
    equal(of["organization.updated"][0].name, "Renamed")
    equal([d.id for name in ("api_key.created", "api_key.revoked") for d in of[name]], [key.id, key.id])
    equal((of["dsync.activated"][0].state, of["dsync.activated"][0].domains), ("active", []))
    equal([d.email for d in of["dsync.user.created"]], ["ann@example.com", "bob@example.com"])
    assert all(d.previous_attributes is not None for d in of["dsync.user.updated"]), of["dsync.user.updated"]
    equal([d.id for d in of["dsync.user.deleted"]], [ann["id"]])
    equal((of["dsync.group.updated"][0].name, of["dsync.group.updated"][0].previous_attributes["name"]), ("Team", "Crew"))
    equal({(d.directory_id, d.group.id, d.user.id) for d in of["dsync.group.user_added"]}, {(feed.id, crew["id"], p["id"]) for p in (ann, bob)})

    equal(ids(listen(events=TYPES, organization_id=owner.id, order="desc", limit=100)), ids(seen)[::-1])
    equal(ids(listen(events=TYPES, organization_id=owner.id, range_start=started, limit=100)), ids(seen))
    past = {"range_start": "2020-01-01T00:00:00.000Z", "range_end": "2020-01-02T00:00:00.000Z"}
    equal(ids(listen(events=TYPES, organization_id=owner.id, **past)), [])
    refused("UnprocessableEntityError", lambda: listen(events=["no.such"]))


class Receiver(http.server.BaseHTTPRequestHandler):
    got = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        Receiver.got.append((self.headers, body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def webhooks():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url, hooks = f"{os.environ['HOOKS_URL']}/{server.server_port}/hook", client.webhooks
    endpoint = hooks.create_webhook_endpoint(endpoint_url=url, events=["organization.created"])
    equal((endpoint.endpoint_url, endpoint.status, endpoint.events), (url, "enabled", ["organization.created"]))
    owner = client.organizations.create_organization(name=f'R&D <{unique()}> "é"\u2028')
    headers, body = eventually("the delivery", lambda: next((d for d in Receiver.got if owner.id.encode() in d[1]), None))

    def verify(**more):
        return hooks.verify_event(**{
            "event_body": body, "event_signature": headers["WorkOS-Signature"], "secret": endpoint.secret, **more,
        })

    event = verify()
    equal((event.event, event.data.id, event.data.name), ("organization.created", owner.id, owner.name))
    listed = client.events.list_events(events=["organization.created"], organization_id=owner.id).data
    equal([event], listed, "the delivery beside what /events shows")
    equal(EventSchema.from_dict(json.loads(body)), event)

    def invalid(what, **more):
        try:
            verify(**more)
        except ValueError as e:
            assert what in str(e), e
        else:
            raise AssertionError(f"accepted: {what}")

    invalid("does not match", secret="whsec_wrong")
    invalid("does not match", event_body=body.replace(b"organization.created", b"organization.updated"))
    old = int(time.time() * 1000) - 600_000
    digest = hmac.new(endpoint.secret.encode(), f"{old}.".encode() + body, hashlib.sha256).hexdigest()
    invalid("tolerance", event_signature=f"t={old}, v1={digest}")
    verify(event_signature=f"t={old}, v1={digest}", tolerance=700)  # it was the age alone

    # The same request carries Standard Webhooks.
    equal(headers["webhook-id"], event.id)
    key = base64.b64decode(endpoint.secret.removeprefix("whsec_") + "==")
    signed = f"{event.id}.{headers['webhook-timestamp']}.".encode() + body
    want = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert want in headers["webhook-signature"].split(" "), headers["webhook-signature"]

    assert endpoint.id in ids(hooks.list_webhook_endpoints().auto_paging_iter())
    changed = hooks.update_webhook_endpoint(endpoint.id, status="disabled", events=["dsync.user.created"])
    equal((changed.status, changed.events, changed.endpoint_url), ("disabled", ["dsync.user.created"], url))
    refused("ConflictError", lambda: hooks.create_webhook_endpoint(endpoint_url=url, events=["dsync.user.created"]), code="duplicate_endpoint")
    for target in ("http://10.1.2.3/hook", "http://169.254.169.254/", "nonsense"):
        refused("UnprocessableEntityError", lambda: hooks.create_webhook_endpoint(endpoint_url=target, events=["dsync.user.created"]), code="invalid_url")
    hooks.delete_webhook_endpoint(endpoint.id)
    refused("NotFoundError", lambda: hooks.update_webhook_endpoint(endpoint.id, status="enabled"), code="entity_not_found")
    server.shutdown()


def api_keys():
    owner, keys = client.organizations.create_organization(name="Owner"), client.api_keys
    made = keys.create_organization_api_key(owner.id, name="Importer", permissions=["scim"])
    equal((made.name, made.permissions, made.owner.id, made.last_used_at, made.expires_at), ("Importer", ["scim"], owner.id, None, None))
    assert made.value.startswith("sk_") and made.value not in made.obfuscated_value, made.obfuscated_value
    later = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(days=30)
    second = keys.create_organization_api_key(owner.id, name="Other", expires_at=later)
    equal(second.expires_at, later)
    equal(ids(keys.list_organization_api_keys(owner.id, limit=1).auto_paging_iter()), [second.id, made.id])

    equal(keys.create_validation(value=made.value).api_key.id, made.id)
    equal(keys.create_validation(value="sk_wrong").api_key, None)
    moved = keys.create_api_key_expire(second.id, expires_at=None)
    equal(moved.expires_at, None)
    assert keys.create_validation(value=second.value).api_key is not None
    keys.create_api_key_expire(second.id)
    equal(keys.create_validation(value=second.value).api_key, None)

    keys.delete_api_key(made.id)
    equal(keys.create_validation(value=made.value).api_key, None)
    refused("NotFoundError", lambda: keys.delete_api_key(made.id))
    refused("NotFoundError", lambda: keys.list_organization_api_keys(MISSING))
    refused("UnprocessableEntityError", lambda: keys.create_organization_api_key(owner.id, name=""))


CALLBACK = "http://127.0.0.1:9/callback"  # nobody listens: the browser stops before it


class Customer:
    """An organization with a domain and an identity provider, as the operator sets them up."""

    def __init__(self):
        self.domain = f"{unique()}.example.com"
        data = [OrganizationDomainData(domain=self.domain, state="verified")]
        self.id = client.organizations.create_organization(name="Owner", domain_data=data).id
        self.connection = call("POST", "/connections", {
            "organization_id": self.id, "name": "People", "connection_type": "GenericSAML", "idp_entity_id": os.environ["IDP_ENTITY_ID"],
            "sso_url": os.environ["IDP_SSO_URL"], "certificates": [os.environ["IDP_CERTIFICATE"]],
        })["id"]


def walk(start, email, **typed):
    """Sends a browser to where the SDK says, through the identity provider, and back to the app."""
    typed |= {"person": "other", "email": email}
    return call("POST", os.environ["BROWSER_URL"], {"start": start, "stop": CALLBACK, "typed": typed})


def code_for(start, email, **typed):
    back = walk(start, email, **typed)
    assert back["url"].startswith(CALLBACK), back
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(back["url"]).query))


def sign_in():
    owner, sso = Customer(), client.sso
    own = client.user_management
    uri = own.create_redirect_uri(uri=CALLBACK)
    equal((uri.uri, [u.id for u in own.list_redirect_uris().auto_paging_iter() if u.uri == CALLBACK]), (CALLBACK, [uri.id]))
    refused("UnprocessableEntityError", lambda: own.create_redirect_uri(uri="http://elsewhere.example/"))

    email = f"ann@{owner.domain}"
    back = code_for(sso.get_authorization_url(organization=owner.id, redirect_uri=CALLBACK, state="a b&c/é"), email, first_name="Ann", last_name="Lee", groups="Crew, Staff")
    equal(back["state"], "a b&c/é")
    refused("BadRequestError", lambda: connect(key="sk_wrong").sso.get_profile_and_token(code=back["code"]), error="invalid_client")
    got = sso.get_profile_and_token(code=back["code"])
    profile = got.profile
    equal((profile.email, profile.first_name, profile.last_name, profile.groups), (email, "Ann", "Lee", ["Crew", "Staff"]))
    equal((profile.organization_id, profile.connection_id, profile.connection_type.value), (owner.id, owner.connection, "GenericSAML"))
    equal((got.token_type, sso.get_profile(access_token=got.access_token)), ("Bearer", profile))
    refused("AuthenticationError", lambda: sso.get_profile(access_token="nonsense"), status_code=401)
    # A code serves once, and used again takes back what it was exchanged for.
    refused("BadRequestError", lambda: sso.get_profile_and_token(code=back["code"]), error="invalid_grant")
    refused("AuthenticationError", lambda: sso.get_profile(access_token=got.access_token))

    begun = sso.get_authorization_url_with_pkce(connection=owner.connection, redirect_uri=CALLBACK, login_hint=email)
    back = code_for(begun["url"], email, first_name="Anna")
    equal(back["state"], begun["state"])
    refused("BadRequestError", lambda: sso.get_profile_and_token_pkce(code=back["code"], code_verifier="x" * 43), error="invalid_grant")
    again = sso.get_profile_and_token_pkce(code=back["code"], code_verifier=begun["code_verifier"])
    equal((again.profile.id, again.profile.first_name), (profile.id, "Anna"))
    denied = walk(sso.get_authorization_url(connection=owner.connection, redirect_uri=CALLBACK), email, scenario="deny")
    equal(denied["status"], 403, denied["body"])
    nowhere = code_for(sso.get_authorization_url(organization=MISSING, redirect_uri=CALLBACK, state="s"), email)
    equal((nowhere["error"], nowhere["state"]), ("organization_invalid", "s"))
    with urllib.request.urlopen(f"{URL}/sso/jwks/{client.client_id}", timeout=30) as response:
        assert json.load(response)["keys"]

    leave(owner, again)
    one = sso.get_connection(owner.connection)
    equal((one.id, one.organization_id, one.name, one.state.value), (owner.connection, owner.id, "People", "active"))
    equal([d.domain for d in one.domains], [owner.domain])
    equal(sso.list_connections(organization_id=owner.id, connection_type="GenericSAML").data, [one])
    equal(ids(sso.list_connections(domain=owner.domain, limit=1).auto_paging_iter()), [one.id])
    sso.delete_connection(one.id)
    refused("NotFoundError", lambda: sso.get_connection(one.id), status_code=404)
    sign_in_events(owner, profile)
    own.delete_redirect_uris(uri.id)
    refused("NotFoundError", lambda: own.delete_redirect_uris(uri.id))


def leave(owner, got):
    """Ends what the profile is signed in to, by an address that the browser is sent to."""
    ticket = client.sso.authorize_logout(profile_id=got.profile.id)
    assert "/sso/logout?token=" in ticket.logout_url, ticket
    out = walk(client.sso.get_logout_url(token=ticket.logout_token), "")
    assert out["status"] == 200 and out["url"].endswith("/signed-out"), out
    refused("AuthenticationError", lambda: client.sso.get_profile(access_token=got.access_token))
    refused("NotFoundError", lambda: client.sso.authorize_logout(profile_id="prof_01HXYZ0000000000000000000X"))


SIGN_IN_TYPES = [
    "connection.activated", "connection.deleted", "authentication.sso_started", "authentication.sso_succeeded", "authentication.sso_failed",
    "user.created", "user.updated", "organization_membership.created", "session.created", "session.revoked",
]


def sign_in_events(owner, profile):
    seen = list(client.events.list_events(events=SIGN_IN_TYPES, organization_id=owner.id, limit=3).auto_paging_iter())
    people = list(client.events.list_events(events=["user.created", "user.updated"], limit=100).auto_paging_iter())
    seen += [e for e in people if e.data.email == profile.email and e.id not in ids(seen)]
    for event in seen:
        equal(type(event).__name__.lower(), re.sub(r"[._]", "", event.event))
    of = {name: [e.data for e in seen if e.event == name] for name in SIGN_IN_TYPES}
    equal([name for name in SIGN_IN_TYPES if not of[name]], [])
    user = of["user.created"][0]
    equal((user.email, user.first_name, user.email_verified), (profile.email, "Ann", True))
    equal((of["user.updated"][0].id, of["user.updated"][0].first_name), (user.id, "Anna"))
    equal([(d.id, d.state.value if hasattr(d.state, "value") else d.state) for d in of["connection.activated"]], [(owner.connection, "active")])
    equal([d.id for d in of["connection.deleted"]], [owner.connection])
    equal([(d.user_id, d.organization_id) for d in of["organization_membership.created"]], [(user.id, owner.id)])
    equal([(d.user_id, d.sso.connection_id) for d in of["authentication.sso_succeeded"]], [(user.id, owner.connection)] * 2)
    equal([d.error.code for d in of["authentication.sso_failed"]], ["idp_denied"])
    equal(len(of["authentication.sso_started"]), 3)
    equal({d.user_id for d in of["session.created"] + of["session.revoked"]}, {user.id})
    equal(sorted(d.id for d in of["session.created"]), sorted(d.id for d in of["session.revoked"]), "the sessions that ended")


COOKIE_PASSWORD = base64.urlsafe_b64encode(bytes(range(32))).decode()
AFTER_LOGOUT = "http://127.0.0.1:9/bye"  # nobody listens: the browser stops before it


def accounts():
    own = client.user_management
    uris = [own.create_redirect_uri(uri=CALLBACK)] if not any(u.uri == CALLBACK for u in own.list_redirect_uris().auto_paging_iter()) else []
    default = next(a for a in call("GET", "/connect/applications?limit=100")["data"] if a["is_default"])
    call("PUT", f"/connect/applications/{default['id']}", {"post_logout_redirect_uris": [AFTER_LOGOUT]})
    users()
    memberships()
    owner = Customer()
    signed_in(owner)
    revoked(owner)
    for uri in uris:
        own.delete_redirect_uris(uri.id)


def users():
    of, email, external = client.user_management, f"ada-{unique()}@example.net", unique()
    made = of.create_user(email=email, first_name="Ada", email_verified=True, external_id=external, metadata={"plan": "pro"})
    assert re.fullmatch(r"user_[0-9A-HJKMNP-TV-Z]{26}", made.id), made
    equal((made.email, made.first_name, made.last_name, made.email_verified, made.metadata), (email, "Ada", None, True, {"plan": "pro"}))
    equal((of.get_user(made.id).id, of.get_user_by_external_id(external).id), (made.id, made.id))
    changed = of.update_user(made.id, last_name="Lovelace", metadata={"seat": "7"})
    equal((changed.first_name, changed.last_name, changed.metadata, changed.external_id), ("Ada", "Lovelace", {"plan": "pro", "seat": "7"}, external))
    equal(of.update_user(made.id, external_id=None).external_id, None)
    equal(ids(of.list_users(email=email.upper()).data), [made.id])
    refused("BadRequestError", lambda: of.create_user(email=email), code="user_creation_error", status_code=400)
    refused("UnprocessableEntityError", lambda: of.list_users(organization_id="nothing"), status_code=422)
    equal(of.get_user_identities(made.id), [])
    of.delete_user(made.id)
    refused("NotFoundError", lambda: of.get_user(made.id), status_code=404)


def memberships():
    of, owner = client.organization_membership, client.organizations.create_organization(name="Owner")
    bob, eve = (client.user_management.create_user(email=f"{name}-{unique()}@example.net") for name in ("bob", "eve"))
    made = of.create_organization_membership(user_id=bob.id, organization_id=owner.id, role=RoleSingle(role_slug="member"))
    equal((made.user_id, made.organization_id, made.status.value, made.role.slug, made.directory_managed), (bob.id, owner.id, "active", "member", False))
    second = of.create_organization_membership(user_id=eve.id, organization_id=owner.id)
    equal(ids(of.list_organization_memberships(organization_id=owner.id, limit=1).auto_paging_iter()), [second.id, made.id])
    equal(ids(of.list_organization_memberships(user_id=bob.id).data), [made.id])
    equal(of.get_organization_membership(made.id).user.email, bob.email)
    for _ in range(2):
        equal(of.deactivate_organization_membership(made.id).status.value, "inactive")
    equal(ids(of.list_organization_memberships(organization_id=owner.id).data), [second.id])
    equal(ids(of.list_organization_memberships(organization_id=owner.id, statuses=["inactive", "pending"]).data), [made.id])
    for _ in range(2):
        equal(of.reactivate_organization_membership(made.id).status.value, "active")
    equal(of.update_organization_membership(made.id, role=RoleSingle(role_slug="member")).role.slug, "member")
    refused("UnprocessableEntityError", lambda: of.update_organization_membership(made.id, role=RoleSingle(role_slug="nothing")), code="invalid_role")
    of.delete_organization_membership(second.id)
    refused("NotFoundError", lambda: of.get_organization_membership(second.id), status_code=404)


def code_of(owner, **more):
    url = client.user_management.get_authorization_url(redirect_uri=CALLBACK, state="a b&c/é", **more)
    back = code_for(url, f"ann@{owner.domain}", first_name="Ann", last_name="Lee")
    equal(back["state"], "a b&c/é")
    return back["code"]


def signed_in(owner):
    of = client.user_management
    code = code_of(owner, provider="authkit", organization_id=owner.id)
    refused("BadRequestError", lambda: connect(key="sk_wrong").user_management.authenticate_with_code(code=code), error="invalid_client")
    got = of.authenticate_with_code(code=code)
    equal((got.user.email, got.organization_id, got.authentication_method.value, got.impersonator), (f"ann@{owner.domain}", owner.id, "SSO", None))
    # Offline, by the published keys, and by the SDK's own rules of what a user's access token is.
    sealed = seal_session_from_auth_response(
        access_token=got.access_token, refresh_token=got.refresh_token, user=got.user.to_dict(), cookie_password=COOKIE_PASSWORD,
    )
    session = connect(URL + "/", jwt_issuer=issuer_of(got.access_token)).user_management.load_sealed_session(session_data=sealed, cookie_password=COOKIE_PASSWORD)
    held = session.authenticate()
    assert held.authenticated, held
    equal((held.organization_id, held.role, held.roles, held.permissions), (owner.id, "member", ["member"], []))
    fresh = session.refresh()
    assert fresh.authenticated and fresh.session_id == held.session_id, fresh
    refused("BadRequestError", lambda: of.authenticate_with_refresh_token(refresh_token=got.refresh_token), error="invalid_grant")

    begun = of.get_authorization_url_with_pkce(provider="authkit", organization_id=owner.id, redirect_uri=CALLBACK)
    back = code_for(begun["url"], f"ann@{owner.domain}")
    again = of.authenticate_with_code_pkce(code=back["code"], code_verifier=begun["code_verifier"])
    equal(again.user.id, got.user.id)
    listed = {s.id: s.status.value for s in of.list_sessions(got.user.id).auto_paging_iter()}
    sid = claims_of(again.access_token)["sid"]
    equal(listed[sid], "active")
    stray = walk(of.get_logout_url(session_id=sid, return_to="https://elsewhere.example/"), "")
    equal(stray["status"], 400, stray["body"])
    out = call("POST", os.environ["BROWSER_URL"], {"start": of.get_logout_url(session_id=sid, return_to=AFTER_LOGOUT), "stop": AFTER_LOGOUT, "typed": {}})
    equal(out["url"], AFTER_LOGOUT)
    refused("BadRequestError", lambda: of.authenticate_with_refresh_token(refresh_token=again.refresh_token), error="invalid_grant")


def claims_of(token):
    body = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


def issuer_of(token):
    return claims_of(token)["iss"]


def revoked(owner):
    of = client.user_management
    got = of.authenticate_with_code(code=code_of(owner, connection_id=owner.connection))
    of.revoke_session(session_id=claims_of(got.access_token)["sid"])
    refused("BadRequestError", lambda: of.authenticate_with_refresh_token(refresh_token=got.refresh_token), error="invalid_grant")
    refused("NotFoundError", lambda: of.revoke_session(session_id="session_01HXYZ0000000000000000000X"), status_code=404)
    refused("BadRequestError", lambda: of.authenticate_with_password(email=got.user.email, password="x"), error="authentication_method_not_allowed")


def applications():
    of, name = client.connect, f"App {unique()}"
    uri = RedirectUriInput(uri=CALLBACK, default=True)
    made = of.create_application(body=CreateOAuthApplication(
        name=name, application_type="oauth", is_first_party=True, description="Ours", scopes=["openid", "email"], redirect_uris=[uri], uses_pkce=True,
    ))
    assert re.fullmatch(r"conn_app_[0-9A-HJKMNP-TV-Z]{26}", made.id) and made.client_id.startswith("client_"), made
    equal((made.name, made.description, made.scopes, made.uses_pkce, made.is_first_party), (name, "Ours", ["openid", "email"], True, True))
    equal([(u.uri, u.default) for u in made.redirect_uris], [(CALLBACK, True)])
    equal(of.get_application(made.id), made)
    owner = client.organizations.create_organization(name="Owner")
    theirs = of.create_oauth_application(name=name, is_first_party=False, organization_id=owner.id)
    equal((theirs.organization_id, of.list_applications(organization_id=owner.id).data), (owner.id, [theirs]))
    equal(ids(of.list_applications(limit=1).auto_paging_iter())[:2], [theirs.id, made.id])
    changed = of.update_application(made.id, name=f"New {name}")
    equal((changed.name, changed.description, changed.redirect_uris), (f"New {name}", "Ours", made.redirect_uris))
    equal(of.update_application(made.id, description=None).description, None)

    first, second = of.create_application_client_secret(made.id), of.create_application_client_secret(made.id)
    assert first.secret != second.secret and first.secret.endswith(first.secret_hint), first
    equal(sorted(ids(of.list_application_client_secrets(made.id))), sorted([first.id, second.id]))
    of.delete_client_secret(first.id)
    equal(ids(of.list_application_client_secrets(made.id)), [second.id])
    refused("UnprocessableEntityError", lambda: of.create_oauth_application(name="", is_first_party=True))
    refused("UnprocessableEntityError", lambda: of.create_m2m_application(name=name, organization_id=owner.id))
    of.delete_application(made.id)
    refused("NotFoundError", lambda: of.get_application(made.id), status_code=404)


def errors():
    orgs = client.organizations
    missing = refused("NotFoundError", lambda: orgs.get_organization(MISSING), status_code=404, code="entity_not_found")
    assert MISSING in missing.message and missing.request_id.startswith("req_"), missing
    wrong = refused("UnprocessableEntityError", lambda: orgs.create_organization(name=""), status_code=422)
    equal(wrong.errors[0]["field"], "name")
    taken = unique()
    orgs.create_organization(name="First", external_id=taken)
    refused("BadRequestError", lambda: orgs.create_organization(name="Second", external_id=taken), code="external_id_already_used")
    refused("AuthenticationError", lambda: connect(key="sk_wrong").organizations.list_organizations(), status_code=401)
    owner = orgs.create_organization(name="Owner")
    key = client.api_keys.create_organization_api_key(owner.id, name="Key")
    refused("AuthenticationError", lambda: connect(key=key.value).organizations.list_organizations())


def limits():
    """The server behind this client allows two requests a second."""
    limited = connect(os.environ["LIMITED_URL"], max_retries=0)
    refusals = passed = 0
    for _ in range(60):
        try:
            limited.organizations.list_organizations()
            passed += 1
        except workos.RateLimitExceededError as e:
            refusals += 1
            equal(e.status_code, 429)
            assert e.message and e.retry_after and e.retry_after > 0, e
    assert refusals and passed, f"{refusals} refused, {passed} passed"


def eventually(what, look):
    end = time.monotonic() + 30
    while time.monotonic() < end:
        found = look()
        if found is not None:
            return found
        time.sleep(0.02)
    raise AssertionError(f"waited in vain for {what}")


AREAS = [organizations, domains, directories, events, webhooks, api_keys, sign_in, accounts, applications, errors, limits]

if __name__ == "__main__":
    {area.__name__: area for area in AREAS}[sys.argv[1]]()
    print("passed", sys.argv[1])
