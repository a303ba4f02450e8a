/** The stages as a user meets them: real processes, real files, the smallest settings. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { readPicture } from './images/png.ts'
import { ImageRecord } from './records.ts'
import { takeLock } from './run-lock.ts'
import { full } from './tensor/create.ts'
import { readSafetensors, writeSafetensors } from './tensor/safetensors.ts'

const cli = fileURLToPath(new URL('cli.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'attune-cli-'))
const at = (name: string) => join(folder, name)
const read = (name: string) => readFileSync(at(name), 'utf8')
const lines = (name: string) => read(name).trim().split('\n')

function attune(command: string): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [cli, ...command.split(' ')], { cwd: folder, encoding: 'utf8' })
}

function works(command: string): string {
  const { status, stdout, stderr } = attune(command)
  assert.equal(status, 0, `attune ${command}\n${stderr}`)
  return stdout.trim()
}

const results = (run: string) =>
  (JSON.parse(read(`${run}/manifest.json`)) as { results: Record<string, unknown> }).results
const records = (run: string) => lines(`${run}/images.jsonl`).map((line) => ImageRecord.parse(JSON.parse(line)))

const tiny = {
  images: 'images generate --prompts prompts.txt --per-prompt 4 --steps 4 --seed 7',
  dpok: 'policy dpok --prompts prompts.txt --reward reward --steps 4 --images-drawn 48 --rollouts-per-iteration 8 --value-updates 2 --checkpoint-every 2',
  rewardWeighted:
    'policy reward-weighted --images images --reward reward --updates 40 --batch-size 4 --checkpoint-every 6',
}

/** A person who likes every second image. */
function label(run: string, file: string): void {
  const rows = records(run).map(({ id }, i) => `${id},${i % 8 === 7 ? 'skip' : i % 2 === 0 ? 'good' : 'bad'}`)
  writeFileSync(at(file), `image,answer\n${rows.join('\n')}\n`)
}

before(() => {
  writeFileSync(at('prompts.txt'), 'two red circles\ngreen triangles\nthree crosses\nrings on a pink background\n')
  assert.equal(works(`${tiny.images} --out images`), 'images')
  label('images', 'labels.csv')
  works('feedback import --feedback feedback.sqlite --images images --labels labels.csv --rater ada')
  works('reward train --feedback feedback.sqlite --held-out 0.25 --epochs 2 --distractors 3 --out reward')
})
after(() => rmSync(folder, { recursive: true, force: true }))

test('help lists the stages in the order of the flow, and a stage lists its settings', () => {
  const { status, stdout } = attune('--help')
  assert.equal(status, 0)
  assert.match(stdout, /pretrain[^]*images[^]*feedback[^]*reward[^]*policy[^]*report/)
  assert.match(works('policy dpok --help'), /--kl-weight <number>[^]*per nat/)
  assert.match(works('policy --help'), /best-of-n[^]*reward-weighted[^]*dpok/)
  assert.equal(attune('policy').status, 2)
})

