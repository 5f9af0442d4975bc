package demo

import (
	"context"
	"fmt"
)

// serve keeps the borough running for a person to look around in.
func (d *day) serve(ctx context.Context) error {
	fmt.Fprintf(d.out.out, "\nThe borough goes on at %s (its API is described at %s/v1/openapi.json).\nEverybody's password is %q:\n",
		d.scene.town.url, d.scene.town.url, pass)
	for _, login := range d.logins() {
		fmt.Fprintf(d.out.out, "  %-20s %s, %s\n", login, d.staff[login].name, d.staff[login].role)
	}
	fmt.Fprintf(d.out.out, "To look at the visit, sign in and read it with the access_token of the answer:\n"+
		"  curl -s %[1]s/v1/sign-in -H 'Content-Type: application/json' -d '{\"login\":\"%[2]s\",\"password\":\"%[3]s\"}'\n"+
		"  curl -s %[1]s/v1/records/%[4]s -H 'Authorization: Bearer ACCESS_TOKEN'\n",
		d.scene.town.url, grace, pass, d.visit)
	fmt.Fprintf(d.out.out, "The data is in %s. Stop with Ctrl-C.\n", d.folder)
	select {
	case <-ctx.Done():
		return nil
	case err := <-d.scene.town.done:
		d.scene.town.done <- err // for stop
		return err
	}
}
