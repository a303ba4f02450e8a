import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdir, mkdtempDisposable, open, readdir, rename, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { FileError, FormatError } from '../../errors.ts'
import { imageRecord, judgment } from '../feedback-fixtures.test-helper.ts'
import type { FreshPlace } from './fresh-place.test-helper.ts'
import { storeSuite } from './store-suite.test-helper.ts'
import { studioSuite } from './studio-suite.test-helper.ts'
import { openFeedback } from './store.ts'

const first = imageRecord(0)

async function freshFile(): Promise<FreshPlace> {
  const folder = await mkdtempDisposable(join(tmpdir(), 'feedback-'))
  return { address: join(folder.path, 'feedback.db'), [Symbol.asyncDispose]: () => folder.remove() }
}
storeSuite('feedback store on SQLite', freshFile)
studioSuite('what the studio keeps on SQLite', freshFile)

const at = '2026-01-01T00:00:00Z'
/** As the first version of the program made them. */
const tablesOfStepOne = `
  create table "migrations" ("name" text primary key);
  insert into migrations values ('1-images-and-judgments');
  create table "images" ("id" text primary key, "folder" text not null, "record" text not null);
  create table "judgments" ("sequence" integer primary key autoincrement, "id" text not null unique, "kind" text not null,
    "images" text not null, "answer" text not null, "rater" text not null, "rater_kind" text not null, "at" text not null,
    "duration_ms" double precision, "undoes" text references "judgments" ("id"));
  CREATE TRIGGER judgments_refuse_update BEFORE UPDATE ON judgments
    BEGIN SELECT RAISE(ABORT, 'judgments are append-only'); END;
  CREATE TRIGGER judgments_refuse_delete BEFORE DELETE ON judgments
    BEGIN SELECT RAISE(ABORT, 'judgments are append-only'); END;`

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

  it('checks what another program has written', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'feedback-'))
    const file = join(folder.path, 'feedback.db')
    const rows: [sql: string, message: RegExp][] = [
      ["update images set record = '{}'", /^feedback database, image .+ id: expected a text, received nothing/],
      ["update images set record = '{'", /^feedback database, image .+: expected an object, received nothing/],
      ["update judgments set answer = 'fine'", /^feedback database, judgment 1 answer: expected good or bad or skip, /],
      ["update judgments set images = '3'", /^feedback database, judgment 1 images: expected a list, received 3/],
      ['update judgments set details = \'{"stars": 3}\'', /^feedback database, judgment 1: expected no stars here, /],
    ]
    {
      await using store = await openFeedback(file)
      await store.addImages([first], '.')
      await store.addJudgments([judgment('1', first)])
    }
    for (const [sql, message] of rows) {
      const copy = join(folder.path, 'copy.db')
      await copyFile(file, copy)
      const database = new DatabaseSync(copy)
      const triggers = database.prepare("select name from sqlite_master where type = 'trigger'").all()
      for (const { name } of triggers) database.exec(`drop trigger "${String(name)}"`)
      database.exec(sql)
      database.close()
      await using store = await openFeedback(copy)
      await assert.rejects(store.judgments(), (error) => {
        assert.ok(error instanceof FormatError)
        assert.match(error.message, message)
        return true
      })
    }
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

  it('gets the newest tables where it is older, after a copy was laid beside it', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'feedback-'))
    const file = join(folder.path, 'feedback.db')
    const database = new DatabaseSync(file)
    database.exec(tablesOfStepOne)
    database.prepare('INSERT INTO images VALUES (?, ?, ?)').run(first.id, folder.path, JSON.stringify(first))
    const insert = database.prepare('INSERT INTO judgments VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
    insert.run(7, '1', 'good-bad-skip', JSON.stringify([first.id]), 'good', 'ada', 'person', at, 12.5, null)
    insert.run(9, '2', 'good-bad-skip', JSON.stringify([first.id]), 'good', 'ada', 'person', at, null, '1')
    database.close()
    const rows = [
      { ...judgment('1', first), durationMs: 12.5 },
      { ...judgment('2', first), undoes: '1' },
    ]
    {
      await using store = await openFeedback(file)
      assert.deepEqual(await store.allRows(), rows)
      assert.deepEqual(await store.images(), [{ record: first, folder: folder.path }])
      await store.addJudgments([{ ...judgment('3', first), reasons: ['wrong-color'] }])
    }
    await (await openFeedback(file)).close()
    const copies = (await readdir(folder.path)).filter((name) => name.endsWith('.backup'))
    assert.equal(copies.length, 1)
    assert.match(copies[0], /^feedback\.db\.1-images-and-judgments\.\d{4}-\d\d-\d\dT[\d.-]+Z\.backup$/)
    const copy = new DatabaseSync(join(folder.path, copies[0]), { readOnly: true })
    assert.equal(copy.prepare('SELECT count(*) AS n FROM judgments').get()!.n, 2)
    assert.deepEqual(
      copy
        .prepare('SELECT name FROM migrations')
        .all()
        .map(({ name }) => name),
      ['1-images-and-judgments'],
    )
    copy.close()
    await using store = await openFeedback(file)
    assert.equal((await store.allRows()).length, 3)
  })

  it('can be moved with the images below it', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'feedback-'))
    const [before, after, elsewhere] = ['before', 'after', 'elsewhere'].map((name) => join(folder.path, name))
    await mkdir(before)
    {
      await using store = await openFeedback(join(before, 'feedback.db'))
      await store.addImages([imageRecord(0)], join(before, 'runs', 'round-1'))
      await store.addImages([imageRecord(1)], before)
      await store.addImages([imageRecord(2)], elsewhere)
    }
    await rename(before, after)
    await using store = await openFeedback(join(after, 'feedback.db'))
    const folders = new Map((await store.images()).map((image) => [image.record.id, image.folder]))
    assert.deepEqual(
      [0, 1, 2].map((index) => folders.get(imageRecord(index).id)),
      [join(after, 'runs', 'round-1'), after, elsewhere],
    )
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