describe('a flow with the labels of a person', () => {
  test('images know their prompt, noise and file, and do not depend on batches beyond rounding', async () => {
    const drawn = records('images')
    assert.equal(drawn.length, 16)
    assert.deepEqual(
      drawn.map(({ index }) => index),
      drawn.map((_, i) => i),
    )
    assert.deepEqual(drawn[5].attributes, { object: 'triangle', color: 'green' })
    works(`${tiny.images} --batch-size 5 --out images-by-five`)
    const byFive = records('images-by-five')
    const unhashed = (all: typeof drawn) => all.map((record) => ({ ...record, id: '', sha256: '' }))
    assert.deepEqual(unhashed(byFive), unhashed(drawn))
    let moved = 0
    for (const { file } of drawn) {
      const [one, other] = await Promise.all(
        ['images', 'images-by-five'].map((run) => readPicture(at(`${run}/${file}`))),
      )
      one.bytes.forEach((level, i) => {
        assert.ok(Math.abs(level - other.bytes[i]) <= 1)
        moved += level === other.bytes[i] ? 0 : 1
      })
    }
    assert.ok(moved <= 0.001 * drawn.length * 24 * 24 * 3, `${moved} levels moved`)
  })

  test('contact sheets can be filled in and imported, and judgments exported', () => {
    works('feedback sheet --images images --out sheets --thumbnail-size 48')
    const filled = read('sheets/sheet.csv').replaceAll(/,,\r?\n/g, ',good,bob\n')
    writeFileSync(at('filled.csv'), filled)
    works('feedback import --feedback bob.sqlite --images images --labels filled.csv')
    works('feedback export --feedback bob.sqlite --out bob.csv --names')
    assert.match(lines('bob.csv')[1], /,good,bob,/)
  })

  test('judgments go to other tools and come back with their images', () => {
    const [first, second] = records('images').map(({ id }) => id)
    writeFileSync(at('pairs.csv'), `image,answer,kind\n${first} ${second},first,pair\n${first},bad,\n`)
    works('feedback import --feedback pairs.sqlite --images images --labels pairs.csv')
    const told = attune('feedback export --feedback pairs.sqlite --out pairs.parquet --licence CC0').stderr
    assert.equal(told, 'feedback: 1 rows; left out: 1 good-bad-skip\n')
    const back = attune('feedback import --feedback back.sqlite --labels pairs.parquet --out back').stderr
    assert.equal(back, 'feedback: 1 judgments added, 0 known before, 0 rows without an answer, 2 new images\n')
    assert.equal(records('back').length, 2)
    works('feedback sheet --images back --out back-sheets')
    works('feedback export --feedback pairs.sqlite --out pairs.json')
    const json = '--labels pairs.json --format image-reward --out elsewhere'
    writeFileSync(at(`pairs-images/${second}.png`), '')
    const lost = attune(`feedback import --feedback lost.sqlite ${json} --image-folder pairs-images`).stderr
    assert.match(
      lost,
      /^feedback: 0 judgments added.*\nfeedback: left out pairs-images\/.*empty file.*\n.*item 1: its image/,
    )
  })

  test('the reward says what it was learned from', () => {
    const { labels, good, bad, skipped, raters, simulated, heldOut } = results('reward')
    assert.deepEqual(
      { labels, good, bad, skipped, raters, simulated },
      { labels: 14, good: 8, bad: 6, skipped: 2, raters: 1, simulated: false },
    )
    assert.equal((heldOut as { prompts: number }).prompts, 1)
  })

  test('the simulated rater is marked as such', () => {
    works('feedback simulate --images images --feedback simulated.sqlite')
    works('feedback export --feedback simulated.sqlite --out simulated.jsonl')
    assert.ok(lines('simulated.jsonl').every((line) => line.includes('"raterKind":"simulated"')))
  })

  test('best-of-n keeps one image of n, under its own id', () => {
    works('policy best-of-n --images images --reward reward --n 2 --out best')
    const known = new Map(records('images').map((record) => [record.id, record]))
    const chosen = records('best')
    assert.equal(chosen.length, 8)
    for (const record of chosen) assert.deepEqual(record, known.get(record.id))
    const { rewardComparable, meanRewardCentred } = results('best')
    assert.deepEqual([rewardComparable, meanRewardCentred], ['across prompts', undefined])
    works('feedback sheet --images best --out best-sheets --thumbnail-size 24')
  })

  test('a second round starts from the policy of the first', () => {
    works(`${tiny.rewardWeighted} --updates 3 --out first`)
    works(`${tiny.dpok} --images-drawn 8 --policy first --sample-every 1 --out second`)
    assert.ok((results('second').kl as number) > 0, 'the reference is the pre-trained model, not the first policy')
    assert.ok(existsSync(at('second/samples/000001/0-two-red-circles.png')))
    works(`${tiny.images} --policy second --out images-of-second`)
    assert.equal(records('images-of-second')[0].policy, 'second')
    assert.notEqual(records('images-of-second')[0].sha256, records('images')[0].sha256)
  })

  test('sample images are measured from the start to the end, and nothing chooses by it', () => {
    const command = `${tiny.dpok} --images-drawn 12`
    works(`${command} --out unseen`)
    works(`${command} --sample-every 2 --samples 3 --scorer reward --out seen`)
    const rows = lines('seen/metrics.jsonl').map((line) => JSON.parse(line) as Record<string, number>)
    const measured = rows.filter(({ alignment }) => alignment !== undefined)
    assert.deepEqual(
      measured.map(({ step }) => step),
      [...new Set([...rows.map(({ step }) => step).filter((step) => step % 2 === 0), rows.at(-1)!.step])],
    )
    assert.equal(measured[0].step, 0)
    for (const { alignment, alignment_score: score } of measured) {
      assert.ok([0, 1 / 3, 2 / 3, 1].includes(alignment) && score > 0 && score < 1, `${alignment} ${score}`)
    }
    assert.equal(results('seen').alignment, measured.at(-1)!.alignment)
    const prompts = JSON.parse(read('seen/samples/prompts.json')) as string[]
    assert.deepEqual(prompts, ['two red circles', 'green triangles', 'three crosses'])
    assert.deepEqual(readFileSync(at('seen/policy.safetensors')), readFileSync(at('unseen/policy.safetensors')))
    assert.ok(lines('unseen/metrics.jsonl').every((line) => !line.includes('alignment')))
  })

  test('the config.json of a run is a --config', () => {
    works('policy best-of-n --config best/config.json --out best-again')
    assert.equal(read('best-again/images.jsonl'), read('best/images.jsonl'))
  })
})

