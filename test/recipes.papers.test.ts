/** The recipes of papers on tiny checkpoints: what they foretell, from the first image to the report, and what they refuse. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { imageListName, readImageList } from '../src/images/image-run.ts'
import { writeTinyImageReward } from '../src/networks/blip/tiny-image-reward.test-helper.ts'
import { readPrompts } from '../src/prompts/prompt-file.ts'
import { Report } from '../src/report/schema.ts'

const place = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url))
const fixture = (name: string) => place(`test/fixtures/stable-diffusion/${name}`)
const temporary = mkdtempSync(join(tmpdir(), 'attune-papers-'))
after(() => rmSync(temporary, { recursive: true, force: true }))

type Variables = Readonly<Record<string, string>>
const tiny: Variables = {
  MODEL: fixture('sd1'),
  SCORER: fixture('clip'),
  STEPS: '2',
  IMAGES: '8',
  CUDA_VISIBLE_DEVICES: '',
}
const at = (name: string) => join(temporary, name)
const ofDpok: Variables = { ...tiny, REWARD: writeTinyImageReward(at('image-reward')) }
const ofLee: Variables = {
  ...tiny,
  ENCODER: fixture('clip'),
  UNLABELLED: '8',
  REPORT_PROMPTS: '4',
  UPDATES: '2',
  BATCH: '8',
}

const environment = (variables: Variables) => ({ ...process.env, ...variables })

function run(recipe: string, variables: Variables) {
  const { status, stdout, stderr } = spawnSync('sh', [place(`recipes/${recipe}.sh`)], {
    cwd: temporary,
    encoding: 'utf8',
    env: environment(variables),
  })
  return { status, stdout, stderr }
}

/** Of one that is expected to do its work. */
function output(recipe: string, variables: Variables): { stdout: string; stderr: string } {
  const { status, ...said } = run(recipe, variables)
  assert.equal(status, 0, said.stderr)
  return said
}

/** `8` of the row `multi/seed-0/images  8  under 1 min …` */
const foretold = (stdout: string) =>
  new Map([...stdout.matchAll(/^ {2}(\S+) +([\d,]+)  +\S.*$/gm)].map(([row, name, images]) => [name, { images, row }]))

