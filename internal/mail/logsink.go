package mail

import (
	"context"
	"log/slog"
)

// LogSink writes letters to the log instead of sending them, with everything that they prove: for trying things out, on a machine whose
// log nobody else reads.
type LogSink struct{ Logger *slog.Logger }

// Send writes the letter's text.
func (s LogSink) Send(_ context.Context, l Letter) error {
	s.Logger.Info("mail, not sent but shown here", "to", l.To, "subject", l.Subject, "text", l.Text)
	return nil
}
