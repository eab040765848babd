package webhook

// The kinds of InputError.
const (
	KindBadURL      = "bad_url"
	KindBadHeader   = "bad_header"
	KindBadSecret   = "bad_secret"
	KindBadSchedule = "bad_schedule"
	KindBadEvent    = "bad_event"
)

// InputError is something a person or a program gave us that can't be used. Kind is for programs and stays the same between
// versions, Sentence is for people and names what to change.
type InputError struct {
	Kind     string
	Sentence string
}

func (e *InputError) Error() string { return e.Sentence }
