package main

import (
	"context"
	"fmt"
	"time"

	"github.com/chromedp/chromedp"
)

// dashboardURL is the dashboard of pod scaling on Prometheus' page. `make dashboard` forwards the
// port.
const dashboardURL = "http://127.0.0.1:9090/consoles/index.html#scaling"

// openDashboards opens the dashboards and waits until the panels are drawn. It prints how many
// panels have data, and how long the drawing took. The port may open later than the browser.
func openDashboards(ctx context.Context) error {
	for {
		err := chromedp.Run(ctx, chromedp.Navigate(dashboardURL))
		if err == nil {
			break
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("dashboards at %s: %w", dashboardURL, err)
		case <-time.After(time.Second):
		}
	}
	var state string
	if err := chromedp.Run(ctx,
		chromedp.WaitVisible("body[data-state=drawn]"),
		chromedp.Text("#state", &state),
	); err != nil {
		return fmt.Errorf("dashboards at %s: %w", dashboardURL, err)
	}
	fmt.Println(state)
	return nil
}
