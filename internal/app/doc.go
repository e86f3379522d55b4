// Package app reads the configuration, builds every service once, and runs and stops them.
//
// All wiring is in New, from top to bottom. What must stay true:
//   - every fault of a configuration is reported in one go, by the name the person used for the setting;
//   - no secret is ever printed, neither as a setting nor inside a complaint about it;
//   - a stop answers every request that was accepted, ends the background work, and closes the database last.
package app
