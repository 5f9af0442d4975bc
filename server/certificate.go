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

	mu     sync.Mutex
	pair   *tls.Certificate // guarded by mu
	shown  certificateFiles // guarded by mu; what pair was read from
	looked time.Time        // guarded by mu
}

// certificateFiles are the bytes of both files. They are compared whole: a time of
// writing cannot tell two files apart that were written in one tick of the kernel's
// clock, or renewed with the times of their source.
type certificateFiles struct{ cert, key string }

// openCertificate reads the files.
func openCertificate(cert, key string, log *slog.Logger) (*certificate, error) {
	c := &certificate{cert: cert, key: key, log: log, looked: time.Now()}
	var err error
	if c.shown, err = c.read(); err != nil {
		return nil, err
	}
	if c.pair, err = c.shown.pair(); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *certificate) read() (files certificateFiles, err error) {
	cert, err := os.ReadFile(c.cert)
	if err != nil {
		return files, fmt.Errorf("reading the TLS certificate: %w", err)
	}
	key, err := os.ReadFile(c.key)
	if err != nil {
		return files, fmt.Errorf("reading the TLS certificate's key: %w", err)
	}
	return certificateFiles{string(cert), string(key)}, nil
}

func (f certificateFiles) pair() (*tls.Certificate, error) {
	pair, err := tls.X509KeyPair([]byte(f.cert), []byte(f.key))
	if err != nil {
		return nil, fmt.Errorf("reading the TLS certificate: %w", err)
	}
	return &pair, nil
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
	files, err := c.read()
	if err == nil && files == c.shown {
		return c.pair
	}
	var pair *tls.Certificate
	if err == nil {
		pair, err = files.pair()
	}
	if err != nil {
		c.log.Error("the TLS certificate was changed and cannot be used, the old one stays", "error", err.Error())
		return c.pair
	}
	c.log.Info("the TLS certificate was renewed")
	c.pair, c.shown = pair, files
	return c.pair
}
