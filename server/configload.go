package server

import (
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"

	"github.com/go-viper/mapstructure/v2"
	"github.com/knadh/koanf/parsers/toml/v2"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/v2"
)

// envPrefix begins every environment variable that overrides a key.
const envPrefix = "DOORSTEP_"

// ConfigPathVariable names the configuration file when no flag does; it is the
// one DOORSTEP_ variable that is not a key.
const ConfigPathVariable = envPrefix + "CONFIG"

// ErrNoConfig says that the configuration file is not there.
var ErrNoConfig = errors.New("there is no such configuration file")

// LoadConfig reads a configuration file and the environment (os.Environ), and
// checks both. Every fault, an unknown key among them, is in one *ConfigError. It
// returns ErrNoConfig if the file is not there.
func LoadConfig(path string, environ []string) (Config, error) {
	_, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return Config{}, fmt.Errorf("%s: %w", path, ErrNoConfig)
	}
	if err != nil {
		return Config{}, fmt.Errorf("reading the configuration: %w", err)
	}
	k := koanf.New(".")
	if err := k.Load(file.Provider(path), toml.Parser()); err != nil {
		return Config{}, &ConfigError{Faults: []string{fmt.Sprintf("%s is not TOML: %v", path, err)}}
	}
	var f faults
	known := map[string]bool{}
	byVariable := map[string]string{}
	for _, s := range settings() {
		known[s.key] = true
		byVariable[s.variable()] = s.key
	}
	for _, key := range k.Keys() {
		f.unless(known[key], fmt.Sprintf("%s: unknown key %s", path, key))
	}
	for _, line := range environ {
		name, _, _ := strings.Cut(line, "=")
		ours := strings.HasPrefix(name, envPrefix) && name != ConfigPathVariable
		f.unless(!ours || byVariable[name] != "", "unknown environment variable "+name)
	}
	if err := k.Load(environment(environ, byVariable), nil); err != nil {
		return Config{}, fmt.Errorf("reading the environment: %w", err)
	}
	cfg := DefaultConfig()
	if err := k.UnmarshalWithConf("", &cfg, koanf.UnmarshalConf{DecoderConfig: decoder(&cfg)}); err != nil {
		return Config{}, &ConfigError{Faults: append(f, typeFaults(err)...)}
	}
	var more *ConfigError
	if err := cfg.Check(); errors.As(err, &more) {
		f = append(f, more.Faults...)
	}
	return cfg, f.err()
}

// environment is the part of the environment that sets keys. Lists are written
// with commas.
func environment(environ []string, byVariable map[string]string) koanf.Provider {
	lists := map[string]bool{}
	for _, s := range settings() {
		lists[s.key] = s.value.Kind() == reflect.Slice
	}
	return env.Provider(".", env.Opt{
		Prefix:      envPrefix,
		EnvironFunc: func() []string { return environ },
		TransformFunc: func(name, value string) (string, any) {
			key := byVariable[name] // "" for unknown ones: koanf passes over those
			if lists[key] {
				return key, strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' })
			}
			return key, value
		},
	})
}

func decoder(out *Config) *mapstructure.DecoderConfig {
	return &mapstructure.DecoderConfig{
		Result:           out,
		TagName:          "koanf",
		WeaklyTypedInput: true, // the environment has only text
		ErrorUnused:      false,
		DecodeHook:       mapstructure.StringToTimeDurationHookFunc(),
	}
}

// typeFaults are the single faults of a failed decoding.
func typeFaults(err error) []string {
	var many interface{ Unwrap() []error }
	if !errors.As(err, &many) {
		return []string{err.Error()}
	}
	var out []string
	for _, e := range many.Unwrap() {
		out = append(out, e.Error())
	}
	return out
}

// setting is one key of the configuration.
type setting struct {
	key   string // e.g. listen.address
	doc   string
	value reflect.Value // its default
}

// variable is the environment variable that overrides the key.
func (s setting) variable() string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(s.key, ".", "_"))
}

// settings lists every key in the order of the structs.
func settings() []setting {
	return settingsOf("", reflect.ValueOf(DefaultConfig()))
}

func settingsOf(prefix string, v reflect.Value) []setting {
	var out []setting
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !f.IsExported() {
			continue
		}
		key := prefix + f.Tag.Get("koanf")
		if f.Type.Kind() == reflect.Struct {
			out = append(out, settingsOf(key+".", v.Field(i))...)
			continue
		}
		out = append(out, setting{key: key, doc: f.Tag.Get("doc"), value: v.Field(i)})
	}
	return out
}

// WriteConfig writes cfg as a file with every key, its meaning and its value.
func WriteConfig(w io.Writer, cfg Config) error {
	var b strings.Builder
	b.WriteString("# Doorstep, one borough's server. Check changes with: doorstep check-config\n")
	table := ""
	for _, s := range settingsOf("", reflect.ValueOf(cfg)) {
		name := s.key
		if before, after, ok := strings.Cut(s.key, "."); ok {
			name = after
			if before != table {
				table = before
				fmt.Fprintf(&b, "\n[%s]\n", table)
			}
		}
		fmt.Fprintf(&b, "\n# %s\n# Environment: %s\n%s = %s\n", s.doc, s.variable(), name, tomlValue(s.value))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func tomlValue(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case fmt.Stringer: // durations
		return fmt.Sprintf("%q", x.String())
	case string:
		return fmt.Sprintf("%q", x)
	case []string:
		quoted := make([]string, 0, len(x))
		for _, s := range x {
			quoted = append(quoted, fmt.Sprintf("%q", s))
		}
		return "[" + strings.Join(quoted, ", ") + "]"
	default:
		return fmt.Sprint(x)
	}
}
