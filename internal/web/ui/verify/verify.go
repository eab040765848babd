// Package verify is the page that says whether a PDF is sealed and unchanged.
package verify

import "github.com/paraph-sign/paraph/internal/web/ui/kit"

// View is the page; Result is nil before a file was sent.
type View struct {
	Error  string
	Limit  string // largest file, in words
	Result *Result
}

// Result is the answer.
type Result struct {
	File       string
	Tone       kit.Tone
	Icon       string
	Title      string
	Text       string
	Facts      []kit.Pair
	Signatures []Signature
	Trail      *Signature // the audit trail inside; nil when there is none
}

// Signature is one signature or timestamp.
type Signature struct {
	Title  string
	Status kit.Status
	Facts  []kit.Pair
	Notes  []string
}
