package db

import (
	"database/sql"
	"database/sql/driver"
	"fmt"
	"reflect"
	"unsafe"
)

// scanValues copies a row of the SQLite driver into dest as pgx would: no
// conversion between text and numbers, NULL only into what can hold it.
func scanValues(values []driver.Value, rows driver.Rows, dest []any) error {
	if len(values) != len(dest) {
		return fmt.Errorf("db: %d columns, %d destinations", len(values), len(dest))
	}
	for i, v := range values {
		if err := scanValue(v, dest[i]); err != nil {
			return fmt.Errorf("db: column %d (%s): %w", i+1, rows.Columns()[i], err)
		}
		if into, ok := dest[i].(*any); ok {
			*into = asBoolean(v, rows, i)
		}
	}
	return nil
}

// asBoolean gives an untyped destination a bool for a BOOLEAN column, which SQLite keeps as 0 or 1.
func asBoolean(v driver.Value, rows driver.Rows, i int) any {
	n, isInt := v.(int64)
	types, ok := rows.(driver.RowsColumnTypeDatabaseTypeName)
	if isInt && ok && types.ColumnTypeDatabaseTypeName(i) == "BOOLEAN" {
		return n != 0
	}
	return v
}

func scanValue(v driver.Value, dest any) error {
	switch d := dest.(type) {
	case *string:
		s, ok := v.(string)
		if !ok {
			return mismatch(v, dest)
		}
		*d = s
	case *[]byte:
		return scanBytes(v, d)
	case *int64:
		n, ok := v.(int64)
		if !ok {
			return mismatch(v, dest)
		}
		*d = n
	case *int:
		n, ok := v.(int64)
		if !ok || int64(int(n)) != n {
			return mismatch(v, dest)
		}
		*d = int(n)
	case *bool:
		n, ok := v.(int64)
		if !ok || n != 0 && n != 1 {
			return mismatch(v, dest)
		}
		*d = n == 1
	case *any:
		*d = v
	case sql.Scanner:
		return d.Scan(v)
	default:
		return scanReflect(v, dest)
	}
	return nil
}

func scanBytes(v driver.Value, d *[]byte) error {
	switch v := v.(type) {
	case nil:
		*d = nil
	case string:
		// The driver made this string for us alone, so its bytes may be handed on.
		*d = unsafe.Slice(unsafe.StringData(v), len(v))
		if len(v) == 0 {
			*d = []byte{}
		}
	case []byte:
		*d = v
	default:
		return mismatch(v, d)
	}
	return nil
}

// scanReflect serves pointers to pointers (NULL gives nil) and named types.
func scanReflect(v driver.Value, dest any) error {
	d := reflect.ValueOf(dest)
	if d.Kind() != reflect.Pointer || d.IsNil() {
		return fmt.Errorf("destination %T is not a pointer", dest)
	}
	target := d.Elem()
	if target.Kind() == reflect.Pointer {
		if v == nil {
			target.SetZero()
			return nil
		}
		made := reflect.New(target.Type().Elem())
		if err := scanValue(v, made.Interface()); err != nil {
			return err
		}
		target.Set(made)
		return nil
	}
	return scanKind(v, dest, target)
}

func scanKind(v driver.Value, dest any, target reflect.Value) error {
	switch value := v.(type) {
	case string:
		if target.Kind() == reflect.String {
			target.SetString(value)
			return nil
		}
		if target.Kind() == reflect.Slice && target.Type().Elem().Kind() == reflect.Uint8 {
			target.SetBytes([]byte(value))
			return nil
		}
	case int64:
		if target.CanInt() && !target.OverflowInt(value) {
			target.SetInt(value)
			return nil
		}
		if target.Kind() == reflect.Bool && (value == 0 || value == 1) {
			target.SetBool(value == 1)
			return nil
		}
	case nil:
		if target.Kind() == reflect.Slice {
			target.SetZero()
			return nil
		}
	}
	return mismatch(v, dest)
}

func mismatch(v driver.Value, dest any) error {
	if v == nil {
		return fmt.Errorf("NULL does not fit %T", dest)
	}
	return fmt.Errorf("%T does not fit %T", v, dest)
}
