/** The playground with the process that draws for it, on policies of the embedded model. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { setTimeout as wait } from 'node:timers/promises'
import { GenerateConfig, generateImages } from '../../images/generate-images.ts'
import { readImageList } from '../../images/image-run.ts'
import { open } from '../../open.ts'
import type { OpenedStudio } from '../open-studio.ts'
import { devicesOf } from '../devices/devices.ts'
import { addPolicies } from '../../shapes/policies.test-helper.ts'
import { Playground } from '../playground/playground.ts'
import type { DrawEvent, DrawRequest } from '../schemas/playground.ts'
import { changing, failureOf, refused, testStudio, type TestStudio } from '../studio.test-helper.ts'

const prompt = 'two red circles'
const [images, seed, steps] = [3, 7, 2]

/** @param onProgress hears of its first step, and may end it */
async function draw(it: TestStudio, request: Partial<DrawRequest>, onProgress?: (end: AbortController) => void) {
  const leaving = new AbortController()
  const events: DrawEvent[] = []
  const whole = { prompt, policies: [{ policy: 'pretrained' }], seed, images, steps, ...request }
  for await (const event of it.client.draw(whole, leaving.signal)) {
    if (event.kind === 'progress' && !events.some(({ kind }) => kind === 'progress')) onProgress?.(leaving)
    events.push(event)
  }
  const drawn = events.flatMap((event) => (event.kind === 'image' ? [event.drawn] : []))
  const of = (policy: number) => drawn.filter((one) => one.policy === policy).map(({ image }) => image.id)
  return { events, drawn, of, last: events.at(-1)! }
}

async function generated({ workspace }: OpenedStudio, name: string, more: object = {}): Promise<string[]> {
  const out = workspace.at('drawn', name)
  await generateImages(GenerateConfig.parse({ prompt: [prompt], perPrompt: images, seed, steps, out, ...more }), open)
  return readImageList(workspace.at('drawn', name, 'images.jsonl')).map(({ id }) => id)
}

