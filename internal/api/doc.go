// Package api speaks JSON with programs, in DocuSeal's shapes: what its own
// SDKs send is understood, what they expect is answered. Webhooks and their
// log, which that dialect does not have, are told in the same manner.
//
// A handler parses, calls one verb of the desk or asks the store's Reader, and
// answers. The package decides nothing, writes nothing itself, and never shows
// internal text, secrets after their making, or another account's things.
package api
