import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { FileError } from '../../errors.ts'
import { hubCache } from './hub-cache.ts'
import { parseHubName } from './hub-name.ts'
import { resolveCheckpoint } from './resolve-checkpoint.ts'

const commit = 'a'.repeat(40)
let folder: string
let environment: NodeJS.ProcessEnv

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'resolve-'))
  environment = { ...process.env }
  process.env.HF_HUB_CACHE = join(folder, 'hub')
})
afterEach(() => {
  process.env = environment
  rmSync(folder, { recursive: true })
})

/** A model in the cache whose revisions stand for these commits. */
function cached(name: string, refs: Readonly<Record<string, string>>): string {
  const repository = join(folder, 'hub', `models--${name.replace('/', '--')}`)
  mkdirSync(join(repository, 'snapshots', commit), { recursive: true })
  for (const [revision, target] of Object.entries(refs)) {
    const ref = join(repository, 'refs', revision)
    mkdirSync(join(ref, '..'), { recursive: true })
    writeFileSync(ref, target)
  }
  return join(repository, 'snapshots', commit)
}

function refusal(name: string): string {
  let message = ''
  assert.throws(
    () => resolveCheckpoint(name),
    (error) => {
      assert.ok(error instanceof FileError)
      message = error.message
      return true
    },
  )
  assert.doesNotMatch(message, /\n/)
  return message
}

describe('resolveCheckpoint', () => {
  it('takes an existing folder as it is', () => {
    assert.equal(resolveCheckpoint(folder), folder)
  })

  it('finds a model in the cache by branch, by pull request and by commit', () => {
    const snapshot = cached('owner/name', { main: `${commit}\n`, 'refs/pr/1': commit })
    assert.equal(resolveCheckpoint('owner/name'), snapshot)
    assert.equal(resolveCheckpoint('owner/name@main'), snapshot)
    assert.equal(resolveCheckpoint('owner/name@refs/pr/1'), snapshot)
    assert.equal(resolveCheckpoint(`owner/name@${commit}`), snapshot)
  })

  it('says where it looked and how to download what is not there', () => {
    const message = refusal('owner/name')
    assert.ok(message.includes(join(folder, 'hub')))
    assert.match(message, /no such folder, and none in the cache — download it: attune model fetch owner\/name$/)
  })

  it('says which revisions are there', () => {
    cached('owner/name', { fp16: commit, 'refs/pr/1': commit, gone: 'b'.repeat(40), empty: '' })
    assert.match(refusal('owner/name@v2'), /only fp16, refs\/pr\/1 of it .* fetch owner\/name --revision v2$/)
    for (const revision of ['gone', 'empty', 'refs']) refusal(`owner/name@${revision}`)
  })

  it('refuses a path that is not there', () => {
    for (const path of ['./owner', 'a/b/c', '/no/such', '', 'word', '../up', 'owner/name@../..']) {
      assert.match(refusal(path), /received no such folder — check the path$/)
    }
  })

  it('refuses pickles, and says how to convert them', () => {
    for (const ending of ['ckpt', 'bin', 'pt', 'pth']) {
      const file = join(folder, `sd.${ending}`)
      writeFileSync(file, '')
      const message = refusal(file)
      assert.match(message, /received a pickle, which runs any code that it holds when it is read/)
      assert.ok(message.includes(`from_single_file('${file}').save_pretrained('${join(folder, 'sd')}', safe`))
    }
    const odd = join(folder, "a b's $(c).ckpt")
    writeFileSync(odd, '')
    assert.ok(refusal(odd).includes(`from_single_file('${folder}/a b\\x27s \\x24(c).ckpt')`), refusal(odd))
  })

  it('refuses any other file', () => {
    for (const name of ['notes.txt', 'sd.safetensors']) {
      const file = join(folder, name)
      writeFileSync(file, '')
      assert.match(refusal(file), /received a file — name the folder, or a model in one file/)
    }
  })
})

describe('the cache', () => {
  it('is where the environment says, or in the home folder', () => {
    assert.equal(hubCache(), join(folder, 'hub'))
    delete process.env.HF_HUB_CACHE
    process.env.HF_HOME = '/models'
    assert.equal(hubCache(), '/models/hub')
    delete process.env.HF_HOME
    process.env.XDG_CACHE_HOME = '/caches'
    assert.equal(hubCache(), '/caches/huggingface/hub')
    delete process.env.XDG_CACHE_HOME
    assert.equal(hubCache(), join(homedir(), '.cache/huggingface/hub'))
  })

  it('knows names of models from others', () => {
    assert.deepEqual(parseHubName('CompVis/stable-diffusion-v1-4'), {
      name: 'CompVis/stable-diffusion-v1-4',
      revision: 'main',
    })
    assert.deepEqual(parseHubName('a/b.c@x--y/z'), { name: 'a/b.c', revision: 'x--y/z' })
    for (const text of ['a', 'a/b/c', 'a/..', 'a/b--c', 'a/b@', 'a/b@../x', '-a/b', 'a b/c']) {
      assert.equal(parseHubName(text), undefined, text)
    }
  })
})
