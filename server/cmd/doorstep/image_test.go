package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// nobody is whom the image runs as.
const nobody = 65532

// builder builds images without a daemon, a network or a kernel's help.
type builder struct {
	t     *testing.T
	store string
}

func (b builder) run(args ...string) string {
	b.t.Helper()
	out, err := b.try(args...)
	if err != nil {
		b.t.Fatal(err)
	}
	return out
}

func (b builder) try(args ...string) (string, error) {
	cmd := exec.CommandContext(b.t.Context(), "buildah", append([]string{"--storage-driver", "vfs", "--root", b.store + "/root", "--runroot", b.store + "/run"}, args...)...)
	var problems bytes.Buffer
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("buildah %v: %w\n%s", args, err, problems.String())
	}
	return strings.TrimSpace(string(out)), nil
}

// mayBuild skips the test where not even an empty container can be made: in a sandbox
// that keeps its processes from mounting anything, say.
func (b builder) mayBuild() {
	b.t.Helper()
	container, err := b.try("from", "scratch")
	if err == nil {
		_, err = b.try("mount", container)
	}
	if err != nil {
		b.t.Skipf("images cannot be built here: %v", err)
	}
	b.run("rm", container)
}

// The container file builds an image that holds the binary and the authorities alone, runs
// as nobody and, on a root that nobody can write to, begins a borough and serves it.
func TestImageServesOnAReadOnlyRoot(t *testing.T) {
	if _, err := exec.LookPath("buildah"); err != nil {
		t.Skip("buildah is not installed (Debian's package buildah)")
	}
	if os.Getuid() != 0 {
		t.Skip("only root may change the root of a process")
	}
	b := builder{t, t.TempDir()}
	b.mayBuild()
	from := t.TempDir()
	buildStatic(t, filepath.Join(from, "doorstep"))
	if err := os.WriteFile(filepath.Join(from, "ca-certificates.crt"), []byte("authorities\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	b.run("bud", "--isolation", "chroot", "-q", "-f", "../../../deploy/container/Containerfile", "-t", "doorstep", from)
	wantImage(t, b.run("inspect", "--type", "image", "doorstep"))
	container := b.run("from", "doorstep")
	defer b.run("rm", container)
	serveFrom(t, b.run("mount", container))
}

// buildStatic builds the binary as other tests compile it, so that only the linking is
// done anew: what a release has from CGO_ENABLED=0, it has from the C compiler's linker.
func buildStatic(t *testing.T, to string) {
	t.Helper()
	args := []string{"build", "-o", to}
	if _, err := exec.LookPath("gcc"); err == nil {
		args = append(args, "-ldflags=-linkmode=external -extldflags=-static")
	}
	if out, err := exec.CommandContext(t.Context(), "go", append(args, ".")...).CombinedOutput(); err != nil {
		t.Fatalf("building: %v\n%s", err, out)
	}
}

// wantImage holds what the image says of itself.
func wantImage(t *testing.T, inspected string) {
	t.Helper()
	var image struct {
		OCIv1 struct {
			Config struct {
				User, StopSignal string
				Entrypoint, Cmd  []string
				Env              []string
				Volumes          map[string]any
			} `json:"config"`
		}
	}
	if err := json.Unmarshal([]byte(inspected), &image); err != nil {
		t.Fatal(err)
	}
	c := image.OCIv1.Config
	if c.User != "65532:65532" || strings.Join(append(c.Entrypoint, c.Cmd...), " ") != "/doorstep serve" || c.StopSignal != "SIGTERM" || c.Volumes["/var/lib/doorstep"] == nil ||
		!strings.Contains(strings.Join(c.Env, " "), "DOORSTEP_CONFIG=/etc/doorstep/doorstep.toml") {
		t.Errorf("the image runs %+v", c)
	}
}

// serveFrom begins and serves a borough with an image's files as the root of the file
// system, which belongs to somebody else than who runs; only the data can be written to.
func serveFrom(t *testing.T, root string) {
	t.Helper()
	var held []string
	err := filepath.WalkDir(root, func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			held = append(held, strings.TrimPrefix(path, root))
		}
		return err
	})
	if got := strings.Join(held, " "); err != nil || got != "/doorstep /etc/ssl/certs/ca-certificates.crt" {
		t.Errorf("the image holds %s, %v", got, err)
	}
	config := "name = \"Image\"\nborough = \"image\"\n[data]\nmin_free_mb = 1\n[listen]\naddress = \"127.0.0.1:0\"\n"
	for _, dir := range []string{"var/lib/doorstep", "etc/doorstep/secrets"} { // what a volume brings
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(filepath.Join(root, dir), nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "etc/doorstep/doorstep.toml"), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := inRoot(t, root, "init").CombinedOutput(); err != nil {
		t.Fatalf("init: %v\n%s", err, out)
	}
	serve := inRoot(t, root, "serve")
	logs, err := serve.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	defer serve.Wait()
	defer serve.Process.Signal(syscall.SIGTERM)
	address := addressIn(t, logs)
	client := http.Client{Timeout: 30 * time.Second}
	res, err := client.Get("http://" + address + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("ready is answered with %d", res.StatusCode)
	}
}

// inRoot is a command of the image's binary, as nobody, in the image's files.
func inRoot(t *testing.T, root string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), "/doorstep", args...)
	cmd.Path, cmd.Dir, cmd.Env = "/doorstep", "/", []string{"DOORSTEP_CONFIG=/etc/doorstep/doorstep.toml"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	return cmd
}

// addressIn reads the log until it says where the server listens, and goes on reading.
func addressIn(t *testing.T, logs io.Reader) string {
	t.Helper()
	said := json.NewDecoder(logs)
	for {
		var line struct{ Msg, Address string }
		if err := said.Decode(&line); err != nil {
			t.Fatalf("it ended before it served: %v", err)
		}
		if line.Msg == "serving" {
			go io.Copy(io.Discard, logs)
			return line.Address
		}
	}
}
