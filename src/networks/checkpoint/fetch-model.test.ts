import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { startHub, type TestHub } from '../../../test/hub.test-helper.ts'
import { ConfigError, DownloadError, FileError, FormatError, RunInUseError } from '../../errors.ts'
import { writeTinyImageReward } from '../blip/tiny-image-reward.test-helper.ts'
import { FetchConfig, fetchModel } from './fetch-model.ts'
import { resolveCheckpoint } from './resolve-checkpoint.ts'

const name = 'owner/name'
const unet = 'unet/diffusion_pytorch_model.safetensors'
const weights = randomBytes(300_000)
const weightsHash = createHash('sha256').update(weights).digest('hex')
const index = { _class_name: 'StableDiffusionPipeline', unet: ['diffusers', 'U'], tokenizer: ['transformers', 'T'] }
const files = new Map<string, Buffer>([
  ['README.md', Buffer.from('# Model')],
  ['model.ckpt', Buffer.from('pickle')],
  ['model_index.json', Buffer.from(JSON.stringify(index))],
  ['safety_checker/model.safetensors', Buffer.from('unused')],
  ['tokenizer/merges.txt', Buffer.from('#version: 0.2\n')],
  ['tokenizer/vocab.json', Buffer.alloc(0)],
  ['unet/config.json', Buffer.from('{"sample_size": 64}')],
  ['unet/diffusion_pytorch_model.bin', Buffer.from('pickle')],
  ['unet/diffusion_pytorch_model.fp16.safetensors', randomBytes(1000)],
  [unet, weights],
])
const wanted = [
  'README.md',
  'model_index.json',
  'tokenizer/merges.txt',
  'tokenizer/vocab.json',
  'unet/config.json',
  unet,
]

