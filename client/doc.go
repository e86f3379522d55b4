// Package client talks to a Rollcall server from an app: typed calls of the whole API, lists as iterators, an event consumer
// that survives restarts, the present state as a stream, and the check of webhook signatures.
//
//	c, err := client.New("http://127.0.0.1:8080", os.Getenv("ROLLCALL_API_KEY"))
//	for user, err := range c.DirectoryUsers(ctx, client.DirectoryUserQuery{DirectoryID: id}) { … }
//	err = c.Consume(ctx, "billing", client.ConsumeOptions{}, func(ctx context.Context, e client.Event) error { … })
//
// Calls take a context, are tried again where that is safe and may help (see WithRetries), and fail with an *Error where the
// server has refused. In the objects that come back null is the zero value, and JSON() is what the server wrote, to the byte.
//
// The package needs nothing of the server's code and, outside the standard library, nothing at all.
package client
