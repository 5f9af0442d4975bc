package device

import (
	"bufio"
	"context"
	"errors"
	"net/http"
	"strings"
	"time"
)

// silence is how long an event stream may say nothing: the server's keep-alive
// comes every ten seconds or so, and a dead connection says nothing at all.
const silence = 45 * time.Second

// Listen implements Listener with the server's event stream.
func (c *Client) Listen(ctx context.Context, wake func()) error {
	return c.signedIn(ctx, func(authorization string) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"/v1/events", nil)
		if err != nil {
			return err
		}
		req.Header.Set("Accept", "text/event-stream")
		req.Header.Set("Authorization", authorization)
		resp, err := c.send(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return refused(resp, nil)
		}
		dead := time.AfterFunc(silence, cancel)
		defer dead.Stop()
		lines := bufio.NewScanner(resp.Body)
		for lines.Scan() {
			dead.Reset(silence)
			if strings.TrimSpace(lines.Text()) == "event: pull" {
				wake()
			}
		}
		return errors.Join(lines.Err(), errors.New("event stream ended"))
	})
}
