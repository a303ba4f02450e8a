/**
 * Every stage on a device that is none (native/fake/device.cc), which is as strict as CUDA about where tensors lie. Its
 * kernels are the CPU's, so it makes what the CPU makes, as far as a GPU's path through the program is the CPU's: adapters
 * and, in bfloat16, the order of images are others there, and round otherwise.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { writeTinyImageReward } from '../src/networks/blip/tiny-image-reward.test-helper.ts'
import { ImageRecord } from '../src/records.ts'
import { Report } from '../src/report/schema.ts'
import { tensorScope } from '../src/tensor/scope.ts'

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url))
const fixtures = path('fixtures/stable-diffusion/')
const cli = path('../src/cli.ts')
const features = path('fixtures/features')
const killer = path('../src/policy/kill-at-write.test-helper.ts')
const temporary = mkdtempSync(join(tmpdir(), 'attune-fake-'))
after(() => rmSync(temporary, { recursive: true, force: true }))

const env = { ...process.env, ATTUNE_ADDON: path('fake-device/addon.ts') }

function run(folder: string, words: readonly string[], extra: NodeJS.ProcessEnv = {}) {
  return spawnSync(process.execPath, words, { cwd: folder, encoding: 'utf8', env: { ...env, ...extra } })
}

/** In one process, in this order. */
function works(folder: string, commands: readonly string[]): void {
  const { status, stderr } = run(folder, [path('fake-device/commands.ts'), JSON.stringify(commands)])
  assert.equal(status, 0, stderr)
}

