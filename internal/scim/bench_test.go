package scim

import "testing"

// oktaUser is a create request as a usual Okta app with the enterprise attributes sends it, 1.2 kB.
const oktaUser = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],` +
	`"userName":"barbara.jensen@example.com","name":{"givenName":"Barbara","familyName":"Jensen","formatted":"Barbara Jensen"},` +
	`"emails":[{"primary":true,"value":"barbara.jensen@example.com","type":"work"},{"primary":false,"value":"babs@home.example","type":"home"}],` +
	`"displayName":"Barbara Jensen","nickName":"Babs","title":"Tour Guide","userType":"Employee","locale":"en-US","preferredLanguage":"en",` +
	`"timezone":"America/Los_Angeles","externalId":"00u1a2b3c4d5e6f7g8h9","groups":[],"password":"t1meMa$heen","active":true,` +
	`"phoneNumbers":[{"value":"+1-555-555-8377","type":"work"},{"value":"+1-555-555-1234","type":"mobile"}],` +
	`"addresses":[{"type":"work","streetAddress":"100 Universal City Plaza","locality":"Hollywood","region":"CA","postalCode":"91608","country":"USA","primary":true}],` +
	`"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"701984","costCenter":"4130","organization":"Universal Studios",` +
	`"division":"Theme Park","department":"Tour Operations","manager":{"value":"26118915-6090-4610-87e4-49d8ca9f808d","displayName":"John Smith"}}}`

func BenchmarkReadObject(b *testing.B) {
	data := []byte(oktaUser)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ReadObject(data, DefaultLimits); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadObject_and_Prepare(b *testing.B) {
	data, user := []byte(oktaUser), Standard().User
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		o, err := ReadObject(data, DefaultLimits)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := user.Prepare(o, Mode{}); err != nil {
			b.Fatal(err)
		}
	}
}
