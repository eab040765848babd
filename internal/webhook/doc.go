// Package webhook tells other systems what happened: it renders an event in the dialect of its reader, signs it, and makes one
// attempt to deliver it.
//
// Rendering (documenso.go, docuseal.go) is pure: values in, bytes out. Sending (Client) knows one request and its Outcome; when to
// try again is asked of a Schedule. The package never touches the database, never decides who may see what, never follows a
// redirect, and never connects to an address that the guard has not approved.
package webhook
