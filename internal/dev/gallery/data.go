package main

import (
	"strconv"
	"time"

	"github.com/paraph-sign/paraph/internal/web/ui/kit"
)

const longName = "Rahmenvereinbarung über die Überlassung von Geschäftsräumen nebst Anlagen 1–17 (final, geändert, wirklich final) Donaudampfschifffahrtsgesellschaft.pdf"

func now() time.Time { return time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC) }

func (g gallery) head(title string, scripts ...string) kit.Page {
	return kit.Page{Assets: g.assets, Title: title, Scripts: scripts}
}

func (g gallery) shell(title string, scripts ...string) kit.Shell {
	return kit.Shell{
		Page: g.head(title, scripts...),
		User: kit.User{Name: "Aurelia Featherstonehaugh-Cholmondeley", Email: "aurelia.featherstonehaugh@long-company-name.example"},
		Spaces: []kit.Space{
			{ID: "1", Name: "Aurelia Featherstonehaugh-Cholmondeley", Personal: true, Current: true},
			{ID: "2", Name: "Legal"},
			{ID: "3", Name: "Donaudampfschifffahrtsgesellschaft m. b. H."},
		},
		Nav: []kit.NavItem{{Label: "Envelopes", Href: "/list", Current: true}, {Label: "Verify", Href: "/auth"}},
		Links: kit.Links{
			Home: "/", Settings: "/parts", Team: "/list", NewTeam: "/auth", SwitchSpace: "/nowhere", SignOut: "/nowhere",
		},
	}
}

type row struct {
	title, state, to string
	at               time.Time
}

func rows() []row {
	states := []string{"draft", "pending", "completed", "rejected", "cancelled", "expired"}
	var out []row
	for i, s := range states {
		out = append(out, row{"Lease of the mill, part " + strconv.Itoa(i+1), s, "Ada Lovelace, Charles Babbage", now().Add(-time.Duration(i*i*7) * time.Hour)})
	}
	out[1].title = longName
	out[2].to = "someone.with.a.very.long.address.indeed@subdomain.of-a-company-with-a-long-name.example and 14 more"
	out[3].title = "عقد إيجار المطحنة"
	return out
}

func moments() []kit.Moment {
	at := func(m int) time.Time { return now().Add(-time.Duration(m) * time.Minute) }
	return []kit.Moment{
		{Icon: "seal", Tone: kit.Success, Title: "Sealed", Detail: "The sealed PDF and its evidence are stored.", At: at(1), Now: now()},
		{Icon: "pen", Tone: kit.Success, Title: "Ada Lovelace signed", At: at(4), Now: now(), Facts: []kit.Pair{{Name: "IP", Value: "2001:db8:85a3:8d3:1319:8a2e:370:7348"}, {Name: "Browser", Value: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"}}},
		{Icon: "warning", Tone: kit.Error, Title: "The invitation to charles@babbage.example could not be delivered", Detail: "550 5.1.1 mailbox unavailable. Tried 3 times; the next try is in 40 minutes.", At: at(95), Now: now()},
		{Icon: "send", Tone: kit.Info, Title: "Sent", At: at(60 * 26), Now: now()},
		{Icon: "file", Title: "Created by Aurelia Featherstonehaugh-Cholmondeley", At: at(60 * 24 * 40), Now: now()},
	}
}
