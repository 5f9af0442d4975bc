package server

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"doorstep/server/internal/auth"
	"doorstep/server/internal/intake"
	"doorstep/syncproto"
)

// Operator does what IT does: people, devices, importing the caseload. It shows
// no case content. OpenOperator finds the right one.
type Operator interface {
	AddUser(context.Context, NewUser) (User, error)
	Users(context.Context) ([]User, error)
	SetPassword(ctx context.Context, login, password string) error
	SetDisabled(ctx context.Context, login string, disabled bool) error
	// LinkUser binds an account to a person of the sign-in service; "" to nobody.
	LinkUser(ctx context.Context, login, subject string) error
	// RevokeUser ends everything that a person could act by.
	RevokeUser(ctx context.Context, login string) error
	IssueCode(ctx context.Context, login string) (EnrolmentCode, error)
	Devices(context.Context) ([]Device, error)
	RevokeDevice(ctx context.Context, id string) error
	// Custody lists what waits for reviewers, without its words.
	Custody(context.Context) (Custody, error)
	// Recover puts the words of a lost or locked tablet into custody, as two officers
	// opened them (OpenSealedOutbox).
	Recover(context.Context, RecoverOrder) (RecoverReport, error)
	// ExplainAccess says what a person may do with a record now, and why.
	ExplainAccess(ctx context.Context, login, record string) (AccessExplained, error)
	// Import takes the CSV files at the root of a zip archive. With problems in
	// the report nothing was stored.
	Import(ctx context.Context, in ImportFiles) (ImportReport, error)
	// Status says how the data is: disk, scrub, backups.
	Status(context.Context) (Status, error)
	// Reload has a running server read its configuration again.
	Reload(context.Context) (ReloadReport, error)
	// Erase does what somebody of information governance orders about an erasure.
	Erase(context.Context, EraseOrder) ([]Erasure, error)
	// Reconciliation says what came back since a restore, and what is missing.
	Reconciliation(context.Context) (Reconciliation, error)
	Close() error
}

// NewUser is an account to be added. Without a password the person chooses one
// when they first enrol with a code.
type NewUser struct {
	Login    string `json:"login"`
	Name     string `json:"name"`
	Role     string `json:"role"` // one of access.Roles
	Password string `json:"password"`
}

// User is an account as lists show it.
type User struct {
	ID       string `json:"id"`
	Login    string `json:"login"`
	Name     string `json:"name"`
	Role     string `json:"role"`
	CanLogIn bool   `json:"can_log_in"` // has a password and is not disabled
	Disabled bool   `json:"disabled"`
}

// EnrolmentCode is shown once.
type EnrolmentCode struct {
	Code    string    `json:"code"`
	Expires time.Time `json:"expires"`
}

// ImportFiles is a caseload to import.
type ImportFiles struct {
	Zip    []byte `json:"zip"`
	DryRun bool   `json:"dry_run"`
}

// ImportReport says what an import found and did.
type ImportReport = intake.Report

// ImportProblem is one thing wrong with the files, and where.
type ImportProblem = intake.Problem

// maxZipBytes bounds a caseload on its way to the server.
const maxZipBytes = 64 << 20

// OpenOperator returns an Operator for the borough of cfg: of the server that is
// running on its data, or else on the data itself, which it keeps locked until
// Close. Log lines go to logs.
func OpenOperator(cfg Config, logs io.Writer) (Operator, error) {
	remote, running, err := dialAdmin(cfg.Data.Dir)
	if err != nil {
		return nil, err
	}
	if running {
		return remote, nil
	}
	b, err := openBorough(cfg, newLogger(cfg.Log, logs), false)
	if err != nil {
		return nil, err
	}
	return closingOperator{notedOperator{localOperator{b}}}, nil
}

// closingOperator is an operator on data that it opened itself.
type closingOperator struct{ notedOperator }

// Close gives the data back.
func (o closingOperator) Close() error { return o.b.close() }

// localOperator works in the process that has the data open.
type localOperator struct{ b *borough }

func (o localOperator) AddUser(ctx context.Context, in NewUser) (User, error) {
	acc, err := o.b.auth.AddUser(ctx, auth.NewUser{Login: in.Login, Name: in.Name, Role: auth.Role(in.Role), Password: in.Password})
	if err != nil {
		return User{}, fmt.Errorf("adding a user: %w", err)
	}
	return userOf(acc), nil
}

