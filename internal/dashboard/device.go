package dashboard

import (
	"strings"

	"github.com/rollcallhq/rollcall/internal/web/words"
)

// device names a browser and its system as people do, as far as its header tells; it is for telling one's own apart, and proves nothing.
func device(w *words.Words, agent string) string {
	browser, system := "", ""
	for _, b := range [][2]string{{"Edg/", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}} {
		if browser == "" && strings.Contains(agent, b[0]) {
			browser = b[1]
		}
	}
	for _, s := range [][2]string{{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Windows", "Windows"}, {"Mac OS X", "macOS"}, {"CrOS", "ChromeOS"}, {"Linux", "Linux"}} {
		if system == "" && strings.Contains(agent, s[0]) {
			system = s[1]
		}
	}
	switch {
	case browser == "" && system == "":
		return w.T("dashboard.device_unknown")
	case browser == "" || system == "":
		return browser + system
	}
	return w.T("dashboard.device", "browser", browser, "system", system)
}
