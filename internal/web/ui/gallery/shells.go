package gallery

import "github.com/rollcallhq/rollcall/internal/web/ui"

func tabs() []ui.Tab {
	return []ui.Tab{
		{Label: "Overview", Href: "/overview"},
		{Label: "Members", Href: "/people", Current: true, Count: 1234},
		{Label: "Single sign-on", Href: "/settings"},
		{Label: "Directory", Href: "/exchange", Count: 2},
		{Label: "Domains", Href: "/settings"},
	}
}

func narrow(s ui.ShellProps) ui.ShellProps {
	s.Narrow = true
	return s
}

func toasts(s ui.ShellProps) ui.ShellProps {
	s.Toast = &ui.ToastProps{Tone: ui.Bad, Title: "Not saved", Text: "Somebody else has changed it meanwhile."}
	return s
}

func exchangeShell() ui.ShellProps {
	return dashboard("Exchange", 2, ui.Link{Label: "Exchanges", Href: "/exchange"}, ui.Link{Label: "PATCH /Users/2819c223"})
}