func (o localOperator) Users(context.Context) ([]User, error) {
	var out []User
	for _, acc := range o.b.auth.Users() {
		out = append(out, userOf(acc))
	}
	return out, nil
}

func (o localOperator) SetPassword(ctx context.Context, login, password string) error {
	if err := o.b.auth.SetPassword(ctx, login, password); err != nil {
		return fmt.Errorf("setting a password: %w", err)
	}
	return nil
}

func (o localOperator) SetDisabled(ctx context.Context, login string, disabled bool) error {
	if err := o.b.auth.DisableUser(ctx, login, disabled); err != nil {
		return fmt.Errorf("changing a user: %w", err)
	}
	return nil
}

func (o localOperator) LinkUser(ctx context.Context, login, subject string) error {
	if err := o.b.auth.LinkUser(ctx, login, subject); err != nil {
		return fmt.Errorf("linking a user: %w", err)
	}
	return nil
}

func (o localOperator) RevokeUser(ctx context.Context, login string) error {
	if err := o.b.auth.RevokeUser(ctx, login); err != nil {
		return fmt.Errorf("revoking a user: %w", err)
	}
	return nil
}

func (o localOperator) IssueCode(ctx context.Context, login string) (EnrolmentCode, error) {
	code, expires, err := o.b.auth.IssueCode(ctx, login)
	return EnrolmentCode{Code: code, Expires: expires}, err
}

func (o localOperator) Devices(context.Context) ([]Device, error) {
	logins := map[syncproto.UserID]string{}
	for _, acc := range o.b.auth.Users() {
		logins[acc.ID] = acc.Login
	}
	var out []Device
	for _, d := range o.b.auth.Devices() {
		out = append(out, o.deviceOf(d, logins))
	}
	return out, nil
}

// errDeskDevice keeps IT from cutting off the server's own hand.
var errDeskDevice = errors.New("this is the server's own desk, which cannot be revoked")

func (o localOperator) RevokeDevice(ctx context.Context, id string) error {
	parsed, err := syncproto.ParseID(id)
	if err != nil {
		return auth.ErrUnknownDevice
	}
	desk, err := o.b.secrets.deskDevice()
	if err != nil {
		return err
	}
	if desk == syncproto.DeviceID(parsed) {
		return errDeskDevice
	}
	if err := o.b.auth.RevokeDevice(ctx, syncproto.DeviceID(parsed)); err != nil {
		return fmt.Errorf("revoking a device: %w", err)
	}
	return nil
}

// Import returns the report, with its problems, also when nothing was stored; an
// error is for what is not the files' fault.
func (o localOperator) Import(ctx context.Context, in ImportFiles) (ImportReport, error) {
	files, err := zip.NewReader(bytes.NewReader(in.Zip), int64(len(in.Zip)))
	if err != nil {
		return ImportReport{}, fmt.Errorf("reading the archive of files: %w", err)
	}
	deps := intake.Deps{Ledger: o.b.ledger, Desk: o.b.desk, Store: o.b.store, Random: rand.Reader, NormalLogin: auth.NormalLogin}
	report, err := intake.Import(ctx, deps, files, intake.Options{Now: time.Now(), DryRun: in.DryRun})
	if errors.Is(err, intake.ErrProblems) {
		return report, nil
	}
	if err != nil {
		return report, fmt.Errorf("importing: %w", err)
	}
	return report, nil
}

// Close does nothing: the data belongs to the server.
func (o localOperator) Close() error { return nil }

func userOf(a auth.Account) User {
	return User{ID: a.ID.String(), Login: a.Login, Name: a.Name, Role: string(a.Role),
		CanLogIn: a.PasswordHash != "" && !a.Disabled, Disabled: a.Disabled}
}

// ZipFolder packs the files at the root of a folder for Import.
func ZipFolder(dir string) ([]byte, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("listing the folder: %w", err)
	}
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, file := range files {
		name := filepath.Join(dir, file.Name())
		if err := zipFile(z, name); err != nil {
			return nil, fmt.Errorf("packing %s: %w", name, err)
		}
		if out.Len() > maxZipBytes {
			return nil, fmt.Errorf("the files of %s are over %d MB packed", dir, maxZipBytes>>20)
		}
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("packing %s: %w", dir, err)
	}
	return out.Bytes(), nil
}
