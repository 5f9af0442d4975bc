package server

import (
	"fmt"

	"doorstep/server/internal/retention"
)

// RetentionConfig says how long files are kept. Nothing is ever erased by itself: whose file
// need not be kept any more is told to information governance, where two people decide.
type RetentionConfig struct {
	Schedule []string `koanf:"schedule" doc:"How long the file of a child is kept who ever had a status (CIN, CP, CLA, CL, EH, S47, ASSESS, YJ, DISAB), one line each: years from birth, or from the last contact, e.g. \"CIN 21 birth\", \"CP 35 contact\"; or, in place of these for a child who died before the age of 18, from death, e.g. \"CLA 15 death\". The longest wins, for a family that of any child, and who was looked after is kept 75 years from birth, or 15 from death, whatever is set. Without a line for a status nobody is told that such a file is over."`
}

func defaultRetention() RetentionConfig { return RetentionConfig{Schedule: retention.Defaults()} }

// rules reads the setting; every fault is told.
func (c RetentionConfig) rules(f *faults) (out retention.Schedule) {
	for _, line := range c.Schedule {
		r, err := retention.ParseRule(line)
		f.unless(err == nil, fmt.Sprintf("retention.schedule: %q: %v", line, err))
		out = append(out, r)
	}
	return out
}
