// Package paraph holds the nouns of document signing and the rules of their
// lives: an envelope with its documents, recipients and fields, the events
// that happen to it, and the endpoints that hear of them.
//
// Everything here is a value and a pure function: a rule takes an envelope
// and an input and returns the changed envelope and the events that tell the
// change. Time, randomness that must be repeatable, storage and the network
// come from outside. The package imports the standard library only, and of
// that neither net/http, database/sql nor os.
package paraph
