import assert from 'node:assert/strict'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync, writeSync } from 'node:fs' // prettier-ignore
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gunzipSync, gzipSync } from 'node:zlib'
import { FileError, FormatError, RunInUseError } from '../../errors.ts'
import { setGold } from '../../feedback/queue/gold.ts'
import { saveRater } from '../../feedback/raters/raters.ts'
import { noPostgres, postgresServer } from '../../feedback/store/postgres.test-helper.ts'
import { changeSettings, readSettings } from '../../feedback/store/settings.ts'
import { takeLock } from '../../run-lock.ts'
import { writeJob } from '../jobs/job-record.ts'
import { recordOf } from '../jobs/job-record.test-helper.ts'
import { openStudio, type OpenedStudio } from '../open-studio.ts'
import { addImageRun, addRun, goodBad, testStudio } from '../studio.test-helper.ts'
import { putBack } from './put-back.ts'
import { restoreBackup } from './restore-backup.ts'
import { snapshotOf } from './tables.ts'
import { padding, tarEnd, tarHeader } from './tar.ts'
import { unpacked } from './unpacked.ts'
import { writeBackup } from './write-backup.ts'

const postgres = await postgresServer()
const folder = mkdtempSync(join(tmpdir(), 'attune-backup-'))
after(async () => {
  await postgres?.[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})
let count = 0
const fresh = (name = 'place') => join(folder, `${name}-${++count}`)
const into = (workspace: string, database: string | null = null, replace = false) => ({ workspace, database, replace })

/** All that a database holds, by tables. */
async function rowsOf(database: string): Promise<Map<string, unknown[]>> {
  const rows = new Map<string, unknown[]>()
  for await (const part of snapshotOf(database)) {
    if ('steps' in part) continue
    // Where images lie is another matter.
    const told = part.rows.map((row) => ({ ...row, ...(part.table === 'images' && { folder: '', revision: 0 }) }))
    rows.set(part.table, [...(rows.get(part.table) ?? []), ...told])
  }
  return rows
}

/** A studio with something of everything. */
async function fill(studio: OpenedStudio): Promise<void> {
  const { store, workspace } = studio
  const images = await addImageRun(studio, 'images-1', ['two red circles', 'a “ring” 🙂'], { perPrompt: 4, side: 8 })
  addRun(studio, 'reward-1', 'reward train', { images: 'runs/images-1' }, {}, { 'head.safetensors': 'weights', 'notes.txt': 'n'.repeat(5e6) }) // prettier-ignore
  const { folder: elsewhere } = (await store.images())[0]
  const moved = fresh('elsewhere')
  execFileSync('cp', ['-r', elsewhere, moved])
  await store.addImages(images.slice(0, 2), moved)
  await saveRater(store.database, { name: 'Ada', role: 'admin' })
  await changeSettings(store.database, { overlapShare: 0.5 })
  await setGold(store.database, images[3].id, 'bad')
  await store.addJudgments(images.map(({ id }) => ({ ...goodBad(`first ${id}`, id), rater: 'Ada', raterKind: 'person' as const }))) // prettier-ignore
  writeJob(workspace, recordOf(1, 'dpok-1', { state: 'running' }))
}

async function expectOpens(workspace: string, database: string | null, counted: number): Promise<void> {
  await using studio = await openStudio(workspace, { database })
  const images = await studio.store.images()
  for (const { record } of images) await studio.images.wholeRef(record.id)
  assert.equal(images.length, 8)
  assert.equal((await studio.store.counts()).rows, counted)
  assert.deepEqual(studio.queue.all().map(({ id, state }) => [id, state]), [['job-1', 'stopped']]) // prettier-ignore
  assert.deepEqual(studio.runs.all().map(({ name }) => name), ['images-1', 'reward-1']) // prettier-ignore
  assert.equal((await readSettings(studio.store.database)).overlapShare, 0.5)
  assert.equal((await studio.rounds.all())[0].images.length, 8)
  const later = { ...goodBad('later', images[0].record.id), rater: 'Bob', raterKind: 'person' as const }
  assert.equal(await studio.store.addJudgments([later]), 1)
  assert.equal((await studio.store.allRows()).at(-1)!.id, 'later')
}

async function roundTrip(from: string | null, to: string | null): Promise<void> {
  await using it = await testStudio({ database: from })
  await fill(it.studio)
  const { workspace, store } = it.studio
  const [{ record }] = await store.images()
  let isOver = false
  async function label(): Promise<number> {
    for (let number = 1; ; number++) {
      const judgment = {
        ...goodBad(`beside ${number}`, record.id),
        rater: `rater ${number}`,
        raterKind: 'person' as const,
      }
      await store.addJudgments([judgment])
      if (isOver) return number
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  }
  const labelling = label()
  const file = `${fresh()}.tar.gz`
  const answer = await it.app.request('/api/backup')
  assert.equal(answer.headers.get('content-type'), 'application/gzip')
  writeFileSync(file, Buffer.from(await answer.arrayBuffer()))
  isOver = true
  const beside = await labelling
  const place = fresh()
  assert.equal(await restoreBackup(file, into(place, to)), null)

  const [was, is] = [
    await rowsOf(from ?? workspace.at('studio.sqlite')),
    await rowsOf(to ?? join(place, 'studio.sqlite')),
  ]
  const kept = is.get('judgments')!.length
  assert.ok(kept >= 8 && kept <= 8 + beside)
  // Those of the moment at which it was made.
  was.set('judgments', was.get('judgments')!.slice(0, kept))
  assert.deepEqual(is, was)
  assert.ok(!existsSync(join(place, 'runs/reward-1/head.safetensors')), 'weights are asked for')
  assert.equal(readFileSync(join(place, 'runs/reward-1/notes.txt'), 'utf8').length, 5e6)
  assert.equal(readFileSync(join(place, 'secret'), 'utf8'), it.studio.secret)
  assert.deepEqual(readdirSync(folder).filter((name) => name.endsWith('.partial')), []) // prettier-ignore
  await expectOpens(place, to, kept)
}

test('a backup that is made while people label is restored elsewhere, and everything opens', () =>
  roundTrip(null, null))

test('from SQLite to PostgreSQL, and back', { skip: postgres ? false : noPostgres }, async () => {
  await roundTrip(null, await postgres!.freshDatabase())
  await roundTrip(await postgres!.freshDatabase(), null)
})

test('weights come along where they are wanted, and runs that lie on another disk; tar reads it', async () => {
  await using it = await testStudio()
  await fill(it.studio)
  const { workspace } = it.studio
  const disk = fresh('disk')
  renameSync(workspace.at('runs'), disk)
  symlinkSync(disk, workspace.at('runs'))
  const [file, place] = [`${fresh()}.tar.gz`, fresh()]
  await writeBackup(file, { workspace, database: workspace.at('studio.sqlite'), weights: true })
  assert.match(execFileSync('tar', ['tzf', file], { encoding: 'utf8' }), /workspace\/runs\/reward-1\/head\.safetensors/)
  mkdirSync(place)
  await restoreBackup(file, into(place))
  assert.equal(readFileSync(join(place, 'runs/reward-1/head.safetensors'), 'utf8'), 'weights')
  assert.deepEqual(readdirSync(join(place, 'images')), ['from-elsewhere-1'], 'of another folder, and nothing twice')

  await assert.rejects(restoreBackup(file, into(place)), (error) => error instanceof FileError && /--replace/.test(error.remedy)) // prettier-ignore
  takeLock(place)
  await assert.rejects(restoreBackup(file, into(place, null, true)), RunInUseError)
  rmSync(join(place, 'run.lock'))
  writeFileSync(join(place, 'mine'), 'mine')
  const aside = await restoreBackup(file, into(place, null, true))
  assert.equal(readFileSync(join(aside!, 'mine'), 'utf8'), 'mine')
  assert.ok(!existsSync(join(place, 'mine')))

  // As a restore leaves it that is killed between its two renamings.
  const owner = { pid: process.pid, host: hostname(), began: '' }
  rmSync(place, { recursive: true })
  writeFileSync(join(aside!, 'run.lock'), JSON.stringify(owner))
  putBack(place)
  assert.ok(!existsSync(place), 'that restore is still at work')
  writeFileSync(join(aside!, 'run.lock'), JSON.stringify({ ...owner, pid: spawnSync('true').pid }))
  await expectOpens(place, null, 8)
  assert.deepEqual([existsSync(join(place, 'mine')), existsSync(aside!)], [true, false])
})

test('an archive that grows more than any backup does is refused before it fills the disk', async () => {
  const file = `${fresh()}.gz`
  writeFileSync(file, gzipSync(Buffer.alloc(8e6)))
  const sizeOf = async (plenty?: number) => {
    let bytes = 0
    for await (const piece of unpacked(file, plenty)) bytes += piece.length
    return bytes
  }
  await assert.rejects(sizeOf(1e6), FormatError)
  assert.equal(await sizeOf(), 8e6)
})

test(
  'a database that holds something is emptied only where that is wanted',
  { skip: postgres ? false : noPostgres },
  async () => {
    await using it = await testStudio()
    await fill(it.studio)
    const { workspace } = it.studio
    const file = `${fresh()}.tar.gz`
    await writeBackup(file, { workspace, database: workspace.at('studio.sqlite'), weights: false })
    const [database, first, second] = [await postgres!.freshDatabase(), fresh(), fresh()]
    await restoreBackup(file, into(first, database))
    const before = await rowsOf(database)
    await assert.rejects(restoreBackup(file, into(second, database)), FileError)
    const damaged = readFileSync(file).subarray(0, -2000)
    writeFileSync(`${file}.part`, damaged)
    await assert.rejects(restoreBackup(`${file}.part`, into(second, database, true)), FormatError)
    assert.deepEqual(await rowsOf(database), before, 'a failure leaves the database as it was')
    assert.ok(!existsSync(second))
    await restoreBackup(file, into(second, database, true))
    assert.deepEqual(await rowsOf(database), before)
    await expectOpens(second, database, 8)
  },
)

interface Entry {
  readonly name: string
  readonly content?: string
  /** In place of its header. */
  readonly header?: Uint8Array
}

const about = { attune: 'backup', version: 1, program: '0', createdAt: '', weights: false, steps: [] }
const aboutEntry: Entry = { name: 'backup.json', content: JSON.stringify(about) }

/** An archive with sums that are right. */
function archiveOf(entries: readonly Entry[]): Buffer {
  const sums = entries.map(({ name, content = '' }) => `${createHash('sha256').update(content).digest('hex')}  ${name}\n`) // prettier-ignore
  const all: readonly Entry[] = [...entries, { name: 'SHA256SUMS', content: sums.join('') }]
  const pieces = all.flatMap(({ name, content = '', header }) => {
    const bytes = Buffer.from(content)
    return [header ?? tarHeader(name, bytes.length), bytes, padding(bytes.length)]
  })
  return gzipSync(Buffer.concat([...pieces, tarEnd]))
}

/** A header of another type, with its checksum. */
function typed(name: string, type: string, link = ''): Uint8Array {
  const header = Buffer.from(tarHeader(name, 0))
  header.write(type, 156, 'latin1')
  header.write(link, 157, 'latin1')
  header.write(' '.repeat(8), 148, 'latin1')
  const sum = header.reduce((all, byte) => all + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return header
}

const imageRow = (folderOf: string, file: string) =>
  JSON.stringify({ id: '0123456789abcdef', folder: folderOf, revision: 1, archived_at: null, record: JSON.stringify({ id: '0123456789abcdef', prompt: 'p', text: 'a', category: 'other', file, sha256: '0'.repeat(64), seed: 1, index: 0, policy: 'pretrained', sampler: 'ddim', steps: 1, eta: 0, guidance: 1 }) }) // prettier-ignore

test('hostile, damaged and foreign archives are refused, and leave nothing', async () => {
  const parent = fresh('hostile')
  mkdirSync(parent)
  const file = (name: string) => ({ name, content: 'x' })
  const rows = (table: string, content: string) => ({ name: `database/${table}/000001.jsonl`, content })
  const whole = archiveOf([aboutEntry, file('workspace/secret')])
  const cases: Readonly<Record<string, Buffer>> = {
    'a name that leads out': archiveOf([aboutEntry, file('workspace/../../out')]),
    'an absolute name': archiveOf([aboutEntry, file('workspace//etc/attune')]),
    'a backslash': archiveOf([aboutEntry, file('workspace/..\\..\\out')]),
    'another folder': archiveOf([aboutEntry, file('elsewhere/out')]),
    'a symbolic link': archiveOf([
      aboutEntry,
      { name: 'workspace/l', header: typed('workspace/l', '2', '/etc/passwd') },
    ]),
    'a hard link': archiveOf([aboutEntry, { name: 'workspace/l', header: typed('workspace/l', '1', '/etc/passwd') }]),
    'a device': archiveOf([aboutEntry, { name: 'workspace/d', header: typed('workspace/d', '3') }]),
    'a file twice': archiveOf([aboutEntry, file('workspace/a'), file('workspace/a')]),
    'a file by two names': archiveOf([aboutEntry, file('workspace/a/b'), file('workspace/a/./b')]),
    'a file as a folder': archiveOf([aboutEntry, file('workspace/a'), file('workspace/a/b')]),
    'a lock': archiveOf([aboutEntry, file('workspace/run.lock')]),
    'a database file': archiveOf([aboutEntry, file('workspace/studio.sqlite-wal')]),
    'a size beyond all disks': archiveOf([aboutEntry, { name: 'workspace/a', header: tarHeader('workspace/a', 1e14) }]),
    'a huge list of rows': archiveOf([aboutEntry, { name: 'database/images/1.jsonl', header: tarHeader('database/images/1.jsonl', 1e11) }]), // prettier-ignore
    'an unknown table': archiveOf([aboutEntry, rows('migrations', '{"name":"x"}')]),
    'an unknown column': archiveOf([aboutEntry, rows('settings', '{"key":"a","value":"1","other":2}')]),
    'a row that is none': archiveOf([aboutEntry, rows('settings', '[]')]),
    'a row that refers to nothing': archiveOf([aboutEntry, rows('gold', '{"image":"none","answer":"good"}')]),
    'a judgment that is none': archiveOf([aboutEntry, rows('judgments', '{"sequence":1,"id":"a"}')]),
    'images that lead out': archiveOf([aboutEntry, rows('images', imageRow('../..', 'a.png'))]),
    'an image that leads out': archiveOf([aboutEntry, rows('images', imageRow('runs/a', '../../../a.png'))]),
    'a later format': archiveOf([{ name: 'backup.json', content: JSON.stringify({ ...about, version: 2 }) }]),
    'a later database': archiveOf([{ name: 'backup.json', content: JSON.stringify({ ...about, steps: ['later'] }) }]),
    'another archive': archiveOf([file('README')]),
    'a part of one': whole.subarray(0, -20),
    'one without its sums': gzipSync(gunzipSync(whole).subarray(0, 2048)),
    'a changed byte': gzipSync(changed(gunzipSync(whole), 'x', 'y')),
    'no archive': Buffer.from('hello'),
    nothing: Buffer.alloc(0),
  }
  for (const [name, bytes] of Object.entries(cases)) {
    const [archive, place] = [join(folder, 'hostile.tar.gz'), join(parent, 'place')]
    writeFileSync(archive, bytes)
    await assert.rejects(
      restoreBackup(archive, into(place)),
      (error) => error instanceof FormatError || error instanceof FileError,
      name,
    )
    assert.deepEqual(readdirSync(parent), [], name)
  }
  await assert.rejects(restoreBackup(join(parent, 'none'), into(join(parent, 'place'))), FileError)
})

function changed(bytes: Buffer, from: string, to: string): Buffer {
  const found = bytes.indexOf(Buffer.from(`${from}\0\0\0`))
  const copy = Buffer.from(bytes)
  copy.write(to, found, 'latin1')
  return copy
}

test('a restore that is killed halfway leaves nothing in its place, and the next one is whole', async () => {
  await using it = await testStudio()
  await fill(it.studio)
  const { workspace } = it.studio
  const parent = fresh('killed')
  mkdirSync(parent)
  const [file, pipe, place] = [join(folder, 'whole.tar.gz'), join(folder, 'pipe'), join(parent, 'place')]
  await writeBackup(file, { workspace, database: workspace.at('studio.sqlite'), weights: false })
  execFileSync('mkfifo', [pipe])
  const cli = fileURLToPath(new URL('../../cli.ts', import.meta.url))
  const restoring = spawn(process.execPath, [cli, 'studio', 'restore', pipe, '--workspace', place], { stdio: 'ignore' })
  const descriptor = openSync(pipe, 'r+')
  const bytes = readFileSync(file)
  writeSync(descriptor, bytes, 0, Math.min(60_000, bytes.length - 500))
  while (readdirSync(parent).every((name) => !existsSync(join(parent, name, 'runs')))) {
    assert.equal(restoring.exitCode, null)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  restoring.kill('SIGKILL')
  await once(restoring, 'exit')
  closeSync(descriptor)
  assert.ok(!existsSync(place))
  await restoreBackup(file, into(place))
  assert.deepEqual(readdirSync(parent), ['place'])
  await expectOpens(place, null, 8)
})
