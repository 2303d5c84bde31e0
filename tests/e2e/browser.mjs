// The browser of the tests: E2E_CHROMIUM names it (default: /usr/bin/chromium).

import { chromium } from "playwright-core";

export const launched = () =>
  chromium.launch({
    executablePath: process.env.E2E_CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--no-first-run",
    ],
  });
