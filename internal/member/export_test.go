package member

import (
	"context"
	"fmt"
)

// SelectUnlinked finds the people of an address of whom nobody is meant.
func SelectUnlinked() string { return selectUnlinked }

// AheadTexts are the statements of ReadAhead.
func (s *Service) AheadTexts() (claims, accounts string) {
	return s.claimsAmong(), fmt.Sprintf(selectAccount, s.accountsAmong())
}

var background = context.Background()
