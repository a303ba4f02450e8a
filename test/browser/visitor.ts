/** A person at a browser of their own, and what must not happen there: errors, dialogs, refusals by the content policy. */
import assert from 'node:assert/strict'
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'

/** Milliseconds that a thing on the page may take on a busy machine, and a job of the smallest settings. */
const patienceMs = 180_000
export const jobPatienceMs = 600_000

export interface VisitorOptions extends BrowserContextOptions {
  /** Under which answers are filed, told on an earlier visit. */
  readonly name?: string
}

export interface Visitor extends AsyncDisposable {
  readonly page: Page
  readonly context: BrowserContext
  /** Messages that belong to what is tried: a refused link, a server that is away. */
  readonly expected: RegExp[]
  /** Goes to a page of the studio: `open('label', 'pair')`. */
  open(...parts: readonly string[]): Promise<void>
  /** By the list of pages. */
  goTo(title: string): Promise<void>
  /** Fills in fields by their labels. */
  fill(values: Readonly<Record<string, string | number>>): Promise<void>
  button(name: string | RegExp): ReturnType<Page['getByRole']>
  link(name: string | RegExp): ReturnType<Page['getByRole']>
  heading(name: string | RegExp): ReturnType<Page['getByRole']>
  /** Address and text of the page, also when it has been left. */
  seen(): Promise<string>
  /** Every answer that was given is on the server's disk. */
  saved(): Promise<void>
}

/**
 * Leaving fails where anything went wrong that was not expected.
 *
 * @param address of the studio
 */
export async function visit(
  browser: Browser,
  address: string,
  { name, ...options }: VisitorOptions = {},
): Promise<Visitor> {
  const kept = name === undefined ? [] : [{ name: 'attune.rater', value: name }]
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    ...options,
    baseURL: address,
    storageState: { cookies: [], origins: [{ origin: address, localStorage: kept }] },
  })
  context.setDefaultTimeout(patienceMs)
  // Over plain HTTP from another machine a browser says that it leaves this header out.
  const expected = /127\.0\.0\.1|localhost/.test(address) ? [] : [/Cross-Origin-Opener-Policy header has been ignored/]
  const said: string[] = []
  context.on('page', (page) => listen(page, said))
  const page = await context.newPage()
  let lastSeen = ''
  const seen = async () =>
    page.isClosed() ? lastSeen : `${page.url()}\n${await page.locator('body').innerText()}\n${said.join('\n')}`
  const byRole = (role: 'button' | 'link' | 'heading') => (title: string | RegExp) =>
    page.getByRole('main').getByRole(role, typeof title === 'string' ? { name: title, exact: true } : { name: title })
  return {
    page,
    context,
    expected,
    async open(...parts) {
      await page.goto(`/#/${parts.map(encodeURIComponent).join('/')}`)
    },
    async goTo(title) {
      const pages = page.getByRole('navigation', { name: 'Pages' })
      await pages.getByRole('link', { name: new RegExp(`^${title}`) }).click()
    },
    async fill(values) {
      for (const [label, value] of Object.entries(values)) {
        await page.getByLabel(label, { exact: true }).fill(String(value))
      }
    },
    button: byRole('button'),
    link: byRole('link'),
    heading: byRole('heading'),
    async saved() {
      await page.getByRole('status').getByText('Saved', { exact: true }).waitFor()
    },
    seen,
    async [Symbol.asyncDispose]() {
      lastSeen = await seen()
      // A request that a test answers itself may be on its way.
      await page.unrouteAll({ behavior: 'ignoreErrors' })
      await context.close()
      const wrong = said.filter((line) => !expected.some((pattern) => pattern.test(line)))
      assert.deepEqual(wrong, [], 'what the browser complained about')
    },
  }
}

function listen(page: Page, said: string[]): void {
  page.on('pageerror', (error) => said.push(`error: ${error.stack ?? error.message}`))
  page.on('console', (message) => {
    const { type, text, location } = { type: message.type(), text: message.text(), location: message.location() }
    if (type === 'error' || type === 'warning') said.push(`${type}: ${text} ${location.url}`)
  })
  page.on('dialog', (dialog) => {
    said.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
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
