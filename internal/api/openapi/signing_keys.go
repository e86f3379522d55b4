package openapi

func signingKeySchemas() map[string]*Schema {
	return map[string]*Schema{
		"SigningKey": noun("signing_key",
			has("kid", text("Names the key in tokens and in the key set.")),
			has("signing_alg", choice("What it signs with.", "RS256", "ES256")),
			has("state", choice("waiting: in the key set, signs from its time on. shown: signs no more and stays in the key set until what it signed has ended. retired: gone from it.",
				"waiting", "signing", "shown", "retired")),
			has("signs_from", moment("When it begins to sign: the first one at once, the others a day after they appear in the key set.")),
			has("signs_until", moment("When the next one takes over; that is made by itself before.")),
			has("shown_until", moment("Until when it is in the key set.")),
			made(),
		),
		"SigningKeyList": page("SigningKey"),
		"SigningKeyRotation": object(
			may("compromised", orNull(flag("Somebody else may have the keys: they are forgotten and new ones sign at once. Nothing that they signed counts any more, "+
				"and apps refuse new tokens until they have fetched the key set again."))),
			may("signing_alg", choice("The keys of this algorithm alone; left out: all.", "RS256", "ES256")),
		),
	}
}

func signingKeys() map[Route]Operation {
	return map[Route]Operation{
		{"GET", "/signing_keys"}: {
			ID: "listSigningKeys", Tag: tagApplications, Summary: "List the keys that sign tokens", About: "All in one page, of each algorithm the newest first. No private key is shown.",
			Answers: done(200, "The keys.", ref("SigningKeyList")),
		},
		{"POST", "/signing_keys/rotate"}: {
			ID: "rotateSigningKeys", Tag: tagApplications, Summary: "Rotate the keys that sign tokens",
			About: "It happens by itself every 90 days. Without compromised the next keys appear in the key set now and sign in a day, so that no app notices; where they wait already nothing happens. " +
				"With it other processes of the installation follow within 30 seconds.",
			Body: ref("SigningKeyRotation"), Sparse: true, Example: `{"compromised":false}`,
			Answers: done(200, "The keys as they are now.", ref("SigningKeyList")), Refuses: refuses(422, "invalid_signing_alg"),
		},
	}
}
