package server

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// certificateEvery is how often the files are looked at, at most.
const certificateEvery = time.Minute

// certificate is the server's, read again when its files change: it is renewed
// every few weeks, and tablets must not be cut off for that.
type certificate struct {
	cert, key string
	log       *slog.Logger

	mu      sync.Mutex
	pair    *tls.Certificate // guarded by mu
	changed time.Time        // guarded by mu; when the newer file was written
	looked  time.Time        // guarded by mu
}

// openCertificate reads the files.
func openCertificate(cert, key string, log *slog.Logger) (*certificate, error) {
	c := &certificate{cert: cert, key: key, log: log, looked: time.Now()}
	var err error
	if c.pair, c.changed, err = c.read(); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *certificate) read() (*tls.Certificate, time.Time, error) {
	changed, err := c.written()
	if err != nil {
		return nil, changed, err
	}
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return nil, changed, fmt.Errorf("reading the TLS certificate: %w", err)
	}
	return &pair, changed, nil
}

// written is when the newer of the files was written.
func (c *certificate) written() (newest time.Time, err error) {
	for _, name := range []string{c.cert, c.key} {
		info, err := os.Stat(name)
		if err != nil {
			return newest, fmt.Errorf("reading the TLS certificate: %w", err)
		}
		if info.ModTime().After(newest) {
			newest = info.ModTime()
		}
	}
	return newest, nil
}

// get returns the certificate to show. Files that do not read, as when one of them
// was written and the other not yet, change nothing.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return c.at(time.Now()), nil
}

func (c *certificate) at(now time.Time) *tls.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Sub(c.looked) < certificateEvery {
		return c.pair
	}
	c.looked = now
	if changed, err := c.written(); err == nil && changed.Equal(c.changed) {
		return c.pair
	}
	pair, changed, err := c.read()
	if err != nil {
		c.log.Error("the TLS certificate was changed and cannot be used, the old one stays", "error", err.Error())
		return c.pair
	}
	c.log.Info("the TLS certificate was renewed")
	c.pair, c.changed = pair, changed
	return c.pair
}
