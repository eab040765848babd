package webhook

import "net/http"

// VerifySignature checks a received webhook as its receiver would: the Standard Webhooks headers against the secret, by the
// official library, with its tolerance of five minutes for the time.
func VerifySignature(secret string, body []byte, h http.Header) error {
	w, err := signer(secret)
	if err != nil {
		return err
	}
	return w.Verify(body, h)
}
