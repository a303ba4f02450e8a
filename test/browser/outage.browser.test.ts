/** The server goes away while somebody labels, and comes back: no answer is lost, none counts twice. */
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createClient } from '../../src/studio/client.ts'
import { openStudio } from '../../src/studio/open-studio.ts'
import { addImageRun } from '../../src/studio/studio.test-helper.ts'
import { browserSuite } from './browser-suite.ts'
import type { Visitor } from './visitor.ts'

const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url))

/** The command as a user starts it, in a process that can be killed. */
class KilledStudio {
  readonly folder = mkdtempSync(join(tmpdir(), 'attune-outage-'))
  #child: ChildProcess | undefined
  #port = '0'
  address = ''

  async start(): Promise<void> {
    const args = [cli, 'studio', '--port', this.#port, '--workspace', this.folder]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] })
    this.#child = child
    let said = ''
    while (!/http:\S+\n/.test(said)) {
      const [chunk] = (await once(child.stderr, 'data')) as [Buffer]
      said += chunk.toString()
    }
    child.stderr.resume()
    this.address = /http:\S+/.exec(said)![0]
    // It comes back where it was.
    this.#port = new URL(this.address).port
  }

  async kill(): Promise<void> {
    if (this.#child?.exitCode !== null || this.#child.signalCode !== null) return
    this.#child.kill('SIGKILL')
    await once(this.#child, 'exit')
  }
}

browserSuite('a server that is killed', (it) => {
  const server = new KilledStudio()
  before(async () => {
    {
      await using studio = await openStudio(server.folder)
      await addImageRun(studio, 'round-1', ['red', 'green', 'blue', 'grey', 'white', 'black', 'pink'], { perPrompt: 3 })
    }
    await server.start()
  })
  after(async () => {
    await server.kill()
    rmSync(server.folder, { recursive: true, force: true })
  })

  const counts = async () => {
    const { judgments, good, bad, skip } = (await createClient(server.address).state()).counts
    return { judgments, good, bad, skip }
  }
  const visitor = async (): Promise<Visitor> => {
    const person = await it.visit({ name: 'Ada' }, server.address)
    person.expected.push(/Failed to load resource/)
    return person
  }
  const press = async ({ page }: Visitor, keys: string, from: number) => {
    for (const [i, key] of [...keys].entries()) {
      await page.getByText(`${from + i} of 21`).waitFor()
      await page.getByRole('region', { name: /^Image 1 of 3/ }).waitFor()
      await page.keyboard.press(key)
    }
  }

  test('what is answered meanwhile is kept, said to be kept, and arrives once', async () => {
    await using person = await visitor()
    const { page } = person
    await person.open('label', 'good-bad')
    await press(person, 'gbs', 0)
    await person.saved()
    await page.waitForLoadState('networkidle')
    await server.kill()
    await press(person, 'gggbb', 3)
    await page.getByRole('status').getByText('Offline: 5 waiting').waitFor()
    await page.getByText(/^The studio does not answer; trying again\. 5 answers wait safely/).waitFor()
    await page.keyboard.press('u')
    await page.getByRole('status').getByText('Offline: 6 waiting').waitFor()
    await server.start()
    await person.saved()
    await page.getByText(/The studio does not answer/).waitFor({ state: 'hidden' })
    assert.deepEqual(await counts(), { judgments: 7, good: 4, bad: 2, skip: 1 })
    await page.getByText('7 of 21').waitFor()
  })

  test('they outlive the page as well', async () => {
    await using person = await visitor()
    const { page } = person
    await person.open('label', 'good-bad')
    await page.getByText('7 of 21').waitFor()
    // The images of the questions ahead are there as well.
    await page.waitForLoadState('networkidle')
    await server.kill()
    await press(person, 'bbb', 7)
    await page.getByRole('status').getByText('Offline: 3 waiting').waitFor()
    await assert.rejects(page.reload(), /ERR_CONNECTION_REFUSED/)
    await server.start()
    await person.open('label', 'good-bad')
    await person.saved()
    await page.getByText('10 of 21').waitFor()
    assert.deepEqual(await counts(), { judgments: 10, good: 4, bad: 5, skip: 1 })
  })

  test('an answer that arrived without the page hearing of it is sent again and counts once', async () => {
    await using person = await visitor()
    const { page } = person
    let sent = 0
    await page.route('**/api/judgments', async (route) => {
      if (++sent > 1) return route.continue()
      await route.fetch()
      await route.abort('connectionreset')
    })
    await person.open('label', 'good-bad')
    await press(person, 'gg', 10)
    await page.getByText('12 of 21').waitFor()
    await person.saved()
    assert.ok(sent > 1)
    assert.deepEqual(await counts(), { judgments: 12, good: 6, bad: 5, skip: 1 })
  })
})
