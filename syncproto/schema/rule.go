package schema

// String returns the rule's name as SPEC 5 and the views write it.
func (r Rule) String() string {
	switch r {
	case Own:
		return "own"
	case Log:
		return "log"
	case Union:
		return "union"
	case Text:
		return "text"
	case Human:
		return "human"
	case Protect:
		return "protect"
	case Latest:
		return "latest"
	case Server:
		return "server"
	case Derived:
		return "derived"
	}
	return "unknown"
}

// String returns the label's name as forms and the access table write it.
func (l Label) String() string {
	switch l {
	case Admin:
		return "admin"
	case Attested:
		return "attested"
	case Verbatim:
		return "verbatim"
	case Judgement:
		return "judgement"
	}
	return "none"
}
