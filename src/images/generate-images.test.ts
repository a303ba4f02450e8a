import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  appendFileSync,
  copyFileSync,
  cpSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { DivergenceError, RunInUseError } from '../errors.ts'
import { policyOf, type GenerativeModel, type ModelStage } from '../networks/generative-model.ts'
import { open } from '../open.ts'
import { full } from '../tensor/create.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { GenerateConfig, generateImages } from './generate-images.ts'
import type { Open } from './open-model.ts'

const cli = fileURLToPath(new URL('../cli.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'attune-generate-'))
const at = (...names: string[]) => join(folder, ...names)
const promptFile = at('prompts.txt')
const texts = 'two red circles\na blue background with one ring\ncrosses\n'
after(() => rmSync(folder, { recursive: true }))

const config = (out: string, more: object = {}) =>
  GenerateConfig.parse({ prompts: promptFile, perPrompt: 4, steps: 2, batchSize: 4, out: at(out), ...more })
const contents = (out: string) =>
  readdirSync(at(out), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== 'manifest.json')
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((file) => [file.slice(at(out).length), readFileSync(file).toString('base64')])

/** A model whose decoder, or whose network, fails in its `from`th call. */
function failing(part: 'decode' | 'predict', from: number, how: (made: Tensor) => Tensor): Open {
  let calls = 0
  return async (asked, policy) => {
    const opened = await open(asked, policy)
    const counted = (isPart: boolean, made: Tensor) => (isPart && ++calls >= from ? how(made) : made)
    const stage = policyOf(opened.model)
    const predict: ModelStage['predict'] = (...given) => counted(part === 'predict', stage.predict(...given))
    const own: Partial<GenerativeModel> = {
      stages: [{ ...stage, predict }],
      decode: (samples) => counted(part === 'decode', opened.model.decode(samples)),
      with: () => model,
    }
    const model = new Proxy(opened.model, {
      get: (target, name) => Reflect.get(name in own ? own : target, name) as unknown,
    })
    return { ...opened, model, policy: model }
  }
}
const nan = (made: Tensor) => made.add(full(made.shape, Number.NaN))

describe('a run that broke off', () => {
  before(async () => {
    writeFileSync(promptFile, texts)
    await generateImages(config('whole', { outputLatents: true }), open)
    const broken = failing('decode', 3, () => {
      throw new Error('out of memory')
    })
    await assert.rejects(generateImages(config('broken', { outputLatents: true }), broken), /out of memory/)
  })

  const resumed = async (name: string) => {
    await generateImages(config(name, { outputLatents: true, resume: true }), open)
    assert.deepEqual(contents(name), contents('whole'))
  }

  test('has kept its whole batches, and goes on to the same result', async () => {
    assert.equal(readFileSync(at('broken/images.jsonl'), 'utf8').split('\n').length, 9)
    cpSync(at('broken'), at('goes-on'), { recursive: true })
    await assert.rejects(generateImages(config('goes-on', { outputLatents: true }), open), /by --resume/)
    await resumed('goes-on')
  })

  const damages: Readonly<Record<string, () => void>> = {
    'an image that is gone': () => rmSync(at('damaged/images/000001.png')),
    'an image that was changed': () => appendFileSync(at('damaged/images/000001.png'), '\n'),
    'two images that were swapped': () =>
      copyFileSync(at('damaged/images/000000.png'), at('damaged/images/000005.png')),
    'half a row': () => appendFileSync(at('damaged/images.jsonl'), '{"id":"0123'),
    'a row that is none': () => {
      const rows = readFileSync(at('damaged/images.jsonl'), 'utf8').split('\n')
      writeFileSync(at('damaged/images.jsonl'), rows.with(2, 'none').join('\n'))
    },
    'a row that leads elsewhere': () => {
      const list = readFileSync(at('damaged/images.jsonl'), 'utf8')
      writeFileSync(at('damaged/images.jsonl'), list.replace('images/000003.png', '../../../etc/hostname'))
    },
    'a row twice': () => {
      const list = readFileSync(at('damaged/images.jsonl'), 'utf8')
      writeFileSync(at('damaged/images.jsonl'), list + list)
    },
    'no list': () => rmSync(at('damaged/images.jsonl')),
    'no images': () => rmSync(at('damaged/images'), { recursive: true }),
    'no latents': () => rmSync(at('damaged/latents'), { recursive: true }),
    'latents of which a bit was flipped': () => {
      const file = at('damaged/latents/000004.safetensors')
      const bytes = readFileSync(file)
      bytes[bytes.length - 100] ^= 1
      writeFileSync(file, bytes)
    },
    'what was half-written': () => writeFileSync(at('damaged/images/000009.png.0123abcd.partial'), 'half'),
  }
  for (const [name, damage] of Object.entries(damages)) {
    test(`draws again what is broken: ${name}`, async () => {
      rmSync(at('damaged'), { recursive: true, force: true })
      cpSync(at('broken'), at('damaged'), { recursive: true })
      damage()
      await resumed('damaged')
    })
  }

  test('is not mixed with images of other prompts', async () => {
    cpSync(at('broken'), at('other'), { recursive: true })
    writeFileSync(promptFile, texts.replace('red', 'blue'))
    const earlier = contents('other')
    await assert.rejects(generateImages(config('other', { outputLatents: true, resume: true }), open), RunInUseError)
    assert.deepEqual(contents('other'), earlier)
    writeFileSync(promptFile, texts)
  })

  test('keeps what it had when the disk is full, and when it fails again', () => {
    cpSync(at('broken'), at('full'), { recursive: true })
    const earlier = contents('full').filter(([name]) => name.startsWith('/images/'))
    const words = `images generate --config ${at('full/config.json')} --out ${at('full')} --resume`
    // The list is larger than what a file may hold here.
    const { status, stderr } = spawnSync(
      'sh',
      ['-c', `trap '' XFSZ; ulimit -f 4; exec ${process.execPath} ${cli} ${words}`],
      {
        encoding: 'utf8',
      },
    )
    assert.equal(status, 2, stderr)
    assert.match(stderr, /a file larger than is allowed here/)
    assert.deepEqual(
      contents('full')
        .filter(([name]) => name.startsWith('/images/'))
        .slice(0, earlier.length),
      earlier,
    )
  })
})

test('a state that is not finite stops the drawing, and what was drawn stays', async () => {
  writeFileSync(promptFile, texts)
  const steps = 2
  // Two calls of the network a batch; the fourth is the second step of the second batch.
  const expected = {
    code: 'divergence',
    where: /^drawing, step 2 of 2 \(t = \d+\)$/,
    received: /in 4 of 4 images, as the denoiser/,
  }
  await assert.rejects(generateImages(config('diverged', { steps, guidance: 1 }), failing('predict', 4, nan)), expected)
  assert.equal(readFileSync(at('diverged/images.jsonl'), 'utf8').split('\n').length, 5)
  await assert.rejects(generateImages(config('black'), failing('decode', 1, nan)), {
    code: 'divergence',
    where: 'drawing, decoding',
  })
  assert.ok(!readdirSync(folder).includes('black'))
  await assert.rejects(generateImages(config('at-once'), failing('predict', 1, nan)), DivergenceError)
})

test('a negative prompt for all is that of each prompt without one, kept, and refused where nothing leads away from it', async () => {
  const recordsOf = (out: string) =>
    readFileSync(at(out, 'images.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  const lines = [{ prompt: 'two red circles' }, { prompt: 'crosses', negative_prompt: 'a green ring' }]
  writeFileSync(at('some.jsonl'), lines.map((line) => JSON.stringify(line)).join('\n'))
  writeFileSync(
    at('all.jsonl'),
    lines.map((line) => JSON.stringify({ negative_prompt: 'a blue ring', ...line })).join('\n'),
  )
  const both = { perPrompt: 1, guidance: 3 }
  const { results } = await generateImages(
    config('some', { prompts: at('some.jsonl'), negativePrompt: 'a blue ring', ...both }),
    open,
  )
  await generateImages(config('all', { prompts: at('all.jsonl'), ...both }), open)
  assert.equal(results.negativePrompt, 'a blue ring')
  assert.deepEqual(
    recordsOf('some').map(({ negative }) => negative),
    ['a blue ring', 'a green ring'],
  )
  assert.deepEqual(
    recordsOf('some').map(({ sha256 }) => sha256),
    recordsOf('all').map(({ sha256 }) => sha256),
  )
  await assert.rejects(
    generateImages(config('refused', { prompts: at('some.jsonl'), negativePrompt: 'a blue ring', guidance: 1 }), open),
    { code: 'config', where: '--negative-prompt', received: '--guidance 1' },
  )
  await assert.rejects(
    generateImages(config('unknown', { prompts: at('some.jsonl'), negativePrompt: 'a zeppelin', ...both }), open),
    ({ code, where }: { code: string; where: string }) =>
      code === 'vocabulary' && where.startsWith('--negative-prompt'),
  )
})

test('a prompt’s own seed and negative prompt are used, wherever it stands in the file', async () => {
  const seeded = { prompt: 'two red circles', seed: 5, negative_prompt: 'a blue ring' }
  const draw = async (out: string, lines: object[], guidance: number) => {
    writeFileSync(at(`${out}.jsonl`), lines.map((line) => JSON.stringify(line)).join('\n'))
    await generateImages(config(out, { prompts: at(`${out}.jsonl`), perPrompt: 2, guidance }), open)
    const records = readFileSync(at(out, 'images.jsonl'), 'utf8').trim().split('\n')
    return records
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ seed }) => seed === 5)
      .map(({ draw, negative, sha256 }) => ({ draw, negative, sha256 }))
  }
  const { negative_prompt: negative, ...plain } = seeded
  const first = await draw('first', [seeded, { prompt: 'crosses' }], 3)
  assert.deepEqual(
    first.map((one) => [one.draw, one.negative]),
    [
      [0, negative],
      [1, negative],
    ],
  )
  assert.deepEqual(await draw('second', [{ prompt: 'crosses' }, seeded], 3), first)
  const without = await draw('without', [plain], 3)
  assert.notEqual(without[0].sha256, first[0].sha256)
  const [own] = await draw('unguided', [seeded], 1)
  assert.equal(own.sha256, (await draw('unguided-plain', [plain], 1))[0].sha256)
})