let folder: string
let hub: TestHub
let environment: NodeJS.ProcessEnv

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fetch-'))
  hub = await startHub(name, files)
  environment = { ...process.env }
  for (const variable of ['HF_TOKEN', 'HF_HUB_CACHE', 'HF_HUB_OFFLINE']) delete process.env[variable]
  process.env.HF_HOME = folder
  process.env.HF_ENDPOINT = hub.endpoint
})
afterEach(async () => {
  process.env = environment
  await hub[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

const fetched = (settings = {}) => fetchModel(FetchConfig.parse({ model: name, ...settings }))
const repository = () => join(folder, 'hub', 'models--owner--name')
const blobs = () => readdirSync(join(repository(), 'blobs'))
const partial = () => blobs().find((blob) => blob.endsWith('.incomplete'))
const forWeights = () => hub.requests.filter(({ host }) => host === 'storage')

async function refused(kind: abstract new (...values: never[]) => Error, line: RegExp, settings = {}): Promise<void> {
  await assert.rejects(fetched(settings), (error) => {
    assert.ok(error instanceof kind, String(error))
    assert.match(error.message, line)
    assert.doesNotMatch(error.message, /\n/)
    return true
  })
}

/** What the partial file would be if the connection had broken. */
function leavePartial(content: Buffer): void {
  mkdirSync(join(repository(), 'blobs'), { recursive: true })
  writeFileSync(join(repository(), 'blobs', `${weightsHash}.incomplete`), content)
}
describe('fetchModel', () => {
  it('brings what is needed into the cache, where resolveCheckpoint finds it', async () => {
    const snapshot = await fetched()
    assert.equal(snapshot, join(repository(), 'snapshots', hub.commit))
    assert.equal(resolveCheckpoint(name), snapshot)
    assert.equal(readFileSync(join(repository(), 'refs', 'main'), 'utf8'), hub.commit)
    const found = (readdirSync(snapshot, { recursive: true }) as string[]).filter((path) => path.includes('.'))
    assert.deepEqual(found.sort(), [...wanted].sort())
    for (const path of wanted) assert.deepEqual(readFileSync(join(snapshot, path)), files.get(path), path)
    assert.equal(readlinkSync(join(snapshot, unet)), `../../../blobs/${weightsHash}`)
    assert.equal(blobs().length, wanted.length)
    assert.deepEqual(readdirSync(join(folder, 'hub', '.locks', 'models--owner--name')), [])
    assert.ok(hub.requests.every(({ authorization }) => authorization === undefined))
  })

  it('downloads nothing twice', async () => {
    await fetched()
    const before = hub.requests.length
    await fetched()
    assert.deepEqual(
      hub.requests.slice(before).filter(({ url }) => !url.startsWith('/api/')),
      [],
    )
    await fetched({ variant: 'fp16' })
    assert.equal(forWeights().length, 2)
  })

  it('takes pull requests and commits, which need no ref', async () => {
    const snapshot = await fetched({ revision: 'refs/pr/1' })
    assert.equal(resolveCheckpoint('owner/name@refs/pr/1'), snapshot)
    rmSync(join(repository(), 'refs'), { recursive: true })
    assert.equal(await fetched({ revision: hub.commit }), snapshot)
    assert.equal(existsSync(join(repository(), 'refs')), false)
  })

  it('takes ImageReward with its vocabulary, which is all that is taken of a BERT', async () => {
    const [bert, imageReward] = ['google-bert/bert-base-uncased', 'RE-N-Y/ImageReward']
    const filesOf = (files: Record<string, Buffer | string>) =>
      new Map(Object.entries(files).map(([path, content]) => [path, Buffer.from(content)]))
    const tiny = readFileSync(join(writeTinyImageReward(join(folder, 'tiny')), 'model.safetensors'))
    const config = '{"model_type": "bert"}'
    const others = { 'pytorch_model.bin': 'pickle', 'README.md': '#' }
    const ofBert = { 'config.json': config, 'vocab.txt': '[PAD]', 'model.safetensors': randomBytes(99), ...others }
    await using one = await startHub(bert, filesOf(ofBert))
    await using other = await startHub(imageReward, filesOf({ 'config.json': '{}', 'model.safetensors': tiny, ...others })) // prettier-ignore
    const both = createServer(({ url }, response) => {
      const { endpoint } = url!.includes(bert) ? one : other
      response.writeHead(307, { location: endpoint + url }).end()
    })
    await once(both.listen(0, '127.0.0.1'), 'listening')
    process.env.HF_ENDPOINT = `http://127.0.0.1:${(both.address() as AddressInfo).port}`
    const fetched = async (model: string) => readdirSync(await fetchModel(FetchConfig.parse({ model }))).sort()
    try {
      assert.deepEqual(await fetched(imageReward), ['README.md', 'config.json', 'model.safetensors'])
      assert.deepEqual(readdirSync(resolveCheckpoint(bert)).sort(), ['config.json', 'vocab.txt'])
      const before = one.requests.length
      await fetched(imageReward)
      assert.equal(one.requests.length, before)
      assert.deepEqual(await fetched(bert), ['config.json', 'vocab.txt'])
    } finally {
      both.close()
    }
  })

  it('says where a copy of ImageReward is that can be read', async () => {
    const published = { 'ImageReward.pt': Buffer.from('pickle'), 'med_config.json': Buffer.from('{}') }
    await using own = await startHub('THUDM/ImageReward', new Map(Object.entries(published)))
    process.env.HF_ENDPOINT = own.endpoint
    await refused(ConfigError, /only pickles, .* fetch the converted copy: attune model fetch RE-N-Y\/ImageReward/, {
      model: 'THUDM/ImageReward',
    })
  })

  it('takes a model that is no pipeline, and the same content under two names once', async () => {
    await using other = await startHub(
      'o/clip',
      new Map([
        ['config.json', Buffer.from('{}')],
        ['model.safetensors', weights],
        ['vocab.json', Buffer.from('{}')],
      ]),
    )
    process.env.HF_ENDPOINT = `${other.endpoint}/`
    const snapshot = await fetched({ model: 'o/clip' })
    assert.deepEqual(readdirSync(snapshot).sort(), ['config.json', 'model.safetensors', 'vocab.json'])
    assert.equal(other.requests.filter(({ url }) => url.startsWith('/cache/')).length, 1)
  })

  it('replaces a copy that another program put where a link belongs', async () => {
    const snapshot = join(repository(), 'snapshots', hub.commit)
    mkdirSync(join(snapshot, 'unet'), { recursive: true })
    writeFileSync(join(snapshot, unet), 'torn')
    await fetched()
    assert.ok(lstatSync(join(snapshot, unet)).isSymbolicLink())
    assert.deepEqual(readFileSync(join(snapshot, unet)), weights)
  })

  it('goes on when the connection breaks, as long as something comes', async () => {
    hub.faults.cutAfter = new Map([[unet, 100_000]])
    const snapshot = await fetched()
    assert.deepEqual(readFileSync(join(snapshot, unet)), weights)
    const ranges = forWeights().map(({ range }) => range)
    assert.equal(ranges[0], undefined)
    assert.ok(ranges.length >= 3 && ranges.slice(1).every((range) => /^bytes=\d+-$/.test(range!)), ranges.join())
    assert.ok(forWeights().every(({ encoding }) => encoding === 'identity'))
  })

  it('goes on where an earlier download stopped', async () => {
    leavePartial(weights.subarray(0, 123_456))
    hub.faults.cutAfter = new Map([[unet, 0]])
    await refused(
      DownloadError,
      /^unet\/\S+: expected 176544 more of 300000 bytes, received .* goes on where it stopped/,
    )
    assert.equal(existsSync(join(repository(), 'snapshots')), false)
    assert.throws(() => resolveCheckpoint(name), FileError)
    delete hub.faults.cutAfter
    await fetched()
    assert.equal(forWeights().at(-1)!.range, 'bytes=123456-')
    assert.deepEqual(readFileSync(join(resolveCheckpoint(name), unet)), weights)
  })

  it('goes on after it was killed; meanwhile no other process downloads the model', async () => {
    hub.faults.stallAfter = new Map([[unet, 200_000]])
    const script = `
      import { fetchModel } from ${JSON.stringify(new URL('fetch-model.ts', import.meta.url).href)}
      await fetchModel({ model: '${name}', revision: 'main', variant: null })`
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: 'inherit' })
    const ended = once(child, 'exit')
    const blob = join(repository(), 'blobs', `${weightsHash}.incomplete`)
    while (child.exitCode === null && (statSync(blob, { throwIfNoEntry: false })?.size ?? 0) < 200_000)
      await setTimeout(20)
    await refused(RunInUseError, /received one that process \d+ is writing/)
    child.kill('SIGKILL')
    await ended
    delete hub.faults.stallAfter
    await fetched()
    assert.equal(forWeights().at(-1)!.range, 'bytes=200000-')
    assert.deepEqual(readFileSync(join(resolveCheckpoint(name), unet)), weights)
  })

  it('begins again where the storage cannot go on, or where too much is there', async () => {
    leavePartial(weights.subarray(0, 1000))
    hub.faults.ignoresRange = true
    await fetched()
    rmSync(repository(), { recursive: true })
    leavePartial(Buffer.alloc(weights.length + 1))
    await fetched()
    assert.deepEqual(readFileSync(join(resolveCheckpoint(name), unet)), weights)
    assert.equal(forWeights().at(-1)!.range, undefined)
  })

  it('finishes a partial file that is whole without asking for it', async () => {
    leavePartial(weights)
    await fetched()
    assert.deepEqual(forWeights(), [])
  })

  it('replaces a whole file of the wrong size', async () => {
    mkdirSync(join(repository(), 'blobs'), { recursive: true })
    writeFileSync(join(repository(), 'blobs', weightsHash), 'torn')
    assert.deepEqual(readFileSync(join(await fetched(), unet)), weights)
  })

  it('refuses and removes what is not as announced', async () => {
    hub.faults.other = new Map([['unet/config.json', Buffer.from('{"sample_size": 65}')]])
    await refused(DownloadError, /^unet\/config.json: expected the hash [0-9a-f]{40}, received/)
    const changed = Buffer.from(weights)
    changed[5] ^= 1
    hub.faults.other = new Map([[unet, changed]])
    await refused(
      DownloadError,
      /^unet\/\S+: expected the hash [0-9a-f]{64}, received [0-9a-f]{64} — what came was removed/,
    )
    assert.equal(partial(), undefined)
    hub.faults.other = new Map([[unet, Buffer.concat([weights, weights])]])
    await refused(DownloadError, /^unet\/\S+: expected 300000 bytes, received more/)
    assert.equal(partial(), undefined)
    hub.faults.other = new Map([[unet, weights.subarray(0, 10)]])
    await refused(DownloadError, /^unet\/\S+: expected 299990 more of 300000 bytes, received the end after 10/)
  })

  it('puts nothing outside of the cache, whatever names a hub tells', async () => {
    const place = join(folder, 'config.json')
    for (const part of ['../../../../..', folder]) {
      writeFileSync(place, 'mine')
      const parts = { ...index, [part]: ['diffusers', 'U'] }
      // Of a content that is there by another name nothing would be asked for.
      const told = new Map([...files, ['model_index.json', Buffer.from(JSON.stringify(parts))], [`${part}/config.json`, files.get('unet/config.json')!]]) // prettier-ignore
      await using hostile = await startHub(name, told)
      process.env.HF_ENDPOINT = hostile.endpoint
      await refused(FormatError, /config\.json: expected a name below its folder/)
      assert.equal(readFileSync(place, 'utf8'), 'mine', part)
    }
  })

  it('sends a token nowhere where all could read it', async () => {
    process.env.HF_TOKEN = 'hf_member'
    process.env.HF_ENDPOINT = 'http://hub.example'
    await refused(ConfigError, /^HF_ENDPOINT: expected an address with https:.*received http:\/\/hub\.example/)
  })

  it('opens gated models with a token, which only the hub sees', async () => {
    hub.faults.gated = true
    await refused(DownloadError, /^owner\/name: expected access to this gated model, received 401 .* then set HF_TOKEN/)
    process.env.HF_TOKEN = 'hf_stranger'
    await refused(
      DownloadError,
      /received 403 .* — accept the licence at \S+\/owner\/name with the account of HF_TOKEN/,
    )
    process.env.HF_TOKEN = 'hf_member'
    hub.requests.length = 0
    await fetched()
    for (const { host, authorization } of hub.requests) {
      assert.equal(authorization, host === 'hub' ? 'Bearer hf_member' : undefined)
    }
    assert.equal(forWeights().length, 1)
  })

  it('says what the hub refuses', async () => {
    await refused(DownloadError, /^owner\/none: .* received 401 Invalid username or password. — check the name/, {
      model: 'owner/none',
    })
    await refused(DownloadError, /expected a branch, tag or commit .* received 404 Invalid rev id: v9/, {
      revision: 'v9',
    })
    hub.faults.status = 404
    await refused(DownloadError, /expected a model of this name, received 404 Not Found/)
    hub.faults.status = 503
    await refused(DownloadError, /expected an answer of the hub, received 503 Service Unavailable — run it again later/)
    delete hub.faults.status
    hub.faults.storageStatus = 403
    await refused(DownloadError, /^http:\/\/127\S+: expected a file, received 403 Forbidden/)
    hub.faults.circle = true
    await refused(DownloadError, /received more than 10 redirects/)
    hub.faults.sentTo = 'http://['
    await refused(DownloadError, /expected an answer of the hub, received 307 Temporary Redirect/)
  })

  it('says when something else answers', async () => {
    hub.faults.text = '<html>'
    await refused(DownloadError, /expected the answer of a Hugging Face hub, received .* check HF_ENDPOINT/)
    hub.faults.text = '{"sha": "../.."}'
    await refused(DownloadError, /expected the answer of a Hugging Face hub, received Invalid string/)
    hub.faults.text = ' '.repeat(17 * 2 ** 20)
    await refused(DownloadError, /expected the answer of a Hugging Face hub, received an answer of more than 16777216/)
  })

  it('says when nothing answers', async () => {
    const { endpoint } = hub
    await hub[Symbol.asyncDispose]()
    for (const host of ['127.0.0.1', 'localhost']) {
      process.env.HF_ENDPOINT = endpoint.replace('127.0.0.1', host)
      await refused(
        DownloadError,
        /^http:\/\/\S+: expected an answer, received .*ECONNREFUSED.* — check the network; behind/,
      )
    }
    hub = await startHub(name, files)
  })

  it('never goes online when told not to', async () => {
    process.env.HF_HUB_OFFLINE = '1'
    await refused(ConfigError, /^HF_HUB_OFFLINE: expected nothing, or 0, to download, received 1/)
    assert.deepEqual(hub.requests, [])
    process.env.HF_HUB_OFFLINE = '0'
    await fetched()
  })

  it('refuses an endpoint that is no address', async () => {
    for (const endpoint of ['huggingface.co', 'file:///etc']) {
      process.env.HF_ENDPOINT = endpoint
      await refused(ConfigError, /^HF_ENDPOINT: expected an address/)
    }
  })

  it('says how much space is missing before it downloads', async () => {
    hub.faults.announced = new Map([[unet, 9e15]])
    await refused(
      FileError,
      /models--owner--name: expected 9000000.0 GB of free space, received \d+\.\d GB — free some/,
    )
    assert.deepEqual(forWeights(), [])
  })

  it('keeps what came when the disk is full', { skip: !existsSync('/dev/full') }, async () => {
    mkdirSync(join(repository(), 'blobs'), { recursive: true })
    symlinkSync('/dev/full', join(repository(), 'blobs', `${weightsHash}.incomplete`))
    await refused(
      FileError,
      /incomplete: expected a place that can be written, received a full disk — .* it goes on where/,
    )
    assert.notEqual(partial(), undefined)
  })

  it('says when the cache cannot be written', async () => {
    writeFileSync(join(folder, 'file'), '')
    process.env.HF_HUB_CACHE = join(folder, 'file')
    await refused(FileError, /blobs: expected a place that can be written, received a file where a folder should be/)
  })
})

describe('FetchConfig', () => {
  it('takes names of models and revisions only', () => {
    assert.deepEqual(FetchConfig.parse({ model: name }), { model: name, revision: 'main', variant: null })
    for (const wrong of [{ model: 'name' }, { model: '../..' }, { model: name, revision: '../x' }]) {
      assert.equal(FetchConfig.safeParse(wrong).success, false)
    }
  })
})
