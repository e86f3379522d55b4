// Package interop signs in through software that others wrote: identity providers towards Rollcall, applications towards its OpenID
// provider. Nothing here is a mock; every peer is the real program, of an exact version, on 127.0.0.1.
//
// The tests carry the build tag interop and are run by `make interop`, which installs Debian's packages where it may (.ci/interop).
// What npm, PyPI, Maven Central and the Go proxy have is installed by the tests themselves into the folder that
// ROLLCALL_INTEROP_CACHE names (rollcall-interop in the user's cache folder by default), once. A peer whose package cannot be had is
// skipped and says so; one that was installed and does not work is a failure, and with ROLLCALL_INTEROP_ALL set nothing is skipped.
//
// Each identity provider is also signed in to by a stand-in of this package, built on libraries that share no code with
// Rollcall's consumer: where that works and Rollcall does not, the fault is ours. What the stand-in received is kept as fixtures
// for internal/saml when ROLLCALL_INTEROP_CAPTURE names a folder.
package interop
