package webhook

import "bytes"

// hideEchoes masks the request's secrets in what came back, before anybody
// stores it: receivers in their making like to answer with all they got.
// Secrets of fewer than four bytes would hide half of any text and are left.
func (o *Outcome) hideEchoes(r Request) {
	secrets := r.secrets()
	if len(secrets) == 0 {
		return
	}
	for _, s := range secrets {
		if bytes.Contains(o.ResponseBody, []byte(s)) {
			o.ResponseBody = bytes.ReplaceAll(o.ResponseBody, []byte(s), []byte(masked))
		}
	}
	for i := range o.ResponseHeaders {
		o.ResponseHeaders[i][1] = Mask(o.ResponseHeaders[i][1], secrets)
	}
	o.Error = Mask(o.Error, secrets)
}

// secrets are those long enough to be looked for.
func (r Request) secrets() []string {
	var out []string
	add := func(s string) {
		if len(s) >= 4 {
			out = append(out, s)
		}
	}
	for _, s := range r.Secrets {
		add(s)
	}
	if r.Documenso {
		add(r.DocumensoSecret)
	}
	for _, h := range r.Headers {
		add(h[1])
	}
	return out
}
