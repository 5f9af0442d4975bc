package endtoend

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"doorstep/syncproto"
	"doorstep/syncproto/frame"
)

// nginxBinary is nginx, where it is installed.
func nginxBinary(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"nginx", "/usr/sbin/nginx"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("nginx is not installed (Debian's package nginx)")
	return ""
}

// certificateFiles writes a certificate that is its own authority, and its key.
func certificateFiles(t *testing.T, dir string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"doorstep.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, about, about, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"fullchain.pem": {Type: "CERTIFICATE", Bytes: cert}, "key.pem": {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// startNginx runs the example's configuration, with folders, socket and certificate of
// the test, in front of a server. It answers a client that reaches it.
func startNginx(t *testing.T, b *borough) *http.Client {
	t.Helper()
	binary := nginxBinary(t)
	example, err := os.ReadFile("../../deploy/proxy/nginx.conf")
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "doorstep")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	certificateFiles(t, dir)
	socket := filepath.Join(dir, "s")
	site := strings.NewReplacer("listen 443 ssl http2;", "listen unix:"+socket+" ssl;", "listen [::]:443 ssl http2;", "",
		"127.0.0.1:8480", b.addr, "/etc/ssl/doorstep", dir, "doorstep.example.org", "doorstep.example",
		"$remote_addr;", "127.0.0.1;").Replace(string(example)) // a socket has no address
	asRoot := ""
	if os.Geteuid() == 0 {
		asRoot = "user root; " // else its worker may not look into the test's folder
	}
	conf := asRoot + fmt.Sprintf("daemon off; worker_processes 1; pid %[1]s/pid; error_log stderr;\nevents {}\nhttp {\naccess_log off; client_body_temp_path %[1]s/b; "+
		"proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/c;\n%[2]s}\n", dir, site)
	path := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(path, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	ctx, stop := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, binary, "-e", "stderr", "-p", dir, "-c", path)
	cmd.Stderr, cmd.Cancel = &said, func() error { return cmd.Process.Signal(os.Interrupt) }
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(); _ = cmd.Wait() })
	for end := time.Now().Add(30 * time.Second); ; <-time.After(20 * time.Millisecond) {
		conn, err := net.Dial("unix", socket)
		if err == nil {
			conn.Close()
			break
		}
		if time.Now().After(end) {
			stop()
			_ = cmd.Wait()
			t.Fatalf("nginx does not answer: %v\n%s", err, said.String())
		}
	}
	client := &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		},
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, // the test's own certificate
	}}
	t.Cleanup(client.CloseIdleConnections)
	return client
}

// The example for nginx lets events through at once, and the largest sync, and says
// who is calling.
func TestNginxExampleServes(t *testing.T) {
	t.Parallel()
	nginxBinary(t)
	b := newBorough(t, caseload{workers: 1, families: 1})
	b.stop()
	b.cfg.Listen.TrustedProxies = []string{"127.0.0.1"}
	b.start(t)
	client := startNginx(t, b)
	token := bearer(t, client)

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	req := request(t, ctx, http.MethodGet, "/v1/events", nil)
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if line, err := bufio.NewReader(res.Body).ReadString('\n'); err != nil || line != "event: pull\n" {
		t.Errorf("the first event: %q, %v", line, err)
	}

	for size, want := range map[int]int{syncproto.MaxWireBytes: http.StatusForbidden, 6 << 20: http.StatusRequestEntityTooLarge} {
		req := request(t, t.Context(), http.MethodPost, "/v1/sync", bytes.NewReader(make([]byte, size)))
		req.Header.Set("Content-Type", frame.MediaType)
		req.Header.Set("Authorization", "Bearer "+token) // of no device: refused, once it is here
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("a body of %d bytes: status %d, want %d", size, res.StatusCode, want)
		}
	}
}

func request(t *testing.T, ctx context.Context, method, path string, body io.Reader) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, "https://doorstep.example"+path, body)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// bearer signs IT in, without a device.
func bearer(t *testing.T, client *http.Client) string {
	t.Helper()
	req := request(t, t.Context(), http.MethodPost, "/v1/sign-in", strings.NewReader(fmt.Sprintf(`{"login":"it","password":%q}`, password)))
	req.Header.Set("Content-Type", "application/json")
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	_, rest, found := strings.Cut(string(text), `"access_token":"`)
	token, _, _ := strings.Cut(rest, `"`)
	if err != nil || !found {
		t.Fatalf("signing in: status %d, %v: %s", res.StatusCode, err, text)
	}
	return token
}
