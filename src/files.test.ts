import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { FormatError } from './errors.ts'
import { placeInside } from './files.ts'

let root: string
let folder: string

before(() => {
  root = mkdtempSync(join(tmpdir(), 'attune-files-'))
  folder = join(root, 'run')
  mkdirSync(join(folder, 'images'), { recursive: true })
  mkdirSync(join(root, 'run-beside'))
  writeFileSync(join(root, 'victim'), 'kept')
})
after(() => rmSync(root, { recursive: true }))

test('a name below the folder is joined to it, whether it is there or not', () => {
  for (const name of ['images', 'images/000000.png', 'a/b/c.png', './x.png', 'a/../x.png', '..x', 'x..']) {
    assert.equal(placeInside(folder, name, 'list:1'), join(folder, name))
  }
  assert.equal(placeInside(join(root, 'not-there'), 'x/y', 'list:1'), join(root, 'not-there/x/y'))
})

test('names that leave the folder are refused with what named them', () => {
  const names = ['', '.', './', '..', '../victim', 'images/../../victim', '/etc/hostname', 'a/../..', '\\\\host\\share']
  for (const name of [
    ...names,
    'C:\\x',
    'C:x',
    'c:/x',
    '..\\victim',
    'images\\..\\..\\victim',
    'x\0.png',
    '../run-beside/x',
  ]) {
    assert.throws(
      () => placeInside(folder, name, 'images.jsonl:3 file'),
      (error: unknown) => {
        assert.ok(error instanceof FormatError, name)
        assert.equal(error.where, 'images.jsonl:3 file')
        return true
      },
    )
  }
})

test('a link out of the folder is refused, one within it is not', () => {
  symlinkSync('..', join(folder, 'up'))
  symlinkSync('../victim', join(folder, 'out.png'))
  symlinkSync('../run-beside', join(folder, 'beside'))
  symlinkSync('images', join(folder, 'within'))
  symlinkSync('../not-there', join(folder, 'dangling'))
  symlinkSync('round', join(folder, 'round'))
  for (const name of [
    'up/victim',
    'up',
    'out.png',
    'beside',
    'beside/new.png',
    'dangling',
    'dangling/x',
    'round',
    'x'.repeat(300),
  ]) {
    assert.throws(() => placeInside(folder, name, 'list:1'), FormatError, name)
  }
  assert.equal(placeInside(folder, 'within/x.png', 'list:1'), join(folder, 'within/x.png'))
})
