package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"doorstep/server"
)

type initOptions struct {
	config       string
	name         string
	borough      string
	data         string
	secrets      string
	login        string
	userName     string
	passwordFile string
}

func newInit(s streams) *cobra.Command {
	var o initOptions
	defaults := server.DefaultConfig()
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Begin a borough: configuration, keys, data and the first account",
		Long: "Begin a borough. If the configuration file is not there it is written, with every key and its meaning.\n" +
			"Then the secret keys, an empty journal and key store, and the first account (role it) are made.\n" +
			"Nothing that is there already is ever changed.",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runInit(cmd.Context(), o, s) },
	}
	configFlag(cmd, &o.config)
	f := cmd.Flags()
	f.StringVar(&o.borough, "borough", "", "the borough's short name, for a new configuration file")
	f.StringVar(&o.name, "name", "", "what the installation is called, for a new configuration file (default: the borough)")
	f.StringVar(&o.data, "data", defaults.Data.Dir, "folder of the data, for a new configuration file")
	f.StringVar(&o.secrets, "secrets", defaults.Secrets.Dir, "folder of the secret keys, for a new configuration file")
	f.StringVar(&o.login, "login", "it", "login of the first account")
	f.StringVar(&o.userName, "user-name", "Borough IT", "name of the first account's owner")
	f.StringVar(&o.passwordFile, "password-file", "", "file with the first account's password (default: one is drawn and printed)")
	return cmd
}

func runInit(ctx context.Context, o initOptions, s streams) error {
	password, err := readPasswordFile(o.passwordFile)
	if err != nil {
		return err
	}
	cfg, written, err := configForInit(o)
	if err != nil {
		return err
	}
	drawn, err := server.Init(ctx, cfg, server.FirstUser{Login: o.login, Name: o.userName, Password: password})
	if err != nil {
		if written { // leave nothing behind that a second try would trip over
			err = errors.Join(err, os.Remove(o.config))
		}
		return err
	}
	fmt.Fprintf(s.out, "The borough %q has begun.\n  configuration  %s\n  data           %s\n  secret keys    %s\n",
		cfg.Borough, o.config, cfg.Data.Dir, cfg.Secrets.Dir)
	if drawn != "" {
		fmt.Fprintf(s.out, "  first account  %s, password %s (shown once)\n", o.login, drawn)
	}
	fmt.Fprintf(s.out, "Keep a copy of %s apart from the data: without it nothing can be read.\n"+
		"Next: doorstep serve --config %s\n", filepath.Join(cfg.Secrets.Dir, "borough.key"), o.config)
	return nil
}

// configForInit loads the configuration file, or writes one if there is none.
func configForInit(o initOptions) (cfg server.Config, written bool, err error) {
	if _, err := os.Stat(o.config); !errors.Is(err, fs.ErrNotExist) {
		cfg, err := server.LoadConfig(o.config, os.Environ())
		return cfg, false, err
	}
	if o.borough == "" {
		return cfg, false, usageError{fmt.Errorf("%s does not exist: name the borough with --borough to have it written", o.config)}
	}
	cfg = server.DefaultConfig()
	cfg.Borough, cfg.Name = o.borough, o.name
	if cfg.Name == "" {
		cfg.Name = o.borough
	}
	if cfg.Data.Dir, err = filepath.Abs(o.data); err != nil {
		return cfg, false, err
	}
	if cfg.Secrets.Dir, err = filepath.Abs(o.secrets); err != nil {
		return cfg, false, err
	}
	if err := cfg.Check(); err != nil {
		return cfg, false, err
	}
	return cfg, true, writeConfig(o.config, cfg)
}

func writeConfig(path string, cfg server.Config) error {
	var b bytes.Buffer
	if err := server.WriteConfig(&b, cfg); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("making the folder of the configuration: %w", err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("writing the configuration: %w", err)
	}
	return nil
}

// readPasswordFile reads a password from a file's first line; "" for no file.
func readPasswordFile(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("reading the password: %w", err)
	}
	line, _, _ := strings.Cut(string(b), "\n")
	if line = strings.TrimSuffix(line, "\r"); line == "" {
		return "", usageError{fmt.Errorf("%s has no password on its first line", path)}
	}
	return line, nil
}
