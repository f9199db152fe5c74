package sqlite

import "slices"

// Part runs fn inside a savepoint. A statement that failed is taken back with it, unless SQLite has given up all of the transaction,
// as it may when the disk is full.
func (a *appender) Part(fn func() error) error {
	if err := a.live(); err != nil {
		return err
	}
	if _, err := a.w.beginPart.ExecContext(a.ctx); err != nil {
		return a.fail(err)
	}
	before := a.growth.clone()
	err := fn()
	if err == nil {
		err = a.over
	}
	if err != nil {
		return a.takeBack(before, err)
	}
	_, err = a.w.keepPart.ExecContext(a.ctx)
	return a.fail(err)
}

// takeBack undoes the part that failed with err.
func (a *appender) takeBack(before *growth, err error) error {
	if _, undo := a.w.undoPart.ExecContext(a.ctx); undo != nil {
		_ = a.fail(undo) // which says nothing new where a statement of the part had failed
		return err
	}
	a.over, a.absent = nil, nil
	if a.growth.kept != before.kept {
		before.contexts = map[[32]byte]int64{} // those that the part kept are gone
	}
	a.growth, a.w.growth = before, before
	_, release := a.w.keepPart.ExecContext(a.ctx)
	_ = a.fail(release)
	return err
}

// clone is the same end of the ledger, kept while the part goes on from it.
func (g *growth) clone() *growth {
	c := *g
	c.tree, c.tail, c.fresh = g.tree.Clone(), append(make([]byte, 0, chunkBytes), g.tail...), slices.Clone(g.fresh)
	return &c
}
