package auth

import (
	"errors"
	"strings"

	"golang.org/x/text/secure/precis"
)

// maxLoginBytes bounds a login; the longest work e-mail address seen in a
// borough's directory is well below it.
const maxLoginBytes = 128

// ErrBadLogin is returned for a login that is empty, too long, or holds
// characters that an account name may not.
var ErrBadLogin = errors.New("a login is 1 to 128 bytes without spaces or control characters")

// NormalLogin brings a login to the one form under which accounts are kept:
// lower case, width-folded and composed (RFC 8265, UsernameCaseMapped), so that
// no second account can be made to look like a first.
func NormalLogin(login string) (string, error) {
	login = strings.TrimSpace(login)
	if login == "" || len(login) > maxLoginBytes {
		return "", ErrBadLogin
	}
	norm, err := precis.UsernameCaseMapped.String(login)
	if err != nil || len(norm) > maxLoginBytes {
		return "", ErrBadLogin
	}
	return norm, nil
}
