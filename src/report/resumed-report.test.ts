/** A report that is killed again and again ends as one that was not. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openFeedback } from '../feedback/store/store.ts'
import { freshHead } from '../reward/heads/reward-head.ts'
import { rewardFileName, writeReward } from '../reward/reward-file.ts'
import { startRun } from '../run.ts'
import { openShapes } from '../shapes/open.ts'
import { useThreads } from '../tensor/library.ts'
import { Report } from './schema.ts'

const cli = fileURLToPath(new URL('../cli.ts', import.meta.url))
const killer = new URL('../policy/kill-at-write.test-helper.ts', import.meta.url).href
const folder = mkdtempSync(join(tmpdir(), 'attune-'))
const at = (name: string) => join(folder, name)
after(() => rmSync(folder, { recursive: true }))

/** Runs a command in a process that ends at its n-th change of a file; without n it says how many there were. */
function attune(words: string, killAt = 1e9) {
  const env = { ...process.env, KILL_AT: String(killAt) }
  return spawnSync(process.execPath, ['--import', killer, cli, ...words.split(' ')], {
    cwd: folder,
    encoding: 'utf8',
    env,
  })
}

before(async () => {
  useThreads(1)
  {
    await using _store = await openFeedback(at('feedback.sqlite'))
  }
  const { encoder } = openShapes()
  const nothing = { n: 0, accuracy: null, auc: null, clipScoreAuc: null, ece: null }
  using reward = startRun({
    folder: at('reward'),
    stage: 'reward train',
    config: {},
    parents: { feedback: at('feedback.sqlite') },
  })
  writeReward(reward.path(rewardFileName), freshHead('agreement', encoder.width, 1), encoder)
  reward.finish({ labels: 0, heldOut: nothing })
  writeFileSync(at('seen.txt'), 'two red circles\nthree green rings\n')
  writeFileSync(at('unseen.txt'), 'four blue crosses\n')
  const trained = attune(
    'policy dpok --prompts seen.txt --reward reward --steps 2 --images-drawn 4 --rollouts-per-iteration 4 --no-value --out dpok',
  )
  assert.equal(trained.status, 0, trained.stderr)
})

test('killed in the middle and before its end, and gone on with', () => {
  const report =
    'report --reward reward --policies kl-01=dpok --seen seen.txt --unseen unseen.txt --images-per-prompt 4 --best-of 2 --kl-rollouts 3 --steps 2'
  const whole = attune(`${report} --out whole`)
  assert.equal(whole.status, 0, whole.stderr)
  const changes = Number(/(\d+)$/.exec(whole.stdout)![1])
  // Those that draw beside it end when it does.
  for (const killAt of [Math.floor(changes / 2), changes - 4]) {
    const killed = attune(`${report} --resume --out killed`, killAt)
    assert.notEqual(killed.status, 0, `${killAt} of ${changes}`)
    assert.ok(!existsSync(at('killed/manifest.json')), `${killAt} of ${changes}`)
  }
  const resumed = attune(`${report} --resume --out killed`)
  assert.equal(resumed.status, 0, resumed.stderr)
  const [expected, found] = ['whole', 'killed'].map((name) => withoutTimes(at(`${name}/report.json`)))
  assert.deepEqual(found, expected)
  assert.ok(!existsSync(at('killed/parts')))
})

test('judgments that have moved are told before anything is drawn', () => {
  renameSync(at('feedback.sqlite'), at('moved.sqlite'))
  const refused = attune(
    'report --reward reward --policies dpok --seen seen.txt --unseen unseen.txt --steps 2 --out none',
  )
  renameSync(at('moved.sqlite'), at('feedback.sqlite'))
  assert.match(refused.stderr, /feedback\.sqlite: expected a feedback store, received no such file — check the path/)
  assert.doesNotMatch(refused.stderr, /images/)
  assert.ok(!existsSync(at('none')))
})

function withoutTimes(file: string): Report {
  const report = Report.parse(JSON.parse(readFileSync(file, 'utf8')))
  report.seconds = 0
  for (const policy of report.policies) policy.seconds = 0
  delete report.details!.stages
  return report
}
