package seal

import "strings"

// device tells the browser and the system that a User-Agent header names, for people: "Chrome 126", "Windows". What isn't
// known is ""; a program that is no browser is named as it names itself. What stands there is the sender's word, no proof.
func device(userAgent string) (browser, system string) {
	browser = browserOf(userAgent)
	for _, s := range [][2]string{
		{"Windows", "Windows"},
		{"iPhone", "iPhone"},
		{"iPad", "iPad"},
		{"Android", "Android"},
		{"CrOS", "ChromeOS"},
		{"Mac OS X", "macOS"},
		{"Macintosh", "macOS"},
		{"FreeBSD", "FreeBSD"},
		{"Linux", "Linux"},
	} {
		if strings.Contains(userAgent, s[0]) {
			return browser, s[1]
		}
	}
	return browser, ""
}

// browserOf looks for the names in an order in which no browser is taken for one that it pretends to be.
func browserOf(userAgent string) string {
	for _, b := range [][2]string{
		{"EdgA/", "Edge"},
		{"EdgiOS/", "Edge"},
		{"Edg/", "Edge"},
		{"OPR/", "Opera"},
		{"SamsungBrowser/", "Samsung Internet"},
		{"Vivaldi/", "Vivaldi"},
		{"FxiOS/", "Firefox"},
		{"Firefox/", "Firefox"},
		{"CriOS/", "Chrome"},
		{"HeadlessChrome/", "Chrome"},
		{"Chrome/", "Chrome"},
	} {
		if _, after, ok := strings.Cut(userAgent, b[0]); ok {
			return versioned(b[1], after)
		}
	}
	if _, after, ok := strings.Cut(userAgent, "Version/"); ok && strings.Contains(userAgent, "Safari/") {
		return versioned("Safari", after)
	}
	if strings.HasPrefix(userAgent, "Mozilla/") {
		return ""
	}
	program, _, _ := strings.Cut(userAgent, " ")
	return strings.Replace(program, "/", " ", 1)
}

// versioned adds the number before the first dot, when there is one.
func versioned(name, version string) string {
	n := 0
	for n < len(version) && n < 5 && version[n] >= '0' && version[n] <= '9' {
		n++
	}
	return strings.TrimSpace(name + " " + version[:n])
}

// deviceWords is the device in a language, the header itself when it says nothing that is known.
func deviceWords(w words, userAgent string) string {
	browser, system := device(userAgent)
	switch {
	case browser != "" && system != "":
		return fill(w.On, "browser", browser, "system", system)
	case browser+system != "":
		return browser + system
	}
	return userAgent
}
