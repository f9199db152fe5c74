package sim

import "time"

// instant is a time in milliseconds since 1970, UTC: the resolution of every time that a world writes.
type instant int64

const (
	second instant = 1000
	hour           = 3600 * second
	day            = 24 * hour
	week           = 7 * day
)

// never is later than any world's end.
const never instant = 1 << 52

func at(t time.Time) instant { return instant(t.UnixMilli()) }

func (t instant) time() time.Time { return time.UnixMilli(int64(t)).UTC() }

// span is a stretch of time, its end not included.
type span struct{ from, to instant }

func (s span) holds(t instant) bool { return s.from <= t && t < s.to }

func darkAt(spans []span, t instant) bool {
	for _, s := range spans {
		if s.holds(t) {
			return true
		}
	}
	return false
}
