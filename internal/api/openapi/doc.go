// Package openapi describes the REST API: its operations, what they take and what they answer, in our own words and as schemas.
// The OpenAPI document that is served, and the reference pages, are written from these descriptions.
//
// Each noun has its file. An operation is described where its noun is; the edge holds the descriptions against its URL table, so a
// route without a description and a description without a route both fail a test, and every answer of every API test is held
// against what is promised here.
package openapi
