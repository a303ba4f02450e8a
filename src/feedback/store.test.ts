import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempDisposable, open, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { FileError, FormatError, UnknownRecordError } from '../errors.ts'
import { awkwardTexts, imageRecord, judgment } from './feedback-fixtures.ts'
import { openFeedback, type FeedbackStore } from './store.ts'

const first = imageRecord(0)
const second = imageRecord(1)

/** What every store must do, whatever database is below. */
function storeSuite(name: string, within: (test: (store: FeedbackStore) => Promise<void>) => Promise<void>): void {
  describe(name, () => {
    it('keeps images, and the latest place of each', () =>
      within(async (store) => {
        const records = awkwardTexts.map((text, index) => imageRecord(index, text))
        assert.equal(await store.addImages(records, 'runs/a'), records.length)
        assert.equal(await store.addImages([...records, first], 'runs/b'), 1)
        const images = await store.images()
        assert.equal(images.length, records.length + 1)
        assert.ok(images.every(({ folder }) => folder === resolve('runs/b')))
        for (const record of records) assert.ok(images.some((image) => image.record.text === record.text))
        assert.deepEqual(
          images.find(({ record }) => record.id === first.id),
          { record: first, folder: resolve('runs/b') },
        )
      }))

    it('counts a repeated submission once', () =>
      within(async (store) => {
        await store.addImages([first], '.')
        const one = { ...judgment('1', first), durationMs: 12.5 }
        assert.equal(await store.addJudgments([one, one]), 1)
        assert.equal(await store.addJudgments([{ ...one, at: '2026-01-02T00:00:00Z' }]), 0)
        assert.deepEqual(await store.allRows(), [one])
        await assert.rejects(store.addJudgments([{ ...one, answer: 'bad' }]), FormatError)
        assert.deepEqual(await store.allRows(), [one])
      }))

    it('adds all or nothing', () =>
      within(async (store) => {
        await store.addImages([first], '.')
        const many = Array.from({ length: 1200 }, (_, index) => judgment(String(index), first))
        await assert.rejects(store.addJudgments([...many, judgment('x', second)]), UnknownRecordError)
        await assert.rejects(
          store.addJudgments([...many, { ...judgment('x', first), undoes: 'nothing' }]),
          UnknownRecordError,
        )
        await assert.rejects(store.addJudgments([...many, { ...judgment('x', first), at: 'today' }]), FormatError)
        assert.deepEqual(await store.allRows(), [])
        assert.equal(await store.addJudgments(many), 1200)
        assert.deepEqual(await store.allRows(), many)
        assert.equal(await store.addJudgments([]), 0)
      }))

    it('lets the latest judgment stand, unless it is undone', () =>
      within(async (store) => {
        await store.addImages([first, second], '.')
        const good = judgment('1', first)
        const bad = { ...judgment('2', first, 'bad'), at: '2026-01-01T00:00:00.5Z' }
        const other = { ...judgment('3', first, 'skip'), rater: 'bob' }
        const early = { ...judgment('4', first, 'skip'), at: '2025-01-01T00:00:00Z' }
        await store.addJudgments([good, bad, other, early])
        assert.deepEqual(await store.judgments(), [bad, other])
        await store.addJudgments([{ ...bad, id: '5', undoes: '2' }])
        assert.deepEqual(await store.judgments(), [good, other])
        await store.addJudgments([{ ...bad, id: '6', undoes: '5' }])
        assert.deepEqual(await store.judgments(), [bad, other])
        assert.equal((await store.allRows()).length, 6)
        assert.deepEqual(await store.counts(), {
          images: 2,
          judged: 1,
          judgments: 2,
          good: 0,
          bad: 1,
          skip: 1,
          pairs: 0,
          ratings: 0,
          rankings: 0,
          votes: 0,
          raters: 2,
          rows: 6,
        })
      }))

    it('takes many writers at once', () =>
      within(async (store) => {
        await store.addImages([first], '.')
        const ids = Array.from({ length: 20 }, (_, index) => String(index))
        await Promise.all(ids.map((id) => store.addJudgments([judgment(id, first)])))
        assert.equal((await store.counts()).rows, 20)
      }))
  })
}

