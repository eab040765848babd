package seal

// keepsSignatures tells whether the signatures in a file can stay when the file is drawn on: all can be read by strict
// rules, and none restricts what may follow.
func keepsSignatures(pdf []byte) bool {
	st, err := Signatures(pdf)
	return err == nil && !st.Restricted
}
