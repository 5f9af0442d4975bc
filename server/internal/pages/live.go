package pages

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"

	"doorstep/server/internal/finalise"
)

//go:embed html/live.js
var liveScript []byte

// liveness lets a page say that what it shows has changed, to who runs scripts: At is where
// its version is asked for, and Version is what it was when the page was made.
type liveness struct {
	At, Version string
	See         string // page of what changed, where reloading would lose what is typed
}

// live is the script that listens for news. It is a file of its own: no page holds any.
func (p *Pages) live(context.Context, *Call) (Answer, error) {
	return Answer{Body: liveScript, Media: "text/javascript; charset=utf-8"}, nil
}

const textMedia = "text/plain; charset=utf-8"

// queueVersion tells whether the caller's queue is as it was.
func (p *Pages) queueVersion(ctx context.Context, c *Call) (Answer, error) {
	list, err := p.cfg.Workflow.Queue(ctx, c.worker())
	return Answer{Body: []byte(versionOfQueue(list)), Media: textMedia}, err
}

// recordVersion tells whether a record and its parts are as they were.
func (p *Pages) recordVersion(ctx context.Context, c *Call) (Answer, error) {
	s, err := p.sight(ctx, c)
	if err != nil {
		return Answer{}, err
	}
	return Answer{Body: []byte(versionOf(&s.st)), Media: textMedia}, nil
}

func versionOfQueue(list []finalise.Item) string {
	h := sha256.New()
	for i := range list {
		h.Write(list[i].Record[:])
		h.Write([]byte(list[i].State))
		h.Write(list[i].LeasedTo[:])
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// versionOf is of a group's records, with what came after they were final and who
// prepares them.
func versionOf(st *finalise.Standing) string {
	h := sha256.New()
	h.Write(st.LeasedTo[:])
	for _, part := range st.Parts {
		h.Write(part.View.Record[:])
		for _, id := range part.View.Heads {
			h.Write(id[:])
		}
		for i := range part.View.Addenda {
			h.Write(part.View.Addenda[i].By.Change[:])
		}
		if part.View.Seal != nil {
			h.Write(part.View.Seal.Hash[:])
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// liveRecord is for a page about a record.
func liveRecord(st *finalise.Standing) *liveness {
	return &liveness{At: to(st.Record) + "/version", Version: versionOf(st)}
}
