/** Models that lie here, that are fetched and that are brought, over HTTP and with a hub on loopback. */
import assert from 'node:assert/strict'
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, test } from 'node:test'
import { startHub } from '../../../test/hub.test-helper.ts'
import { chooseModel, chosenModel } from '../models/chosen-model.ts'
import type { Fetch, Models } from '../schemas/models.ts'
import { optionsOf, StudioConfig } from '../start-studio.ts'
import { refused, testStudio, type TestStudio } from '../studio.test-helper.ts'

const fixtures = resolve('test/fixtures/stable-diffusion')
const lora = readFileSync(join(fixtures, 'lora-sd1-kohya', 'pytorch_lora_weights.safetensors'))
const environment = { ...process.env }
const cache = mkdtempSync(join(tmpdir(), 'attune-models-'))

before(() => {
  for (const variable of ['HF_TOKEN', 'HF_HUB_CACHE', 'HF_HUB_OFFLINE']) delete process.env[variable]
  process.env.HF_HOME = cache
})
after(() => {
  process.env = environment
  rmSync(cache, { recursive: true })
})

/** As often as a page would ask. */
async function until<T>(ask: () => Promise<T>, isThere: (value: T) => boolean): Promise<T> {
  for (let looks = 0; looks < 2000; looks++) {
    const value = await ask()
    if (isThere(value)) return value
    await new Promise((go) => setTimeout(go, 100))
  }
  return assert.fail(JSON.stringify(await ask()))
}
const looked = (it: TestStudio): Promise<Models> =>
  until(
    () => it.client.models(),
    ({ checkpoints }) => checkpoints.every(({ rows, error }) => rows !== null || error !== null),
  )

test('what lies here is looked at, and chosen for the next start', async () => {
  await using it = await testStudio()
  const { workspace } = it.studio
  cpSync(join(fixtures, 'sd1'), workspace.at('models', 'sd1'), { recursive: true })
  writeFileSync(workspace.at('models', 'sd1', 'README.md'), '---\nlicense: openrail\n---\n')
  cpSync(join(fixtures, 'clip'), workspace.at('models', 'clip'), { recursive: true })
  mkdirSync(workspace.at('models', 'half'))
  writeFileSync(workspace.at('models', 'half', 'model_index.json'), '{}')
  const first = await it.client.models()
  assert.deepEqual(first.inUse, { model: 'shapes', encoder: null, isEmbedded: true })
  const { checkpoints } = await looked(it)
  assert.deepEqual(
    checkpoints.map(({ name, kind, licence, error }) => [name, kind, licence?.id ?? null, error !== null]),
    [
      ['models/clip', 'encoder', null, false],
      ['models/half', null, null, true],
      ['models/sd1', 'checkpoint', 'openrail', false],
    ],
  )
  const rows = new Map(checkpoints[2].rows)
  assert.match(rows.get('pipeline')!, /Stable Diffusion 1/)
  for (const label of ['unet', 'vae', 'images']) assert.ok(rows.has(label), label)
  assert.ok(!JSON.stringify(checkpoints).includes(workspace.folder))

  const choice = { model: 'models/sd1', encoder: 'models/clip' }
  assert.deepEqual((await it.client.chooseModel(choice)).chosen, choice)
  const start = (given: object) =>
    optionsOf(StudioConfig.parse({ workspace: workspace.folder, ...given }), { count: 0, note: null })
  assert.deepEqual([start({}).model, start({}).encoder], ['models/sd1', 'models/clip'])
  assert.equal(start({ model: 'shapes' }).model, 'shapes')
  assert.equal(start({ model: 'test/fixtures/stable-diffusion/sd1' }).model, join(fixtures, 'sd1'))
  for (const wrong of [
    { model: 'models/half', encoder: null },
    { model: null, encoder: 'models/clip' },
  ]) {
    await assert.rejects(it.client.chooseModel(wrong), refused(409, 'wrong-kind'))
  }
  for (const model of ['models/none', '../sd1', '/etc', 'owner/none']) {
    await assert.rejects(it.client.chooseModel({ model, encoder: null }), refused(404, 'not-found'))
  }
  await it.client.chooseModel({ model: null, encoder: null })
  assert.equal(chosenModel(workspace), null)
})

test('a file that is no whole checkpoint is refused, and leaves nothing; one that lies here is removed unless it is used', async () => {
  const tiny = join(fixtures, 'single-files', 'sd1.safetensors')
  await using it = await testStudio({ model: tiny })
  const { workspace } = it.studio
  const add = (name: string, content: Uint8Array<ArrayBuffer> | string) =>
    it.client.addCheckpoint(new File([content], name))
  // Its parts are too narrow for the published configuration, by which a file without one is read.
  const whole = Uint8Array.from(readFileSync(tiny))
  for (const content of [whole, Uint8Array.from(lora), whole.subarray(0, 9000), 'no tensors']) {
    await assert.rejects(add('other.safetensors', content), (error: Error) => {
      assert.match(
        error.message,
        /^other\.safetensors: expected all parts of a Stable Diffusion checkpoint in one file/,
      )
      assert.ok(!error.message.includes(workspace.folder), error.message)
      return refused(400, 'format')(error)
    })
  }
  await assert.rejects(add('empty.safetensors', ''), refused(400, 'invalid'))
  await assert.rejects(add('pickle.ckpt', whole), refused(400, 'format'))
  assert.deepEqual([...readdirSync(workspace.at('models')), ...readdirSync(workspace.at('uploads'))], [])

  copyFileSync(tiny, workspace.at('models', 'mine.safetensors'))
  chooseModel(workspace, { model: 'models/mine.safetensors', encoder: null })
  await assert.rejects(it.client.removeCheckpoint('mine.safetensors'), refused(409, 'wrong-kind'))
  chooseModel(workspace, null)
  await assert.rejects(it.client.removeCheckpoint('none.safetensors'), refused(404, 'not-found'))
  await it.client.removeCheckpoint('mine.safetensors')
  assert.deepEqual(readdirSync(workspace.at('models')), [])
})

