package web

import "fmt"

// english is every sentence of the pages. Another language is another map with the same keys.
var english = map[string]string{
	"footer":                         "Sign-in by Rollcall",
	"footer_at":                      "Sign-in by Rollcall at %s",
	"the_app":                        "your app",
	"continue":                       "Continue",
	"again":                          "Try again",
	"or":                             "or",
	"sign_in":                        "Sign in",
	"sign_in_title":                  "Sign in to %s",
	"sign_in_lead":                   "Use your work email. If your company signs in its own way, we take you there.",
	"sign_up_title":                  "Create your account for %s",
	"sign_up_lead":                   "Start with your work email. If your company manages accounts, we take you to its sign-in.",
	"email_label":                    "Email address",
	"email_placeholder":              "you@company.com",
	"with_sso":                       "Sign in with SSO",
	"with_code":                      "Email me a code instead",
	"code_title":                     "Check your email",
	"code_lead_before":               "If we can sign you in this way, a code and a link are on their way to",
	"code_lead_after":                ". They work for 10 minutes, in this browser only.",
	"code_label":                     "Code from the email",
	"code_none":                      "Nothing there? Look in the spam folder. Nobody from support will ever ask you for this code.",
	"code_other":                     "Use another address",
	"link_title":                     "Sign in to %s",
	"link_lead":                      "You opened the link from our email. Continue in the browser in which you asked for it.",
	"choose_title":                   "Choose an organization",
	"choose_lead_as":                 "You are signed in as",
	"choose_lead":                    "Which one do you want to use %s with?",
	"choose_last":                    "Last used",
	"refusal_title":                  "You could not be signed in",
	"refusal_lead":                   "Something did not fit together, and nobody was signed in. Please try again. If it happens again, give this number to the person who looks after sign-in at your company.",
	"refusal_id":                     "Number of this sign-in",
	"already_title":                  "You are signed in already",
	"already_lead":                   "Your browser sent the same sign-in twice. The first one counts.",
	"already_on":                     "Go on to %s",
	"invitation_title":               "Join %s",
	"invitation_by":                  "has invited you to join",
	"invitation_passive":             "You have been invited to join",
	"invitation_on":                  "on %s",
	"invitation_for":                 "This invitation is for",
	"invitation_next":                "What happens next",
	"invitation_sso":                 "You sign in with your company, through %s. Then you are in.",
	"invitation_code":                "We mail you a code to show that this address is yours. You type it in, and you are in.",
	"invitation_accept_sso":          "Continue with SSO",
	"invitation_accept_code":         "Accept and mail me a code",
	"invitation_no_way":              "At present no code can be mailed from here. Please ask the person who invited you.",
	"invitation_decline":             "If you did not expect this, close this page. Nothing has been accepted.",
	"no_invitation_gone_title":       "This link opens no invitation",
	"no_invitation_gone_lead":        "It may have been taken back, replaced by a newer one, or not been copied whole. Look for the latest mail, or ask the person who invited you.",
	"no_invitation_expired_title":    "This invitation has expired",
	"no_invitation_expired_lead":     "Ask the person who invited you to send a new one.",
	"no_invitation_used_title":       "This invitation has been accepted",
	"no_invitation_used_lead":        "It works once. If it was you, open the app and sign in as usual.",
	"no_invitation_renew_title":      "This link has expired",
	"no_invitation_renew_lead":       "You are still invited. We can mail a new link to the address that was invited.",
	"no_invitation_renew":            "Mail me a new link",
	"no_invitation_renewed_title":    "Check your email",
	"no_invitation_renewed_lead":     "If a new link can be sent, it is on its way to the address that was invited. One is sent every hour at most.",
	"joined_title":                   "You are in",
	"joined_lead":                    "Your invitation is accepted, and you are signed in.",
	"joined_lead_to":                 "You are a member of",
	"joined_close":                   "You can close this window and open the app.",
	"wrong_title":                    "This page cannot continue",
	"wrong_id":                       "Number of this request",
	"sign_out_title":                 "Do you want to sign out?",
	"sign_out_as":                    "You are signed in as",
	"sign_out_lead":                  "Signing out ends this session in every app that it was used with.",
	"sign_out":                       "Sign out",
	"signed_out_title":               "You are signed out",
	"signed_out_lead":                "You can close this window.",
	"onward_title":                   "Taking you to your company's sign-in",
	"onward_lead":                    "This takes a moment. If nothing happens, continue with the button.",
	"bounce_title":                   "Finishing your sign-in",
	"bounce_lead":                    "This takes a moment. If nothing happens, continue with the button.",
	"test_title":                     "Test sign-in: %s",
	"test_lead":                      "A real sign-in for %s up to its last step. It made no account and no session.",
	"test_good":                      "Everything is as it should be",
	"test_bad":                       "This has to be mended",
	"test_id":                        "Number of this sign-in:",
	"check_good":                     "(in order)",
	"check_bad":                      "(has to be mended)",
	"check_signature":                "The answer is signed, and the signature holds",
	"check_certificate":              "The signing certificate is one of the connection",
	"check_issuer":                   "The answer comes from the connection's provider",
	"check_audience":                 "The answer is meant for this connection",
	"check_recipient":                "The answer was sent to the right address",
	"check_times":                    "The answer is valid now",
	"check_in_response_to":           "The answer is to this request, and was not used before",
	"check_answer":                   "The provider gave an answer that can be used",
	"check_attributes":               "The attributes that are needed came",
	"check_identifier":               "An identifier of the person came",
	"check_email":                    "An email address of the person came",
	"check_email_domain":             "The email address lies in a domain that the organization has verified",
	"check_name":                     "Name of the person",
	"check_groups":                   "Groups of the person",
	"check_person":                   "The person may come in",
	"check_email_in_verified_domain": "The email address lies in a verified domain",
	"check_found_in_directory":       "The person was found in the directory",
	"check_would_be_let_in":          "The person would be let in",
	"fixer_it_admin":                 "Who mends it: whoever looks after the identity provider.",
	"fixer_operator":                 "Who mends it: whoever looks after the app.",
	"fixer_member":                   "Who mends it: the person who signs in.",
	"fixer_rollcall":                 "Who mends it: whoever runs Rollcall.",
	"expected":                       "Expected",
	"actual":                         "Actual",
	"wrong_email":                    "Please give an email address like you@company.com.",
	"wrong_code":                     "This code is not right, or not valid any more. Check it, or ask for a new one.",
	"no_way":                         "There is no single sign-on for this address here. Check it, or ask the person who looks after sign-in at your company.",
	"too_many_codes":                 "Too many codes were sent to this address. Use the last one, or try again later.",
	"too_many":                       "That was too often. Please wait a minute and try again.",
}

// SayCheck names a check of a test sign-in. One that has no sentence is shown as it is called.
func SayCheck(name string) string {
	if text, ok := english["check_"+name]; ok {
		return text
	}
	return name
}

// SayFixer says who mends what a test found; "" where nobody has to.
func SayFixer(who string) string { return english["fixer_"+who] }

// Say gives a sentence of the pages. A key that is not there is a mistake of ours that a test finds; a page shows the key.
func Say(key string, args ...any) string {
	text, ok := english[key]
	if !ok {
		return key
	}
	if len(args) == 0 {
		return text
	}
	return fmt.Sprintf(text, args...)
}

// appName stands in for an application's empty name.
func appName(name string) string {
	if name == "" {
		return Say("the_app")
	}
	return name
}
