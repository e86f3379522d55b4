package event

// TallyEvents is the statement of a part of a tally.
const TallyEvents = tallyEvents