storeSuite('feedback store on SQLite', async (test) => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'feedback-'))
  await using store = await openFeedback(join(folder.path, 'feedback.db'))
  await test(store)
})

describe('feedback file', () => {
  it('is append-only for everyone', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'feedback-'))
    const file = join(folder.path, 'feedback.db')
    {
      await using store = await openFeedback(file)
      await store.addImages([first], '.')
      await store.addJudgments([judgment('1', first)])
    }
    const database = new DatabaseSync(file)
    assert.throws(() => database.exec("UPDATE judgments SET answer = 'bad'"), /append-only/)
    assert.throws(() => database.exec('DELETE FROM judgments'), /append-only/)
    database.close()
    await using again = await openFeedback(file)
    assert.deepEqual(await again.judgments(), [judgment('1', first)])
  })

  it('can be open in two places', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'feedback-'))
    const file = join(folder.path, 'feedback.db')
    await using one = await openFeedback(file)
    await using two = await openFeedback(file)
    await one.addImages([first], '.')
    await two.addJudgments([judgment('1', first)])
    assert.equal((await one.judgments()).length, 1)
  })

  it('says what is wrong with a file that is none', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'feedback-'))
    const text = join(folder.path, 'notes.db')
    await writeFile(text, 'these are notes, not a database\n'.repeat(100))
    await assert.rejects(openFeedback(text), (error) => {
      assert.ok(error instanceof FormatError)
      assert.match(error.message, /notes\.db: expected an undamaged feedback database, received file is not a database/)
      return true
    })
    await assert.rejects(openFeedback(join(folder.path, 'missing', 'feedback.db')), FileError)
    await assert.rejects(openFeedback(folder.path), FileError)
  })

  it('notices damage inside', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'feedback-'))
    const file = join(folder.path, 'feedback.db')
    {
      await using store = await openFeedback(file)
      await store.addImages(
        Array.from({ length: 300 }, (_, index) => imageRecord(index)),
        '.',
      )
    }
    const { size } = await stat(file)
    await using handle = await open(file, 'r+')
    await handle.write(Buffer.alloc(size - 8192, 0x5a), 0, size - 8192, 8192)
    await assert.rejects(openFeedback(file), FormatError)
  })

  it('refuses the file of a later version', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'feedback-'))
    const file = join(folder.path, 'feedback.db')
    await (await openFeedback(file)).close()
    const database = new DatabaseSync(file)
    database.exec("INSERT INTO migrations VALUES ('99-later')")
    database.close()
    await assert.rejects(openFeedback(file), /99-later/)
  })

  it('has every acknowledged judgment after the writer was killed', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'feedback-'))
    const file = join(folder.path, 'feedback.db')
    const writer = `
      import { openFeedback } from ${JSON.stringify(new URL('./store.ts', import.meta.url).href)}
      const store = await openFeedback(${JSON.stringify(file)})
      const image = ${JSON.stringify(first)}
      const judgment = ${JSON.stringify(judgment('', first))}
      await store.addImages([image], '.')
      for (let i = 0; i < 100_000; i++) {
        await store.addJudgments([{ ...judgment, id: i + 'a' }, { ...judgment, id: i + 'b' }])
        console.log(i)
      }`
    const child = spawn(process.execPath, ['--input-type=module', '-e', writer], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const closed = once(child, 'close')
    let acknowledged = -1
    for await (const line of createInterface(child.stdout)) {
      acknowledged = Number(line)
      if (acknowledged === 25) child.kill('SIGKILL')
    }
    assert.deepEqual(await closed, [null, 'SIGKILL'])
    assert.ok(acknowledged >= 25)
    await using store = await openFeedback(file)
    const ids = new Set((await store.allRows()).map((row) => row.id))
    for (let i = 0; i <= acknowledged; i++) assert.ok(ids.has(`${i}a`) && ids.has(`${i}b`))
    assert.equal(ids.size % 2, 0)
  })
})
