package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// adminSocket is where a running server takes an operator's commands. Whoever
// can open it (the server's own account, and root) is an operator.
const adminSocket = "admin.sock"

// adminServer answers operators on the admin socket.
type adminServer struct {
	path     string
	listener net.Listener
	http     *http.Server
}

// listenAdmin takes the socket in the folder of the data, which is locked: a
// socket that is there is left over from a process that died.
func listenAdmin(dir string, op Operator) (*adminServer, error) {
	path := filepath.Join(dir, adminSocket)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("removing an old admin socket: %w", err)
	}
	ln, err := listenPrivately(dir, path)
	if err != nil {
		return nil, fmt.Errorf("opening the admin socket: %w", err)
	}
	return &adminServer{path: path, listener: ln, http: &http.Server{
		Handler: adminHandler(op), ReadTimeout: time.Minute, WriteTimeout: 10 * time.Minute, MaxHeaderBytes: 8 << 10,
	}}, nil
}

// listenPrivately makes a socket at path that was never open to others, whoever
// may look into dir: it is made in a folder of its own, closed to others, and then
// put into its place.
func listenPrivately(dir, path string) (net.Listener, error) {
	private, err := os.MkdirTemp(dir, ".a")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(private)
	made := filepath.Join(private, "s")
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: made, Net: "unix"})
	if err != nil {
		return nil, err
	}
	ln.SetUnlinkOnClose(false) // it will not be there
	if err := errors.Join(os.Chmod(made, 0o600), os.Rename(made, path)); err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	return ln, nil
}

func (s *adminServer) serve() error {
	if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving the admin socket: %w", err)
	}
	return nil
}

func (s *adminServer) close(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	if cerr := s.listener.Close(); cerr != nil && !errors.Is(cerr, net.ErrClosed) {
		err = errors.Join(err, cerr)
	}
	if rerr := os.Remove(s.path); rerr != nil && !errors.Is(rerr, fs.ErrNotExist) {
		err = errors.Join(err, rerr)
	}
	return err
}

// The requests of the commands that take more than a struct of operator.go.
type (
	nothing       struct{}
	passwordOrder struct{ Login, Password string }
	linkOrder     struct{ Login, Subject string }
	disableOrder  struct {
		Login    string
		Disabled bool
	}
	loginOrder  struct{ Login string }
	deviceOrder struct{ ID string }

	explainOrder struct{ Login, Record string }
	problem      struct{ Error string }
)

// adminHandler has one path for each method of Operator.
func adminHandler(op Operator) http.Handler {
	mux := http.NewServeMux()
	command(mux, "add-user", op.AddUser)
	command(mux, "users", func(ctx context.Context, _ nothing) ([]User, error) { return op.Users(ctx) })
	command(mux, "set-password", func(ctx context.Context, in passwordOrder) (nothing, error) {
		return nothing{}, op.SetPassword(ctx, in.Login, in.Password)
	})
	command(mux, "set-disabled", func(ctx context.Context, in disableOrder) (nothing, error) {
		return nothing{}, op.SetDisabled(ctx, in.Login, in.Disabled)
	})
	command(mux, "link-user", func(ctx context.Context, in linkOrder) (nothing, error) {
		return nothing{}, op.LinkUser(ctx, in.Login, in.Subject)
	})
	command(mux, "revoke-user", func(ctx context.Context, in loginOrder) (nothing, error) {
		return nothing{}, op.RevokeUser(ctx, in.Login)
	})
	command(mux, "issue-code", func(ctx context.Context, in loginOrder) (EnrolmentCode, error) { return op.IssueCode(ctx, in.Login) })
	command(mux, "devices", func(ctx context.Context, _ nothing) ([]Device, error) { return op.Devices(ctx) })
	command(mux, "revoke-device", func(ctx context.Context, in deviceOrder) (nothing, error) {
		return nothing{}, op.RevokeDevice(ctx, in.ID)
	})
	command(mux, "recover", op.Recover)
	command(mux, "custody", func(ctx context.Context, _ nothing) (Custody, error) { return op.Custody(ctx) })
	command(mux, "explain-access", func(ctx context.Context, in explainOrder) (AccessExplained, error) {
		return op.ExplainAccess(ctx, in.Login, in.Record)
	})
	command(mux, "import", op.Import)
	command(mux, "erase", op.Erase)
	command(mux, "reconciliation", func(ctx context.Context, _ nothing) (Reconciliation, error) { return op.Reconciliation(ctx) })
	command(mux, "reload", func(ctx context.Context, _ nothing) (ReloadReport, error) { return op.Reload(ctx) })
	command(mux, "status", func(ctx context.Context, _ nothing) (Status, error) { return op.Status(ctx) })
	return mux
}

// command serves one method as POST with JSON both ways.
func command[Req, Res any](mux *http.ServeMux, name string, run func(context.Context, Req) (Res, error)) {
	mux.HandleFunc("POST /"+name, func(w http.ResponseWriter, r *http.Request) {
		var in Req
		// Base64 is a third longer than the archive.
		dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxZipBytes*3/2))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&in); err != nil {
			writeAdmin(w, http.StatusBadRequest, problem{err.Error()})
			return
		}
		ctx, stop := tellProgress(r.Context(), w, progressEvery)
		out, err := run(ctx, in)
		stop()
		if err != nil {
			writeAdmin(w, http.StatusConflict, problem{err.Error()})
			return
		}
		writeAdmin(w, http.StatusOK, out)
	})
}