test('a LoRA file is looked at before it is kept, and a policy can start from it', async () => {
  await using it = await testStudio({ model: join(fixtures, 'sd1') })
  const { workspace } = it.studio
  const add = (name: string, content: Uint8Array<ArrayBuffer> | string = Uint8Array.from(lora)) =>
    it.client.addLora(new File([content], name))
  const added = await add('my lora/../mine.safetensors')
  assert.deepEqual([added.name, added.form], ['mine.safetensors', 'kohya'])
  assert.ok(added.layers > 10)
  await assert.rejects(add('mine.safetensors'), refused(409, 'name-taken'))
  const xl = readFileSync(join(fixtures, 'lora-sdxl-kohya', 'pytorch_lora_weights.safetensors'))
  await assert.rejects(add('xl.safetensors', Uint8Array.from(xl)), refused(400, 'format'))
  await assert.rejects(add('cut.safetensors', Uint8Array.from(lora.subarray(0, 4000))), refused(400, 'format'))
  await assert.rejects(add('text.safetensors', 'no tensors'), refused(400, 'format'))
  await assert.rejects(add('empty.safetensors', ''), refused(400, 'invalid'))
  for (const name of ['pickle.ckpt', '.safetensors', '-x.safetensors', 'a\0.safetensors', 'x'.repeat(200)]) {
    await assert.rejects(add(name), refused(400, 'format'), name)
  }
  assert.deepEqual(readdirSync(workspace.at('loras')), ['mine.safetensors'])
  assert.deepEqual(readdirSync(workspace.at('uploads')), [])
  const { stages } = await it.client.stages()
  for (const stage of ['policy dpok', 'images generate']) {
    const form = stages.find((one) => one.stage === stage)!
    const policy = [...form.main, ...form.more].find(({ field }) => field === 'policy')!
    assert.deepEqual(policy.choices, [{ value: 'named:loras/mine.safetensors', label: 'mine.safetensors' }])
    assert.equal(policy.default, null)
  }
  const drawn = await it.client.startJob({
    stage: 'images generate',
    settings: { policy: 'named:loras/mine.safetensors', prompts: ['a cat'], perPrompt: 1, steps: 2 },
  })
  const config = JSON.parse(readFileSync(workspace.at('jobs', drawn.id, 'config.json'), 'utf8')) as { policy: string }
  assert.equal(config.policy, 'loras/mine.safetensors')
  await it.client.stopJob(drawn.id)
  await assert.rejects(it.client.removeLora('none.safetensors'), refused(404, 'not-found'))
  assert.deepEqual((await it.client.removeLora('mine.safetensors')).loras, [])
  assert.ok(!existsSync(workspace.at('loras', 'mine.safetensors')))
})

test('a model is fetched once its licence was accepted, and what broke off is gone on with', async () => {
  await using it = await testStudio()
  const files = new Map(
    (readdirSync(join(fixtures, 'clip'), { recursive: true }) as string[])
      .filter((path) => /\.(json|txt|safetensors)$/.test(path))
      .map((path) => [path, readFileSync(join(fixtures, 'clip', path))]),
  )
  files.set('README.md', Buffer.from('---\nlicense: other\nlicense_name: small-print\n---\n# A model'))
  const model = 'owner/clip'
  await using hub = await startHub(model, files)
  process.env.HF_ENDPOINT = hub.endpoint
  const offer = await it.client.offer({ model })
  assert.deepEqual(offer.licence, { id: 'other', name: 'small-print' })
  assert.ok(offer.bytes > 0 && offer.missingBytes > 0 && offer.page === `${hub.endpoint}/${model}`)
  await assert.rejects(it.client.fetchModel({ model, licence: 'mit' }), refused(409, 'licence'))
  for (const bad of ['nobody', '../a', 'a/b/c', '--help/x']) {
    await assert.rejects(it.client.offer({ model: bad }), bad)
  }
  const ended = (state: Fetch['state']) =>
    until(
      () => it.client.models(),
      ({ fetches }) => fetches[0]?.state === state,
    )
  hub.faults.cutAfter = new Map([['model.safetensors', 1000]])
  hub.faults.storageStatus = 503
  await it.client.fetchModel({ model, licence: 'other' })
  const { fetches } = await ended('failed')
  assert.match(fetches[0].error!, /503/)
  delete hub.faults.storageStatus
  delete hub.faults.cutAfter
  await it.client.fetchModel({ model, licence: 'other' })
  await ended('done')
  const { checkpoints } = await looked(it)
  assert.deepEqual(
    checkpoints.map(({ name, place, kind, licence, error }) => [name, place, kind, licence?.name, error]),
    [[model, 'cache', 'encoder', 'small-print', null]],
  )
  await assert.rejects(it.client.stopFetch(model), (error: Error) => /nothing is left to stop/.test(error.message))
})
