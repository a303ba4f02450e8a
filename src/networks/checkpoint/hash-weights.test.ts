import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { FileError } from '../../errors.ts'
import { hashWeights } from './hash-weights.ts'

const sha256 = (content: string | Buffer) => createHash('sha256').update(content).digest('hex')

let folder: string
before(() => void (folder = mkdtempSync(join(tmpdir(), 'hash-'))))
after(() => rmSync(folder, { recursive: true }))

function write(path: string, content: string | Buffer): string {
  const file = join(folder, path)
  mkdirSync(join(file, '..'), { recursive: true })
  writeFileSync(file, content)
  return file
}

describe('hashWeights', () => {
  it('hashes the hashes in the order of the names', () => {
    const large = Buffer.alloc(2 ** 22 + 5, 'large')
    const files = [write('b/model.safetensors', 'second'), write('b/a.safetensors', large)]
    assert.equal(hashWeights(files), sha256(`${sha256(large)}\n${sha256('second')}\n`))
    assert.equal(hashWeights([...files].reverse()), hashWeights(files))
  })

  it('does not depend on the order of files of one name', () => {
    const files = [write('unet/model.safetensors', 'unet'), write('vae/model.safetensors', 'vae')]
    assert.equal(hashWeights([...files].reverse()), hashWeights(files))
    assert.notEqual(hashWeights(files), hashWeights(files.slice(1)))
  })

  it('takes the hash of a large file of the cache from its name', () => {
    const blob = write(`blobs/${sha256('weights')}`, 'not read')
    const file = join(folder, 'model.safetensors')
    symlinkSync(blob, file)
    assert.equal(hashWeights([file]), sha256(`${sha256('weights')}\n`))
  })

  it('names a file that cannot be read', () => {
    assert.throws(() => hashWeights([join(folder, 'none.safetensors')]), FileError)
    assert.throws(() => hashWeights([folder]), FileError)
  })
})
