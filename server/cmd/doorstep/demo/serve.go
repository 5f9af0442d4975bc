package demo

import (
	"context"
	"fmt"
	"strings"

	"doorstep/server/web"
)

// inviteToApp prints how to record as one of the workers in a browser.
func (d *day) inviteToApp(ctx context.Context) error {
	if _, built := web.Open(); !built {
		fmt.Fprintf(d.out.out, "There is no web app in this build (make web, then again): the API and the command line are all there is.\n")
		return nil
	}
	code, err := d.scene.town.issueCode(ctx, amina)
	if err != nil {
		return err
	}
	fmt.Fprintf(d.out.out, "The app for tablets is at %s/app/. Set up a tablet there as %s with the password above and\nthe enrolment code %s, and choose any PIN.\n",
		strings.Replace(d.scene.town.url, "127.0.0.1", "localhost", 1), amina, code)
	return nil
}

// serve keeps the borough running for a person to look around in.
func (d *day) serve(ctx context.Context) error {
	if !d.opts.bare {
		if err := d.playPast(ctx, d.opts.months); err != nil {
			return err
		}
		if err := d.furnish(ctx); err != nil {
			return err
		}
	}
	fmt.Fprintf(d.out.out, "\nThe borough goes on at %s (its API is described at %s/v1/openapi.json).\nEverybody's password is %q:\n",
		d.scene.town.url, d.scene.town.url, pass)
	for _, login := range d.logins() {
		fmt.Fprintf(d.out.out, "  %-20s %s, %s\n", login, d.staff[login].name, d.staff[login].role)
	}
	fmt.Fprintf(d.out.out, "The desk is at %s/desk/: sign in there as any of them.\n", d.scene.town.url)
	fmt.Fprintf(d.out.out, "Final records are left for the case-management system in %s: take a .json away, and the desk says that it arrived.\nWhat it leaves in %s is imported (a folder of CSV files, with a file named done).\n",
		d.scene.town.cfg.Delivery.Folder, d.scene.town.cfg.Import.Folder)
	if err := d.inviteToApp(ctx); err != nil {
		return err
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
