/** The whole loop on a tiny checkpoint of real Stable Diffusion layout, as a user runs it: processes and files. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { openStableDiffusion } from '../src/networks/stable-diffusion/open.ts'
import { openChange } from '../src/policy/policy-file.ts'
import { ImageRecord } from '../src/records.ts'
import { Report } from '../src/report/schema.ts'
import { useThreads } from '../src/tensor/library.ts'
import { readSafetensors } from '../src/tensor/safetensors.ts'
import { tensorScope } from '../src/tensor/scope.ts'

useThreads(1)

const cli = fileURLToPath(new URL('../src/cli.ts', import.meta.url))
const fixtures = fileURLToPath(new URL('fixtures/stable-diffusion/', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'attune-sd-'))
const at = (name: string) => join(folder, name)
const lines = (name: string) => readFileSync(at(name), 'utf8').trim().split('\n')

function attune(command: string): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [cli, ...command.split(' ')], { cwd: folder, encoding: 'utf8' })
}

function works(command: string): string {
  const { status, stdout, stderr } = attune(command)
  assert.equal(status, 0, `attune ${command}\n${stderr}`)
  return stdout.trim()
}

const records = (run: string) => lines(`${run}/images.jsonl`).map((line) => ImageRecord.parse(JSON.parse(line)))
const results = (run: string) =>
  (JSON.parse(readFileSync(at(`${run}/manifest.json`), 'utf8')) as { results: Record<string, unknown> }).results

const model = '--model sd1 --threads 1'
const quick = `${model} --steps 4`

before(async () => {
  for (const name of ['sd1', 'clip']) cpSync(join(fixtures, name), at(name), { recursive: true })
  for (const name of ['dinov2', 'owlvit']) cpSync(join(fixtures, '../features', name), at(name), { recursive: true })
  writeFileSync(at('seen.txt'), 'a red apple on a table\nfour wolves in the park\n')
  writeFileSync(at('unseen.txt'), 'a green dog on the moon\n')
  mkdirSync(at('photos'))
  const noise = { create: { width: 40, height: 30, channels: 3 as const, background: '#808080' } }
  for (const name of ['a.jpg', 'b.png', 'c.webp']) await sharp(noise).toFile(at(`photos/${name}`))
  const rows = ['a.jpg', 'b.png', 'c.webp', 'gone.png'].map((file, i) => ({ file_name: file, text: `photo ${i}` }))
  writeFileSync(at('photos/metadata.jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'))

  works(`images generate --prompts seen.txt --per-prompt 8 ${quick} --output-latents --out images`)
  const labels = records('images').map(({ id }, i) => `${id},${i % 3 === 0 ? 'good' : 'bad'}`)
  writeFileSync(at('labels.csv'), `image,answer\n${labels.join('\n')}\n`)
  works('feedback import --feedback feedback.sqlite --images images --labels labels.csv --rater ada')
  works('reward train --feedback feedback.sqlite --encoder clip --epochs 2 --held-out 0.5 --threads 1 --out reward')
})
after(() => rmSync(folder, { recursive: true, force: true }))

describe('the loop on a checkpoint in diffusers’ layout', () => {
  test('says what it is', () => {
    assert.match(works('model inspect sd1'), /Stable Diffusion 1[^]*PNDMScheduler[^]*adapters: attention/)
    assert.match(works('model inspect clip'), /CLIPModel/)
  })

  test('on a CPU --deterministic changes nothing', () => {
    const [plain, deterministic] = ['same', 'same --deterministic'].map((out) => {
      works(
        `policy dpok --prompts seen.txt --reward reward --images-drawn 4 --rollouts-per-iteration 2 --transitions-per-rollout 2 --gradient-steps 1 --value-updates 2 ${quick} --rank 2 --out ${out}`,
      )
      const bytes = readFileSync(at('same/pytorch_lora_weights.safetensors'))
      rmSync(at('same'), { recursive: true })
      return bytes
    })
    assert.ok(plain.equals(deterministic))
  })

  test('latents go out and in', () => {
    assert.deepEqual(readSafetensors(at('images/latents.safetensors')).tensors.get('latents')!.shape, [16, 4, 8, 8])
    const start = '--latents images/latents.safetensors --eta 0'
    works(`images generate --prompts seen.txt --per-prompt 8 ${quick} ${start} --out from-latents`)
    assert.notDeepEqual(records('from-latents')[0].sha256, records('images')[0].sha256)
    const wrong = attune(`images generate --prompts seen.txt --per-prompt 4 ${quick} ${start} --out none`)
    assert.equal(wrong.status, 2)
    assert.match(wrong.stderr, /latents.safetensors latents: expected a tensor \[8, 4, 8, 8\]/)
    assert.ok(!existsSync(at('none')))
  })

  test('images that are wider than high, of prompts of which one is cut', async () => {
    writeFileSync(at('long.txt'), `a dog${' and a cat'.repeat(40)}\na cow\na cow\n`)
    const wide = `${quick} --resolution 24x16`
    const { status, stderr } = attune(`images generate --prompts long.txt --per-prompt 3 ${wide} --out wide`)
    assert.equal(status, 0, stderr)
    assert.match(stderr, /prompts: 1 repeated, of which one each is kept: long\.txt:3 “a cow”/)
    assert.match(stderr, /1 prompt is longer than the 77 tokens .*long\.txt:1 “a dog .*\(\d+ tokens, \d+ cut off\)/)
    const { repeatedPrompts, cutPrompts, width, height } = results('wide')
    assert.deepEqual([repeatedPrompts, width, height], [1, 24, 16])
    const { count, read, named } = cutPrompts as { count: number; read: number; named: { tokens: number }[] }
    assert.deepEqual([count, read, named.length], [1, 77, 1])
    assert.ok(named[0].tokens > 77)
    const shape = await sharp(at('wide/images/000000.png')).metadata()
    assert.deepEqual([shape.width, shape.height], [24, 16])
    works(
      `policy dpok --prompts long.txt --reward reward ${wide} --images-drawn 4 --rollouts-per-iteration 4 --out dpok-wide`,
    )
    works(
      `policy reward-weighted --images wide --reward reward --updates 1 --batch-size 2 --train-data-dir photos ${model} --resolution 24x16 --out rw-wide`,
    )
    const square = attune(
      `policy reward-weighted --images wide --reward reward --updates 1 --pretraining-weight 0 ${model} --out none`,
    )
    assert.match(square.stderr, /expected 16 × 16 pixels.*received 24 × 16/)
  })

  test('both algorithms train adapters that diffusers can read, and the report compares them', () => {
    works(
      `policy reward-weighted --images images --reward reward --updates 4 --batch-size 4 --train-data-dir photos ${model} --rank 2 --out weighted`,
    )
    works(
      `policy dpok --prompts seen.txt --reward reward --images-drawn 8 --rollouts-per-iteration 4 --transitions-per-rollout 2 --gradient-steps 1 --value-updates 2 ${quick} --rank 2 --gradient-checkpointing --out dpok`,
    )
    for (const run of ['weighted', 'dpok']) {
      const { tensors, metadata } = readSafetensors(at(`${run}/pytorch_lora_weights.safetensors`))
      assert.ok([...tensors.keys()].every((name) => /^unet\..*\.lora_[AB]\.weight$/.test(name)))
      assert.equal(metadata['attune.reward'], 'reward')
    }
    assert.ok((results('dpok').firstDelta as number) < 1e-3)
    const { noiseNats } = results('dpok') as { noiseNats: number }
    assert.ok(noiseNats > 0 && noiseNats < 1e-3, `${noiseNats}`)
    works('policy best-of-n --images images --reward reward --n 4 --threads 1 --out best')
    assert.equal(records('best').length, 4)

    const report = `report --reward reward --policies weighted,dpok --seen seen.txt --unseen unseen.txt --scorer clip --images-per-prompt 4 --best-of 2 --kl-rollouts 3 ${quick} --out report`
    works(report)
    const written = Report.parse(JSON.parse(readFileSync(at('report/report.json'), 'utf8')))
    const [base, ...others] = written.policies
    assert.equal(base.seen.alignment.mean, 0.5)
    assert.deepEqual(
      others.map(({ name }) => name),
      ['best-of-n', 'reward-weighted', 'dpok'],
    )
    assert.ok(
      written.policies.every(({ seen, fidelity }) => seen.measuredBy === 'reward' && fidelity.validShare === null),
    )
    assert.ok(!/NaN|undefined/.test(readFileSync(at('report/report.html'), 'utf8')))
  })

  test('a policy is not trained on rounding, unless it is asked for', () => {
    const dpok = `policy dpok --prompts seen.txt --reward reward --images-drawn 4 --rollouts-per-iteration 4 --transitions-per-rollout 2 --gradient-steps 1 ${quick} --rank 2 --clip-range 1e-5`
    const { status, stderr } = attune(`${dpok} --out none`)
    assert.equal(status, 2)
    assert.match(stderr, /--clip-range: expected at least .* nats, .* received 0\.00001 — .*--ignore-rounding/)
    assert.ok(!existsSync(at('none')))
    works(`${dpok} --ignore-rounding --out on-rounding`)
    assert.ok((results('on-rounding').noiseNats as number) > 1e-5)
  })

  test('adapters are exported for kohya’s scripts, and come back the same', () => {
    works(`policy export --policy dpok ${model} --out dpok-kohya.safetensors`)
    using _scope = tensorScope()
    const options = { device: 'cpu', dtype: 'float32', imageSize: null, tiling: false } as const
    const { model: opened } = openStableDiffusion(at('sd1'), options)
    const [own, exported] = ['dpok', 'dpok-kohya.safetensors'].map(
      (name) => openChange(opened, at(name)).change.adapters!,
    )
    assert.equal(exported.size, own.size)
    for (const [name, { down, up, scale }] of own) {
      const other = exported.get(name)!
      const apart = up.matmul(down).mul(scale).sub(other.up.matmul(other.down).mul(other.scale)).norm().item()
      assert.ok(apart < 1e-6, `${name}: ${apart}`)
    }
    works(`images generate --prompts seen.txt --per-prompt 1 --policy dpok-kohya.safetensors ${quick} --out of-export`)
  })

  test('a reward from elsewhere needs no labels', () => {
    works(
      `policy dpok --prompts seen.txt --reward clip --images-drawn 4 --rollouts-per-iteration 4 --transitions-per-rollout 1 --gradient-steps 1 ${quick} --rank 1 --out by-clip`,
    )
    works(
      `report --reward clip --policies dpok=by-clip --seen seen.txt --unseen unseen.txt --images-per-prompt 4 --best-of 1 --kl-rollouts 2 --features dinov2 --detector owlvit ${quick} --out report-by-clip`,
    )
    const report = Report.parse(JSON.parse(readFileSync(at('report-by-clip/report.json'), 'utf8')))
    // The same prompts under another name, in a case that no text encoder sees, measure nothing unseen.
    const alike = lines('seen.txt')
      .slice(0, 1)
      .map((text) => text.toUpperCase())
    writeFileSync(at('alike.csv'), `prompt\n${alike.join('\n')}\na cow\n`)
    for (const unseen of ['seen.txt', 'alike.csv']) {
      const same = attune(`report --reward clip --seen seen.txt --unseen ${unseen} --best-of 1 ${quick} --out none`)
      assert.equal(same.status, 2)
      assert.match(same.stderr, /--unseen \S+: expected prompts that are not among those of --seen/)
      assert.ok(!existsSync(at('none')))
    }
    assert.equal(report.reward, null)
    const { features, detector } = report.details!.measurement!
    assert.deepEqual([detector!.prompts, detector!.colors], [3, 'clip'])
    assert.deepEqual(Object.keys(report.policies[1].objectsByKind!), ['colors', 'counting'])
    assert.deepEqual([features!.network, features!.width], ['the class token of DINOv2', 24])
    assert.ok(readFileSync(at('report-by-clip/report.html'), 'utf8').includes('84 × 84 cut around the centre'))
    const other = attune(`report --reward clip --seen seen.txt --unseen unseen.txt --features sd1 ${quick} --out none`)
    assert.deepEqual([other.status, existsSync(at('none'))], [2, false])
    assert.ok(report.details?.caveats?.some((caveat) => caveat.includes('--scorer')))
  })
})
