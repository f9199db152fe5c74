package main

import "time"

// dice is a source of chance (splitmix64) that is the same on every machine and with every version of Go. It draws whole
// numbers only: fractions may be rounded differently elsewhere.
type dice uint64

func (d *dice) next() uint64 {
	*d += 0x9e3779b97f4a7c15
	x := uint64(*d)
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// between draws from lo to hi, both included.
func (d *dice) between(lo, hi int) int { return lo + int(d.next()%uint64(hi-lo+1)) }

// in100 is true n times in a hundred.
func (d *dice) in100(n int) bool { return d.between(1, 100) <= n }

func (d *dice) minutes(lo, hi int) time.Duration {
	return time.Duration(d.between(lo*60, hi*60)) * time.Second
}

func (d *dice) hours(lo, hi int) time.Duration { return d.minutes(lo*60, hi*60) }

func (d *dice) days(lo, hi int) time.Duration { return d.hours(lo*24, hi*24) }

func pick[T any](d *dice, from []T) T { return from[d.between(0, len(from)-1)] }
