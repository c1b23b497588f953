import { chromium, type Browser, type Page } from 'playwright-core';
import { findChromium } from '../../tools/setup/locate.mjs';

/** A browser as people have one; `openPage` gives a page of a profile of its own. */
export interface TestBrowser {
  openPage(options?: { javaScript?: boolean }): Promise<Page>;
  close(): Promise<void>;
}

const patienceMs = 20_000;

/** Starts the system's Chromium without a window. */
export async function openBrowser(): Promise<TestBrowser> {
  const found = findChromium();
  if (!found) throw new Error('there is no Chromium here: `make test` installs it');
  // Tests run as root in containers, where Chromium's own sandbox does not start; it only sees pages of ours.
  const args = ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'];
  const browser: Browser = await chromium.launch({ executablePath: found.path, args });
  return {
    async openPage({ javaScript = true } = {}) {
      const context = await browser.newContext({ javaScriptEnabled: javaScript, locale: 'en-GB' });
      const page = await context.newPage();
      page.setDefaultTimeout(patienceMs);
      return page;
    },
    close: () => browser.close(),
  };
}
