/** The command itself, against a hub that keeps to the protocol. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, test } from 'node:test'
import { UploadError } from '../errors.ts'
import { open } from '../open.ts'
import { addReward, addTrainedPolicy } from './policy-run.test-helper.ts'
import { startPublishHub, type PublishHub } from './publish-hub.test-helper.ts'
import { PublishConfig, publishPolicy } from './publish-policy.ts'

const folder = mkdtempSync(join(tmpdir(), 'attune-publish-test-'))
const policy = join(folder, 'dpok-1')
const repository = 'me/my-lora'
const lora = 'pytorch_lora_weights.safetensors'
let hub: PublishHub

before(async () => {
  hub = await startPublishHub('me')
  addReward(join(folder, 'reward-1'))
  addTrainedPolicy(policy, { reward: join(folder, 'reward-1'), model: 'owner/base' })
  process.env.HF_TOKEN = hub.token
})
after(async () => {
  delete process.env.HF_TOKEN
  await hub[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})
afterEach(() => {
  for (const kept of [hub.repositories, hub.objects, hub.faults]) kept.clear()
  hub.requests.length = 0
  hub.partBytes = undefined
})

const publish = (given: object = {}) =>
  publishPolicy(PublishConfig.parse({ policy, repository, endpoint: hub.endpoint, yes: true, ...given }), open)

test('a policy goes out with its card, private, in one commit', async () => {
  assert.equal(await publish(), `${hub.endpoint}/${repository}/commit/1`)
  const { private: isPrivate, files, commits } = hub.repositories.get(repository)!
  assert.deepEqual([isPrivate, commits, [...files.keys()].sort()], [true, 1, ['README.md', lora]])
  const card = files.get('README.md')!.toString()
  assert.match(card, /^---\nbase_model: "owner\/base"/)
  assert.match(card, /load_lora_weights\("me\/my-lora", weight_name="pytorch_lora_weights\.safetensors"\)/)
  assert.equal(hub.objects.size, 1)
  assert.ok(files.get(lora)!.includes('lora_A.weight'))
  assert.deepEqual(hub.requests, [
    'POST /api/repos/create',
    'POST /api/models/me/my-lora/preupload/main',
    'POST /me/my-lora.git/info/lfs/objects/batch',
    'PUT storage',
    'POST /me/my-lora/verify',
    'POST /api/models/me/my-lora/commit/main',
  ])
})

test('large files go in parts where the hub asks for it, and one that it has is not sent again', async () => {
  hub.partBytes = 300
  hub.faults.set('/commit/', { status: 503 })
  await assert.rejects(publish(), /503 a fault — run it again: what has arrived is not sent again/)
  assert.ok(hub.requests.filter((line) => line === 'PUT storage').length > 3)
  hub.faults.clear()
  hub.requests.length = 0
  await publish()
  assert.ok(!hub.requests.includes('PUT storage'), hub.requests.join())
  assert.equal(hub.repositories.get(repository)!.files.size, 2)
})

test('a repository that everybody can see is left alone, unless that is wanted', async () => {
  await publish({ private: false })
  assert.equal(hub.repositories.get(repository)!.private, false)
  await assert.rejects(publish(), /expected a private repository, or none yet, received one that everybody can see/)
  assert.equal(hub.repositories.get(repository)!.commits, 1)
  await publish({ private: false, form: 'kohya' })
  assert.ok(hub.repositories.get(repository)!.files.has('dpok-1.safetensors'))
})

test('every refusal says what to do, and none shows the token', async () => {
  await publish()
  const [oid] = hub.objects.keys()
  for (const kept of [hub.repositories, hub.objects]) kept.clear()
  const sendTo = (href: string, header = {}) => ({
    status: 200,
    text: JSON.stringify({ objects: [{ oid, actions: { upload: { href, header } } }] }),
  })
  for (const [part, fault, told] of [
    ['/create', { status: 401 }, /401 a fault — set HF_TOKEN to a token that may write/],
    ['/create', { status: 403 }, /403 a fault — check that me is your account/],
    ['/preupload/', { status: 404 }, /404 .* — check me\/my-lora and --endpoint/],
    ['/batch', { status: 429, headers: { 'retry-after': '60' } }, /429 a fault, retry after 60 — .*wait as long/],
    ['PUT storage', { status: 413, text: '' }, /413 Payload Too Large — the hub takes no file/],
    ['/commit/', { status: 409 }, /409 a fault — somebody else changed me\/my-lora meanwhile/],
    ['/commit/', { status: 500, text: `<p>Bearer ${hub.token}` }, /500 Internal Server Error/],
    ['/commit/', { status: 400, text: JSON.stringify({ error: `no ${hub.token}` }) }, /400 no …/],
    ['/batch', { status: 200, text: '<html>' }, /expected the answer of a Hugging Face hub/],
    ['/batch', { status: 200, text: ' '.repeat(17 * 2 ** 20) }, /expected the answer of a Hugging Face hub/],
    ['/commit/', { status: 400, text: ' '.repeat(17 * 2 ** 20) }, /400 Bad Request/],
    ['/create', { status: 307, headers: { location: 'http://127.0.0.1:1/' } }, /it has moved/],
    ['/batch', sendTo('http://['), /received http:\/\/\[ as an address to send to — check --endpoint/],
    ['/batch', sendTo('data:text/plain,x'), /received data:\S+ as an address to send to/],
    ['/batch', sendTo('http://storage.example/x'), /received http:\S+ as an address to send to/],
    ['/batch', sendTo('/x', { 'a b': 'c' }), /the answer of a Hugging Face hub, received .*a b/],
    ['/batch', sendTo('/x', { chunk_size: '100000', 1: 'http://[' }), /as an address to send to/],
  ] as const) {
    hub.faults.set(part, fault)
    await assert.rejects(publish(), (error) => {
      assert.ok(error instanceof UploadError, String(error))
      assert.match(error.message, told)
      assert.ok(!error.message.includes(hub.token), error.message)
      return true
    })
    hub.faults.clear()
    hub.repositories.clear()
    hub.objects.clear()
  }
  await assert.rejects(publish({ repository: 'somebody/else' }), /403 You don't have the rights.*check that somebody/)
})

test('what could give the token away is refused before anything is sent', async () => {
  for (const [endpoint, told] of [
    ['http://hub.example', /--endpoint: expected an address with https:\/\//],
    ['https://user:secret@hub.example', /received one with a name or a password/],
    ['ftp://hub.example', /expected an address such as/],
    ['hub', /expected an address such as/],
  ] as const) {
    await assert.rejects(publish({ endpoint }), told)
  }
  process.env.HF_TOKEN = ''
  await assert.rejects(publish(), /HF_TOKEN: expected a token of the hub that may write, received nothing/)
  process.env.HF_TOKEN = hub.token
  process.env.HF_HUB_OFFLINE = '1'
  await assert.rejects(publish(), /HF_HUB_OFFLINE: expected nothing, or 0, to publish/)
  delete process.env.HF_HUB_OFFLINE
  assert.deepEqual(hub.requests, [])
})

test('the command lists first, and sends nothing without a yes', async () => {
  const run = (...words: string[]) =>
    new Promise<{ status: number | null; out: string; told: string }>((done) => {
      const child = spawn(
        process.execPath,
        ['src/cli.ts', 'policy', 'publish', policy, repository, '--endpoint', hub.endpoint, ...words],
        {
          stdio: ['ignore', 'pipe', 'pipe'],
        },
      )
      let [out, told] = ['', '']
      child.stdout.on('data', (text) => (out += String(text)))
      child.stderr.on('data', (text) => (told += String(text)))
      child.on('close', (status) => done({ status, out, told }))
    })
  const [unasked, dry] = await Promise.all([run(), run('--dry-run')])
  assert.equal(unasked.status, 2)
  assert.match(unasked.told, /no terminal to ask at — look at the list above, and say --yes/)
  assert.equal(dry.status, 0)
  assert.equal(dry.out, `${hub.endpoint}/${repository}\n`)
  assert.match(
    dry.told,
    new RegExp(
      `README\\.md {2}\\d+ bytes {2}sha256 [0-9a-f]{64}\\n${lora} {2}\\d+ bytes[\\s\\S]*2 files, \\d+ bytes, to .* \\(private\\)`,
    ),
  )
  assert.deepEqual(hub.requests, [])
  for (const { out, told } of [unasked, dry]) assert.ok(!(out + told).includes(hub.token))
  assert.ok(!readFileSync(join(policy, 'config.json'), 'utf8').includes(hub.token))
})
