package message

import (
	"strconv"
	"strings"

	"github.com/wactor/wactor/flow/expr"
	"github.com/wactor/wactor/flow/run"
	"github.com/wactor/wactor/flow/source"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// location is a pin on a map.
type location struct {
	at                                 source.Place
	latitude, longitude, name, address *expr.Template
}

func readLocation(c *expr.Compiler, n *source.Node) Message {
	f, ok := c.Fields(n, "location", "latitude", "longitude", "name", "address")
	if !ok {
		return &location{}
	}
	c.Needs(f, "location", "latitude", "")
	c.Needs(f, "location", "longitude", "")
	l := &location{
		at: n.At, latitude: c.TextOf(f, "latitude"), longitude: c.TextOf(f, "longitude"),
		name: c.TextOf(f, "name"), address: c.TextOf(f, "address"),
	}
	checkDegrees(c, l.latitude, 90)
	checkDegrees(c, l.longitude, 180)
	return l
}

func checkDegrees(c *expr.Compiler, t *expr.Template, bound float64) {
	if t == nil {
		return
	}
	if text, ok := t.Literal(); ok && !isDegrees(text, bound) {
		c.Report(t.At, "not between -"+strconv.Itoa(int(bound))+" and "+strconv.Itoa(int(bound))+" degrees", "")
	}
}

func isDegrees(text string, bound float64) bool {
	v, err := strconv.ParseFloat(text, 64)
	return err == nil && v >= -bound && v <= bound
}

// Post implements Message. A place that values make no place on earth is left out.
func (l *location) Post(r *run.Run) error {
	out := &wactorv1.Location{}
	var okLatitude, okLongitude bool
	var err error
	if out.Latitude, okLatitude, err = degrees(r, l.latitude, 90); err != nil {
		return err
	}
	if out.Longitude, okLongitude, err = degrees(r, l.longitude, 180); err != nil {
		return err
	}
	if !okLatitude || !okLongitude {
		r.LeftOut("a location", "a coordinate did not come out as degrees")
		return nil
	}
	if out.Name, err = r.Text(l.name); err != nil {
		return err
	}
	if out.Address, err = r.Text(l.address); err != nil {
		return err
	}
	return r.Reply(l.at, &wactorv1.Reply{Content: &wactorv1.Reply_Location{Location: out}})
}

func degrees(r *run.Run, t *expr.Template, bound float64) (v float64, ok bool, err error) {
	text, err := r.Text(t)
	if err != nil {
		return 0, false, err
	}
	text = strings.TrimSpace(text)
	if !isDegrees(text, bound) {
		return 0, false, nil
	}
	v, err = strconv.ParseFloat(text, 64)
	return v, true, err
}
