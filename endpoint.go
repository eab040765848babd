package paraph

import "time"

// An Endpoint is a URL that wants to hear of events.
type Endpoint struct {
	ID             int64
	AccountID      int64
	URL            string
	Events         []string // names of either dialect, families such as "form.*", or "*"
	Secret         string   // sent as it is in X-Documenso-Secret
	SigningSecret  string   // "whsec_…", the key of the signatures
	PreviousSecret string   // signs too, until PreviousUntil; "" for none
	PreviousUntil  time.Time
	Headers        [][2]string // the user's own, name and value
	Description    string
	Enabled        bool
	DisabledAt     time.Time
	DisabledWhy    string // for people; "" when somebody switched it off by hand
	DisabledBy     WhyOff // "" while it is on
	Failing        Failing
	Schedule       string // "seed", "standard", or seconds with commas between
	Timeout        time.Duration
	Concurrency    int
	Rate           float64 // requests a second; 0: no limit
	Ordered        bool
	OmitTokens     bool
	CreatedAt      time.Time
	UpdatedAt      time.Time
}

// Limits of an endpoint and what applies when nothing is said.
const (
	DefaultSchedule    = "seed"
	DefaultTimeout     = 15 * time.Second
	MinTimeout         = time.Second
	MaxTimeout         = 30 * time.Second
	DefaultConcurrency = 8
	MaxConcurrency     = 64
	MaxEndpoints       = 1000 // in one account
	MaxHeaders         = 20
)

// A Delivery is one event for one endpoint. Its body is rendered in the
// transaction of the event, and every attempt sends those bytes.
type Delivery struct {
	ID            int64
	AccountID     int64
	EndpointID    int64
	EventID       int64  // 0 for a test
	EnvelopeID    int64  // 0 when it is about no envelope
	EventName     string // dotted: "document.signed", "form.viewed"
	MessageID     string // webhook-id: the same on every attempt and replay
	Body          []byte
	Test          bool
	State         DeliveryState
	Attempts      int       // made so far
	Before        int       // of those, made before it was last queued anew; its schedule counts from there
	NextAttemptAt time.Time // pending: when it is due
	LastStatus    int       // HTTP status of the last attempt, 0 for none
	LastError     string    // stable code of the last attempt; "" for a success
	CreatedAt     time.Time
	FinishedAt    time.Time
}

// DeliveryState is where a delivery stands.
type DeliveryState string

// The states of a delivery.
const (
	DeliveryPending   DeliveryState = "pending"
	DeliverySucceeded DeliveryState = "succeeded"
	DeliveryFailed    DeliveryState = "failed"  // its schedule is used up
	DeliverySkipped   DeliveryState = "skipped" // the endpoint was switched off
)

// DeliveryStates are all states, in the order in which a filter offers them.
func DeliveryStates() []DeliveryState {
	return []DeliveryState{DeliveryPending, DeliverySucceeded, DeliveryFailed, DeliverySkipped}
}

// An Attempt is one try of a delivery, as the log keeps it.
type Attempt struct {
	DeliveryID      int64
	Number          int // from 1
	At              time.Time
	Status          int    // HTTP status, 0 when no answer came
	Code            string // "ok" or a stable error code
	Error           string // the same for people
	Duration        time.Duration
	Timings         Timings
	RemoteAddress   string
	RequestHeaders  [][2]string // secrets masked
	ResponseHeaders [][2]string
	ResponseBody    []byte // its first 8 KiB
	Truncated       bool
}

// Timings say when each phase of an attempt was over, from its start. Zero:
// the phase did not happen or was not reached.
type Timings struct {
	DNS       time.Duration `json:"dns"`
	Connect   time.Duration `json:"connect"`
	TLS       time.Duration `json:"tls"`
	FirstByte time.Duration `json:"first_byte"`
	Total     time.Duration `json:"total"`
}