test('pre-training makes the same weights every time, with their provenance', () => {
  for (const out of ['weights', 'again']) works(`pretrain --steps 2 --batch-size 4 --out ${out}`)
  for (const part of ['generator', 'clip', 'features']) {
    const file = `${part}.safetensors`
    assert.deepEqual(readFileSync(at(`again/${file}`)), readFileSync(at(`weights/${file}`)))
    const { metadata } = readSafetensors(at(`weights/${file}`))
    assert.deepEqual([metadata.part, metadata.steps, metadata.seed], [part, '2', '1'])
  }
})

test('images of a killed run go on to the same', async () => {
  const command = `${tiny.images} --batch-size 1`
  works(`${command} --out whole`)
  const child = spawn(process.execPath, [cli, ...command.split(' '), '--out', 'killed'], { cwd: folder })
  const exit = once(child, 'exit')
  while (!existsSync(at('killed/images.jsonl')) && child.exitCode === null) await wait(2)
  child.kill('SIGKILL')
  assert.deepEqual(await exit, [null, 'SIGKILL'], 'was killed before its end')
  assert.match(attune('feedback sheet --images killed --out none').stderr, /a run that was not finished/)
  works(`${command} --out killed --resume`)
  assert.equal(read('killed/images.jsonl'), read('whole/images.jsonl'))
})

