package server

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"doorstep/server/internal/auth"
	"doorstep/server/internal/auth/openid"
	"doorstep/server/internal/auth/passkey"
)

// OpenIDConfig says how people sign in with the borough's own sign-in service.
type OpenIDConfig struct {
	Issuer       string   `koanf:"issuer" doc:"Address of the sign-in service (OpenID Connect). Empty: people sign in with borough accounts and passkeys. A client secret, if the service gave one, goes into the file openid.secret in secrets.dir."`
	ClientID     string   `koanf:"client_id" doc:"What the service knows this server as."`
	Redirects    []string `koanf:"redirects" doc:"Where the service may send people back to, as registered there: the app (its address and \"/app/signed-in\"), the desk (its address and \"/desk/signed-in\"; without it the desk does not offer this way), or \"http://127.0.0.1/signed-in\" for other devices, on whatever port."`
	Scopes       []string `koanf:"scopes" doc:"Scopes to ask for, besides openid."`
	SubjectClaim string   `koanf:"subject_claim" doc:"Claim that names a person for good, e.g. \"sub\" or \"oid\". Never an e-mail address: those change hands."`
	LoginClaim   string   `koanf:"login_claim" doc:"Claim with what a person signs in as; becomes the login of an account that is made. With \"email\" the service must have confirmed it."`
	GroupsClaim  string   `koanf:"groups_claim" doc:"Claim with the list of a person's groups."`
	Roles        []string `koanf:"roles" doc:"Roles by group, each \"role = group\"; the first that a person is in counts, at each sign-in, and who is in none is refused. Empty: roles are set here alone."`
	Require      []string `koanf:"require" doc:"Claims that everybody's account must make, each \"claim = value\", e.g. \"tid = TENANT\" or \"hd = borough.example\": where one service serves others too, nobody else's account gets in. Empty: whoever the service lets in."`
	Create       bool     `koanf:"create" doc:"Make an account at the first sign-in of a person without one. Else IT links accounts (doorstep user link), or the first enrolment code does."`
}

// PasskeyConfig says where passkeys are used.
type PasskeyConfig struct {
	Origins []string `koanf:"origins" doc:"Origins of apps, besides listen.public_url, in which passkeys are used."`
}

// openIDSecretFile holds the client secret, if the service gave one.
const openIDSecretFile = "openid.secret"

// openIDTimeout bounds one request to the sign-in service.
const openIDTimeout = 10 * time.Second

func defaultOpenID() OpenIDConfig {
	return OpenIDConfig{Redirects: []string{}, Roles: []string{}, Require: []string{}, Scopes: []string{"profile"}, SubjectClaim: "sub", LoginClaim: "preferred_username", GroupsClaim: "groups"}
}

// checkIdentity finds faults in how people sign in.
func (c Config) checkIdentity(f *faults) {
	f.unless(c.Listen.PublicURL == "" || origin(c.Listen.PublicURL), "listen.public_url must be https://host, without a path")
	o := c.OpenID
	if o.Issuer == "" {
		f.unless(o.ClientID == "" && len(o.Redirects) == 0 && len(o.Roles) == 0 && len(o.Require) == 0, "openid.issuer must be set with the other keys of openid")
		return
	}
	f.unless(secureURL(o.Issuer), "openid.issuer must be an https address")
	f.unless(o.ClientID != "", "openid.client_id must be set with openid.issuer")
	f.unless(len(o.Redirects) > 0, "openid.redirects must name where people come back to")
	for _, r := range o.Redirects {
		f.unless(secureURL(r), fmt.Sprintf("openid.redirects: %q is neither https nor http on a loopback address", r))
	}
	f.unless(o.SubjectClaim != "" && o.SubjectClaim != "email", "openid.subject_claim must name a claim that never changes hands, which an address does")
	f.unless(!o.Create || len(o.Roles) > 0, "openid.create needs openid.roles: an account has a role")
	for _, r := range o.Roles {
		_, err := parseGroupRole(r)
		f.unless(err == nil, fmt.Sprintf("openid.roles: %q is not \"role = group\", or there is no such role", r))
	}
	for _, r := range o.Require {
		_, ok := parseClaim(r)
		f.unless(ok, fmt.Sprintf("openid.require: %q is not \"claim = value\"", r))
	}
}

// origin reports whether s is a scheme and a host and no more.
func origin(s string) bool {
	u, err := url.Parse(s)
	return err == nil && secureURL(s) && u.Path == "" && u.RawQuery == "" && u.Fragment == "" && u.User == nil
}

// secureURL reports whether s is https, or http to this machine.
func secureURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname()))
}

// parseGroupRole reads "role = group".
func parseGroupRole(s string) (auth.GroupRole, error) {
	role, group, ok := strings.Cut(s, "=")
	r := auth.GroupRole{Role: auth.Role(strings.TrimSpace(role)), Group: strings.TrimSpace(group)}
	if !ok || r.Group == "" || !r.Role.Valid() {
		return r, errors.New("not a role and a group")
	}
	return r, nil
}

// parseClaim reads "claim = value".
func parseClaim(s string) (openid.Claim, bool) {
	name, value, _ := strings.Cut(s, "=")
	c := openid.Claim{Name: strings.TrimSpace(name), Value: strings.TrimSpace(value)}
	return c, c.Name != "" && c.Value != ""
}

// openID is the sign-in service of a configuration; nil: none.
func (c Config) openID() (*auth.OpenID, error) {
	if c.OpenID.Issuer == "" {
		return nil, nil
	}
	secret, err := os.ReadFile(filepath.Join(c.secretsDir(), openIDSecretFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading %s: %w", openIDSecretFile, err)
	}
	var require []openid.Claim
	for _, s := range c.OpenID.Require {
		claim, ok := parseClaim(s)
		if !ok {
			return nil, fmt.Errorf("openid.require: %q is not \"claim = value\"", s)
		}
		require = append(require, claim)
	}
	out := &auth.OpenID{Create: c.OpenID.Create, Provider: openid.New(openid.Config{
		Issuer: c.OpenID.Issuer, ClientID: c.OpenID.ClientID, Secret: strings.TrimSpace(string(secret)), Redirects: c.OpenID.Redirects,
		Scopes: c.OpenID.Scopes, SubjectClaim: c.OpenID.SubjectClaim, LoginClaim: c.OpenID.LoginClaim, GroupsClaim: c.OpenID.GroupsClaim, Require: require,
		Now: time.Now, HTTP: &http.Client{Timeout: openIDTimeout},
	})}
	for _, s := range c.OpenID.Roles {
		r, err := parseGroupRole(s)
		if err != nil {
			return nil, fmt.Errorf("openid.roles: %w", err)
		}
		out.Roles = append(out.Roles, r)
	}
	return out, nil
}

// passkeys checks the passkeys of a configuration; nil: it has no public address.
func (c Config) passkeys() (*passkey.Checker, error) {
	if c.Listen.PublicURL == "" {
		return nil, nil
	}
	u, err := url.Parse(c.Listen.PublicURL)
	if err != nil {
		return nil, fmt.Errorf("listen.public_url: %w", err)
	}
	return passkey.New(passkey.Config{Domain: u.Hostname(), Name: c.Name, Origins: append([]string{c.Listen.PublicURL}, c.Passkeys.Origins...)})
}
