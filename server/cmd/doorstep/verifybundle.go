package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"doorstep/server"
)

type verifyBundleOptions struct {
	config    string
	key       string
	signature string
	jwk       bool
}

func newVerifyBundle(s streams) *cobra.Command {
	var o verifyBundleOptions
	cmd := &cobra.Command{
		Use:   "verify-bundle [FILE]",
		Short: "Check that a final record came from the server as it is; exit code 3 if not",
		Long: "Check a final record as it was given to the case-management system: FILE.json with its signature in FILE.jws\n" +
			"(or as --signature says). Whoever has no server gives its checkpoint key, which the server itself says at\n" +
			"/v1/about; without --key the borough's own is read from its secrets. --jwk prints the key in the form that\n" +
			"libraries for JSON Web Signatures read, so that the other side can check without this program.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return runVerifyBundle(o, args, s) },
	}
	configFlag(cmd, &o.config)
	cmd.Flags().StringVar(&o.key, "key", "", "checkpoint key of the borough (default: of the configuration's secrets)")
	cmd.Flags().StringVar(&o.signature, "signature", "", "file with the signature (default: beside the bundle, with .jws for .json)")
	cmd.Flags().BoolVar(&o.jwk, "jwk", false, "print the key as a JSON Web Key, and check nothing")
	return cmd
}

func runVerifyBundle(o verifyBundleOptions, args []string, s streams) error {
	var cfg server.Config
	if o.key == "" {
		var err error
		if cfg, err = server.LoadConfig(o.config, os.Environ()); err != nil {
			return err
		}
	}
	if o.jwk {
		key, err := server.BundleKey(cfg, o.key)
		if err == nil {
			fmt.Fprintln(s.out, key)
		}
		return err
	}
	if len(args) == 0 {
		return errors.New("name the file of a bundle")
	}
	if o.signature == "" {
		o.signature = strings.TrimSuffix(args[0], ".json") + ".jws"
	}
	bundle, err := os.Open(args[0])
	if err != nil {
		return fmt.Errorf("reading the bundle: %w", err)
	}
	defer bundle.Close()
	signature, err := os.Open(o.signature)
	if err != nil {
		return fmt.Errorf("reading the signature: %w", err)
	}
	defer signature.Close()
	b, err := server.VerifyBundle(cfg, o.key, bundle, signature)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "The file is as the server of %s gave it out: record %s, version %d (%s), of %s.\n", b.Borough, b.Record, b.Version, b.Change, b.At)
	if b.Supersedes != "" {
		fmt.Fprintf(s.out, "It takes the place of %s.\n", b.Supersedes)
	}
	return nil
}
