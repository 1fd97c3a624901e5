package expr

import (
	"errors"
	"reflect"

	"github.com/expr-lang/expr/vm/runtime"
)

// maxWork is how much the expressions of one turn may do, in units: an iteration, an element or 16
// bytes that a function makes or looks through. A unit takes some 20 to 100 ns.
const maxWork = 1_000_000

// maxMade is how long a text may be that an expression makes, in bytes.
const maxMade = 1 << 20

var (
	errWork = errors.New("work budget exceeded")
	errTime = errors.New("time budget exceeded")
	errMade = errors.New("text budget exceeded")
)

// budget bounds the work of a turn. The language bounds what one expression holds, not how long it
// runs: two predicates inside each other over a text of 4000 characters take seconds.
type budget struct {
	left int
	// expired reports whether the turn has used up its time; asked every so many units. May be nil.
	expired func() bool
	unasked int
}

// askEvery is how many units pass between two looks at the clock: few enough that the dearest
// operation without units of its own, a comparison of two large lists, is not done often between.
const askEvery = 64

func (b *budget) spend(units int) error {
	if b.left -= units; b.left < 0 {
		return errWork
	}
	if b.unasked += units; b.unasked >= askEvery && b.expired != nil {
		b.unasked = 0
		if b.expired() {
			return errTime
		}
	}
	return nil
}

// meterName is the function that a meter puts into expressions; an author can't write it. Its first
// argument is what it does.
const meterName = "$meter"

const (
	opTick   = iota // one unit
	opWeigh         // the units of a value, which it returns
	opSearch        // the units of a text that a regular expression looks through, which it returns
	opAdd           // adds values
)

// searched is how many bytes of a text a regular expression looks at in a unit's time.
const searched = 2

// meterFunction has the type of function that the virtual machine calls without reflection.
var meterFunction func(...any) any

var meterType = reflect.TypeOf(meterFunction)

// meter is that function. It ends an expression that is past its budget by a panic, as the machine
// itself does.
func (b *budget) meter(args ...any) any {
	var result any
	units := 1
	switch args[0].(int) {
	case opWeigh:
		result = args[1]
		units = weight(result)
	case opSearch:
		result = args[1]
		text, _ := result.(string)
		units += len(text) / searched
	case opAdd:
		result = add(args[1:])
		units = weight(result)
	}
	if err := b.spend(units); err != nil {
		panic(err)
	}
	return result
}

// add is what the operator + makes of several values.
func add(terms []any) any {
	length := 0
	for _, term := range terms {
		text, ok := term.(string)
		if !ok {
			return addOthers(terms)
		}
		length += len(text)
	}
	if length > maxMade {
		panic(errMade)
	}
	sum := make([]byte, 0, length)
	for _, term := range terms {
		sum = append(sum, term.(string)...)
	}
	return string(sum)
}

func addOthers(terms []any) any {
	sum := terms[0]
	for _, term := range terms[1:] {
		sum = runtime.Add(sum, term)
	}
	return sum
}

// weight is the number of units of a value.
func weight(v any) int {
	switch v := v.(type) {
	case string:
		return 1 + len(v)/16
	case []any:
		return 1 + len(v)
	case map[string]any:
		return 1 + len(v)
	case nil, bool, int, float64:
		return 1
	}
	if r := reflect.ValueOf(v); r.Kind() == reflect.Slice || r.Kind() == reflect.Map {
		return 1 + r.Len()
	}
	return 1
}
