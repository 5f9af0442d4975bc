package server

import (
	"archive/zip"
	"context"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"doorstep/server/internal/auth"
)

// ErrBegun says that there is a borough in the folder already.
var ErrBegun = errors.New("there is a borough in this folder already; nothing was changed")

// FirstUser is the account that Init makes: somebody of IT, who adds the others.
type FirstUser struct {
	Login    string
	Name     string
	Password string // empty: Init draws one and returns it
}

// Init begins a borough: it makes the folders, the secret keys that are not there
// yet, an empty journal and key store, and the first account. It returns that
// account's password if it drew one. It never touches a borough that has begun.
func Init(ctx context.Context, cfg Config, first FirstUser) (password string, err error) {
	if err := cfg.Check(); err != nil {
		return "", err
	}
	if first.Password == "" {
		password = drawnPassword()
		first.Password = password
	}
	user := auth.NewUser{Login: first.Login, Name: first.Name, Role: auth.RoleIT, Password: first.Password}
	if err := user.Check(); err != nil {
		return "", fmt.Errorf("the first account: %w", err)
	}
	for _, name := range []string{journalFolder, keysFolder, indexFolder} {
		if exists(filepath.Join(cfg.Data.Dir, name)) {
			return "", fmt.Errorf("%s: %w", cfg.Data.Dir, ErrBegun)
		}
	}
	if err := os.MkdirAll(cfg.Data.Dir, 0o700); err != nil {
		return "", fmt.Errorf("making the folder of the data: %w", err)
	}
	if err := newSecrets(cfg.secretsDir()); err != nil {
		return "", err
	}
	b, err := openBorough(cfg, slog.New(slog.DiscardHandler), true)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	if _, err := b.auth.AddUser(ctx, user); err != nil {
		return "", fmt.Errorf("adding the first account: %w", err)
	}
	return password, nil
}

// exists reports whether there is anything at path.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// drawnPassword is 100 random bits in four groups that can be read out.
func drawnPassword() string {
	s := strings.ToLower(base32.StdEncoding.EncodeToString(randomBytes(13)))[:20]
	return s[0:5] + "-" + s[5:10] + "-" + s[10:15] + "-" + s[15:20]
}

// zipFile adds one file to an archive, under its base name; folders are passed over.
func zipFile(z *zip.Writer, path string) error {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return err
	}
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := z.Create(filepath.Base(path))
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return err
}
