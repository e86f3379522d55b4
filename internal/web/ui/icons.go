package ui

import (
	_ "embed" // icons.json
	"sync"

	"github.com/go-json-experiment/json"
)

// Icon is one of the pictures of Lucide that are part of the program, by its name there. A new one is a line here and one in assets/build.mjs.
type Icon string

// The closed list of Icon.
const (
	IconActivity    Icon = "activity"
	IconAudit       Icon = "scroll-text"
	IconBack        Icon = "arrow-left"
	IconBell        Icon = "bell"
	IconBuilding    Icon = "building-2"
	IconCheck       Icon = "check"
	IconCheckCircle Icon = "circle-check"
	IconClock       Icon = "clock"
	IconCode        Icon = "code-xml"
	IconCopy        Icon = "copy"
	IconDown        Icon = "chevron-down"
	IconDownload    Icon = "download"
	IconExternal    Icon = "external-link"
	IconFile        Icon = "file-text"
	IconFilter      Icon = "funnel"
	IconFolderSync  Icon = "folder-sync"
	IconGlobe       Icon = "globe"
	IconHelp        Icon = "circle-question-mark"
	IconHome        Icon = "house"
	IconInbox       Icon = "inbox"
	IconInfo        Icon = "info"
	IconKey         Icon = "key-round"
	IconLeft        Icon = "chevron-left"
	IconLink        Icon = "link-2"
	IconLock        Icon = "lock"
	IconLogOut      Icon = "log-out"
	IconMail        Icon = "mail"
	IconMenu        Icon = "menu"
	IconMoon        Icon = "moon"
	IconPause       Icon = "circle-pause"
	IconPlay        Icon = "play"
	IconPlus        Icon = "plus"
	IconRefresh     Icon = "refresh-cw"
	IconRight       Icon = "chevron-right"
	IconSearch      Icon = "search"
	IconServer      Icon = "server"
	IconSettings    Icon = "settings"
	IconShield      Icon = "shield-check"
	IconSortDown    Icon = "arrow-down"
	IconSortUp      Icon = "arrow-up"
	IconSortNone    Icon = "chevrons-up-down"
	IconSun         Icon = "sun"
	IconTeam        Icon = "users-round"
	IconTrash       Icon = "trash-2"
	IconUndo        Icon = "undo-2"
	IconUser        Icon = "user-round"
	IconUserMinus   Icon = "user-round-minus"
	IconUserPlus    Icon = "user-round-plus"
	IconUsers       Icon = "users"
	IconWarning     Icon = "triangle-alert"
	IconWebhook     Icon = "webhook"
	IconWrong       Icon = "circle-x"
	IconX           Icon = "x"
	IconZap         Icon = "zap"
)

//go:embed icons.json
var iconFile []byte

// icons are the insides of the pictures by name. Where the file is broken a test of this package says so.
var icons = sync.OnceValue(func() map[Icon]string {
	all := map[Icon]string{}
	if err := json.Unmarshal(iconFile, &all); err != nil {
		return nil
	}
	return all
})
