import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { FormatError } from '../errors.ts'
import { Checkpoints } from './checkpoints.ts'
import { tensor } from './create.ts'
import { tensorScope } from './scope.ts'

const root = mkdtempSync(join(tmpdir(), 'attune-checkpoints-'))
after(() => rmSync(root, { recursive: true, force: true }))

const newest = 'checkpoint.safetensors'
const earlier = (step: number) => `checkpoint-${String(step).padStart(6, '0')}.safetensors`

/** A training that has written after these steps; `unsound` are those that it would not go on from. */
function written(kept: number, steps: readonly number[], unsound: readonly number[] = []) {
  const folder = mkdtempSync(join(root, 'run-'))
  const file = (name: string) => join(folder, name)
  const opened = (keptNow = kept) => new Checkpoints(file(newest), keptNow)
  const write = (to: Checkpoints, step: number) => {
    using _scope = tensorScope()
    to.write(step, { tensors: new Map([['x', tensor([step])]]), numbers: { seen: step } }, !unsound.includes(step))
  }
  const checkpoints = opened()
  for (const step of steps) write(checkpoints, step)
  const read = (from: Checkpoints) => {
    using _scope = tensorScope()
    const told: string[] = []
    const state = from.read((warning) => told.push(warning))
    assert.equal(state?.tensors.get('x')?.item(), state?.numbers.seen)
    return { seen: state?.numbers.seen, told }
  }
  return { folder, file, opened, checkpoints, write, read, names: () => readdirSync(folder).sort() }
}

describe('checkpoints', () => {
  it('are as many as are kept, the newest ones, and the newest one is read', () => {
    for (const [kept, names] of [
      [1, [newest]],
      [2, [earlier(30), newest]],
      [3, [earlier(20), earlier(30), newest]],
      [9, [earlier(10), earlier(20), earlier(30), newest]],
    ] as const) {
      const run = written(kept, [10, 20, 30, 40])
      assert.deepEqual(run.names(), names)
      assert.deepEqual(run.read(run.opened()), { seen: 40, told: [] })
    }
    assert.deepEqual(written(2, []).read(written(2, []).checkpoints), { seen: undefined, told: [] })
  })

  const damages: readonly [string, (file: string) => void, RegExp][] = [
    ['truncated', (file) => truncateSync(file, 100), /received a file of 100 bytes/],
    ['empty', (file) => truncateSync(file, 0), /received an empty file/],
    ['missing', (file) => rmSync(file), /received no such file/],
    ['another file', (file) => writeFileSync(file, 'no checkpoint at all'), /expected /],
    [
      'changed in a bit',
      (file) => {
        const bytes = readFileSync(file)
        bytes[bytes.length - 2] ^= 1
        writeFileSync(file, bytes)
      },
      /received one whose checksum does not fit/,
    ],
  ]
  for (const [name, damage, received] of damages) {
    it(`whose newest one is ${name} go on from the one before, and say so`, () => {
      const run = written(2, [10, 20, 30])
      damage(run.file(newest))
      const again = run.opened()
      const { seen, told } = run.read(again)
      assert.deepEqual([seen, told.length], [20, 1])
      assert.match(told[0], received)
      assert.match(told[0], /checkpoint\.safetensors: expected .*; going on from checkpoint-000020\.safetensors, of step 20$/) // prettier-ignore
      // Another process that is killed before it writes finds the same.
      assert.equal(run.read(run.opened()).seen, 20)
      run.write(again, 30)
      assert.deepEqual(run.names(), [earlier(20), newest])
      run.write(again, 40)
      assert.deepEqual(run.names(), [earlier(30), newest])
      assert.deepEqual(run.read(run.opened()), { seen: 40, told: [] })
    })
  }

  it('skip all that are damaged, and keep what was gone on from until another one is whole', () => {
    const run = written(3, [10, 20, 30, 40])
    for (const name of [newest, earlier(30)]) truncateSync(run.file(name), 50)
    const again = run.opened(2)
    const { seen, told } = run.read(again)
    assert.deepEqual([seen, told.length], [20, 2])
    run.write(again, 35)
    assert.deepEqual(run.names(), [earlier(20), newest])
  })

  it('of which none can be read are refused by the newest one', () => {
    const run = written(2, [10, 20])
    for (const name of run.names()) truncateSync(run.file(name), 50)
    assert.throws(() => run.read(run.opened()), { name: FormatError.name, message: /checkpoint\.safetensors/ })
  })

  it('keep the last sound one beside those that came after it, and go back to it', () => {
    for (const kept of [1, 2, 3]) {
      const run = written(kept, [10, 20, 30, 40, 50], [30, 40, 50])
      assert.ok(run.names().includes(earlier(20)) && run.names().length <= kept + 1, run.names().join())
      const sound = run.opened().lastSound!
      assert.deepEqual([sound.step, sound.file], [20, run.file(earlier(20))])
      run.checkpoints.goBackTo(sound)
      assert.deepEqual(run.names(), [newest])
      assert.deepEqual(run.read(run.opened()), { seen: 20, told: [] })
    }
    assert.equal(written(2, [10, 20], [10, 20]).checkpoints.lastSound, undefined)
  })

  it('are removed without what others have laid beside them', () => {
    const run = written(3, [10, 20, 30])
    const others = ['checkpoint-old.safetensors', 'checkpoint-1.safetensors.txt', 'other-000010.safetensors']
    for (const name of others) writeFileSync(run.file(name), '')
    run.checkpoints.remove()
    assert.deepEqual(run.names(), others.toSorted())
  })
})
