package account

import "net/url"

func signInHref(next string) string { return withNext("/signin", next) }

func signUpHref(next string) string { return withNext("/signup", next) }

func withNext(path, next string) string {
	if next == "" {
		return path
	}
	return path + "?next=" + url.QueryEscape(next)
}
