package server

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// testCertificate writes a certificate for 127.0.0.1 and its key.
func testCertificate(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	written := time.Now().Truncate(time.Hour) // one time for all, as of files written in one tick of the clock or copied with their times
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, written, written); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

func TestRenewedCertificateIsShown(t *testing.T) {
	cert, key := testCertificate(t)
	c, err := openCertificate(cert, key, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	first, now := c.at(time.Now()), time.Now()
	later := func() *tls.Certificate { now = now.Add(2 * certificateEvery); return c.at(now) }
	if later() != first {
		t.Error("files that did not change are read again")
	}
	renewed, renewedKey := testCertificate(t)
	if err := os.Rename(renewed, cert); err != nil {
		t.Fatal(err)
	}
	if later() != first {
		t.Error("a certificate without its key is shown")
	}
	if err := os.Rename(renewedKey, key); err != nil {
		t.Fatal(err)
	}
	if c.at(now) != first {
		t.Error("the files are looked at for every caller")
	}
	if got := later(); got == first || string(got.Certificate[0]) == string(first.Certificate[0]) {
		t.Error("the renewed certificate is not shown")
	}
}
