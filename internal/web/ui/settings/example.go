package settings

// entered is what stands in the form of a new token.
func (v Tokens) entered() string {
	if v.New != "" {
		return ""
	}
	return v.Name
}

func (v Tokens) example() string {
	return "curl " + v.Base + "/api/submissions \\\n  -H 'X-Auth-Token: " + v.New + "'"
}
