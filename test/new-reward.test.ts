/** A new kind of reward is one file and one line: made for real in a copy of the sources, and used like any other. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { readImages } from '../src/images/image-run.ts'
import { readPicture } from '../src/images/png.ts'
import { readRun } from '../src/run.ts'
import type * as StudioHelper from '../src/studio/studio.test-helper.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'attune-new-reward-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const file = `
import { averagePool } from '../../tensor/functional.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { RewardKind } from './reward-kind.ts'

const seen = (pixels: Tensor) => averagePool(pixels, 2, 2).flatten(1).to('cpu')
const brightness = (pixels: Tensor) => pixels.flatten(1).mean(1).to('cpu')

export const brightnessReward: RewardKind = {
  what: 'brightness',
  names: ['brightness'],
  claims: () => false,
  open: (name) => ({
    name,
    sha256: 'brightness 1',
    range: [-1, 1],
    score: brightness,
    scoreWithGradient: brightness,
    embedImages: (pixels) => seen(pixels).div(seen(pixels).square().sum(1, true).sqrt()),
    features: seen,
  }),
}
`
const list = join(folder, 'src/reward/kinds/index.ts')

before(() => {
  cpSync(join(root, 'src'), join(folder, 'src'), { recursive: true })
  for (const other of ['node_modules', 'build', 'native', 'scripts', 'weights', 'package.json']) {
    symlinkSync(join(root, other), join(folder, other))
  }
  writeFileSync(join(folder, 'src/reward/kinds/brightness.ts'), file)
  const lines = readFileSync(list, 'utf8')
  const line = "import { brightnessReward } from './brightness.ts'\n"
  writeFileSync(list, line + lines.replace('aestheticHead]', 'aestheticHead, brightnessReward]'))
})

function attune(command: string): { status: number | null; stderr: string; stdout: string } {
  const own = ['--threads', '1', '--device', 'cpu']
  return spawnSync(process.execPath, [join(folder, 'src/cli.ts'), ...command.split(' '), ...own], {
    cwd: folder,
    encoding: 'utf8',
  })
}

function run(command: string): void {
  const { status, stderr } = attune(command)
  assert.equal(status, 0, stderr)
}

test('the command line chooses by it, and says what it accepts', async () => {
  writeFileSync(join(folder, 'prompts.txt'), 'a red circle\na blue ring\n')
  run('images generate --prompts prompts.txt --per-prompt 4 --steps 3 --out images')
  run('policy best-of-n --images images --reward brightness --n 4 --out best')
  const bright = async (place: string) =>
    Promise.all(
      (await readImages(join(folder, place))).map(async ({ record, file: png }) => {
        const { bytes } = await readPicture(png)
        return { id: record.id, text: record.text, sum: bytes.reduce((sum, one) => sum + one, 0) }
      }),
    )
  const [all, chosen] = [await bright('images'), await bright('best')]
  for (const { id, text } of chosen) {
    const own = all.filter((one) => one.text === text)
    assert.equal(own.find(({ sum }) => sum === Math.max(...own.map((one) => one.sum)))?.id, id)
  }
  assert.equal(readRun(join(folder, 'best')).parents.reward, 'brightness')
  const { stdout } = spawnSync(process.execPath, [join(folder, 'src/cli.ts'), 'policy', 'best-of-n', '--help'], {
    encoding: 'utf8',
  })
  assert.match(stdout.replaceAll(/\s+/g, ' '), /Reward: a run of `reward train`, .*, or brightness\./)
  assert.match(attune('policy best-of-n --images images --reward nothing --out none').stderr, /or brightness/)
})

test('the forms of the studio offer it, and a policy is trained on it', async () => {
  const copied: unknown = await import(join(folder, 'src/studio/studio.test-helper.ts'))
  const { testStudio } = copied as typeof StudioHelper
  await using studio = await testStudio()
  const { stages } = await studio.client.stages()
  const form = stages.find(({ stage }) => stage === 'policy dpok')!
  assert.equal(form.missing, null)
  const field = form.main.find((one) => one.field === 'reward')!
  assert.deepEqual([field.default, field.choices], ['named:brightness', [{ value: 'named:brightness', label: 'brightness' }]]) // prettier-ignore
  const small = { imagesDrawn: 4, rolloutsPerIteration: 4, steps: 3, gradientSteps: 1, samples: 2, threads: 1 }
  const { id } = await studio.client.startJob({
    stage: 'policy dpok',
    run: 'bright',
    settings: { ...small, prompts: ['a red circle'], scorer: 'named:brightness' },
  })
  let job = await studio.client.job(id)
  while (['waiting', 'running'].includes(job.state)) {
    await new Promise((wake) => setTimeout(wake, 100))
    job = await studio.client.job(id)
  }
  assert.equal(job.state, 'done', job.log.join('\n'))
  assert.equal(studio.studio.runs.get('policy', 'bright').manifest.parents.reward, 'brightness')
})
