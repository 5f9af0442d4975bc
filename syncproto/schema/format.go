package schema

import "strings"

func (f Format) valid(s string) bool {
	switch f {
	case FormatUPN:
		return validUPN(s)
	case FormatNHS:
		return validNHSNumber(s)
	case FormatLAChildID:
		return len(s) <= 20 && all(s, isAlphanumeric)
	case FormatLanguage:
		return validLanguage(s)
	}
	return true
}

// checkLetters are the letters a unique pupil number uses; I, O and S are left out.
const checkLetters = "ABCDEFGHJKLMNPQRTUVWXYZ"

// validUPN reports whether s is a check letter and twelve digits, of which the
// last is a letter in a temporary number. The check letter is the sum of each
// place's value times 2 to 13, modulo 23 (domain rules 6).
func validUPN(s string) bool {
	if len(s) != 13 {
		return false
	}
	sum := 0
	for i := 1; i < 13; i++ {
		value := int(s[i]) - '0'
		if i == 12 && !isDigit(s[i]) {
			value = strings.IndexByte(checkLetters, s[i])
		} else if !isDigit(s[i]) {
			return false
		}
		if value < 0 {
			return false
		}
		sum += value * (i + 1)
	}
	return s[0] == checkLetters[sum%23]
}

// validNHSNumber reports whether s is ten digits whose last is eleven less the
// sum of the others times 10 to 2, modulo 11; a remainder of ten is never issued.
func validNHSNumber(s string) bool {
	if len(s) != 10 || !all(s, isDigit) {
		return false
	}
	sum := 0
	for i := range 9 {
		sum += int(s[i]-'0') * (10 - i)
	}
	check := (11 - sum%11) % 11
	return check != 10 && int(s[9]-'0') == check
}

// validLanguage reports whether s is shaped like a BCP 47 tag: a language of two
// to eight letters, then subtags of up to eight letters or digits. Whether the
// registry knows it is not asked: a rare language must not be refused.
func validLanguage(s string) bool {
	tag, rest := cut(s, '-')
	if len(tag) < 2 || len(tag) > 8 || !all(tag, isLetter) || len(s) > 35 || s[len(s)-1] == '-' {
		return false
	}
	for rest != "" {
		if tag, rest = cut(rest, '-'); len(tag) == 0 || len(tag) > 8 || !all(tag, isAlphanumeric) {
			return false
		}
	}
	return true
}

// validDate reports whether s is a day of the Gregorian calendar, written
// 2026-11-21, from 1800 to 9999.
func validDate(s string) bool {
	if len(s) != 10 || s[4] != '-' || s[7] != '-' {
		return false
	}
	if !all(s[:4], isDigit) || !all(s[5:7], isDigit) || !all(s[8:], isDigit) {
		return false
	}
	year, month, day := decimal(s[:4]), decimal(s[5:7]), decimal(s[8:])
	return year >= 1800 && 1 <= month && month <= 12 && 1 <= day && day <= daysOf(year, month)
}

func daysOf(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// decimal reads a short run of digits.
func decimal(s string) int {
	n := 0
	for i := range len(s) {
		n = n*10 + int(s[i]-'0')
	}
	return n
}

func all(s string, is func(byte) bool) bool {
	for i := range len(s) {
		if !is(s[i]) {
			return false
		}
	}
	return true
}

func isDigit(c byte) bool        { return '0' <= c && c <= '9' }
func isLetter(c byte) bool       { return 'a' <= c|0x20 && c|0x20 <= 'z' }
func isAlphanumeric(c byte) bool { return isDigit(c) || isLetter(c) }
