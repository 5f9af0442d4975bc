// Package server is placed here for now.
package server