describe('bad input gets one line and leaves nothing', () => {
  before(() => {
    writeFileSync(at('unknown-words.txt'), '# two of them\ntwo red circles\n\na red dog\n')
    writeFileSync(
      at('bad-row.csv'),
      `image,answer\n${records('images')[0].id},good\n${records('images')[1].id},maybe\n`,
    )
    writeFileSync(at('unknown-image.csv'), 'image,answer\n0123456789abcdef,good\n')
    writeFileSync(
      at('all-good.csv'),
      `image,answer\n${records('images')
        .map(({ id }) => `${id},good\n`)
        .join('')}`,
    )
    works('feedback import --feedback all-good.sqlite --images images --labels all-good.csv')
    mkdirSync(at('busy'))
    takeLock(at('busy'))
    writeFileSync(at('a-file'), '')
    cpSync(at('images'), at('broken-png'), { recursive: true })
    writeFileSync(at('broken-png/images/000003.png'), 'no picture')
    cpSync(at('images'), at('broken-list'), { recursive: true })
    appendFileSync(at('broken-list/images.jsonl'), '{"id":"x"}\n')
    for (const [name, value, kept] of [
      ['constant', 0, []],
      ['nan', NaN, ['mixture']],
      ['nan-mixture', NaN, []],
    ] as const) {
      cpSync(at('reward'), at(name), { recursive: true })
      const { tensors, metadata } = readSafetensors(at('reward/reward.safetensors'))
      const changed = new Map(
        [...tensors].map(([key, one]) => [
          key,
          kept.some((each) => each === key) ? one : full(one.shape, value, one.dtype),
        ]),
      )
      writeSafetensors(at(`${name}/reward.safetensors`), changed, metadata)
    }
    cpSync(at('reward'), at('foreign'), { recursive: true })
    const { tensors, metadata } = readSafetensors(at('reward/reward.safetensors'))
    writeSafetensors(at('foreign/reward.safetensors'), tensors, { ...metadata, encoderSha256: 'f'.repeat(64) })
    cpSync(at('reward'), at('truncated'), { recursive: true })
    writeFileSync(at('truncated/reward.safetensors'), readFileSync(at('reward/reward.safetensors')).subarray(0, -100))
  })

  const cases: readonly [name: string, command: string, message: RegExp][] = [
    ['no such prompts', 'images generate --prompts no.txt --out new', /^no\.txt: .*check the path/],
    ['unknown words', 'images generate --prompts unknown-words.txt --out new', /^unknown-words\.txt:4 .*"dog"/],
    [
      'unknown words for dpok',
      'policy dpok --prompts unknown-words.txt --reward reward --out new',
      /^unknown-words\.txt:4/,
    ],
    ['nothing to draw', `${tiny.images} --per-prompt 0 --out new`, /^--per-prompt: expected a whole number > 0/],
    ['unknown model', `${tiny.images} --model sd --out new`, /^--model: .*shapes/],
    ['unknown flag', `${tiny.images} --sed 1 --out new`, /did you mean --seed/],
    ['unknown command', 'image generate', /did you mean images/],
    ['no output folder', tiny.images, /^--out: .*received nothing/],
    ['no such policy', `${tiny.images} --policy no --out new`, /^no: expected a finished run/],
    ['a reward as policy', `${tiny.images} --policy reward --out new`, /policy\.safetensors/],
    ['finished folder', `${tiny.images} --out images`, /^images: .*a finished run/],
    ['folder in use', `${tiny.images} --out busy`, /^busy: .*is writing/],
    ['file as folder', `${tiny.images} --out a-file/new`, /a file where a folder should be/],
    [
      'bad row',
      'feedback import --feedback new --images images --labels bad-row.csv',
      /^bad-row\.csv:3 answer: .*"maybe"/,
    ],
    [
      'unknown image',
      'feedback import --feedback new --images images --labels unknown-image.csv',
      /^unknown-image\.csv:2 image: /,
    ],
    ['no such labels', 'feedback import --feedback new --images images --labels no.csv', /^no\.csv: /],
    [
      'broken list',
      'feedback import --feedback new --images broken-list --labels labels.csv',
      /^broken-list\/images\.jsonl:17 /,
    ],
    ['no store', 'feedback export --feedback new --out x.csv', /^new: expected a feedback store/],
    ['no labels', 'reward train --feedback no.sqlite --out new', /^no\.sqlite: expected a feedback store/],
    ['one class', 'reward train --feedback all-good.sqlite --out new', /^labels: .*16 good and 0 bad/],
    [
      'one class, nothing held out',
      'reward train --feedback all-good.sqlite --held-out 0 --out new',
      /16 good and 0 bad/,
    ],
    [
      'broken picture',
      'policy best-of-n --images broken-png --reward reward --out new',
      /000003\.png: expected a readable image/,
    ],
    [
      'n that does not divide',
      'policy best-of-n --images images --reward reward --n 3 --out new',
      /^--n: .*received 3/,
    ],
    [
      'truncated reward',
      'policy best-of-n --images images --reward truncated --out new',
      /^truncated\/reward\.safetensors: .*bytes/,
    ],
    ['reward of another encoder', `${tiny.dpok} --reward foreign --out new`, /^foreign encoder: /],
    ['constant reward', `${tiny.dpok} --reward constant --out new`, /^constant: .*for all 8 images/],
    ['reward that is NaN', `${tiny.dpok} --reward nan --out new`, /^nan: expected finite rewards.*NaN/],
    [
      'mixture that is NaN',
      `${tiny.dpok} --reward nan-mixture --out new`,
      /^nan-mixture.* mixture: expected three finite/,
    ],
    ['NaN weights', `${tiny.rewardWeighted} --reward nan --out new`, /finite rewards.*NaN/],
    ['negative KL weight', `${tiny.dpok} --kl-weight=-1 --out new`, /^--kl-weight: expected a number ≥ 0, received -1/],
    ['no stochastic step', `${tiny.dpok} --eta 0 --out new`, /stochastic/],
    [
      'config of another stage',
      'policy dpok --config images/config.json --out new',
      /expected the config of policy dpok/,
    ],
  ]
  for (const [name, command, message] of cases) {
    test(name, () => {
      const { status, stderr } = attune(command)
      const said = stderr.trim().split('\n')
      assert.equal(status, 2, stderr)
      assert.match(said[said.length - 1], message)
      assert.equal(said.filter((line) => line.includes(' — ')).length, 1, stderr)
      assert.ok(!existsSync(at('new')), 'nothing was left')
    })
  }

  test('a failed import leaves what was stored', () => {
    const earlier = works('feedback export --feedback feedback.sqlite --out earlier.csv') && read('earlier.csv')
    assert.equal(attune('feedback import --feedback feedback.sqlite --images images --labels bad-row.csv').status, 2)
    works('feedback export --feedback feedback.sqlite --out later.csv')
    assert.equal(read('later.csv'), earlier)
  })
})
