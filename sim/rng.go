package sim

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
)

// stream is a source of random numbers for one concern. Each concern has its own, so that turning one knob does not
// reshuffle the rest of the world.
type stream struct{ *rand.Rand }

func newStream(seed uint64, label string) stream {
	h := fnv.New64a()
	_, _ = h.Write([]byte(label)) // a hash never fails
	return stream{rand.New(rand.NewPCG(seed, h.Sum64()))}
}

func (s stream) chance(p float64) bool { return s.Float64() < p }

// between draws uniformly from [lo, hi).
func (s stream) between(lo, hi float64) float64 { return lo + s.Float64()*(hi-lo) }

// count draws uniformly from lo to hi, both included.
func (s stream) count(lo, hi int) int {
	if hi <= lo {
		return lo
	}
	return lo + s.IntN(hi-lo+1)
}

func (s stream) lognormal(median, sigma float64) float64 {
	return median * math.Exp(sigma*s.NormFloat64())
}

// poisson draws a Poisson count; the means used here are small.
func (s stream) poisson(mean float64) int {
	limit, product, n := math.Exp(-mean), s.Float64(), 0
	for product > limit {
		n++
		product *= s.Float64()
	}
	return n
}

// hours and days draw durations uniformly.
func (s stream) hours(lo, hi float64) instant { return instant(s.between(lo, hi) * float64(hour)) }
func (s stream) days(lo, hi float64) instant  { return instant(s.between(lo, hi) * float64(day)) }

func pick[T any](s stream, from []T) T { return from[s.IntN(len(from))] }

// sample draws n of from without repetition, in their original order.
func sample[T any](s stream, from []T, n int) []T {
	if n >= len(from) {
		return append([]T(nil), from...)
	}
	out := make([]T, 0, n)
	for i, x := range from {
		if s.IntN(len(from)-i) < n-len(out) {
			out = append(out, x)
		}
	}
	return out
}

// mix is a bijective scrambler (splitmix64): cheap digests that need no stream of their own.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
