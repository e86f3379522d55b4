package simulate

import (
	"sync"
	"time"
)

// memory keeps a bounded number of values for a bounded time. The oldest give way.
type memory[T any] struct {
	mu    sync.Mutex
	most  int
	life  time.Duration
	order []string
	items map[string]item[T]
}

type item[T any] struct {
	value T
	until time.Time
}

func newMemory[T any](most int, life time.Duration) *memory[T] {
	return &memory[T]{most: most, life: life, items: map[string]item[T]{}}
}

func (m *memory[T]) put(key string, value T, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for len(m.order) >= m.most {
		delete(m.items, m.order[0])
		m.order = m.order[1:]
	}
	m.order = append(m.order, key)
	m.items[key] = item[T]{value, now.Add(m.life)}
}

func (m *memory[T]) get(key string, now time.Time) (T, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.living(key, now)
}

// take gives a value once.
func (m *memory[T]) take(key string, now time.Time) (T, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	value, ok := m.living(key, now)
	delete(m.items, key)
	return value, ok
}

func (m *memory[T]) living(key string, now time.Time) (T, bool) {
	i, ok := m.items[key]
	if !ok || !now.Before(i.until) {
		var none T
		return none, false
	}
	return i.value, true
}

// newest gives the keys and values that live, the last one first.
func (m *memory[T]) newest(now time.Time, give func(key string, value T)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := len(m.order) - 1; i >= 0; i-- {
		if value, ok := m.living(m.order[i], now); ok {
			give(m.order[i], value)
		}
	}
}
