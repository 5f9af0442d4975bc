package server

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"doorstep/server/internal/access"
	"doorstep/server/internal/delivery"
	"doorstep/server/internal/disk"
	"doorstep/server/internal/metrics"
	"doorstep/syncproto/schema"
)

// DeliveryConfig says how final records get to the borough's case-management system.
type DeliveryConfig struct {
	Folder     string   `koanf:"folder" doc:"Folder in which final records are left for the case-management system, a mounted share as a rule; make it yourself. Content leaves the server here. Empty: none are left."`
	URL        string   `koanf:"url" doc:"Address to which final records are posted instead, https://... Content leaves the server here, to nowhere else. A bearer token, if the other side wants one, goes into the file delivery.token in secrets.dir. Empty: none are posted."`
	Kinds      []string `koanf:"kinds" doc:"Kinds of records that leave, e.g. [\"visit\", \"visit_child\"]. Empty: all that belong on a child's or family's file."`
	Since      string   `koanf:"since" doc:"Day from which on records that become final leave, e.g. \"2026-12-01\". Empty: all."`
	Restricted bool     `koanf:"restricted" doc:"Records of restricted files leave too, marked so. Else they stay here until the restriction ends."`
}

const (
	deliveryFolder    = "delivery" // below data.dir: the receipts
	deliveryTokenFile = "delivery.token"
)

// check adds what is wrong.
func (d DeliveryConfig) check(f *faults, data string) {
	f.unless(d.Folder == "" || d.URL == "", "delivery.folder and delivery.url must not both be set: records go to one place")
	f.unless(d.Folder == "" || filepath.IsAbs(d.Folder) && !within(data, d.Folder) && !within(d.Folder, data), "delivery.folder must be an absolute path outside data.dir")
	u, err := url.Parse(d.URL)
	f.unless(d.URL == "" || err == nil && u.Host != "" && u.User == nil && (u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname())),
		"delivery.url must be an https address without a name or password in it")
	for _, kind := range d.Kinds {
		k, ok := schema.Newest(kind)
		f.unless(ok && k.Finalises && access.MayDeliver(kind), fmt.Sprintf("delivery.kinds: %q is no kind of record that becomes final and may leave; there are %s", kind, strings.Join(deliverable(), ", ")))
	}
	_, err = d.since()
	f.unless(err == nil, "delivery.since must be a day, e.g. \"2026-12-01\"")
}

// deliverable are the kinds that may leave.
func deliverable() (out []string) {
	for _, k := range schema.All() {
		if k.Finalises && access.MayDeliver(k.ID) && !slices.Contains(out, k.ID) {
			out = append(out, k.ID)
		}
	}
	return out
}

func (d DeliveryConfig) since() (time.Time, error) {
	if d.Since == "" {
		return time.UnixMilli(0), nil
	}
	zone, err := time.LoadLocation("Europe/London")
	if err != nil {
		return time.Time{}, err
	}
	return time.ParseInLocation(time.DateOnly, d.Since, zone)
}

// startDelivery delivers as the configuration says.
func (b *borough) startDelivery() error {
	c := b.cfg.Delivery
	if c.Folder == "" && c.URL == "" {
		return nil
	}
	receipts, err := delivery.OpenReceipts(disk.Local{}, filepath.Join(b.cfg.Data.Dir, deliveryFolder))
	if err != nil {
		return err
	}
	b.onClose("receipts of deliveries", receipts.Close)
	target, err := b.deliveryTarget(receipts)
	if err != nil {
		return err
	}
	since, err := c.since()
	if err != nil {
		return err
	}
	zone, err := time.LoadLocation("Europe/London")
	if err != nil {
		return err
	}
	b.delivery = delivery.New(delivery.Config{Borough: b.cfg.Borough, Store: b.store, Final: b.finalise, Accesses: b.accesses, Target: target,
		Signer: b.audit.Signer(), Receipts: receipts, Log: b.log, Now: time.Now, Zone: zone, Kinds: c.Kinds, SinceMS: since.UnixMilli(), Restricted: c.Restricted, Traces: b.traces})
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); b.delivery.Run(ctx) }()
	b.onClose("delivery", func() error { stop(); <-done; return nil })
	return nil
}

func (b *borough) deliveryTarget(receipts *delivery.Receipts) (delivery.Target, error) {
	c := b.cfg.Delivery
	if c.Folder != "" {
		fresh := len(receipts.Newest(1)) == 0 && len(receipts.Ready()) == 0
		return delivery.OpenFolder(disk.Local{}, c.Folder, fresh)
	}
	token, err := secretToken(b.cfg.secretsDir(), deliveryTokenFile)
	if err != nil {
		return nil, err
	}
	return delivery.NewWebhook(c.URL, token, nil), nil
}

// secretToken reads what another side knows the server by; empty: it asks for nothing.
func secretToken(dir, name string) (string, error) {
	path := filepath.Join(dir, name)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("reading the secret %s: %w", name, err)
	}
	if info.Mode().Perm()&0o037 != 0 || !passed(dir) && info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("secret %s can be read by others: chmod 600 it", path)
	}
	token, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("reading the secret %s: %w", name, err)
	}
	return strings.TrimSpace(string(token)), nil
}

// deliveryFigures says what has not arrived; nil: nothing is delivered, or not all was
// looked at yet.
func (b *borough) deliveryFigures() *metrics.Delivery {
	if b.delivery == nil {
		return nil
	}
	d := b.delivery.Depth()
	if !d.Complete {
		return nil
	}
	return &metrics.Delivery{Waiting: d.Waiting, Refused: d.Refused, Ready: d.Ready, Held: d.Held, Oldest: d.Oldest, Failing: d.Failing}
}

// maxBundle bounds a bundle that is checked.
const maxBundle = 64 << 20

// VerifyBundle checks that the holder of a checkpoint key signed exactly these bytes, and
// returns what the bundle says of itself. key is as for VerifyExport. It fails with
// ErrExportKey, and with an error that is ErrDamaged if the signature is not of these bytes.
func VerifyBundle(cfg Config, key string, bundle, signature io.Reader) (delivery.Bundle, error) {
	public, err := exportKey(cfg, key)
	if err != nil {
		return delivery.Bundle{}, err
	}
	words, err := io.ReadAll(io.LimitReader(bundle, maxBundle+1))
	if err != nil {
		return delivery.Bundle{}, fmt.Errorf("reading the bundle: %w", err)
	}
	sum, err := io.ReadAll(io.LimitReader(signature, 4096))
	if err != nil {
		return delivery.Bundle{}, fmt.Errorf("reading the signature: %w", err)
	}
	if len(words) > maxBundle {
		return delivery.Bundle{}, errors.New("the file is larger than any bundle")
	}
	b, err := delivery.Open(words, string(sum), public)
	if errors.Is(err, delivery.ErrSignature) {
		err = fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return b, err
}

// BundleKey is the key that bundles are signed with, as a JWK. key is as for VerifyExport.
func BundleKey(cfg Config, key string) (string, error) {
	public, err := exportKey(cfg, key)
	if err != nil {
		return "", err
	}
	return delivery.JWK(ed25519.PublicKey(public)), nil
}
