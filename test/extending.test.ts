/** What docs/extending.md says is done to a copy of the sources, and all that it adds is used there. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { readImages } from '../src/images/image-run.ts'
import { readPicture } from '../src/images/png.ts'
import { readRun } from '../src/run.ts'
import type * as ClientModule from '../src/studio/client.ts'
import { readSafetensorsHeader } from '../src/tensor/safetensors.ts'
import { blocks, broughtFiles, ExtendedCopy, textOf } from './extending.test-helper.ts'

test('the code on the page is that of the files, and it shows each of them', () => {
  const shown = blocks.filter(({ language }) => language === 'ts')
  for (const { file, text } of shown) {
    for (const part of text.split('// …\n')) assert.ok(textOf(file).includes(part), `${file} has not:\n${part}`)
  }
  assert.deepEqual([...new Set(shown.map(({ file }) => file))].sort(), broughtFiles)
})

describe('a copy with all of it', () => {
  const copy = new ExtendedCopy()
  after(() => copy[Symbol.dispose]())
  const given = ['--model', 'colours', '--threads', '1', '--device', 'cpu']
  const training = ['policy', 'nothing', ...given, '--prompt', 'a red wall', '--reward', 'blueness', '--idle-steps', '6'] // prettier-ignore

  before(() => {
    for (const [name, colours] of Object.entries({ seen: ['red', 'blue'], unseen: ['green', 'grey'] }))
      writeFileSync(copy.at(`${name}.txt`), colours.map((colour) => `a ${colour} wall\n`).join(''))
  })

  test('the compiler misses nothing, neither in the sources nor in the pages', () => {
    const exclude = ['**/*.test.ts', '**/*.test-helper.ts']
    writeFileSync(
      copy.at('tsconfig.src.json'),
      JSON.stringify({ extends: './tsconfig.json', include: ['src'], exclude }),
    )
    for (const project of ['tsconfig.src.json', 'web']) {
      const { status, said } = copy.node(['node_modules/typescript/bin/tsc', '--noEmit', '-p', project])
      assert.equal(status, 0, said)
    }
  })

  test('the tests that look at all imports, settings and pages miss nothing', () => {
    const files = ['imports', 'bounds', 'docs'].map((name) => `test/${name}.test.ts`)
    const { status, said } = copy.node(['--test', '--test-skip-pattern=every (relative|command|flag)', ...files])
    assert.equal(status, 0, said)
  })

  test('the family draws its two stages, and is named where a model is unknown', async () => {
    assert.match(copy.attune('model', 'inspect', 'colours'), /colours: red, green and blue/)
    const drawing = ['images', 'generate', ...given, '--prompts', 'seen.txt', '--per-prompt', '2']
    copy.attune(...drawing, '--output-latents', '--out', 'drawn')
    const { width, height, bytes } = await readPicture(copy.at('drawn/images/000002.png'))
    assert.deepEqual([width, height, ...bytes.slice(0, 3)], [8, 8, 0, 0, 255])
    const { entries } = readSafetensorsHeader(copy.at('drawn/latents.safetensors'))
    assert.deepEqual([...entries].map(([name, { shape }]) => [name, shape]).sort(), [
      ['latents.decoder', [4, 3, 8, 8]],
      ['latents.prior', [4, 3]],
    ])
    const { said } = copy.tryAttune(...drawing.with(3, 'colors'), '--out', 'none')
    assert.match(said, /--model: expected shapes, shapes-flow, colours, .*, received colors/)
  })

  test('the reward chooses, and is named where a reward is unknown', async () => {
    const drawing = ['images', 'generate', '--threads', '1', '--prompt', 'a red circle', '--prompt', 'a blue ring']
    copy.attune(...drawing.slice(0, 6), '--per-prompt', '4', '--steps', '3', '--out', 'circles')
    const choosing = ['policy', 'best-of-n', '--images', 'circles', '--n', '4', '--threads', '1', '--reward']
    copy.attune(...choosing, 'blueness', '--out', 'best')
    const blue = async (folder: string) =>
      Promise.all(
        (await readImages(copy.at(folder))).map(async ({ file }) =>
          (await readPicture(file)).bytes.reduce((sum, byte, i) => (i % 3 === 2 ? sum + byte : sum), 0),
        ),
      )
    const all = await blue('circles')
    assert.ok(new Set(all).size > 1)
    assert.deepEqual(await blue('best'), [Math.max(...all)])
    assert.equal(readRun(copy.at('best')).parents.reward, 'blueness')
    assert.match(copy.tryAttune(...choosing, 'darkness', '--out', 'none').said, /or blueness/)
  })

  test('the method has a command, and goes on where it was killed', () => {
    assert.match(copy.attune('policy', 'nothing', '--help'), /Leave the policy as it is.*--reward .*--idle-steps /s)
    const preloaded = ['--import', pathToFileURL(copy.at('src/policy/kill-at-write.test-helper.ts')).href]
    const runAndKill = (writes: number, out: string) =>
      copy.node([...preloaded, 'src/cli.ts', ...training, '--out', out], { KILL_AT: String(writes) })
    const [, writes] = /^whole\n(\d+)/.exec(runAndKill(1e6, 'whole').said)!
    const resumed = 'studio/runs/nothing-1'
    runAndKill(Math.floor(Number(writes) / 2), resumed)
    const files = readdirSync(copy.at(resumed))
    assert.ok(files.includes('checkpoint.safetensors') && !files.includes('manifest.json'), files.join())
    copy.attune(...training, '--out', resumed, '--resume')
    const [whole, gone] = ['whole', resumed].map((folder) => [
      readFileSync(copy.at(folder, 'policy.safetensors')),
      readFileSync(copy.at(folder, 'metrics.jsonl'), 'utf8').match(/"step":\d/g),
    ])
    assert.deepEqual(gone, whole)
  })

  test('a setting of a method that has the name of a shared one is refused', () => {
    const file = copy.at('src/policy/algorithms/nothing.ts')
    const text = readFileSync(file, 'utf8')
    writeFileSync(file, text.replaceAll('idleSteps', 'steps'))
    const { status, said } = copy.tryAttune('policy', 'nothing', '--help')
    writeFileSync(file, text)
    assert.equal(status, 1)
    assert.match(said, /policy nothing steps: expected a name of its own/)
  })

  test('a report on the policy has the measure, in numbers and on the page', () => {
    const few = ['--images-per-prompt', '2', '--kl-rollouts', '2', '--best-of', '1', '--processes', '1']
    const prompts = ['--seen', 'seen.txt', '--unseen', 'unseen.txt', '--policies', 'still=studio/runs/nothing-1']
    copy.attune('report', ...given, '--reward', 'blueness', ...few, ...prompts, '--out', 'studio/runs/report-1')
    const { policies } = JSON.parse(readFileSync(copy.at('studio/runs/report-1/report.json'), 'utf8')) as {
      policies: { name: string; algorithm?: string; measures: Record<string, { mean: number }> }[]
    }
    // Red, blue and green have a channel of 255 and one of 0, and grey has one value.
    assert.deepEqual(
      policies.map(({ name, measures }) => [name, measures.contrast.mean]),
      [
        ['base', (3 * 255) / 4],
        ['still', (3 * 255) / 4],
      ],
    )
    const page = readFileSync(copy.at('studio/runs/report-1/report.html'), 'utf8')
    assert.match(page, /Contrast.*of 255.*<b>191<\/b>/s)
    assert.match(page, /The largest value of any colour/)
  })

  const duel = 'a red wall\t000000.png\t000002.png\n'

  test('the format is imported, by its ending', () => {
    writeFileSync(copy.at('won.duels'), duel)
    const store = ['--feedback', 'feedback.sqlite', '--image-folder', 'drawn/images']
    assert.match(copy.attune('feedback', 'import', ...store, '--labels', 'won.duels', '--out', 'imported'), /1/)
    assert.match(copy.attune('feedback', 'import', '--help'), /duels/)
  })

  test('the studio offers and uses all of it', async () => {
    const studio = await copy.studio('--model', 'colours', '--workspace', 'studio')
    try {
      const { createClient } = (await import(copy.at('src/studio/client.ts'))) as typeof ClientModule
      const client = createClient(studio.address, { rater: () => 'eve' })
      const done = async ({ id }: { readonly id: string }) => {
        let job = await client.job(id)
        while (['waiting', 'running'].includes(job.state)) {
          await wait(100)
          job = await client.job(id)
        }
        assert.equal(job.state, 'done', job.log.join('\n'))
        return job
      }

      const pictures = ['000000.png', '000002.png'].map(
        (name) => new File([readFileSync(copy.at('drawn/images', name))], name),
      )
      const fields = { format: 'duels' as never, name: 'won.duels' }
      const { added, images } = await client.import(new Blob([duel]), fields, pictures)
      assert.deepEqual([added, images], [1, 2])

      const { stages } = await client.stages()
      const form = stages.find(({ stage }) => (stage as string) === 'policy nothing')!
      assert.deepEqual([form.title, form.missing], ['Nothing fine-tuning', null])
      const [reward, idle] = form.main
      assert.deepEqual(reward.choices, [{ value: 'named:blueness', label: 'blueness' }])
      assert.deepEqual([idle.field, idle.default], ['idleSteps', 3])

      const settings = { prompts: ['a green wall'], reward: 'named:blueness', idleSteps: 2, scorer: 'named:blueness', sampleEvery: 1, samples: 1 } // prettier-ignore
      await done(await client.startJob({ stage: form.stage, settings }))
      const { policies } = await client.state()
      assert.deepEqual(policies.map(({ name, algorithm }) => [name, algorithm]).sort(), [
        ['nothing-1', 'nothing'],
        ['nothing-2', 'nothing'],
      ])
      await done(await client.drawRound({ policy: 'nothing-2', prompts: ['a blue wall'], perPrompt: 1 }))
      assert.deepEqual((await client.reports()).reports.map(({ name }) => name), ['report-1']) // prettier-ignore
    } finally {
      await studio.stop()
    }
  })
})
