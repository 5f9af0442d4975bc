package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"doorstep/server"
)

type serveOptions struct {
	config  string
	without func(server.Config) server.Config // see newServeWithout; nil: serve with everything
}

// newServeWithout serves as serve does, but for what without leaves out. doorstep
// bench measures by it what that costs; nothing else should start it.
func newServeWithout(use string, without func(server.Config) server.Config, s streams) *cobra.Command {
	o := serveOptions{without: without}
	cmd := &cobra.Command{
		Use: use, Hidden: true, Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runServe(cmd.Context(), o, s) },
	}
	configFlag(cmd, &o.config)
	return cmd
}

func newServe(s streams) *cobra.Command {
	var o serveOptions
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the borough until interrupted",
		Long: "Serve the borough until SIGINT or SIGTERM, then let what is under way finish (at most 20 s).\n" +
			"SIGHUP reads the configuration again, as doorstep reload does; the log says what came of it.\n" +
			"Log lines go to standard error. The data must have been begun with doorstep init.",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runServe(cmd.Context(), o, s) },
	}
	configFlag(cmd, &o.config)
	return cmd
}

func runServe(ctx context.Context, o serveOptions, s streams) error {
	cfg, err := server.LoadConfig(o.config, os.Environ())
	if err != nil {
		return err
	}
	if o.without != nil {
		cfg = o.without(cfg)
	}
	spendMemory(cfg.Limits.MemoryMB)
	favourWhoWaited()
	if err := server.KeepCrashes(cfg); err != nil {
		return err
	}
	boss := openManager()
	defer boss.close()
	meter := server.NewProgress()
	started := boss.starting(meter, tellEvery)
	srv, err := server.OpenWatched(cfg, s.err, meter)
	started()
	if err != nil {
		return err
	}
	debug.FreeOSMemory() // what the start needed, and serving does not
	srv.ReloadFrom(func() (server.Config, error) { return server.LoadConfig(o.config, os.Environ()) })
	stop := reloadOnHangup(ctx, srv)
	defer stop()
	defer giveBackWhenQuiet(ctx)()
	defer keepWithin(ctx, cfg.Limits.MemoryMB)()
	boss.tell(managerReady)
	defer boss.stopping(ctx)()
	return errors.Join(srv.Serve(ctx), srv.Close())
}

// tellEvery is how often a service manager hears how far a start is.
const tellEvery = time.Second

// reloadOnHangup has the server read its configuration again at each SIGHUP, which
// says in its log what came of it.
func reloadOnHangup(ctx context.Context, srv *server.Server) (stop func()) {
	hangups, done := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(hangups, syscall.SIGHUP)
	go func() {
		defer close(done)
		for range hangups {
			_, _ = srv.Reload(ctx) // the log has it
		}
	}()
	return func() {
		signal.Stop(hangups)
		close(hangups)
		<-done
	}
}

// garbagePercent lets the heap grow to five times of what is in use before it is
// searched for garbage. A server in use holds some tens of megabytes and makes
// about 40 KB of garbage a visit, so Go's own 100 searches several times a second.
const garbagePercent = 400

// spendMemory trades memory for time up to a limit, near which Go searches as
// often as it has to. GOGC and GOMEMLIMIT in the environment take precedence.
func spendMemory(limitMB int) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbagePercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(int64(limitMB) << 20)
	}
}

// threadsACPU is how many of Go's processors the server has for each CPU.
const threadsACPU = 2

// favourWhoWaited has the operating system share out the CPUs where Go would let
// whoever comes back from a sync queue behind requests that are being read. They
// hold a group that everybody on it waits for, and need little time: the system lets
// them go first, since they slept. On two CPUs eight tablets push about a quarter
// more visits a second so. GOMAXPROCS in the environment takes precedence.
func favourWhoWaited() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(threadsACPU * runtime.GOMAXPROCS(0))
	}
}
