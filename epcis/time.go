package epcis

import (
	"bytes"
	"time"
)

// moment is an instant: seconds since 1970 in UTC, and the digits behind the decimal point as they were written.
type moment struct {
	unix     int64
	fraction []byte
}

// parseMoment reads a date-time of RFC 3339 with its offset: small letters and leap seconds too, and no comma.
func parseMoment(s []byte) (m moment, ok bool) {
	if len(s) < len("2006-01-02T15:04:05Z") || s[4] != '-' || s[7] != '-' || s[10]|0x20 != 't' || s[13] != ':' || s[16] != ':' {
		return m, false
	}
	year, month, day := number(s[:4]), number(s[5:7]), number(s[8:10])
	hour, minute, second := number(s[11:13]), number(s[14:16]), number(s[17:19])
	rest := s[19:]
	if rest[0] == '.' {
		digits := 1
		for digits < len(rest) && isDigit(rest[digits]) {
			digits++
		}
		m.fraction, rest = rest[1:digits], rest[digits:]
		if len(m.fraction) == 0 {
			return m, false
		}
	}
	offset, ok := zoneSeconds(rest)
	if !ok || year < 0 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || hour < 0 || hour > 23 ||
		minute < 0 || minute > 59 || second < 0 || second > 60 {
		return m, false
	}
	m.unix = time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC).Unix() - int64(offset)
	return m, m.within() && (second < 60 || m.unix%86400 == 0) // a second 60 is there at midnight UTC, or not at all
}

// Bounds of an instant: what RFC 3339 can write in UTC.
var (
	firstInstant = time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	lastInstant  = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC).Unix()
)

func (m moment) within() bool { return firstInstant <= m.unix && m.unix <= lastInstant }

// time is the instant, cut to nanoseconds.
func (m moment) time() time.Time {
	nanos := 0
	for i := range 9 {
		nanos *= 10
		if i < len(m.fraction) {
			nanos += int(m.fraction[i] - '0')
		}
	}
	return time.Unix(m.unix, int64(nanos)).UTC()
}

// append writes the instant in its one form.
func (m moment) append(dst []byte) []byte {
	dst = appendInt(dst, m.unix)
	if f := bytes.TrimRight(m.fraction, "0"); len(f) > 0 {
		dst = append(append(dst, '.'), f...)
	}
	return dst
}

// appendMillis writes the instant in UTC, rounded to milliseconds, as the event hash wants it.
func (m moment) appendMillis(dst []byte) []byte {
	t := m.time().Round(time.Millisecond)
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	dst = appendDigits(dst, year, 4)
	dst = appendDigits(append(dst, '-'), int(month), 2)
	dst = appendDigits(append(dst, '-'), day, 2)
	dst = appendDigits(append(dst, 'T'), hour, 2)
	dst = appendDigits(append(dst, ':'), minute, 2)
	dst = appendDigits(append(dst, ':'), second, 2)
	dst = appendDigits(append(dst, '.'), t.Nanosecond()/int(time.Millisecond), 3)
	return append(dst, 'Z')
}

// appendDigits writes n with that many digits, or more where it needs them.
func appendDigits(dst []byte, n, digits int) []byte {
	for limit := 10; digits > 1; digits, limit = digits-1, limit*10 {
		if n < limit {
			return appendInt(append(dst, "000"[:digits-1]...), int64(n))
		}
	}
	return appendInt(dst, int64(n))
}

// zoneSeconds reads Z or ±hh:mm.
func zoneSeconds(s []byte) (int, bool) {
	if len(s) == 1 && s[0]|0x20 == 'z' {
		return 0, true
	}
	if len(s) != 6 || s[3] != ':' {
		return 0, false
	}
	hours, minutes := number(s[1:3]), number(s[4:])
	if hours < 0 || hours > 23 || minutes < 0 || minutes > 59 {
		return 0, false
	}
	seconds := hours*3600 + minutes*60
	switch s[0] {
	case '+':
		return seconds, true
	case '-':
		return -seconds, true
	}
	return 0, false
}

// number reads digits, and is negative where there is anything else.
func number(s []byte) (n int) {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return -1
		}
		n = n*10 + int(s[i]-'0')
	}
	return n
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func daysIn(year, month int) int {
	switch {
	case month == 2 && year%4 == 0 && (year%100 != 0 || year%400 == 0):
		return 29
	case month == 2:
		return 28
	case month == 4, month == 6, month == 9, month == 11:
		return 30
	}
	return 31
}
