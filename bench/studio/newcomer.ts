/**
 * `node bench/studio/newcomer.ts`: somebody new goes through the whole loop in a browser, in a studio of their own with the
 * embedded model, and does what the first page says, but for one thing: after sixty labels a policy is trained even where
 * the page advises more labels, so that every step is seen. Told are the seconds of each step and the page's own words.
 * The judge of the embedded world answers in the person's place, a label every 1.2 s; forms stay as they are.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { readImages } from '../../src/images/image-run.ts'
import { readPictures } from '../../src/images/pictures.ts'
import { isAligned, judgeImage } from '../../src/shapes/judge.ts'
import { createClient } from '../../src/studio/client.ts'
import { freePort, startProcess } from '../../src/studio/studio-process.test-helper.ts'
import { launchBrowser } from '../../test/browser/browser-suite.ts'
import { jobPatienceMs, visit, type Visitor } from '../../test/browser/visitor.ts'

const labels = 60
const secondsOfLabel = 1.2
const votes = 24
const pause = (seconds: number) => new Promise<void>((resolve) => setTimeout(resolve, 1000 * seconds))

const folder = mkdtempSync(join(tmpdir(), 'attune-newcomer-'))
const workspace = join(folder, 'studio')
const began = performance.now()
let last = began
/** Seconds since the step before, and since the start. */
function tell(step: string, words = ''): void {
  const now = performance.now()
  const [own, all] = [now - last, now - began].map((ms) => `${(ms / 1000).toFixed(1)} s`)
  last = now
  process.stdout.write(`${step.padEnd(34)} ${own.padStart(8)} ${all.padStart(8)}  ${words}\n`)
}

/** Whether each image shows what its prompt states, by id. */
async function verdictsOf(run: string): Promise<ReadonlyMap<string, boolean>> {
  const images = await readImages(join(workspace, 'runs', run))
  const pictures = await readPictures(images.map(({ file }) => file))
  return new Map(
    images.map(({ record }, i) => [record.id, isAligned(record.attributes!, judgeImage(pictures[i].bytes))]),
  )
}

/** The id of the picture in an element, from its address. */
const imageIn = async (page: Page, selector: string): Promise<string> => {
  const address = await page.locator(`${selector} img`).first().getAttribute('src')
  return decodeURIComponent(/images\/([^/?]+)/.exec(address ?? '')![1])
}

const nextOf = async ({ page }: Visitor) => {
  const main = await page.getByTestId('next').textContent({ timeout: jobPatienceMs })
  return `${main?.trim()}: ${(await page.locator('.next-words .page-head').innerText()).replaceAll(/\s+/g, ' ')}`
}

process.stdout.write(
  `load ${loadavg()[0].toFixed(1)}\n${'step'.padEnd(34)}     step    start  what the first page says then\n`,
)
const port = await freePort()
const server = await startProcess('--workspace', workspace, '--port', String(port))
const address = `http://127.0.0.1:${port}`
const browser = await launchBrowser()
try {
  const person = await visit(browser, address)
  const { page } = person
  await person.open()
  await person.heading('Teach a model what you like').waitFor()
  tell('the page stands', await nextOf(person))

  await page.getByTestId('next').click()
  await page.getByRole('main').getByRole('link', { name: 'Label meanwhile' }).or(page.getByTestId('next')).first().waitFor({ timeout: jobPatienceMs }) // prettier-ignore
  await nextOf(person)
  await page.getByTestId('next').click()
  await page.getByLabel('Your name').fill('Ada')
  await page.keyboard.press('Enter')
  await page.locator('[data-focused=true] img').waitFor()
  const client = createClient(address, { rater: () => 'Ada' })
  const { rounds } = await client.rounds()
  const verdicts = await verdictsOf(rounds[0].name)
  for (let given = 0; given < labels; given++) {
    await page
      .getByText(new RegExp(`^${given} of \\d+`))
      .first()
      .waitFor()
    await pause(secondsOfLabel)
    await page.keyboard.press(verdicts.get(await imageIn(page, '[data-focused=true]')) === true ? 'g' : 'b')
    if (given === 0) tell('the first label', `of ${rounds[0].images} images`)
  }
  await person.saved()
  await person.open()
  tell(`${labels} labels`, await nextOf(person))

  await page.getByTestId('next').filter({ hasText: 'Train a reward' }).click()
  await page.getByTestId('next').waitFor({ state: 'detached' })
  tell('a reward', await nextOf(person))

  await person.open('train', 'dpok')
  await person.button('Start').click()
  await person.link('Compare').waitFor({ timeout: jobPatienceMs })
  await person.open()
  tell('a policy', await nextOf(person))

  await page.getByTestId('next').filter({ hasText: 'Compare blind' }).click()
  const vote = person.link('Vote blind').or(page.getByTestId('next').filter({ hasText: 'Vote blind' }))
  await vote.first().click({ timeout: jobPatienceMs })
  for (let given = 0; given < votes; given++) {
    await page.getByText(new RegExp(`^${given} of \\d+$`)).waitFor()
    await pause(secondsOfLabel)
    await page.keyboard.press(['1', '2', 't'][given % 3])
  }
  await person.saved()
  await person.open()
  tell(`${votes} blind votes, given blindly`, await nextOf(person))

  await person.open('train', 'report')
  await person.button('Start').click()
  await person.link('Read the report').waitFor({ timeout: jobPatienceMs })
  await person.open()
  tell('a report', await nextOf(person))
} finally {
  await browser.close()
  await server.end('SIGTERM')
  rmSync(folder, { recursive: true, force: true })
}
