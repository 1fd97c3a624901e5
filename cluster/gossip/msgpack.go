package gossip

import (
	"encoding/binary"
	"fmt"
)

// maxFields bounds the fields of one message; the library's have up to 9.
const maxFields = 64

// nextMap reads a map whose keys are texts and whose values are texts, bytes, numbers, booleans or
// nil, as all of the library's messages are, and returns what comes behind it. each, where it is
// set, gets every field.
func nextMap(buf []byte, each func(key string, value []byte) error) (rest []byte, err error) {
	if len(buf) == 0 {
		return nil, fmt.Errorf("%w: no map", errMalformed)
	}
	fields := 0
	switch first := buf[0]; {
	case first&0xf0 == 0x80:
		fields, buf = int(first&0x0f), buf[1:]
	case first == 0xde && len(buf) >= 3:
		fields, buf = int(binary.BigEndian.Uint16(buf[1:])), buf[3:]
	default:
		return nil, fmt.Errorf("%w: no map", errMalformed)
	}
	if fields > maxFields {
		return nil, fmt.Errorf("%w: a map of %d fields", errMalformed, fields)
	}
	for range fields {
		key, behind, err := scalar(buf)
		if err != nil {
			return nil, err
		}
		value, behind, err := scalar(behind)
		if err != nil {
			return nil, err
		}
		name, err := content(key)
		if err != nil {
			return nil, err
		}
		if each != nil {
			if err := each(string(name), value); err != nil {
				return nil, err
			}
		}
		buf = behind
	}
	return buf, nil
}

// scalar splits off one value that holds no others.
func scalar(buf []byte) (value, rest []byte, err error) {
	size, err := scalarSize(buf)
	if err != nil {
		return nil, nil, err
	}
	if size > len(buf) {
		return nil, nil, fmt.Errorf("%w: a value is cut off", errMalformed)
	}
	return buf[:size], buf[size:], nil
}

// scalarSize is the size of a value with its head; it may be more than there is.
func scalarSize(buf []byte) (int, error) {
	if len(buf) == 0 {
		return 0, fmt.Errorf("%w: a value is cut off", errMalformed)
	}
	first := buf[0]
	switch {
	case first < 0x80, first >= 0xe0, first == 0xc0, first == 0xc2, first == 0xc3: // small numbers, nil, booleans
		return 1, nil
	case first&0xe0 == 0xa0: // a short text
		return 1 + int(first&0x1f), nil
	case first == 0xca, first == 0xcb: // floats
		return 5 + 4*int(first-0xca), nil
	case first >= 0xcc && first <= 0xd3: // numbers of 1, 2, 4 and 8 bytes
		return 1 + 1<<((first-0xcc)&3), nil
	}
	head := map[byte]int{0xc4: 2, 0xd9: 2, 0xc5: 3, 0xda: 3, 0xc6: 5, 0xdb: 5}[first] // bytes and texts
	switch {
	case head == 0:
		return 0, fmt.Errorf("%w: a value of type %#x", errMalformed, first)
	case head > len(buf):
		return head, nil
	}
	length := uint64(0)
	for _, b := range buf[1:head] {
		length = length<<8 | uint64(b)
	}
	return head + int(length), nil
}

// content returns the bytes of a text or of bytes.
func content(value []byte) ([]byte, error) {
	switch first := value[0]; {
	case first&0xe0 == 0xa0:
		return value[1:], nil
	case first == 0xc4, first == 0xd9:
		return value[2:], nil
	case first == 0xc5, first == 0xda:
		return value[3:], nil
	case first == 0xc6, first == 0xdb:
		return value[5:], nil
	}
	return nil, fmt.Errorf("%w: neither text nor bytes", errMalformed)
}

// integer returns a whole number.
func integer(value []byte) (int64, error) {
	first := value[0]
	switch {
	case first < 0x80:
		return int64(first), nil
	case first >= 0xe0:
		return int64(int8(first)), nil
	case first < 0xcc || first > 0xd3:
		return 0, fmt.Errorf("%w: no whole number", errMalformed)
	}
	number := uint64(0)
	for _, b := range value[1:] {
		number = number<<8 | uint64(b)
	}
	if first >= 0xd0 { // signed
		shift := 64 - 8*(len(value)-1)
		return int64(number<<shift) >> shift, nil
	}
	if number > 1<<62 {
		return 0, fmt.Errorf("%w: a number that is too large", errMalformed)
	}
	return int64(number), nil
}