const records = (run: string) =>
  readFileSync(join(run, 'images.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => ImageRecord.parse(JSON.parse(line)))

const rowsOf = (run: string) =>
  readFileSync(join(run, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

/** Rows of a run's metrics: all that is not of a clock or rounding alone, or those of the names. */
const metrics = (run: string, names?: readonly string[]) =>
  rowsOf(run).map((row) => {
    const { at: _at, seconds: _seconds, first_delta: _delta, noise_nats: _noise, ...all } = row
    return names === undefined ? all : Object.fromEntries(names.map((name) => [name, row[name]]))
  })

/** What a report measured, without what a clock said. */
const measured = (file: string) =>
  Report.parse(JSON.parse(readFileSync(file, 'utf8'))).policies.map((policy) => ({ ...policy, seconds: undefined }))

/** Compares numbers within a share of the larger one, or 1e-5 where both are small, and all else exactly. */
function assertNear(found: unknown, expected: unknown, share: number, where: string): void {
  if (typeof found === 'number' && typeof expected === 'number') {
    const bound = Math.max(1e-5, share * Math.max(Math.abs(found), Math.abs(expected)))
    assert.ok(Math.abs(found - expected) <= bound, `${where}: ${found} is not ${expected}`)
  } else if (typeof found === 'object' && found !== null && typeof expected === 'object' && expected !== null) {
    assert.deepEqual(Object.keys(found), Object.keys(expected), where)
    for (const [key, value] of Object.entries(found))
      assertNear(value, (expected as Record<string, unknown>)[key], share, `${where} ${key}`)
  } else assert.equal(found, expected, where)
}

/** Mean difference of the pictures of two runs, of 255 levels. */
async function pictureDistance(one: string, other: string): Promise<number> {
  let [sum, count] = [0, 0]
  const files = records(one).map(({ file }) => file)
  assert.deepEqual(
    files,
    records(other).map(({ file }) => file),
  )
  for (const file of files) {
    const [a, b] = await Promise.all([one, other].map((run) => sharp(join(run, file)).raw().toBuffer()))
    a.forEach((level, i) => (sum += Math.abs(level - b[i])))
    count += a.length
  }
  return sum / count
}

async function prepare(name: string, title = name): Promise<string> {
  const folder = join(temporary, title)
  mkdirSync(join(folder, 'photos'), { recursive: true })
  for (const checkpoint of [name, 'clip'])
    cpSync(join(fixtures, checkpoint), join(folder, checkpoint), { recursive: true })
  writeFileSync(join(folder, 'seen.txt'), 'a red apple on a table\nfour wolves in the park\n')
  writeFileSync(join(folder, 'unseen.txt'), 'a green dog on the moon\n')
  const noise = { create: { width: 24, height: 16, channels: 3 as const, background: '#408060' } }
  await sharp(noise).toFile(join(folder, 'photos', 'a.png'))
  writeFileSync(join(folder, 'photos', 'metadata.jsonl'), '{"file_name":"a.png","text":"a photo"}\n')
  return folder
}

/** All stages that compute, on the device `to` and in the folders `<to>-…`; the report last. */
function stages(name: string, to: string, precision: string): string[] {
  const place = `--device ${to} --threads 1`
  const model = `--model ${name} ${place} --mixed-precision ${precision}`
  const quick = `${model} --batch-size 4 --steps 3`
  const reward = `--reward ${to}-reward`
  const weighted = `policy reward-weighted --images images ${reward} --train-data-dir photos --updates 2 --batch-size 4 ${model}`
  const dpok = `policy dpok --prompts seen.txt ${reward} --images-drawn 8 --rollouts-per-iteration 4 --transitions-per-rollout 2 --gradient-steps 2 --value-updates 2 --checkpoint-every 1 --rank 2 ${quick}`
  const drawn = 'images generate --prompts seen.txt --per-prompt 2'
  return [
    `${drawn} --output-latents ${quick} --out ${to}-images`,
    `${drawn} --latents ${to}-images/latents.safetensors --eta 0 --vae-tiling ${quick} --out ${to}-tiled`,
    `reward train --feedback feedback.sqlite --encoder clip --epochs 2 --held-out 0.5 ${place} --mixed-precision ${precision} --out ${to}-reward`,
    `policy best-of-n --images images ${reward} --n 2 ${place} --out ${to}-best`,
    `${weighted} --kl-o 0.1 --rank 2 --out ${to}-weighted`,
    `${weighted} --parameters text --gradient-accumulation-steps 2 --out ${to}-text`,
    `${dpok} --out ${to}-dpok`,
    `${dpok} --no-value --published --gradient-checkpointing --out ${to}-plain`,
    `policy export --policy ${to}-dpok --model ${name} --out ${to}-kohya.safetensors`,
    `${drawn} --policy ${to}-kohya.safetensors ${quick} --out ${to}-by-policy`,
    `report ${reward} --policies ${to}-dpok --seen seen.txt --unseen unseen.txt --scorer clip --images-per-prompt 8 --best-of 1 --kl-rollouts 2 ${model} --steps 3 --out ${to}-report`,
  ]
}

/** All methods beside those of `stages`, with the rewards and networks that only they meet there. */
function otherMethods(to: string): string[] {
  const quick = `--model sd1 --device ${to} --threads 1 --mixed-precision no --batch-size 4`
  const short = `--images-drawn 16 --steps 3 --rank 2 ${quick}`
  const drawn = `--prompts seen.txt ${short}`
  const grouped = `${drawn} --rollouts-per-iteration 8 --gradient-steps 2`
  const bothRewards = '--reward reward --held-out-reward clip'
  return [
    `policy grpo ${grouped} ${bothRewards} --group-size 4 --window 2 --ema-decay 0.5 --out ${to}-grpo`,
    `policy ddpo ${grouped} --reward reward --prompt-memory 4 --out ${to}-ddpo`,
    `policy nft ${grouped} --reward image-reward --group-size 4 --times-per-image 2 --out ${to}-nft`,
    `policy draft ${drawn} --reward clip --held-out-reward reward --images-per-update 4 --train-data-dir photos --out ${to}-draft`,
    `policy dpo --feedback feedback.sqlite --updates 3 --held-out 0.5 --rank 2 ${quick} --out ${to}-dpo`,
    `policy reward-weighted ${short} --images images --reward reward --updates 4 --signed --pretraining-weight 0 --out ${to}-rounds`,
    `reward train --feedback feedback.sqlite --encoder clip --train-encoder lora --encoder-epochs 2 --encoder-batch-size 4 --rank 2 --epochs 2 --ensemble 0 --held-out 0.5 --device ${to} --threads 1 --mixed-precision no --out ${to}-encoder`,
    `report --reward reward --policies ${to}-grpo --seen seen.txt --unseen unseen.txt --features ${features}/dinov2 --detector ${features}/owlvit --encoder clip --images-per-prompt 4 --best-of 1 --kl-rollouts 2 --steps 3 --model sd1 --device ${to} --threads 1 --mixed-precision no --out ${to}-seen-report`,
  ]
}

describe('every stage on a device that is none', () => {
  for (const { name, precision, levels, share, names } of [
    { name: 'sd1', precision: 'no', levels: 0.01, share: 0.02 },
    // Other roll-outs than the CPU's, of which means alone are near.
    { name: 'sd2', precision: 'bf16', levels: 12, share: 0.1, names: ['reward_mean', 'train_loss', 'reward_loss'] },
    { name: 'sdxl', precision: 'no', levels: 0.01, share: 0.02 },
  ]) {
    test(`makes what the CPU makes (${name}, mixed precision ${precision})`, async () => {
      const folder = await prepare(name)
      const at = (file: string) => join(folder, file)
      works(folder, [`images generate --prompts seen.txt --per-prompt 4 --model ${name} --steps 3 --out images`])
      const answers = records(at('images')).map(({ id }, i) => `${id},${i % 3 === 0 ? 'good' : 'bad'}`)
      writeFileSync(at('labels.csv'), `image,answer\n${answers.join('\n')}\n`)
      const [gpu, cpu] = ['cuda', 'cpu'].map((device) => stages(name, device, precision))
      works(folder, [
        'feedback import --feedback feedback.sqlite --images images --labels labels.csv --rater ada',
        ...gpu,
        // A report is several processes.
        ...(name === 'sd1' ? cpu : cpu.slice(0, -1)),
      ])
      for (const stage of ['images', 'tiled', 'best', 'by-policy']) {
        const distance = await pictureDistance(at(`cuda-${stage}`), at(`cpu-${stage}`))
        assert.ok(distance <= levels, `${stage}: ${distance} levels`)
      }
      const [uncertainties, others] = ['cuda', 'cpu'].map((on) =>
        JSON.parse(readFileSync(at(`${on}-reward/uncertainties.json`), 'utf8')),
      )
      assertNear(uncertainties, others, share, 'uncertainties of the reward')
      for (const stage of ['weighted', 'text', 'dpok', 'plain'])
        assertNear(metrics(at(`cuda-${stage}`), names), metrics(at(`cpu-${stage}`), names), share, stage)
      const [one, other] = ['cuda', 'cpu'].map((on) => at(`${on}-report/report.json`))
      if (existsSync(other)) assertNear(measured(one), measured(other), share, 'report')

      // Killed in the middle, it ends as the run that was left alone.
      const again = gpu.find((command) => command.endsWith(' cuda-dpok'))!.replace(/cuda-dpok$/, 'again')
      const { signal } = run(folder, ['--import', killer, cli, ...again.split(' ')], { KILL_AT: '25' })
      assert.equal(signal, 'SIGKILL')
      assert.ok(existsSync(at('again/checkpoint.safetensors')))
      works(folder, [`${again} --resume`])
      assert.deepEqual(metrics(at('again')), metrics(at('cuda-dpok')))
    })
  }

  test('and all other methods do', async () => {
    const folder = await prepare('sd1', 'other methods')
    const at = (file: string) => join(folder, file)
    works(folder, ['images generate --prompts seen.txt --per-prompt 4 --model sd1 --steps 3 --out images'])
    const ids = records(at('images')).map(({ id }) => id)
    const pairs = ids.flatMap((id, i) => (i % 2 === 1 ? [`${ids[i - 1]} ${id},${i % 4 === 1 ? 'first' : 'second'},pair`] : [])) // prettier-ignore
    const labels = [...ids.map((id, i) => `${id},${i % 3 === 0 ? 'good' : 'bad'},`), ...pairs]
    writeFileSync(at('labels.csv'), `image,answer,kind\n${labels.join('\n')}\n`)
    {
      using _scope = tensorScope()
      writeTinyImageReward(at('image-reward'))
    }
    works(folder, [
      'feedback import --feedback feedback.sqlite --images images --labels labels.csv --rater ada',
      'reward train --feedback feedback.sqlite --encoder clip --epochs 2 --held-out 0.5 --threads 1 --out reward',
      ...otherMethods('cuda'),
      ...otherMethods('cpu'),
    ])
    // What is divided by the spread of a few rewards differs by more than rounding.
    const names = ['reward_mean', 'nft_loss', 'train_loss', 'dpo_loss', 'matching_loss', 'heldout_loss']
    for (const method of ['grpo', 'ddpo', 'nft', 'draft', 'dpo', 'rounds'])
      assertNear(metrics(at(`cuda-${method}`), names), metrics(at(`cpu-${method}`), names), 0.02, method)
    const [one, other] = ['cuda', 'cpu'].map((on) => measured(at(`${on}-seen-report/report.json`)))
    assertNear(one, other, 0.02, 'report')
  })
})
