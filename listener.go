package paraph

import "time"

// A Listener is a program that hears events over the API while it is
// connected, such as `paraph listen`. It gets the bytes that an endpoint at its
// URL would get, and lives only for as long as it asks for them.
type Listener struct {
	ID         int64
	AccountID  int64
	URL        string   // where the program takes the events; stands in Documenso's bodies
	Events     []string // as an Endpoint's
	OmitTokens bool
	CreatedAt  time.Time
	AskedAt    time.Time // when it last asked; moved on at most every ListenerTouch
	FullAt     time.Time // since when events pass it by because too many wait; zero: none do
}

// A Heard is an event that waits for a listener. Its body is rendered in the
// transaction of the event, like a Delivery's.
type Heard struct {
	ID         int64
	ListenerID int64
	EventID    int64 // 0 for a test
	EventName  string
	MessageID  string // what a webhook would have in webhook-id
	Body       []byte
	Test       bool
	At         time.Time
}

// Limits of listeners.
const (
	MaxListeners   = 10                  // in one account
	MaxHeard       = 1000                // that wait for one listener; when a node looks, see Listener.FullAt
	ListenerLife   = 2 * time.Minute     // without being asked
	ListenerMargin = time.Minute         // for which events are kept beyond, so that clocks of nodes may differ
	ListenerTouch  = 15 * time.Second    // how exact AskedAt is
	MaxListenWait  = 30 * time.Second    // that one question may last
	listenerHost   = "http://localhost/" // where nothing is said
)

// Alive tells whether the listener may still ask.
func (l Listener) Alive(now time.Time) bool { return !l.AskedAt.Before(now.Add(-ListenerLife)) }

// Endpoint is the endpoint whose bodies the listener gets.
func (l Listener) Endpoint() Endpoint {
	e := Endpoint{ID: l.ID, AccountID: l.AccountID, URL: l.URL, Events: l.Events, OmitTokens: l.OmitTokens, Enabled: true}
	if e.URL == "" {
		e.URL = listenerHost
	}
	return e
}
