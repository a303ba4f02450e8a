/** A person at a browser of their own, and what must not happen there: errors, dialogs, refusals by the content policy. */
import assert from 'node:assert/strict'
import type { SuiteContext, TestContext } from 'node:test'
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions, type Page } from 'playwright-core'
import { chromiumPath } from './chromium.ts'

/** Milliseconds that a thing on the page may take on a busy machine, and a job of the smallest settings. */
const patienceMs = 30_000
export const jobPatienceMs = 240_000

export async function launchBrowser(): Promise<Browser> {
  return await chromium.launch({
    executablePath: chromiumPath(),
    headless: true,
    // It refuses to sandbox itself where it is root.
    chromiumSandbox: process.getuid?.() !== 0,
    args: [
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}

export interface Visitor extends AsyncDisposable {
  readonly page: Page
  readonly context: BrowserContext
  /** Messages that belong to what is tried: a refused link, a server that is away. */
  readonly expected: RegExp[]
  /** Goes to a page of the studio: `open('label', 'pair')`. */
  open(...parts: readonly string[]): Promise<void>
}

/**
 * Leaving fails where anything went wrong that was not expected.
 *
 * @param address of the studio
 */
export async function visit(
  browser: Browser,
  address: string,
  options: BrowserContextOptions = {},
  kept?: { readonly name: string },
): Promise<Visitor> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options, baseURL: address })
  context.setDefaultTimeout(patienceMs)
  if (kept !== undefined) await context.addInitScript((name) => localStorage.setItem('attune.rater', name), kept.name)
  const expected: RegExp[] = []
  const said: string[] = []
  const watch = (page: Page) => {
    page.on('pageerror', (error) => said.push(`error: ${error.stack ?? error.message}`))
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') {
        said.push(`${message.type()}: ${message.text()} ${message.location().url}`)
      }
    })
    page.on('dialog', (dialog) => {
      said.push(`dialog: ${dialog.message()}`)
      void dialog.dismiss()
    })
  }
  context.on('page', watch)
  const page = await context.newPage()
  return {
    page,
    context,
    expected,
    async open(...parts) {
      await page.goto(`/#/${parts.map(encodeURIComponent).join('/')}`)
    },
    async [Symbol.asyncDispose]() {
      await context.close()
      const wrong = said.filter((line) => !expected.some((pattern) => pattern.test(line)))
      assert.deepEqual(wrong, [], 'what the browser complained about')
    },
  }
}

/** The text that a heading, a status or another element has, once it is there. */
export async function present(page: Page, text: string | RegExp, timeout = patienceMs): Promise<void> {
  await page.getByText(text).first().waitFor({ timeout })
}

/** Asks again until it is so; what is asked is asked of the server or the page, never of a clock. */
export async function until<T>(ask: () => Promise<T>, isSo: (got: T) => boolean, timeout = patienceMs): Promise<T> {
  const end = performance.now() + timeout
  for (;;) {
    const got = await ask()
    if (isSo(got)) return got
    assert.ok(performance.now() < end, `waited ${timeout / 1000} s in vain; the last was ${JSON.stringify(got)}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** What the page said where a test ended badly. */
export async function tellOfFailure(context: TestContext | SuiteContext, page: Page): Promise<void> {
  if (!('passed' in context) || context.passed) return
  context.diagnostic(`${page.url()}\n${await page.locator('body').innerText()}`)
}
