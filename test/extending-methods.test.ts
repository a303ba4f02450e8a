/** A method is a file, a line in the list and an entry of facts: one that does nothing is added to a copy, and used. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { SourcesCopy } from './sources-copy.test-helper.ts'

const copy = new SourcesCopy()
after(() => copy[Symbol.dispose]())
const reward = fileURLToPath(new URL('fixtures/stable-diffusion/clip', import.meta.url))
const runs = join(copy.folder, 'studio/runs')

test('a method is added', () => {
  const file = 'policy/algorithms/nothing.ts'
  copy.addFile('nothing/nothing.ts', file, (text) => text.replace("'policy dpok'", "'policy nothing'"))
  const line = "  'policy nothing': async () => (await import('./nothing.ts')).nothing,\n"
  copy.insert('policy/algorithms/index.ts', "  'policy dpok': async", line)
  const entry = `  'policy nothing': {
    kind: 'policy',
    title: 'Nothing',
    sentence: 'Leave the policy as it is.',
    takes: ['reward', 'prompts'],
    cost: ['updates'],
    form: { main: ['idleSteps'], embeddedDefaults: { idleSteps: 2 }, duration: 'no time' },
  },
`
  copy.insert('stages.ts', "  'policy dpok': {", entry)
})

test('it has a command, and its run draws as every policy does', () => {
  assert.match(copy.attune('policy', 'nothing', '--help'), /Leave the policy as it is.*--reward .*--idle-steps /s)
  const given = ['--prompt', 'two red circles', '--reward', reward, '--idle-steps', '1']
  copy.attune('policy', 'nothing', ...given, '--out', join(runs, 'nothing-1'))
  const policy = ['--policy', join(runs, 'nothing-1'), '--per-prompt', '1']
  copy.attune('images', 'generate', '--prompt', 'a cross', ...policy, '--out', join(copy.folder, 'drawn'))
})

test('it has a form in the studio, and its run is a policy there', async () => {
  const studio = copy.start('studio', '--workspace', 'studio', '--port', '0')
  try {
    const [said] = (await once(studio.stderr!, 'data')) as [Buffer]
    const address = /http:\S+/.exec(String(said))![0]
    const get = async (path: string) => (await fetch(address + path)).json()
    const { stages } = (await get('/api/stages')) as { stages: Record<string, unknown>[] }
    const { main, ...form } = stages.find(({ stage }) => stage === 'policy nothing')!
    assert.deepEqual([form.title, form.missing], ['Nothing fine-tuning', 'Train a reward first.'])
    assert.deepEqual(
      (main as { field: string; default: unknown }[]).map((field) => [field.field, field.default]),
      [
        ['reward', null],
        ['idleSteps', 2],
        ['policy', null],
        ['seed', 0],
      ],
    )
    const { policies } = (await get('/api/state')) as { policies: { name: string; algorithm: string }[] }
    assert.deepEqual(
      policies.map(({ name, algorithm }) => [name, algorithm]),
      [['nothing-1', 'nothing']],
    )
    for (const [path, body] of [
      ['/api/rounds', { policy: 'nothing-1', promptCount: 1, perPrompt: 1 }],
      ['/api/compare', { policies: ['pretrained', 'nothing-1'] }],
    ] as const) {
      const headers = { 'x-attune': '1', 'content-type': 'application/json' }
      const answer = await fetch(address + path, { method: 'POST', headers, body: JSON.stringify(body) })
      assert.equal(answer.status, 200, await answer.text())
    }
    const jobs = async () =>
      ((await get('/api/jobs')) as { jobs: { id: string; can: { stop: boolean }; state: string }[] }).jobs
    for (const { id } of (await jobs()).filter(({ can }) => can.stop)) {
      await fetch(`${address}/api/jobs/${id}/stop`, { method: 'POST', headers: { 'x-attune': '1' } })
    }
    while ((await jobs()).some(({ state }) => state === 'stopping')) await wait(50)
  } finally {
    studio.kill()
    await once(studio, 'exit')
  }
})
