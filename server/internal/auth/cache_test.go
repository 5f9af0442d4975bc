package auth

import (
	"strconv"
	"testing"
	"time"
)

func TestCacheIsBoundedAndForgetsTheLapsed(t *testing.T) {
	now := time.Unix(1000, 0)
	c := newCache()
	for i := range maxCached + 10 {
		c.put(strconv.Itoa(i), subject{Expires: now.Add(time.Minute)}, now)
	}
	if len(c.entries) > maxCached {
		t.Errorf("got %d entries, want at most %d", len(c.entries), maxCached)
	}
	c.put("x", subject{Expires: now.Add(time.Minute)}, now)
	if _, ok := c.get("x", now); !ok {
		t.Error("a fresh token was not found")
	}
	if _, ok := c.get("x", now.Add(time.Minute)); ok {
		t.Error("a lapsed token was found")
	}
}

func TestParsePHCRefuses(t *testing.T) {
	for _, s := range []string{"", "plain", "$argon2i$v=19$m=1,t=1,p=1$AA$AA", "$argon2id$v=18$m=1,t=1,p=1$AA$AA",
		"$argon2id$v=19$m=1,t=1$AA$AA", "$argon2id$v=19$m=99999999,t=1,p=1$AA$AA", "$argon2id$v=19$m=1024,t=1,p=1$AA$AA"} {
		if _, err := parsePHC(s); err == nil {
			t.Errorf("%q was read as a hash", s)
		}
	}
}
