/** A suite of tests in a browser: a studio, a Chromium, and visitors. */
import { after, afterEach, before, describe } from 'node:test'
import { chromium, type Browser } from 'playwright-core'
import type { FoundGpus } from '../../src/studio/devices/devices.ts'
import type { StudioConfig } from '../../src/studio/start-studio.ts'
import { chromiumPath, noChromium } from './chromium.ts'
import { studioAtWork, type StudioAtWork } from './studio-at-work.ts'
import { visit, type Visitor, type VisitorOptions } from './visitor.ts'

export interface BrowserStage {
  readonly studio: StudioAtWork
  readonly browser: Browser
  /** Somebody who comes to the studio, or to another address. */
  visit(options?: VisitorOptions, address?: string): Promise<Visitor>
}

/** @param tests are defined by it; what it is given is there once they run */
export function browserSuite(
  title: string,
  tests: (stage: BrowserStage) => void,
  settings: Partial<StudioConfig> = {},
  gpus?: FoundGpus,
): void {
  describe(title, { skip: chromiumPath() === undefined && noChromium }, () => {
    let studio: StudioAtWork
    let browser: Browser
    let last: Visitor | undefined
    before(async () => {
      studio = await studioAtWork(settings, gpus)
      browser = await launchBrowser()
    })
    // What the last visitor saw where a test ended badly.
    afterEach(async (context) => {
      if ('passed' in context && !context.passed && last !== undefined) context.diagnostic(await last.seen())
    })
    tests({
      get studio() {
        return studio
      },
      get browser() {
        return browser
      },
      async visit(options, address = studio.address) {
        return (last = await visit(browser, address, options))
      },
    })
    // Hooks run in their order: those of the tests come first.
    after(async () => {
      await browser?.close()
      await studio?.[Symbol.asyncDispose]()
    })
  })
}

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