const reportIn = (folder: string) => Report.parse(JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')))
const categoriesIn = (folder: string) => Object.keys(reportIn(folder).policies.at(-1)!.seen.byCategory).sort()

describe('recipes/dpok-paper.sh', () => {
  const sets = ['count', 'multi']
  // As in the public code.
  writeFileSync(
    at('drawbench.json'),
    JSON.stringify({
      'A red colored car.': { category: 'Colors' },
      'Four dogs on the street.': { category: 'Counting' },
      'A dog and a cat.': { category: 'composition' },
      'A dog on the moon.': { category: 'location' },
    }),
  )
  writeFileSync(at('others.txt'), 'a blue pig\n')
  const variables = {
    ...ofDpok,
    ...{ SETS: sets.join(' '), OUT: at('dpok'), MULTI: at('drawbench.json'), MULTI_UNSEEN: at('others.txt') },
    REPORT_IMAGES: '7',
  }
  const works = { ...variables, ALLOW_CPU: '1' }

  test('says what it takes, and does it: its policies, supervised ones beside them, a report by category', () => {
    const { stdout } = output('dpok-paper', works)
    const rows = foretold(stdout)
    assert.deepEqual(
      [...rows.keys()],
      sets.flatMap((set) => ['images', 'supervised', 'dpok', 'report'].map((name) => `${set}/seed-0/${name}`)),
    )
    assert.equal(rows.get('multi/seed-0/dpok')?.images, '20')
    assert.match(rows.get('count/seed-0/dpok')!.row, /5 updates, 2 roll-outs and 2 transitions at once/)
    assert.match(stdout, /^In all .+, at most .+ of memory, about .+ of disk\.$/m)
    assert.match(stdout, /A guess in it/)
    for (const set of sets) assert.ok(stdout.includes(join(at('dpok'), set, 'seed-0/report/report.html')))
    assert.deepEqual(categoriesIn(at('dpok/count/seed-0/report')), ['count'])
    assert.deepEqual(categoriesIn(at('dpok/multi/seed-0/report')), ['background', 'color', 'combination', 'count'])
    const { policies } = reportIn(at('dpok/multi/seed-0/report'))
    assert.deepEqual(policies.map(({ name }) => name), ['base', 'best-of-n', 'supervised', 'dpok']) // prettier-ignore
  })

  test('goes on with what is left, and begins nothing of other settings', () => {
    rmSync(at('dpok/count/seed-0/report'), { recursive: true })
    const { stdout, stderr } = output('dpok-paper', works)
    assert.deepEqual([...foretold(stdout).keys()], ['count/seed-0/report'])
    assert.deepEqual(stderr.match(/^\w+\/seed-\S+$/gm), ['count/seed-0/report'])
    assert.doesNotMatch(output('dpok-paper', works).stdout, /What/)
    const { status, stderr: refused } = run('dpok-paper', { ...works, IMAGES: '9' })
    assert.equal(status, 2)
    assert.match(
      refused,
      /^dpok-paper\.sh: OUT: expected IMAGES=8 with which .* was begun, received IMAGES=9 : choose another OUT\n$/,
    )
  })

  test('has the four prompts of Figure 2, and many of each of their categories', async () => {
    const { status, stdout } = run('dpok-paper', { ...ofDpok, OUT: at('plan'), PLAN_ONLY: '1', IMAGES: '20000' })
    assert.equal(status, 0)
    assert.match(stdout, /What this takes on one NVIDIA H200, as there is no GPU here/)
    assert.equal(foretold(stdout).get('color/seed-0/dpok')?.images, '20,000')
    assert.equal(foretold(stdout).get('multi/seed-0/dpok')?.images, '50,000')
    assert.ok(!existsSync(at('plan/color')))
    const prompts = (set: string, name: string) => readPrompts(at(`plan/prompts/${set}/${name}.jsonl`))
    const texts: string[] = []
    for (const set of ['color', 'composition', 'count', 'location'])
      for (const { text } of await prompts(set, 'seen')) texts.push(text)
    assert.deepEqual(texts, [
      'A green colored rabbit',
      'A dog and a cat',
      'Four wolves in the park',
      'A dog on the moon',
    ])
    const many = await prompts('multi', 'seen')
    const counts = new Map<string, number>()
    for (const { category } of many) counts.set(category, (counts.get(category) ?? 0) + 1)
    assert.deepEqual(counts, new Map(['color', 'combination', 'count', 'background'].map((name) => [name, 26])))
    const seen = new Set(many.map(({ text }) => text))
    assert.equal(seen.size, many.length)
    assert.ok((await prompts('multi', 'unseen')).every(({ text }) => !seen.has(text)))
  })
})

describe('recipes/lee-paper.sh', () => {
  const variables = { ...ofLee, OUT: at('lee'), ALLOW_CPU: '1', PORT: '0' }
  const drawn = at('lee/studio/runs/labelled')

  test('draws, and opens the studio with the images for people to judge', { timeout: 300_000 }, async () => {
    const recipe = spawn('sh', [place('recipes/lee-paper.sh')], { cwd: temporary, env: environment(variables) })
    let said = ''
    const address = await new Promise<string>((resolve, reject) => {
      const read = (part: Buffer) => {
        said += String(part)
        const found = /studio: (http:\S+)/.exec(said)
        if (found) resolve(found[1])
      }
      recipe.stdout.on('data', read)
      recipe.stderr.on('data', read)
      recipe.on('exit', (code) => reject(new Error(`ended with ${code}: ${said}`)))
    })
    assert.match(said, /FEEDBACK=.*studio\.sqlite/)
    const { counts, rounds } = (await (await fetch(`${address}/api/state`)).json()) as {
      counts: { images: number }
      rounds: { name: string }[]
    }
    assert.equal(counts.images, 8)
    assert.deepEqual(rounds.map(({ name }) => name), ['labelled']) // prettier-ignore
    const ended = new Promise((resolve) => recipe.once('exit', resolve))
    recipe.kill('SIGTERM')
    await ended
  })

  test('learns a reward from the labels and fine-tunes by it, in a report by category', () => {
    const records = readImageList(join(drawn, imageListName))
    assert.deepEqual(new Set(records.map(({ category }) => category)), new Set(['color', 'count', 'background', 'combination'])) // prettier-ignore
    const rows = records.map(({ id }, i) => `${id},${i % 3 === 0 ? 'good' : 'bad'}`)
    writeFileSync(at('labels.csv'), `image,answer\n${rows.join('\n')}\n`)
    const FEEDBACK = at('lee/studio/studio.sqlite')
    const words = ['feedback', 'import', '--feedback', FEEDBACK, '--images', drawn, '--labels', at('labels.csv')]
    assert.equal(spawnSync(place('bin/attune'), words).status, 0)

    const photos = at('photos')
    mkdirSync(photos)
    records.forEach(({ file }, i) => cpSync(join(drawn, file), join(photos, `${i}.png`)))
    const captions = records.map(({ text }, i) => JSON.stringify({ file_name: `${i}.png`, text }))
    writeFileSync(join(photos, 'metadata.jsonl'), `${captions.join('\n')}\n`)

    // Other settings are another folder, which takes over what is drawn.
    const OUT = at('lee-labelled')
    cpSync(at('lee'), OUT, { recursive: true })
    const settings = readFileSync(join(OUT, 'settings.txt'), 'utf8')
    writeFileSync(join(OUT, 'settings.txt'), settings.replace('TRAIN_DATA=', `TRAIN_DATA=${photos}`))
    const { stdout } = output('lee-paper', { ...variables, OUT, FEEDBACK, TRAIN_DATA: photos })
    assert.deepEqual(
      [...foretold(stdout).keys()],
      ['unlabelled', 'seed-0/reward', 'seed-0/reward-weighted', 'seed-0/report'],
    )
    assert.match(foretold(stdout).get('seed-0/reward-weighted')!.row, /2 updates of 4 \+ 4 images/)
    assert.deepEqual(categoriesIn(join(OUT, 'seed-0/report')), ['background', 'color', 'combination', 'count'])
  })

  test('takes a reward in place of labels', () => {
    const plan = { ...ofLee, OUT: at('rewarded'), REWARD: fixture('clip'), PLAN_ONLY: '1', SEEDS: '2' }
    assert.deepEqual(
      [...foretold(output('lee-paper', plan).stdout).keys()],
      ['studio/runs/labelled', 'unlabelled', ...[0, 1].flatMap((seed) => ['reward-weighted', 'report'].map((name) => `seed-${seed}/${name}`))], // prettier-ignore
    )
  })

  test('has the templates of the paper, with five objects that are seen nowhere', async () => {
    const plan = { ...ofLee, IMAGES: '27528', REPORT_PROMPTS: '60', OUT: at('templates'), PLAN_ONLY: '1' }
    const { stdout } = output('lee-paper', plan)
    assert.equal(foretold(stdout).get('studio/runs/labelled')?.images, '27,750')
    const [seen, shown, unseen] = await Promise.all(
      ['seen', 'report-seen', 'report-unseen'].map((name) => readPrompts(at(`templates/prompts/${name}.jsonl`))),
    )
    const objectsOf = (list: typeof seen) => new Set(list.map(({ attributes }) => attributes!.object))
    assert.deepEqual([seen.length, objectsOf(seen).size, shown.length, unseen.length], [2775, 25, 60, 60])
    assert.equal(new Set(seen.map(({ text }) => text)).size, seen.length)
    assert.deepEqual(objectsOf(unseen).intersection(objectsOf(seen)), new Set())
    assert.ok(objectsOf(shown).isSubsetOf(objectsOf(seen)))
  })
})

describe('recipes of papers refuse with one line', () => {
  writeFileSync(at('file'), '')
  mkdirSync(at('full'))
  writeFileSync(at('full/photo.png'), '')
  const cases: readonly (readonly [what: string, recipe: string, variables: Variables, line: RegExp])[] = [
    ['no GPU', 'dpok-paper', { ...ofDpok }, /^this recipe: expected a GPU.*ALLOW_CPU=1/],
    ['no GPU', 'lee-paper', { ...ofLee }, /^this recipe: expected a GPU.*ALLOW_CPU=1/],
    [
      'a model that is not there',
      'dpok-paper',
      { ...ofDpok, MODEL: '/no/such/model' },
      /^\/no\/such\/model: expected /,
    ],
    ['a reward that is not there', 'dpok-paper', { ...ofDpok, REWARD: './no-such' }, /^\.\/no-such: expected /],
    ['a folder that is no model', 'lee-paper', { ...ofLee, MODEL: at('full') }, /full.*: expected /],
    ['a file as the folder', 'lee-paper', { ...ofLee, OUT: at('file') }, /^lee-paper\.sh: OUT: expected a folder/],
    [
      'a folder of other things',
      'dpok-paper',
      { ...ofDpok, OUT: at('full') },
      /^dpok-paper\.sh: OUT: expected a new folder/,
    ],
    [
      'a number that is none',
      'dpok-paper',
      { ...ofDpok, IMAGES: '1e4' },
      /^dpok-paper\.sh: IMAGES: expected a whole number/,
    ],
    ['too few images in a report', 'dpok-paper', { ...ofDpok, REPORT_IMAGES: '1' }, /^--images-per-prompt: expected /],
    ['a set that is none', 'dpok-paper', { ...ofDpok, SETS: 'colour' }, /^dpok-paper\.sh: SETS: expected .*"colour"/],
    ['settings that no stage has', 'dpok-paper', { ...ofDpok, ARGS: '--devise cpu' }, /--devise/],
    ['no such store', 'lee-paper', { ...ofLee, FEEDBACK: at('none.sqlite') }, /^lee-paper\.sh: FEEDBACK: expected /],
    [
      'labels and a reward',
      'lee-paper',
      { ...ofLee, FEEDBACK: at('file'), REWARD: fixture('clip') },
      /^lee-paper\.sh: REWARD: expected /,
    ],
    [
      'no such photographs',
      'lee-paper',
      { ...ofLee, TRAIN_DATA: at('none') },
      /^lee-paper\.sh: TRAIN_DATA.*: expected /,
    ],
  ]
  for (const [place, [what, recipe, variables, line]] of cases.entries()) {
    test(`${recipe}: ${what}`, () => {
      const { status, stderr } = run(recipe, { OUT: at(`refused-${place}`), ...variables })
      assert.equal(status, 2, stderr)
      const lines = stderr.trim().split('\n').filter((each) => !each.startsWith('note: ')) // prettier-ignore
      assert.equal(lines.length, 1, stderr)
      assert.match(lines[0], line)
    })
  }
})
