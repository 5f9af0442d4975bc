// Package bundle builds the TypeScript package of client-sdk/ts: Kinds are its
// types generated from the schema. It is a developer's tool; no product imports it.
package bundle
