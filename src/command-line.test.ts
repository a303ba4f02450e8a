import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { Command } from 'commander'
import { z } from 'zod'
import { main, stageCommand } from './command-line.ts'
import { parseConfig } from './config.ts'
import { ConfigError, DivergenceError, FileError, FormatError, ShapeError } from './errors.ts'

const Toy = z.strictObject({
  out: z.string().default('runs/toy').describe('Folder that is written.'),
  klWeight: z.number().nonnegative().default(0.01).describe('Weight of the KL, 1/nats.'),
  steps: z.int().positive().default(20).describe('Sampler steps.'),
  algorithm: z.enum(['dpok', 'reward-weighted']).default('dpok').describe('Fine-tuning algorithm.'),
  published: z.boolean().default(false).describe('Use the choices of the public code.'),
  dropout: z.boolean().default(true).describe('Caption dropout.'),
  temperatures: z.array(z.number()).default([1]).describe('Temperatures, no unit.'),
  policy: z.string().nullable().default(null).describe('Run to start from.'),
})
const defaults = Toy.parse({})

const root = mkdtempSync(join(tmpdir(), 'attune-cli-'))
after(() => rmSync(root, { recursive: true, force: true }))
function configFile(name: string, text: string): string {
  const file = join(root, name)
  writeFileSync(file, text)
  return file
}

async function call(argv: string[], act: (config: z.infer<typeof Toy>) => void = () => undefined) {
  const program = new Command('attune').version('1.2.3')
  let config: z.infer<typeof Toy> | undefined
  let output = ''
  stageCommand(program, 'policy toy', 'A toy.', Toy, (given) => {
    config = given
    act(given)
  })
  stageCommand(program, 'policy other', 'Another toy.', Toy, () => undefined)
  const write = process.stderr.write.bind(process.stderr)
  const writeOut = process.stdout.write.bind(process.stdout)
  const collect = (text: string) => ((output += text), true)
  Object.assign(process.stderr, { write: collect })
  Object.assign(process.stdout, { write: collect })
  try {
    const code = await main(program, argv)
    return { code, config, output }
  } finally {
    Object.assign(process.stderr, { write })
    Object.assign(process.stdout, { write: writeOut })
  }
}

test('flags are the kebab-case of the fields, with _ read as -', async () => {
  assert.deepEqual((await call(['policy', 'toy'])).config, defaults)
  const argv = ['policy', 'toy', '--kl_weight=0.5', '--steps', '5', '--published', '--no-dropout']
  const { code, config } = await call([
    ...argv,
    '--temperatures',
    '1,2.5',
    '--policy',
    'runs/a_b',
    '--algorithm',
    'reward-weighted',
  ])
  assert.equal(code, 0)
  assert.deepEqual(config, {
    ...defaults,
    ...{ klWeight: 0.5, steps: 5, published: true, dropout: false, temperatures: [1, 2.5] },
    ...{ policy: 'runs/a_b', algorithm: 'reward-weighted' },
  })
})

test('a recorded config is a config file; flags override it', async () => {
  const file = configFile('config.json', JSON.stringify({ stage: 'policy toy', ...defaults, steps: 7, klWeight: 3 }))
  const { config } = await call(['policy', 'toy', '--config', file, '--kl-weight', '4'])
  assert.deepEqual(config, { ...defaults, steps: 7, klWeight: 4 })
  const other = await call(['policy', 'other', '--config', file])
  assert.equal(other.code, 2)
  assert.match(other.output, /expected the config of policy other, received one of policy toy/)
})

test('help comes from the schema', async () => {
  const { code, output } = await call(['policy', 'toy', '--help'])
  assert.equal(code, 0)
  assert.match(output, /--kl-weight <number>\s+Weight of the KL, 1\/nats\. \(default:\s+0\.01\)/)
  assert.match(output, /--algorithm <dpok\|reward-weighted>/)
  assert.match(output, / --published /)
  assert.match(output, / --no-dropout /)
  assert.doesNotMatch(output, /--no-published/)
  assert.equal((await call(['--version'])).code, 0)
  const group = await call(['policy'])
  assert.equal(group.code, 2)
  assert.match(group.output, /toy .*A toy\./)
})

const bad: [argv: string[], line: string][] = [
  [['--kl-weight', '-1'], '--kl-weight: expected a number ≥ 0, received -1 — Weight of the KL, 1/nats.'],
  [['--kl-weight', 'much'], '--kl-weight: expected a number ≥ 0, received "much" — Weight of the KL, 1/nats.'],
  [['--steps', '2.5'], '--steps: expected a whole number > 0, received 2.5 — Sampler steps.'],
  [
    ['--algorithm', 'ppo'],
    '--algorithm: expected one of dpok | reward-weighted, received "ppo" — Fine-tuning algorithm.',
  ],
  [['--kl-wieght', '1'], 'command line: expected a known flag, received --kl-wieght — did you mean --kl-weight?'],
  [['--steps'], '--steps: expected a value, received nothing — see --help'],
]
test('bad flags are one line and exit 2', async () => {
  for (const [argv, line] of bad) {
    const { code, output, config } = await call(['policy', 'toy', ...argv])
    assert.deepEqual({ code, output, config }, { code: 2, output: `${line}\n`, config: undefined })
  }
  const { code, output } = await call(['polcy'])
  assert.equal(code, 2)
  assert.equal(output, 'command line: expected a known command, received polcy — did you mean policy?\n')
  assert.equal((await call(['policy', 'toy', 'extra'])).code, 2)
})

test('a bad config file names the file and the field', () => {
  const parse = (text: string) => parseConfig(Toy, { stage: 'policy toy', file: configFile('bad.json', text) })
  assert.throws(
    () => parse('{"klWeigth": 1}'),
    /bad\.json klWeigth: expected a setting of policy toy.* did you mean klWeight\?/,
  )
  assert.throws(() => parse('{"klWeight": "1"}'), ConfigError)
  assert.throws(() => parse('{"klWeight": -1}'), /bad\.json klWeight: expected a number ≥ 0, received -1/)
  assert.throws(() => parse('{'), FormatError)
  assert.throws(() => parse('[]'), FormatError)
  assert.throws(() => parseConfig(Toy, { stage: 'policy toy', file: join(root, 'none.json') }), FileError)
})

test('the exit code tells whose fault it was', async () => {
  const complaint = { where: 'here', expected: 'a', received: 'b', remedy: 'do c' }
  const thrown: [unknown, number, RegExp][] = [
    [new DivergenceError(complaint), 2, /^here: expected a, received b — do c\n$/],
    [new ShapeError(complaint), 1, /^here: expected a, received b — do c\n$/],
    [new TypeError('oops'), 1, /^internal error: oops\nPlease report this/],
    [Toy.safeParse({ steps: 0 }).error, 2, /^steps: /],
    [
      Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', syscall: 'write', path: 'a.png' }),
      2,
      /^a\.png: .* a full disk/,
    ],
  ]
  for (const [error, expected, line] of thrown) {
    const { code, output } = await call(['policy', 'toy'], () => {
      throw error
    })
    assert.equal(code, expected)
    assert.match(output, line)
  }
})
