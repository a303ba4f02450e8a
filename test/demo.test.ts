import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Report } from '../src/report/schema.ts'

const cli = fileURLToPath(new URL('../src/cli.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'attune-demo-'))
const out = join(folder, 'demo')
after(() => rmSync(folder, { recursive: true, force: true }))

test('the small demo teaches the model and reports it', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, 'demo', '--small', '--out', out], {
    encoding: 'utf8',
  })
  assert.equal(status, 0, stderr)
  assert.equal(stdout.trim(), join(out, 'report.html'))

  const report = Report.parse(JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')))
  const policy = (name: string) => report.policies.find((one) => one.name === name)!
  const [base, best, weighted, dpok] = [policy('base'), policy('best-of-n'), policy('reward-weighted'), policy('dpok')]

  assert.ok(report.reward!.labels > 900)
  assert.ok(report.reward!.heldOut!.auc > 0.65, `AUC ${report.reward!.heldOut!.auc}`)
  assert.ok(base.seen.alignment.mean > 0.35 && base.seen.alignment.mean < 0.7, `base ${base.seen.alignment.mean}`)
  assert.equal(base.klNats.mean, 0)
  // On seen prompts every gain is clear of zero; on the fewer unseen ones the small demo promises nothing.
  for (const [{ name, seen }, least] of [
    [best, 0.1],
    [weighted, 0],
    [dpok, 0],
  ] as const) {
    const { mean, low, high } = seen.differenceToBase
    assert.ok(low > least && high < 0.6, `${name}: ${mean} from ${low} to ${high}`)
    assert.ok(Math.abs(mean - (seen.alignment.mean - base.seen.alignment.mean)) < 1e-9, name)
  }
  assert.ok(dpok.klNats.mean > 0.1 && dpok.klNats.mean < 100, `KL ${dpok.klNats.mean}`)
  assert.ok(dpok.meanReward.mean > base.meanReward.mean, `reward ${dpok.meanReward.mean} from ${base.meanReward.mean}`)
  assert.equal(weighted.imagesDrawn, dpok.imagesDrawn)
  for (const { seen, unseen, fidelity } of report.policies) {
    assert.deepEqual([seen.n, unseen.n], [210, 158])
    assert.ok(fidelity.validShare! > 0.6)
  }

  const page = readFileSync(join(out, 'report.html'), 'utf8')
  assert.doesNotMatch(page, /(?:src|href)="https?:/)
  for (const name of ['Base', 'Best-of-4', 'Reward-weighted', 'DPOK']) assert.ok(page.includes(name))
})