describe('the playground', () => {
  test('draws what `images generate` draws, keeps what it is asked to keep and nothing else', async () => {
    await using it = await testStudio({ playground: { patienceMs: 100 } })
    addPolicies(it.studio.workspace)
    const { policies, words, process: before, device } = await it.client.playground()
    assert.deepEqual(
      policies.map(({ policy, kind, change }) => [policy, kind, change]),
      [
        ['pretrained', 'pretrained', 'none'],
        ['dpok-2', 'run', 'weights'],
        ['dpok-1', 'run', 'adapters'],
        ['brought.safetensors', 'lora', 'adapters'],
      ],
    )
    assert.ok(words!.some((one) => one.words.includes('red')))
    assert.deepEqual([before, device], ['none', 'cpu'])

    // The id of an image is made of its prompt and its pixels.
    const first = await draw(it, {
      policies: ['pretrained', 'dpok-1', 'dpok-2', 'brought.safetensors'].map((policy) => ({ policy })),
    })
    const at = (...names: string[]) => it.studio.workspace.at(...names)
    const base = await generated(it.studio, 'base')
    assert.deepEqual(first.of(0), base)
    assert.deepEqual(first.of(1), await generated(it.studio, 'adapters', { policy: at('runs', 'dpok-1') }))
    assert.deepEqual(first.of(2), await generated(it.studio, 'weights', { policy: at('runs', 'dpok-2') }))
    assert.deepEqual(first.of(3), first.of(1))
    assert.equal(first.last.kind, 'done')
    assert.equal((await it.client.playground()).process, 'ready')

    const half = { policy: 'dpok-1', strength: 0.5 }
    const second = await draw(it, {
      policies: [half, { policy: 'dpok-1', strength: 0 }, { policy: 'dpok-2', strength: 0 }, { policy: 'dpok-2', strength: 0.5 }],
    }) // prettier-ignore
    assert.equal(second.last.kind, 'done', JSON.stringify(second.last))
    assert.ok(!second.events.some(({ kind }) => kind === 'loading'), 'the model is in memory')
    const scaled = { policy: at('runs', 'dpok-1'), loraScale: 0.5 }
    assert.deepEqual(second.of(0), await generated(it.studio, 'half', scaled))
    assert.equal(readImageList(at('drawn', 'half', 'images.jsonl'))[0].strength, 0.5)
    assert.deepEqual([second.of(1), second.of(2)], [base, base])
    for (const [place, id] of second.of(3).entries()) assert.ok(id !== base[place] && id !== first.of(2)[place])

    assert.equal((await it.client.gallery({})).total, 0)
    const [a, b] = [second.of(0)[1], first.of(0)[1]]
    const shown = await it.app.request(it.client.imageUrl(a).replace('http://localhost', ''))
    assert.ok(Buffer.from(await shown.arrayBuffer()).equals(readFileSync(at('drawn', 'half', 'images', '000001.png'))))
    assert.deepEqual(await it.client.keepDrawn({ images: [a, b, a] }), { added: 2, round: 'playground' })
    assert.deepEqual(await it.client.keepDrawn({ images: [a] }), { added: 0, round: 'playground' })
    const { record, rounds, sameNoise } = await it.client.galleryImage(a)
    assert.deepEqual(
      [record.text, record.policy, record.strength, record.seed, record.index, record.steps, rounds],
      [prompt, 'dpok-1', 0.5, seed, 1, steps, ['playground']],
    )
    assert.deepEqual(sameNoise.map(({ id }) => id), [b]) // prettier-ignore
    const asked = (await it.as('Ada').tasks({})).tasks.flatMap((task) => task.images.map(({ id }) => id))
    assert.deepEqual(asked.toSorted(), [a, b].toSorted())
    const vote = {
      id: 'v',
      kind: 'pair' as const,
      images: [a, b],
      answer: 'first' as const,
      at: '2026-01-01T00:00:00Z',
    }
    assert.equal((await it.client.judge({ judgments: [vote] })).added, 1)
    assert.deepEqual((await it.client.galleryImage(a)).history.map(({ told }) => told), ['preferred']) // prettier-ignore
    // Taken back and kept again, it is asked about again.
    await it.client.archive({ images: [a], archived: true })
    assert.equal((await draw(it, { policies: [half], images: 2 })).drawn[1].kept, 'no')
    await it.client.keepDrawn({ images: [a] })
    assert.equal((await it.client.galleryImage(a)).archived, false)
    const again = await draw(it, { policies: [half] })
    assert.deepEqual(
      again.drawn.map(({ image, kept }) => [image.id, kept]),
      second.of(0).map((id) => [id, id === a ? 'kept' : 'no']),
    )

    // Whoever leaves is not drawn for: the process ends where it does not hear of it, and starts anew.
    const { pid } = it.studio.playground
    const left = await draw(it, { images: 16, steps: 200 }, (leaving) => leaving.abort())
    assert.notEqual(left.last.kind, 'done')
    assert.deepEqual((await draw(it, {})).of(0), base)
    assert.notEqual(it.studio.playground.pid, pid)

    // One that is killed while it draws says so, and the next drawing starts another.
    const { last } = await draw(it, { images: 16, steps: 200 }, () =>
      process.kill(it.studio.playground.pid!, 'SIGKILL'),
    )
    assert.ok(last.kind === 'failed' && last.error.code === 'process' && /SIGKILL/.test(last.error.received))
    assert.equal(it.studio.playground.state().process, 'none')
  })

  test('refuses what it cannot draw', async () => {
    await using it = await testStudio()
    const signal = new AbortController().signal
    const request = (more: object) => ({ prompt, policies: [{ policy: 'pretrained' }], seed, ...more })
    const refusedWith = async (status: number, more: object) => {
      const answer = await it.app.request('/api/playground', changing('POST', request(more)))
      assert.equal(answer.status, status, JSON.stringify(more))
      return await failureOf(answer)
    }
    assert.match((await refusedWith(400, { prompt: 'a unicorn' })).received, /unicorn/)
    await refusedWith(400, { prompt: ' ' })
    for (const policy of ['dpok-9', 'runs', '..', 'größe.safetensors'])
      await refusedWith(404, { policies: [{ policy }] })
    for (const policy of ['../runs/dpok-1', '/etc/passwd', 'runs\\dpok-1', 'a\0b', '']) {
      await refusedWith(400, { policies: [{ policy }] })
    }
    const five = Array.from({ length: 5 }, () => ({ policy: 'pretrained' }))
    for (const more of [{ policies: [] }, { policies: five }, { images: 0 }, { images: 17 }, { seed: -1 }, { steps: 0 }, { guidance: 1e9 }, { policies: [{ policy: 'pretrained', strength: 1.6 }] }]) await refusedWith(400, more) // prettier-ignore
    await assert.rejects(it.client.keepDrawn({ images: ['0'.repeat(16)] }), refused(404, 'not-found'))
    assert.equal((await it.client.endPlayground()).process, 'none')
    const busy = new Playground({ folder: it.studio.workspace.folder, model: 'somewhere', isEmbedded: false })
    const devices = ['cuda:0', 'cuda:1'].map((id) => ({ id, isGpu: true, slots: 1 }))
    const users: Record<string, { has: string[]; wait: string[] }> = {
      'cuda:0': { has: ['dpok-1'], wait: [] },
      'cuda:1': { has: [], wait: ['nft-1'] },
    }
    busy.watch({ devices, usersOf: (id) => users[id] })
    assert.deepEqual(busy.state().lack, [
      { id: 'cuda:0', has: ['dpok-1'], wait: [] },
      { id: 'cuda:1', has: [], wait: ['nft-1'] },
    ])
    const order = { prompt: { id: 'p', text: prompt, category: 'other' as const }, policies: [], seed, images, steps, guidance: null } // prettier-ignore
    await assert.rejects(busy.draw(order, { onImage: () => undefined }, signal), refused(409, 'device-busy'))
    users['cuda:1'].wait = []
    assert.deepEqual([busy.state().device, busy.state().lack], ['cuda:1', null])
  })

  test('ends the process that has nothing to do', async () => {
    await using it = await testStudio({ playground: { idleMs: 1 } })
    assert.equal((await draw(it, {})).last.kind, 'done')
    while (it.studio.playground.pid !== undefined) await wait(5)
    assert.equal((await it.client.playground()).process, 'none')
  })

  test('gives a GPU up to a job, and takes none that a job has', async () => {
    const { ATTUNE_ADDON } = process.env
    process.env.ATTUNE_ADDON = fileURLToPath(new URL('../../../test/fake-device/addon.ts', import.meta.url))
    try {
      const model = fileURLToPath(new URL('../../../test/fixtures/stable-diffusion/sd1', import.meta.url))
      await using it = await testStudio({ model, devices: devicesOf(null, 1, 1) })
      const request = { prompt: 'a dog on the moon', negative: 'a cat', images: 1 }
      const { last, drawn } = await draw(it, request)
      assert.equal(last.kind, 'done', JSON.stringify(last))
      assert.deepEqual([it.studio.playground.gpu(), drawn[0].image.width], ['cuda:0', 16])
      const { devices } = await it.client.devices()
      assert.deepEqual(devices.map(({ id, playground }) => [id, playground]), [['cuda:0', true], ['cpu', false]]) // prettier-ignore
      const settings = { prompts: ['a cat'], perPrompt: 1, steps: 2 }
      const { id } = await it.client.startJob({ stage: 'images generate', settings })
      while (it.studio.queue.get(id).state === 'waiting') await wait(5)
      assert.deepEqual([it.studio.playground.pid, it.studio.queue.get(id).on], [undefined, ['cuda:0']])
      const { lack, process: before } = await it.client.playground()
      if (it.studio.queue.get(id).state === 'running') assert.deepEqual(lack!.flatMap(({ has, wait }) => [...has, ...wait]), ['round-1']) // prettier-ignore
      assert.equal(before, 'none')
      while (it.studio.queue.get(id).state !== 'done') await wait(20)
      assert.equal((await it.client.playground()).lack, null)
    } finally {
      if (ATTUNE_ADDON === undefined) delete process.env.ATTUNE_ADDON
      else process.env.ATTUNE_ADDON = ATTUNE_ADDON
    }
  })
})
