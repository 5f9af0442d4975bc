package server

import (
	"context"
	"errors"

	"doorstep/server/internal/audit"
	"doorstep/syncproto"
)

// notedOperator tells the logs of every command of an operator, whether it changes
// something or only looks, and whether it was refused. It is one type with every
// method of Operator, so that no command can be added without.
type notedOperator struct{ localOperator }

// The words of commands in the access log.
const (
	wordAddUser        = "add-user"
	wordUsers          = "users"
	wordSetPassword    = "set-password"
	wordSetDisabled    = "set-disabled"
	wordLinkUser       = "link-user"
	wordRevokeUser     = "revoke-user"
	wordIssueCode      = "issue-code"
	wordDevices        = "devices"
	wordRevokeDevice   = "revoke-device"
	wordExplainAccess  = "explain-access"
	wordImport         = "import"
	wordStatus         = "status"
	wordReload         = "reload"
	wordErase          = "erase"
	wordReconciliation = "reconciliation"
	wordCustody        = "custody"
	wordRecover        = "recover"
)

// told runs a command as the server's operator and notes it, before anything of it
// is shown.
func told[T any](ctx context.Context, n notedOperator, word string, run func(context.Context) (T, error)) (T, error) {
	var nothing T
	by := audit.Acting{Operator: true}
	out, err := run(audit.WithActing(ctx, by))
	seen := audit.Access{Type: audit.TypeOperator, By: by, Word: word}
	if err != nil && !errors.As(err, &seen.Code) {
		seen.Code = syncproto.CodeInternal
	}
	if noted := n.b.accesses.Note(seen); noted != nil && err == nil {
		return nothing, noted // what cannot be audited is not shown
	}
	return out, err
}

// done is told for a command that answers nothing.
func done(ctx context.Context, n notedOperator, word string, run func(context.Context) error) error {
	_, err := told(ctx, n, word, func(ctx context.Context) (struct{}, error) { return struct{}{}, run(ctx) })
	return err
}

// AddUser implements Operator.
func (n notedOperator) AddUser(ctx context.Context, in NewUser) (User, error) {
	return told(ctx, n, wordAddUser, func(ctx context.Context) (User, error) { return n.localOperator.AddUser(ctx, in) })
}

// Users implements Operator.
func (n notedOperator) Users(ctx context.Context) ([]User, error) {
	return told(ctx, n, wordUsers, n.localOperator.Users)
}

// SetPassword implements Operator.
func (n notedOperator) SetPassword(ctx context.Context, login, password string) error {
	return done(ctx, n, wordSetPassword, func(ctx context.Context) error { return n.localOperator.SetPassword(ctx, login, password) })
}

// SetDisabled implements Operator.
func (n notedOperator) SetDisabled(ctx context.Context, login string, disabled bool) error {
	return done(ctx, n, wordSetDisabled, func(ctx context.Context) error { return n.localOperator.SetDisabled(ctx, login, disabled) })
}

// LinkUser implements Operator.
func (n notedOperator) LinkUser(ctx context.Context, login, subject string) error {
	return done(ctx, n, wordLinkUser, func(ctx context.Context) error { return n.localOperator.LinkUser(ctx, login, subject) })
}

// RevokeUser implements Operator.
func (n notedOperator) RevokeUser(ctx context.Context, login string) error {
	return done(ctx, n, wordRevokeUser, func(ctx context.Context) error { return n.localOperator.RevokeUser(ctx, login) })
}

// IssueCode implements Operator.
func (n notedOperator) IssueCode(ctx context.Context, login string) (EnrolmentCode, error) {
	return told(ctx, n, wordIssueCode, func(ctx context.Context) (EnrolmentCode, error) { return n.localOperator.IssueCode(ctx, login) })
}

// Devices implements Operator.
func (n notedOperator) Devices(ctx context.Context) ([]Device, error) {
	return told(ctx, n, wordDevices, n.localOperator.Devices)
}

// RevokeDevice implements Operator.
func (n notedOperator) RevokeDevice(ctx context.Context, id string) error {
	return done(ctx, n, wordRevokeDevice, func(ctx context.Context) error { return n.localOperator.RevokeDevice(ctx, id) })
}

// ExplainAccess implements Operator.
func (n notedOperator) ExplainAccess(ctx context.Context, login, record string) (AccessExplained, error) {
	return told(ctx, n, wordExplainAccess, func(ctx context.Context) (AccessExplained, error) {
		return n.localOperator.ExplainAccess(ctx, login, record)
	})
}

// Import implements Operator.
func (n notedOperator) Import(ctx context.Context, in ImportFiles) (ImportReport, error) {
	return told(ctx, n, wordImport, func(ctx context.Context) (ImportReport, error) { return n.localOperator.Import(ctx, in) })
}

// Status implements Operator.
func (n notedOperator) Status(ctx context.Context) (Status, error) {
	return told(ctx, n, wordStatus, n.localOperator.Status)
}

// Reload implements Operator.
func (n notedOperator) Reload(ctx context.Context) (ReloadReport, error) {
	return told(ctx, n, wordReload, n.localOperator.Reload)
}

// Erase implements Operator.
func (n notedOperator) Erase(ctx context.Context, in EraseOrder) ([]Erasure, error) {
	return told(ctx, n, wordErase, func(ctx context.Context) ([]Erasure, error) { return n.localOperator.Erase(ctx, in) })
}

// Reconciliation implements Operator.
func (n notedOperator) Reconciliation(ctx context.Context) (Reconciliation, error) {
	return told(ctx, n, wordReconciliation, n.localOperator.Reconciliation)
}

// Custody implements Operator.
func (n notedOperator) Custody(ctx context.Context) (Custody, error) {
	return told(ctx, n, wordCustody, n.localOperator.Custody)
}

// Recover implements Operator.
func (n notedOperator) Recover(ctx context.Context, in RecoverOrder) (RecoverReport, error) {
	return told(ctx, n, wordRecover, func(ctx context.Context) (RecoverReport, error) { return n.localOperator.Recover(ctx, in) })
}
