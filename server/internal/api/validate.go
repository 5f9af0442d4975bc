package api

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/go-playground/validator/v10"

	"doorstep/syncproto"
)

// checker holds the compiled rules of every request struct.
type checker struct{ v *validator.Validate }

// compileRules compiles the rules of every request at start, so that a rule that
// does not exist stops the server and not the first caller (validator panics on
// those when it meets them).
func compileRules(routes []route) (c checker, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("a rule does not compile: %v", p)
		}
	}()
	c.v = validator.New(validator.WithRequiredStructEnabled())
	c.v.RegisterTagNameFunc(jsonName)
	if err := c.v.RegisterValidation("maxbytes", maxBytes); err != nil {
		return c, err
	}
	for _, r := range routes {
		if r.request == nil {
			continue
		}
		// The zero request fails its rules; all that matters is that they exist.
		var invalid *validator.InvalidValidationError
		if err := c.v.Struct(reflect.New(r.request).Interface()); errors.As(err, &invalid) {
			return c, fmt.Errorf("request of %s: %w", r.id, err)
		}
		if err := needDive(r.request); err != nil {
			return c, fmt.Errorf("request of %s: %w", r.id, err)
		}
	}
	return c, nil
}

// maxBytes is a limit in bytes; validator's own max counts code points.
func maxBytes(fl validator.FieldLevel) bool {
	var limit int
	if _, err := fmt.Sscanf(fl.Param(), "%d", &limit); err != nil {
		panic("bug: maxbytes needs a number")
	}
	return len(fl.Field().String()) <= limit
}

// needDive refuses a slice whose elements validator would skip.
func needDive(t reflect.Type) error {
	for i := range t.NumField() {
		f := t.Field(i)
		ft := f.Type
		for ft.Kind() == reflect.Pointer {
			ft = ft.Elem()
		}
		if ft.Kind() == reflect.Slice && !hasRule(f, "dive") {
			return fmt.Errorf("%s.%s needs the rule dive", t.Name(), f.Name)
		}
		if ft.Kind() == reflect.Slice {
			ft = ft.Elem()
		}
		if ft.Kind() != reflect.Struct {
			continue
		}
		if err := needDive(ft); err != nil {
			return err
		}
	}
	return nil
}

// check returns a refusal that names every key at fault and never its value.
func (c checker) check(req any) error {
	err := c.v.Struct(req)
	var faults validator.ValidationErrors
	if !errors.As(err, &faults) {
		return err
	}
	r := &refusal{code: syncproto.CodeBadValue}
	for _, f := range faults {
		code := syncproto.CodeBadValue
		switch f.Tag() {
		case "required":
			code = syncproto.CodeMissingField
		case "maxbytes", "max":
			code = syncproto.CodeTooLarge
		}
		r.details = append(r.details, ProblemDetail{Path: keyPath(f.Namespace()),
			Code: uint16(code), Name: code.Error(), Plain: plainRule(f.Tag(), f.Param())})
	}
	return r
}

// keyPath is the JSON path of a fault, without the Go type in front.
func keyPath(namespace string) string {
	for i := range len(namespace) {
		if namespace[i] == '.' {
			return namespace[i+1:]
		}
	}
	return namespace
}

// plainRule says what a rule wants.
func plainRule(tag, param string) string {
	switch tag {
	case "required":
		return "must be given"
	case "len":
		return "must have exactly " + param + " characters"
	case "hexadecimal", "lowercase":
		return "must be lower-case hex digits"
	case "maxbytes":
		return "must have at most " + param + " bytes"
	case "max":
		return "must have at most " + param
	case "oneof":
		return "must be one of " + param
	case "min":
		return "must have at least " + param
	case "base64rawurl":
		return "must be base64url without padding"
	}
	return "is not allowed here"
}
