// Command screenshot takes the README's picture of the front page: a person
// asks the running platform for a week and sees it.
//
//	TOKEN=$(make token) go run ./agents/screenshot docs/page.png
//
// The token is in the environment, because arguments are shown to everybody on
// the machine.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/chromedp/chromedp"
)

// url is where the sandbox answers.
const url = "http://127.0.0.1:30080/"

func main() {
	if err := run(os.Args[1:], os.Getenv("TOKEN")); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(args []string, token string) error {
	if len(args) != 1 || token == "" {
		return errors.New("usage: TOKEN=... screenshot FILE.png")
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	allocator, end := chromedp.NewExecAllocator(ctx, append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, chromedp.Flag("disable-dev-shm-usage", true), chromedp.WindowSize(1280, 900))...)
	defer end()
	tab, closeTab := chromedp.NewContext(allocator)
	defer closeTab()
	var picture []byte
	if err := chromedp.Run(tab,
		chromedp.Navigate(url),
		chromedp.SetValue("#token", token),
		chromedp.Click("#sign-in button"),
		chromedp.WaitVisible("#wishes"),
		chromedp.Poll(`document.querySelector('#agents').textContent.includes('npa up')`, nil),
		chromedp.Click("#ask"),
		chromedp.WaitVisible("#week article"),
		chromedp.CaptureScreenshot(&picture),
	); err != nil {
		return fmt.Errorf("front page at %s: %w", url, err)
	}
	return os.WriteFile(args[0], picture, 0o644)
}
