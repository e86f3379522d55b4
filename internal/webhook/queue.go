package webhook

import (
	"cmp"
	"container/heap"
)

// job is a delivery in a worker's hands. Only the worker touches it, but for the attempt that is under way.
type job struct {
	id       DeliveryID
	eventID  string
	entity   string
	seq      int64
	attempts int
	due      int64 // microseconds
	old      bool  // sign the header that takes one signature with the former secret

	waits int    // earlier deliveries that must be done first
	next  []*job // later ones that wait for this
}

func jobOf(d Delivery) *job {
	j := &job{id: d.ID, eventID: d.EventID, entity: d.entity, seq: d.seq, attempts: d.Attempts}
	if !d.NextAt.IsZero() {
		j.due = d.NextAt.UnixMicro()
	}
	return j
}

// queue is a heap of jobs.
type queue struct {
	jobs    []*job
	compare func(a, b *job) int
}

func bySeq(a, b *job) int { return cmp.Compare(a.seq, b.seq) }

func byDue(a, b *job) int { return cmp.Or(cmp.Compare(a.due, b.due), bySeq(a, b)) }

func (q *queue) Len() int           { return len(q.jobs) }
func (q *queue) Less(i, j int) bool { return q.compare(q.jobs[i], q.jobs[j]) < 0 }
func (q *queue) Swap(i, j int)      { q.jobs[i], q.jobs[j] = q.jobs[j], q.jobs[i] }

// Push is for container/heap; use add.
func (q *queue) Push(x any) { q.jobs = append(q.jobs, x.(*job)) }

// Pop is for container/heap; use take.
func (q *queue) Pop() any {
	last := q.jobs[len(q.jobs)-1]
	q.jobs = q.jobs[:len(q.jobs)-1]
	return last
}

func (q *queue) add(j *job)  { heap.Push(q, j) }
func (q *queue) take() *job  { return heap.Pop(q).(*job) }
func (q *queue) first() *job { return q.jobs[0] }
