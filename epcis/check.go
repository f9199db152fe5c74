package epcis

// check looks at the event as a whole: what must be there, and what may not.
func (p *eventParser) check() error {
	ev := p.ev
	for _, need := range []struct {
		f    field
		name string
	}{{fTime, "eventTime"}, {fZone, "eventTimeZoneOffset"}} {
		if p.seen&need.f == 0 {
			return &Error{"/" + need.name, "is missing"}
		}
	}
	may, own := allowed[ev.Type]
	if !own {
		return nil // somebody's own type: its rules are not ours
	}
	if p.seen&^may != 0 {
		return p.misplaced(may)
	}
	if ev.Type != TransformationEvent && p.seen&fAction == 0 {
		return &Error{"/action", "is missing"}
	}
	if p.seen&fILMD != 0 && ev.Type == ObjectEvent && ev.Action != Add {
		return &Error{"/ilmd", "may stand only where action is ADD (EPCIS 2.0 §7.4.2)"}
	}
	switch ev.Type {
	case ObjectEvent:
		return p.checkObject()
	case TransactionEvent:
		return p.checkTransaction()
	case TransformationEvent:
		return p.checkTransformation()
	}
	return p.checkLink()
}

// misplaced names the first member that this type of event may not have.
func (p *eventParser) misplaced(may field) error {
	for _, r := range eventShape.rules {
		if p.seen&r.field&^may != 0 {
			return &Error{"/" + r.name, "may not stand in a " + string(p.ev.Type)}
		}
	}
	return nil
}

func (p *eventParser) checkObject() error {
	ev := p.ev
	switch {
	case p.seen&fEPCs != 0, len(ev.Quantities) > 0:
		return nil
	case ev.HasSensorElements && ev.ReadPoint != "":
		return nil
	}
	return &Error{"", "says nothing of what it is about: it needs epcList or quantityList, or sensorElementList with readPoint"}
}

func (p *eventParser) checkTransaction() error {
	ev := p.ev
	switch {
	case len(ev.Transactions) == 0:
		return &Error{"/bizTransactionList", "must name at least one transaction"}
	case p.seen&fEPCs != 0, len(ev.Quantities) > 0, ev.Action == Delete:
		return nil
	}
	return &Error{"", "says nothing of what it is about: it needs epcList or quantityList"}
}

func (p *eventParser) checkTransformation() error {
	ev := p.ev
	in := len(ev.InputEPCs)+len(ev.InputQuantities) > 0
	out := len(ev.OutputEPCs)+len(ev.OutputQuantities) > 0
	switch {
	case in && out, ev.TransformationID != "" && (in || out):
		return nil
	case ev.TransformationID != "":
		return &Error{"", "has neither inputs nor outputs"}
	}
	return &Error{"", "needs inputs and outputs, or one of them and a transformationID"}
}

// checkLink checks an aggregation or an association.
func (p *eventParser) checkLink() error {
	ev := p.ev
	children := len(ev.ChildEPCs)+len(ev.ChildQuantities) > 0
	switch {
	case ev.ParentID == "" && ev.Type == AssociationEvent:
		return &Error{"/parentID", "is missing"}
	case ev.ParentID == "" && ev.Action != Observe:
		return &Error{"/parentID", "is missing: nothing can be added to a parent, or taken from it, that is not named (EPCIS 2.0 §7.4.3)"}
	case !children && ev.Action != Delete:
		return &Error{"", "names no children: it needs childEPCs or childQuantityList"}
	}
	return nil
}
