package db

import "time"

// TextOrNull stores "" as NULL.
func TextOrNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// MicrosOrNull stores a time as every column of times does, in microseconds since 1970, and the zero time as NULL.
func MicrosOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

// Time reads what a column of times holds.
func Time(micros int64) time.Time { return time.UnixMicro(micros).UTC() }

// TimeOrZero reads such a column that may be NULL, which is the zero time.
func TimeOrZero(micros *int64) time.Time {
	if micros == nil {
		return time.Time{}
	}
	return Time(*micros)
}
