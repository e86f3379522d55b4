#!/bin/sh
# From nothing to the first events with curl alone. It needs a running Rollcall and its management key:
#
#   ROLLCALL_URL=http://127.0.0.1:8080 ROLLCALL_API_KEY=sk_… sh examples/curl.sh
set -eu
url=${ROLLCALL_URL:-http://127.0.0.1:8080}
: "${ROLLCALL_API_KEY:?has to hold the management key, which the first start prints}"

# call METHOD ADDRESS TOKEN [BODY]: prints the answer; an error ends the script with what the server says about it.
call() {
	answer=$(curl -sS --fail-with-body -X "$1" "$2" -H "Authorization: Bearer $3" -H 'Content-Type: application/json' ${4:+-d "$4"}) || {
		echo "$1 $2: $answer" >&2
		exit 1
	}
	printf '%s\n' "$answer"
}

# member NAME JSON: its first text member of that name. A real script has jq for this.
member() { printf '%s\n' "$2" | tr '{,' '\n\n' | sed -n "s/^\"$1\":\"\([^\"]*\)\".*/\1/p" | head -n 1; }

say() { printf '\n== %s\n' "$1"; }

say 'A customer is an organization'
made=$(call POST "$url/organizations" "$ROLLCALL_API_KEY" '{"name":"Acme"}')
organization=$(member id "$made")
echo "$organization"

say 'Its identity provider gets an address and a token, shown only now'
made=$(call POST "$url/directories" "$ROLLCALL_API_KEY" \
	"{\"organization_id\":\"$organization\",\"name\":\"Acme Okta\",\"type\":\"okta scim v2.0\"}")
scim=$(member scim_endpoint "$made")
token=$(member bearer_token "$made")
echo "$scim"

say 'The provider pushes a person and a group, as Okta does'
made=$(call POST "$scim/Users" "$token" '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],
	"userName":"grace@acme.example","name":{"givenName":"Grace","familyName":"Hopper"},
	"emails":[{"value":"grace@acme.example","type":"work","primary":true}],"active":true}')
grace=$(member id "$made")
call POST "$scim/Groups" "$token" "{\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:Group\"],
	\"displayName\":\"Engineers\",\"members\":[{\"value\":\"$grace\"}]}" >/dev/null
echo "$grace"

say 'Your app sees her'
call GET "$url/directory_users/$grace" "$ROLLCALL_API_KEY"

say 'She leaves: the provider deactivates her'
call PATCH "$scim/Users/$grace" "$token" '{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
	"Operations":[{"op":"replace","value":{"active":false}}]}' >/dev/null

say 'What your app reads from the event log, oldest first'
events=$(call GET "$url/events?organization_id=$organization&limit=100" "$ROLLCALL_API_KEY")
printf '%s\n' "$events" | tr '{' '\n' |
	sed -n 's/.*"object":"event","id":"\([^"]*\)","event":"\([^"]*\)".*/\1  \2/p'
