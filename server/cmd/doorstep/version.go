package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"doorstep/syncproto"
)

func newVersion(s streams) *cobra.Command {
	contents := false
	cmd := &cobra.Command{
		Use: "version", Short: "Print what this build is, or everything that is linked into it", Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			info, ok := debug.ReadBuildInfo()
			if contents && !ok {
				return errors.New("this build does not say what is linked into it")
			}
			if contents {
				return writeContents(s.out, info)
			}
			printVersion(s.out, info)
			return nil
		},
	}
	cmd.Flags().BoolVar(&contents, "contents", false, "print every module that is linked in, as CycloneDX JSON (a software bill of materials)")
	return cmd
}

// printVersion says what a build is; nil: nothing is known of it.
func printVersion(out io.Writer, info *debug.BuildInfo) {
	version, revision, goVersion := "unknown", "unknown", "unknown"
	if info != nil {
		version, goVersion = info.Main.Version, info.GoVersion
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				revision = setting.Value
			}
		}
	}
	fmt.Fprintf(out, "doorstep %s (revision %s, %s), sync protocol %d to %d\n",
		version, revision, goVersion, syncproto.MinProtocolVersion, syncproto.ProtocolVersion)
}

// component is one module, as CycloneDX 1.5 writes it.
type component struct {
	Type    string `json:"type"`
	Name    string `json:"name"`
	Version string `json:"version"`
	URL     string `json:"purl"`
}

// writeContents lists what is linked into a build. It has no time and no serial number:
// the same build has the same list.
func writeContents(out io.Writer, info *debug.BuildInfo) error {
	std := strings.TrimPrefix(info.GoVersion, "go")
	list := []component{{Type: "library", Name: "std", Version: std, URL: "pkg:golang/std@" + std}}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		list = append(list, component{Type: "library", Name: m.Path, Version: m.Version, URL: "pkg:golang/" + m.Path + "@" + m.Version})
	}
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	return enc.Encode(map[string]any{
		"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
		"metadata":   map[string]any{"component": component{Type: "application", Name: info.Main.Path, Version: info.Main.Version, URL: "pkg:golang/" + info.Main.Path + "@" + info.Main.Version}},
		"components": list,
	})
}
