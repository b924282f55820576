// Command screenshot takes the pictures for the documents: the front page with a planned week, the
// dashboards, and pages of pf's reports. The front page and the dashboards belong to the running
// platform.
//
//	make screenshot
//
// The token of the front page is in the environment variable TOKEN, because other users of the
// machine can see arguments.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/progressive-framework/platform/components/scaling"
)

// platformURL is the URL of the sandbox's platform.
var platformURL = fmt.Sprintf("http://127.0.0.1:%d/", scaling.Web().NodePort)

// width and height are the size of the picture in pixels. It is the window of a small laptop. Each
// CSS pixel is one pixel of the picture on any screen.
const width, height = 1280, 800

func main() {
	if err := run(os.Args[1:], os.Getenv("TOKEN")); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// run writes a picture of the front page, of the dashboards or of a report.
func run(args []string, token string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	switch {
	case len(args) == 2 && args[0] == "-dashboard":
		return takePicture(ctx, args[1], openDashboards)
	case len(args) == 3 && args[0] == "-page":
		return takePicture(ctx, args[2], func(ctx context.Context) error { return openPage(ctx, args[1]) })
	case len(args) == 1 && token != "":
		return takePicture(ctx, args[0], func(ctx context.Context) error { return openFrontPage(ctx, token) })
	}
	return errors.New("usage: TOKEN=... screenshot FILE.png, screenshot -dashboard FILE.png, or screenshot -page FILE.html FILE.png")
}

// takePicture opens a browser window, calls prepare to fill the window, and writes a picture of the
// window to file.
func takePicture(ctx context.Context, file string, prepare func(context.Context) error) error {
	allocator, closeBrowser := chromedp.NewExecAllocator(ctx, append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, chromedp.Flag("disable-dev-shm-usage", true))...)
	defer closeBrowser()
	tab, closeTab := chromedp.NewContext(allocator)
	defer closeTab()
	if err := chromedp.Run(tab, chromedp.EmulateViewport(width, height, chromedp.EmulateScale(1))); err != nil {
		return fmt.Errorf("browser: %w", err)
	}
	if err := prepare(tab); err != nil {
		return err
	}
	var picture []byte
	if err := chromedp.Run(tab, chromedp.CaptureScreenshot(&picture)); err != nil {
		return fmt.Errorf("picture: %w", err)
	}
	return os.WriteFile(file, picture, 0o644)
}

// openFrontPage signs in on the front page and plans a week.
func openFrontPage(ctx context.Context, token string) error {
	if err := chromedp.Run(ctx,
		chromedp.Navigate(platformURL),
		chromedp.SetValue("#token", token),
		chromedp.Click("#sign-in button"),
		chromedp.WaitVisible("#plan"),
		chromedp.Poll(`document.querySelectorAll('#agents [data-state=up]').length === 3`, nil),
		chromedp.Click("#plan-week"),
		chromedp.WaitVisible("#week article"),
	); err != nil {
		return fmt.Errorf("front page at %s: %w", platformURL, err)
	}
	return nil
}

// openPage opens an HTML file, waits until its first heading is drawn, and makes the window as high
// as the page. The file must load nothing else.
func openPage(ctx context.Context, file string) error {
	path, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	var loadedFiles, pageHeight int
	if err := chromedp.Run(ctx,
		chromedp.Navigate("file://"+path),
		chromedp.WaitVisible("h1"),
		chromedp.Evaluate("performance.getEntriesByType('resource').length", &loadedFiles),
		chromedp.Evaluate("document.documentElement.scrollHeight", &pageHeight),
		chromedp.ActionFunc(func(ctx context.Context) error {
			return chromedp.EmulateViewport(width, int64(max(height, pageHeight)), chromedp.EmulateScale(1)).Do(ctx)
		}),
	); err != nil {
		return fmt.Errorf("page %s: %w", file, err)
	}
	if loadedFiles > 0 {
		return fmt.Errorf("page %s loads %d other files, must load none", file, loadedFiles)
	}
	return nil
}