func writeAdmin(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the operator has gone; there is nobody to tell
}

// remoteOperator works through the admin socket of a running server.
type remoteOperator struct{ http *http.Client }

// dialAdmin returns an operator of the server that runs on the data in dir;
// running is false if there is none.
func dialAdmin(dir string) (op remoteOperator, running bool, err error) {
	path := filepath.Join(dir, adminSocket)
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", path)
	}
	conn, err := dial(context.Background(), "", "")
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		return op, false, nil
	}
	if err != nil {
		return op, false, fmt.Errorf("reaching the running server at %s (are you the account it runs as?): %w", path, err)
	}
	_ = conn.Close()
	return remoteOperator{&http.Client{Transport: &http.Transport{DialContext: dial}}}, true, nil
}

// ErrNoAnswer is the error of a command that the running server may have carried out.
var ErrNoAnswer = errors.New("the running server gave no answer")

// ask sends one command.
func ask[Req, Res any](ctx context.Context, o remoteOperator, name string, in Req) (out Res, err error) {
	body, err := json.Marshal(in)
	if err != nil {
		return out, fmt.Errorf("writing a command: %w", err)
	}
	req, err := http.NewRequestWithContext(hearProgress(ctx), http.MethodPost, "http://doorstep/"+name, bytes.NewReader(body))
	if err != nil {
		return out, fmt.Errorf("writing a command: %w", err)
	}
	res, err := o.http.Do(req)
	if err != nil {
		return out, fmt.Errorf("%w: %w", ErrNoAnswer, err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxZipBytes))
	if err != nil {
		return out, fmt.Errorf("%w: %w", ErrNoAnswer, err)
	}
	if res.StatusCode != http.StatusOK {
		var p problem
		if err := json.Unmarshal(answer, &p); err != nil || p.Error == "" {
			return out, fmt.Errorf("the running server answered %s; is it another version?", res.Status)
		}
		return out, errors.New(p.Error)
	}
	if err := json.Unmarshal(answer, &out); err != nil {
		return out, fmt.Errorf("reading the running server's answer: %w", err)
	}
	return out, nil
}

func (o remoteOperator) AddUser(ctx context.Context, in NewUser) (User, error) {
	return ask[NewUser, User](ctx, o, "add-user", in)
}

func (o remoteOperator) Users(ctx context.Context) ([]User, error) {
	return ask[nothing, []User](ctx, o, "users", nothing{})
}

func (o remoteOperator) SetPassword(ctx context.Context, login, password string) error {
	_, err := ask[passwordOrder, nothing](ctx, o, "set-password", passwordOrder{login, password})
	return err
}

func (o remoteOperator) SetDisabled(ctx context.Context, login string, disabled bool) error {
	_, err := ask[disableOrder, nothing](ctx, o, "set-disabled", disableOrder{login, disabled})
	return err
}

func (o remoteOperator) LinkUser(ctx context.Context, login, subject string) error {
	_, err := ask[linkOrder, nothing](ctx, o, "link-user", linkOrder{login, subject})
	return err
}

func (o remoteOperator) RevokeUser(ctx context.Context, login string) error {
	_, err := ask[loginOrder, nothing](ctx, o, "revoke-user", loginOrder{login})
	return err
}

func (o remoteOperator) IssueCode(ctx context.Context, login string) (EnrolmentCode, error) {
	return ask[loginOrder, EnrolmentCode](ctx, o, "issue-code", loginOrder{login})
}

func (o remoteOperator) Devices(ctx context.Context) ([]Device, error) {
	return ask[nothing, []Device](ctx, o, "devices", nothing{})
}

func (o remoteOperator) RevokeDevice(ctx context.Context, id string) error {
	_, err := ask[deviceOrder, nothing](ctx, o, "revoke-device", deviceOrder{id})
	return err
}

func (o remoteOperator) Custody(ctx context.Context) (Custody, error) {
	return ask[nothing, Custody](ctx, o, "custody", nothing{})
}

func (o remoteOperator) ExplainAccess(ctx context.Context, login, record string) (AccessExplained, error) {
	return ask[explainOrder, AccessExplained](ctx, o, "explain-access", explainOrder{login, record})
}

func (o remoteOperator) Import(ctx context.Context, in ImportFiles) (ImportReport, error) {
	return ask[ImportFiles, ImportReport](ctx, o, "import", in)
}

// Reconciliation implements Operator.
func (o remoteOperator) Reconciliation(ctx context.Context) (Reconciliation, error) {
	return ask[nothing, Reconciliation](ctx, o, "reconciliation", nothing{})
}

// Reload implements Operator.
func (o remoteOperator) Reload(ctx context.Context) (ReloadReport, error) {
	return ask[nothing, ReloadReport](ctx, o, "reload", nothing{})
}

// Status implements Operator.
func (o remoteOperator) Status(ctx context.Context) (Status, error) {
	return ask[nothing, Status](ctx, o, "status", nothing{})
}

// Close gives up the connection; the server runs on.
func (o remoteOperator) Close() error {
	o.http.CloseIdleConnections()
	return nil
}
