package server

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
)

// ReloadReport says what came of reading the configuration again.
type ReloadReport struct {
	Taken   []string `json:"taken"`   // keys that changed and hold from now on
	Waiting []string `json:"waiting"` // keys that differ from what the server runs with, and need a restart
}

// errNothingServed is the answer where there is no configuration that could be read again.
var errNothingServed = errors.New("no server is running on this data: the next start reads the configuration anyway")

// reloader reads a configuration again while a server runs with it.
type reloader struct {
	read func() (Config, error) // set before Serve; nil: nobody said where from

	mu   sync.Mutex // guards last; one at a time
	last Config     // what was taken over last
}

// reloadable reports whether a running server takes a key over. What a level or a rule is
// asked for each time can change at once. The certificate's files are looked at by themselves.
// All else is bound to something that is open (a file, an address, a key, a pool), or is
// promised to who is signed in, and so waits for a restart, which drains first.
func reloadable(key string) bool {
	table, _, _ := strings.Cut(key, ".")
	return key == "log.level" || table == "visits" || table == "retention" || table == "labels"
}

// ReloadFrom says how the configuration is read again. Without it Reload is refused. It is
// to be called before Serve.
func (s *Server) ReloadFrom(read func() (Config, error)) { s.borough.reloader.read = read }

// Reload reads the configuration again and takes over what can change while the server
// serves, as the command of an operator does. A configuration with faults changes nothing;
// the error, a *ConfigError, has all of them. The log has either.
func (s *Server) Reload(ctx context.Context) (ReloadReport, error) {
	return notedOperator{localOperator{s.borough}}.Reload(ctx)
}

// Reload implements Operator.
func (o localOperator) Reload(context.Context) (ReloadReport, error) {
	b := o.b
	if b.reloader.read == nil {
		return ReloadReport{}, errNothingServed
	}
	b.reloader.mu.Lock()
	defer b.reloader.mu.Unlock()
	cfg, err := b.reloader.read()
	if err != nil {
		b.log.Error("the configuration was not taken over", "reason", err.Error())
		return ReloadReport{}, fmt.Errorf("reading the configuration again: %w", err)
	}
	report := ReloadReport{Taken: []string{}, Waiting: []string{}}
	for _, key := range changedKeys(b.reloader.last, cfg) {
		if reloadable(key) {
			report.Taken = append(report.Taken, key)
		}
	}
	for _, key := range changedKeys(b.cfg, cfg) {
		if !reloadable(key) {
			report.Waiting = append(report.Waiting, key)
		}
	}
	b.level.Set(levelOf(cfg.Log))
	b.room.SetVisits(cfg.Visits.rules(&faults{}))
	b.room.SetNames(cfg.Labels.rules(&faults{}))
	b.room.SetRetention(cfg.Retention.rules(&faults{}))
	b.reloader.last = cfg
	b.log.Warn("the configuration was read again", "taken", strings.Join(report.Taken, " "), "wait_for_a_restart", strings.Join(report.Waiting, " "))
	return report, nil
}

// changedKeys lists the keys whose values differ, in the order of the structs.
func changedKeys(was, is Config) (keys []string) {
	before, after := settingsOf("", reflect.ValueOf(was)), settingsOf("", reflect.ValueOf(is))
	for i := range before {
		if v, w := before[i].value, after[i].value; v.Kind() == reflect.Slice && v.Len()+w.Len() == 0 {
			continue // a list with nothing in it, and none
		} else if !reflect.DeepEqual(v.Interface(), w.Interface()) {
			keys = append(keys, before[i].key)
		}
	}
	return keys
}
