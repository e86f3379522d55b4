// Package oidc is the grammar of OpenID Connect, for both sides that Rollcall stands on: the relying party towards the identity
// providers of customers, and the provider towards the operator's applications. It takes bytes, keys and the time, and returns
// values or typed refusals; it knows no database, no network and no organization.
//
// # Relying party
//
// DiscoveryURL and ParseDiscovery, ParseKeySet, AuthorizationURL, CheckCallback, TokenExchange and ParseTokenResponse,
// VerifyIDToken, ParseUserInfo, EmailOf, VerifyLogoutToken. Who calls them does the network, through a client that refuses private
// addresses, caps what it reads (MaxDocument) and follows no redirects. A refusal is a *fault.Error whose Code is one of the Code… constants;
// Detail is finer, Wanted and Got are what was compared.
//
// # Provider
//
// ParseAuthorization, ParseTokenRequest, ParseTokenQuestion (introspection and revocation), ParseEndSession, CheckVerifier,
// ProviderDocument, SigningKey, Sign, VerifyOwn, VerifyHint. A refusal is an *ErrorResponse, which knows its OAuth code and how it is
// written to JSON or into a redirect.
//
// What is refused by design: every response type but code, every response mode but query, PKCE other than S256, request objects, symmetric
// or absent signatures, keys that a token brings along itself.
package oidc
