package ledger

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// What little CBOR is read here (RFC 8949): statements that strangers signed. Lengths are said beforehand, no name stands twice in a
// map, text is UTF-8, and nothing is nested deeper than any honest header is. It allocates nothing by what a length claims.

const (
	majorNegative, majorBytes, majorText, majorArray, majorMap, majorTag, majorSimple = 1, 2, 3, 4, 5, 6, 7

	maxDepth = 16
)

var errCutOff = errors.New("it breaks off")

type cborReader struct{ rest []byte }

// head reads a major type and its argument.
func (r *cborReader) head() (major byte, n uint64, err error) {
	if len(r.rest) == 0 {
		return 0, 0, errCutOff
	}
	major, n = r.rest[0]>>5, uint64(r.rest[0]&31)
	r.rest = r.rest[1:]
	if n < 24 {
		return major, n, nil
	}
	if n > 27 {
		return 0, 0, errors.New("lengths must be said beforehand")
	}
	size := 1 << (n - 24)
	if len(r.rest) < size {
		return 0, 0, errCutOff
	}
	n = 0
	for _, b := range r.rest[:size] {
		n = n<<8 | uint64(b)
	}
	r.rest = r.rest[size:]
	return major, n, nil
}

// expect reads the head of something of this kind.
func (r *cborReader) expect(major byte) (uint64, error) {
	got, n, err := r.head()
	if err == nil && got != major {
		err = fmt.Errorf("major type %d, where %d belongs", got, major)
	}
	return n, err
}

func (r *cborReader) take(n uint64) ([]byte, error) {
	if n > uint64(len(r.rest)) {
		return nil, errCutOff
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b, nil
}

func (r *cborReader) bytes() ([]byte, error) {
	n, err := r.expect(majorBytes)
	if err != nil {
		return nil, err
	}
	return r.take(n)
}

func (r *cborReader) text() (string, error) {
	n, err := r.expect(majorText)
	if err != nil {
		return "", err
	}
	b, err := r.take(n)
	if err == nil && !utf8.Valid(b) {
		err = errors.New("text is not UTF-8")
	}
	return string(b), err
}

func (r *cborReader) integer() (int64, error) {
	major, n, err := r.head()
	switch {
	case err != nil:
		return 0, err
	case major > majorNegative || n > 1<<62:
		return 0, errors.New("a number belongs here")
	case major == majorNegative:
		return -1 - int64(n), nil
	}
	return int64(n), nil
}

// null takes a null, if it is one.
func (r *cborReader) null() bool {
	if len(r.rest) == 0 || r.rest[0] != cborNull[0] {
		return false
	}
	r.rest = r.rest[1:]
	return true
}

// each calls fn with each label of a map, a number or a text that is not empty; fn reads the value.
func (r *cborReader) each(fn func(label int64, name string) error) error {
	n, err := r.expect(majorMap)
	if err != nil {
		return err
	}
	type key struct {
		label int64
		name  string
	}
	seen := map[key]bool{}
	for range n {
		var k key
		if len(r.rest) > 0 && r.rest[0]>>5 == majorText {
			if k.name, err = r.text(); err == nil && k.name == "" {
				err = errors.New("a label is empty")
			}
		} else {
			k.label, err = r.integer()
		}
		if err == nil && seen[k] {
			err = errors.New("a label stands twice")
		}
		if err != nil {
			return err
		}
		seen[k] = true
		if err := fn(k.label, k.name); err != nil {
			return err
		}
	}
	return nil
}

// eachItem calls fn before each item of an array; fn reads it.
func (r *cborReader) eachItem(fn func() error) error {
	n, err := r.expect(majorArray)
	if err != nil {
		return err
	}
	for range n {
		if err := fn(); err != nil {
			return err
		}
	}
	return nil
}

// skip reads over one item.
func (r *cborReader) skip(depth int) error {
	if depth == 0 {
		return errors.New("it is nested too deep")
	}
	major, n, err := r.head()
	if err != nil {
		return err
	}
	items := uint64(0)
	switch major {
	case majorBytes, majorText:
		_, err = r.take(n)
	case majorArray:
		items = n
	case majorMap:
		if items = 2 * n; n > uint64(len(r.rest)) {
			return errCutOff
		}
	case majorTag:
		items = 1
	}
	for ; items > 0 && err == nil; items-- {
		err = r.skip(depth - 1)
	}
	return err
}
