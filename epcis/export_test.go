package epcis

// PreHash is the text that Hash hashes, for the messages of tests.
func PreHash(ev *Event, ctx *Context) (string, error) {
	c, err := newComposer(ev, ctx)
	if err != nil {
		return "", err
	}
	defer c.release()
	hasher{c}.event(ev.Type)
	return string(c.out), nil
}
