import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, describe, it } from 'node:test'
import { Worker } from 'node:worker_threads'
import { ConfigError, FormatError, RewardError, UnreachableError } from '../../errors.ts'
import { scriptBeside } from '../../script-beside.ts'
import { rand } from '../../tensor/create.ts'
import { Generator } from '../../tensor/generator.ts'
import { tensorScope } from '../../tensor/scope.ts'
import { holdsSecrets } from '../http/address.ts'
import { tokenVariable } from '../http/protocol.ts'
import { openHttpReward } from './http-reward.ts'

const quick = { timeoutMs: 20_000, retries: 2, firstWaitMs: 1 }
const servers = new Worker(scriptBeside(import.meta.url, '../http/odd-server.test-helper'))
let address = ''
before(async () => {
  const [port] = (await once(servers, 'message')) as [number]
  address = `http://127.0.0.1:${port}`
})
after(() => servers.terminate())

/** Scores of small pictures, of which these servers give the number that a prompt is. */
function scored(kind: string, texts: readonly string[] = ['0.5', '-1', '1.25'], patience = quick): number[] {
  using _scope = tensorScope()
  const reward = openHttpReward(`${address}/${kind}/score`, patience)
  return reward.score(rand([texts.length, 3, 4, 6], new Generator(1)), texts).toArray()
}
const refused = (kind: string, error: new (...given: never[]) => Error, message: RegExp, texts?: readonly string[]) =>
  assert.throws(
    () => scored(kind, texts),
    (thrown: Error) => thrown instanceof error && message.test(thrown.message),
    kind,
  )

describe('a reward over HTTP', () => {
  it('gives the numbers of its server in their order, a batch at a time', () => {
    assert.deepEqual(scored('good'), [0.5, -1, 1.25])
    assert.deepEqual(scored('sizes', ['', '', '', '', '']), [2, 2, 2, 2, 1])
  })

  it('is what its server says that it is', () => {
    const { name, sha256, range, isWithinPrompt, server } = openHttpReward(`${address}/good/score`, quick)
    assert.deepEqual([name, sha256, range, isWithinPrompt], [`${address}/good/score`, 'of good', [-2, 2], true])
    assert.equal(server?.name, 'good')
    const silent = openHttpReward(`${address}/silent/score`, quick)
    assert.deepEqual([silent.range, silent.isWithinPrompt, silent.server], [undefined, undefined, undefined])
    assert.match(silent.sha256, /^http [0-9a-f]{64}$/)
    assert.deepEqual(scored('silent'), [0.5, -1, 1.25])
  })

  it('asks again where a server is busy or drops the line, and not where it says no', () => {
    assert.deepEqual(scored('busy'), [0.5, -1, 1.25])
    assert.deepEqual(scored('dropping'), [0.5, -1, 1.25])
    refused('broken', UnreachableError, /status 500: it broke/)
    refused('refusing', FormatError, /status 400: no such prompt/)
    refused('closed', ConfigError, /ATTUNE_REWARD_TOKEN/)
    assert.throws(() => scored('mute', ['1'], { ...quick, timeoutMs: 50 }), {
      name: UnreachableError.name,
      received: 'no answer in 0.05 s, 3 times',
    })
    assert.throws(() => openHttpReward('http://127.0.0.1:1/score', quick), {
      name: UnreachableError.name,
      received: /, 3 times/,
    })
  })

  it('follows no redirect, and reads no more than an answer can have', () => {
    refused('redirect', FormatError, /a redirect, which is not followed/)
    refused('moved', FormatError, /a redirect/)
    refused('huge', UnreachableError, /an answer of more than \d+ bytes/)
    refused('endless', UnreachableError, /an answer of more than \d+ bytes/)
  })

  it('names the image that has no number, or another than there can be', () => {
    refused('errors', RewardError, /image 2 of 2 \("-1"\): .*received too dark/)
    refused('good', RewardError, /image 1 of 1 \("7"\): expected a score from -2 to 2, received 7/, ['7'])
    refused('silent', RewardError, /image 1 of 1 .*received 1e\+300/, ['1e300'])
    refused('short', FormatError, /scores: expected one for each of 2 images, received 1/)
    refused('nan', FormatError, /JSON has no NaN/, ['1'])
    refused('text', FormatError, /score scores\.0/)
    refused('page', FormatError, /info: expected JSON/)
  })

  it('notices another reward in the place of its own', () => {
    refused('another', RewardError, /the reward another, as before, received another/)
  })

  it('sends the token of the environment, and takes none by its address', () => {
    assert.deepEqual(scored('auth', ['1']), [0])
    process.env[tokenVariable] = 't0ken'
    try {
      assert.deepEqual(scored('auth', ['1']), [1])
    } finally {
      delete process.env[tokenVariable]
    }
    for (const name of [
      'http://me:secret@host/score',
      'https://secret@host',
      'http://host/score?key=secret',
      'http://h/#s',
    ]) {
      assert.ok(holdsSecrets(name) && holdsSecrets(`redness=1,${name}=2`) && holdsSecrets(`min("${name}",b)`))
      assert.throws(
        () => openHttpReward(name, quick),
        (error: Error) => error instanceof ConfigError && !error.message.includes('secret'),
      )
    }
    assert.ok(!holdsSecrets('http://h:1/score=1,me@x=2') && !holdsSecrets('a?b@c'))
    assert.throws(() => openHttpReward('http://', quick), ConfigError)
  })
})
