package db

import (
	"database/sql/driver"
	"fmt"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"
	"unsafe"
)

// canonArgs brings arguments to the five forms both engines are given: nil,
// string, int64, bool. PostgreSQL refuses NUL and broken UTF-8 in text, so both do.
func canonArgs(sql string, args []any) ([]any, error) {
	out := make([]any, len(args))
	for i, arg := range args {
		v, err := canon(arg)
		if err != nil {
			return nil, &ArgumentError{Statement: sql, Argument: i + 1, Reason: err.Error()}
		}
		out[i] = v
	}
	return out, nil
}

func canon(arg any) (any, error) {
	switch v := arg.(type) {
	case nil:
		return nil, nil
	case string:
		return arg, checkText(v)
	case int64, bool:
		return arg, nil
	case int:
		return int64(v), nil
	case []byte:
		return canonBytes(v)
	case *string:
		if v == nil {
			return nil, nil
		}
		return *v, checkText(*v)
	case *int64:
		if v == nil {
			return nil, nil
		}
		return *v, nil
	case time.Time, *time.Time:
		return nil, fmt.Errorf("is a time.Time: pass UTC microseconds (t.UnixMicro()) as int64")
	case driver.Valuer:
		return canonValuer(v)
	}
	return canonReflect(arg)
}

func canonBytes(b []byte) (any, error) {
	if b == nil {
		return nil, nil
	}
	// The bytes are read before the call returns, so they may be viewed as text without a copy.
	s := unsafe.String(unsafe.SliceData(b), len(b))
	return s, checkText(s)
}

func canonValuer(v driver.Valuer) (any, error) {
	rv := reflect.ValueOf(v)
	if rv.Kind() == reflect.Pointer && rv.IsNil() {
		return nil, nil
	}
	inner, err := v.Value()
	if err != nil {
		return nil, fmt.Errorf("has no value: %w", err)
	}
	if _, again := inner.(driver.Valuer); again {
		return nil, fmt.Errorf("of type %T is a Valuer of Valuers", v)
	}
	return canon(inner)
}

func canonReflect(arg any) (any, error) {
	rv := reflect.ValueOf(arg)
	switch rv.Kind() {
	case reflect.Pointer:
		if rv.IsNil() {
			return nil, nil
		}
		return canon(rv.Elem().Interface())
	case reflect.String:
		s := rv.String()
		return s, checkText(s)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return rv.Int(), nil
	case reflect.Bool:
		return rv.Bool(), nil
	case reflect.Slice:
		if rv.Type().Elem().Kind() == reflect.Uint8 {
			return canonBytes(rv.Bytes())
		}
	}
	return nil, fmt.Errorf("has type %T: only text, integers, booleans and pointers to them can be stored", arg)
}

func checkText(s string) error {
	if strings.IndexByte(s, 0) >= 0 {
		return fmt.Errorf("contains a NUL character: text cannot hold one")
	}
	if !utf8.ValidString(s) {
		return fmt.Errorf("is not valid UTF-8")
	}
	return nil
}
