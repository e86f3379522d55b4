package member

import (
	"context"
	"fmt"
)

// SelectUnlinked finds the people of an address of whom nobody is meant.
func SelectUnlinked() string { return selectUnlinked }

// AheadTexts are the statements of ReadAhead.
func (s *Service) AheadTexts() (claimsOfPeople, accounts, claims string) {
	which := s.accountsAmong()
	return s.claimsAmong(), fmt.Sprintf(selectAccount, which), fmt.Sprintf(selectClaimsOf, which)
}

var background = context.Background()
