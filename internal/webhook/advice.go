package webhook

// ReceiverCodes are the codes that an attempt can end with through the
// receiver's doing, beside "http_" and a status, in the order in which a
// request meets them.
func ReceiverCodes() []string {
	return []string{
		CodeBadURL, CodeBadHeader, CodeBadSecret, CodeDNSFailed, CodeBlockedAddress, CodeConnectRefused, CodeConnectTimeout, CodeConnectFailed,
		CodeTLSFailed, CodeHTTP2Only, CodeTimeout, CodeReset, CodeBadResponse, CodeTooLarge,
	}
}

// Advice says what the end of an attempt means for whoever runs the receiver,
// and what to do. It is empty for a success.
func Advice(code string, status int) string {
	if text, ok := advice()[code]; ok {
		return text
	}
	switch {
	case code == CodeOK || code == "":
		return ""
	case status >= 300 && status <= 399:
		return "Redirects are not followed, so that nobody can lead requests elsewhere. Set the URL that the redirect leads to."
	case status == 401 || status == 403:
		return "The receiver refused it. Check the secret or the header that it expects, and that no login or firewall stands before it."
	case status == 404:
		return "Nothing is at this path. Check the URL for a typing error, and that the route exists and takes POST."
	case status == 405:
		return "The receiver does not take POST at this path. Check its route."
	case status == 410:
		return "The receiver asked never to be called again, so the webhook was switched off. Switch it on when that was a mistake."
	case status == 413:
		return "The body is larger than the receiver takes. Raise its limit; a proxy before it may have one of its own."
	case status == 429:
		return "The receiver is asked too often. Set “At most” a second on the webhook; Retry-After is honoured."
	case status >= 400 && status <= 499:
		return "The receiver found something wrong with the request. Its answer may say what; check how it reads the body and the signature."
	case status == 502 || status == 503 || status == 504:
		return "A proxy answered, but the program behind it did not. Check that it runs; an event is tried again by itself while its schedule lasts."
	case status >= 500:
		return "The receiver failed while it worked on the request. Look into its log at this time; an event is tried again by itself while its schedule lasts."
	}
	return "Only 200 to 299 counts as received. Have the receiver answer so."
}

func advice() map[string]string {
	return map[string]string{
		CodeDNSFailed:      "Check the host name for a typing error, and that its DNS entry is public.",
		CodeConnectRefused: "Nothing listens on this port. Check that the receiver runs, and the port in the URL.",
		CodeConnectTimeout: "The address does not answer at all. A firewall that drops packets does this; let this server in.",
		CodeConnectFailed:  "There is no way to this address from here. Check the receiver's network and this server's.",
		CodeTLSFailed:      "Check the receiver's certificate: its date, its host name, and that the whole chain is sent.",
		CodeHTTP2Only:      "Let the receiver speak HTTP/1.1 too, or put a proxy before it that does.",
		CodeTimeout:        "Answer first and work afterwards: put the event into a queue of your own and answer 200 at once. The webhook's timeout can be raised to 30 seconds.",
		CodeReset:          "The receiver broke off. It may have crashed or restarted, or a proxy cut it off; look into its log at this time.",
		CodeBlockedAddress: "This address belongs to a private network, which webhooks must not reach. Whoever runs this server can allow it with --webhook-allow-net.",
		CodeTooLarge:       "The receiver's headers are far too large. Have it answer with a short response.",
		CodeBadResponse:    "Something other than a web server listens there. Check the port, and http or https.",
		CodeBadURL:         "Correct the URL of the webhook.",
		CodeBadHeader:      "Correct the webhook's own headers.",
		CodeBadSecret:      "Make a new signing secret for the webhook.",
		CodeShutdown:       "It is tried again by itself.",
		CodeInternal:       "It is tried again by itself; whoever runs this server finds the cause in its log.",
	}
}
