package webhook

import "github.com/paraph-sign/paraph"

// The shapes of the DocuSeal dialect, for the API that speaks it: what it answers is what bodies carry.
type (
	// Submission is an envelope, as submission.* tells it.
	Submission = docusealSubmission
	// Submitter is a recipient within a Submission.
	Submitter = docusealSubmitter
	// SubmissionEvent is what happened, within a Submission.
	SubmissionEvent = docusealEvent
	// FormTemplate is what an envelope was made from.
	FormTemplate = docusealTemplate
	// FormValue is what was entered into a field.
	FormValue = docusealValue
	// FormDocument is a link to a PDF.
	FormDocument = docusealDocument
	// FormPreferences are how a recipient is reached.
	FormPreferences = docusealPreferences
	// Stamp is a time in ISO 8601, UTC, with three fractional digits; null when it is zero.
	Stamp = stamp
)

// SubmissionOf is the snapshot's envelope as submission.* tells it. The snapshot needs no Event.
func SubmissionOf(s Snapshot) Submission {
	return docusealSubmissionOf(s, paraph.FieldNames(s.Envelope.Fields), false)
}

// SubmitterOf is a recipient of the snapshot's envelope as submission.* tells them.
func SubmitterOf(s Snapshot, r paraph.Recipient) Submitter {
	return docusealSubmitterOf(s, r, paraph.FieldNames(s.Envelope.Fields), false)
}
