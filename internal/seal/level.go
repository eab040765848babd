package seal

// The baseline levels of PAdES (EN 319 142-1, clause 6), each with all that the one before it has.
const (
	LevelB   = "B-B"   // a signature
	LevelT   = "B-T"   // and a timestamp that proves when it was there at the latest
	LevelLT  = "B-LT"  // and the certificates and revocation data that judging it takes
	LevelLTA = "B-LTA" // and a timestamp over those
)

// levelRank orders levels; what is none of them comes before all.
func levelRank(level string) int {
	switch level {
	case LevelB:
		return 1
	case LevelT:
		return 2
	case LevelLT:
		return 3
	case LevelLTA:
		return 4
	}
	return 0
}

// LowerLevel is the lower of two levels; what is no level is lower than each.
func LowerLevel(a, b string) string {
	if levelRank(b) < levelRank(a) {
		return b
	}
	return a
}
